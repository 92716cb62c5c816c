from __future__ import annotations

from pathlib import Path

import pytest

from skrynka.core.errors import DatabaseAway
from skrynka.held_database import forget_held, note_held, require_held

OURS, OTHERS = (1, 2), (1, 3)


def test_another_file_than_the_one_that_was_noted_last_is_refused(tmp_path: Path) -> None:
    note_held(tmp_path, OTHERS)
    note_held(tmp_path, OURS)
    require_held(tmp_path, OURS)
    with pytest.raises(DatabaseAway) as away:
        require_held(tmp_path, OTHERS)
    assert away.value.why == "another_file"


@pytest.mark.parametrize("noted", [None, b"", b"\xff no numbers"])
def test_where_nothing_is_noted_no_file_is_refused(tmp_path: Path, noted: bytes | None) -> None:
    note_held(tmp_path, OTHERS)
    forget_held(tmp_path)
    forget_held(tmp_path)
    if noted is not None:
        (tmp_path / "database").write_bytes(noted)
    require_held(tmp_path, OURS)
