from __future__ import annotations

from pathlib import Path

from tests.faults import kills
from tests.faults.suite import first_faults

MOMENTS = 50
RECOVERIES = 10
SIGNALS = 20


def test_killed_at_any_moment_under_load_nothing_is_lost_doubled_or_left(tmp_path: Path) -> None:
    found = first_faults(kills.AT_RANDOM, tmp_path, MOMENTS)
    assert [injected for injected in found if injected.wrong] == []
    assert len(found) == MOMENTS


def test_killed_again_while_it_recovers_the_same_is_true(tmp_path: Path) -> None:
    found = first_faults(kills.TWICE, tmp_path, RECOVERIES)
    assert [injected for injected in found if injected.wrong] == []
    assert len(found) == RECOVERIES


def test_asked_to_end_at_any_moment_it_ends_well_holds_nothing_and_goes_on_from_there(tmp_path: Path) -> None:
    found = first_faults(kills.ASKED_TO_END, tmp_path, SIGNALS)
    assert [injected for injected in found if injected.wrong] == []
    assert len(found) == SIGNALS
