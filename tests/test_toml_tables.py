from __future__ import annotations

from pathlib import Path

import pytest

from skrynka.core.errors import ConfigurationError
from skrynka.toml_tables import Place, line_of, read_toml, suggest

TEXT = '''# A comment with "WORD" and [[a.b]] in it

[[a]]
one = 1

# about two
two = [
  "X",  # [[a]]
  { y = "WORD" },
]
[[a.b]]
text = """
[[a]]
"WORD"
"""
[a.c]
d.e = "WORD"
[[a]]
b = []
"key with space" = { z = "WORD" }'''


@pytest.mark.parametrize(
    ("place", "word", "line"),
    [
        ((), "", 1),
        (("a", 0), "", 3),
        (("a", 0, "one"), "", 4),
        (("a", 0, "two"), "", 7),
        (("a", 0, "two", 1, "y"), '"WORD"', 9),
        (("a", 0, "two"), '"NOWHERE"', 7),
        (("a", 0, "b", 0), "", 11),
        (("a", 0, "b", 0, "text"), "", 12),
        (("a", 0, "c"), "", 16),
        (("a", 0, "c", "d", "e"), "", 17),
        (("a", 1), "", 18),
        (("a", 1, "key with space", "z"), '"WORD"', 20),
    ],
)
def test_a_value_is_found_however_it_is_written(place: Place, word: str, line: int) -> None:
    assert line_of(TEXT, place, word) == line


@pytest.mark.parametrize("place", [("x",), ("a", 2), ("a", 0, "one", "deeper"), ("a", "b")])
def test_a_place_that_is_not_there_is_an_error_of_ours(place: Place) -> None:
    with pytest.raises(LookupError):
        line_of(TEXT, place)


def test_what_was_perhaps_meant_is_suggested() -> None:
    assert suggest("CRET", ["SEAL", "CERT"]) == 'Did you mean "CERT"?'
    assert suggest("XYZ", ["SEAL", "CERT"]) == "There is: SEAL, CERT."
    assert suggest("XYZ", []) == "There is: nothing yet."


def test_what_is_not_there_has_its_default(tmp_path: Path) -> None:
    path = tmp_path / "some.toml"
    path.write_text("")
    table = read_toml(path)
    assert table.words("name", "default") == "default"
    assert table.flag("flag") is False
    assert table.codes("codes") == ()
    assert table.tables("tables") == []
    assert table.table("table").values == {}
    with pytest.raises(ConfigurationError, match=r'^some\.toml:1: "name" is missing'):
        table.words("name")
