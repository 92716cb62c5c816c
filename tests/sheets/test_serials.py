from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrynka.core.errors import ConfigurationError
from skrynka.sheets.serials import LAST, SeriesExhausted, serials

series = st.from_regex(r"[A-Z]{1,3}", fullmatch=True)


def test_serials_go_on_after_the_last_one() -> None:
    assert serials("A", 0, 2) == ["A000001", "A000002"]
    assert serials("OB", 122, 1) == ["OB000123"]
    assert serials("A", 5, 0) == []


@given(series, st.integers(0, LAST - 50), st.integers(0, 50))
def test_every_serial_is_new_and_in_order(letters: str, after: int, copies: int) -> None:
    given_out = serials(letters, after, copies)
    assert {serial[: len(letters)] for serial in given_out} <= {letters}
    numbers = [int(serial[len(letters) :]) for serial in given_out]
    assert numbers == list(range(after + 1, after + copies + 1))
    assert {len(serial) for serial in given_out} <= {len(letters) + 6}


def test_a_series_ends_at_six_digits() -> None:
    assert serials("A", LAST - 1, 1) == ["A999999"]
    with pytest.raises(SeriesExhausted) as caught:
        serials("A", LAST - 1, 2)
    assert caught.value.left == 1


def test_nothing_is_left_of_a_series_that_ran_over() -> None:
    with pytest.raises(SeriesExhausted) as caught:
        serials("A", LAST + 5, 1)
    assert caught.value.left == 0


@pytest.mark.parametrize("letters", ["", "a", "ABCD", "А", "A1", "A\n"])
def test_a_series_is_one_to_three_capital_latin_letters(letters: str) -> None:
    with pytest.raises(ConfigurationError):
        serials(letters, 0, 1)


@pytest.mark.parametrize(("after", "copies"), [(-1, 1), (0, -1)])
def test_counts_are_not_negative(after: int, copies: int) -> None:
    with pytest.raises(ValueError, match="negative"):
        serials("A", after, copies)
