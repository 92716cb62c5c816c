from __future__ import annotations

from functools import partial
from pathlib import Path

from tests.faults.power_cut import cuts, without_folder_fsyncs
from tests.faults.suite import first_faults

POINTS = 20
"""Half of them with all on one disk, half with archive and database on disks of their own."""


def test_nothing_is_lost_when_the_power_is_cut_at_any_moment(tmp_path: Path) -> None:
    found = first_faults(cuts, tmp_path, POINTS)
    assert [injected for injected in found if injected.wrong] == []
    assert len(found) == POINTS


def test_without_the_fsyncs_of_folders_the_same_power_cuts_lose_papers(tmp_path: Path) -> None:
    source = without_folder_fsyncs(tmp_path)
    found = first_faults(partial(cuts, source=source), tmp_path, POINTS)
    assert found[-1].wrong
