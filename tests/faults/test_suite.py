from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.suite import first_faults
from tests.faults.toys import TOYS
from tests.support.skipped_faults import MAY_SKIP

UNABLE, FRAIL = TOYS["unable"].inject, TOYS["frail"].inject


def test_a_fault_that_the_machine_cant_inject_fails_its_test_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(MAY_SKIP, raising=False)
    with pytest.raises(pytest.fail.Exception, match=f"it needs root.*{MAY_SKIP}=1"):
        first_faults(UNABLE, tmp_path, 1)


def test_it_is_skipped_where_that_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MAY_SKIP, "1")
    with pytest.raises(pytest.skip.Exception, match="it needs root"):
        first_faults(UNABLE, tmp_path, 1)


def test_the_first_fault_that_isnt_survived_is_the_last_unless_another_is_waited_for(tmp_path: Path) -> None:
    assert [injected.number for injected in first_faults(FRAIL, tmp_path, 5)] == [1, 2, 3]
    found = first_faults(FRAIL, tmp_path, 5, last=lambda injected: injected.number == 4)
    assert [injected.number for injected in found] == [1, 2, 3, 4]
