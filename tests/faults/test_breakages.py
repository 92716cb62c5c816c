from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.breakages import BREAKAGES, Breakage

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda breakage: breakage.name)
def test_what_is_broken_on_purpose_stands_in_the_source_once_and_its_tests_are_there(breakage: Breakage) -> None:
    source = (ROOT / breakage.file).read_text(encoding="utf-8")
    assert [whole for whole, _ in breakage.edits if source.count(whole) != 1] == []
    for test in breakage.tests:
        file, _, name = test.partition("::")
        assert f"def {name.partition('[')[0]}(" in (ROOT / file).read_text(encoding="utf-8")
