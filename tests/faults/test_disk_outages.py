from __future__ import annotations

from functools import partial
from pathlib import Path

from tests.faults.disk_outages import ARCHIVE_AWAY, FULL, outages
from tests.faults.suite import first_faults


def test_a_full_disk_stops_the_claiming_before_it_hurts_what_is_in_work_and_all_goes_on_when_it_is_freed(
    tmp_path: Path,
) -> None:
    found = first_faults(partial(outages, troubles=FULL), tmp_path, len(FULL))
    assert [injected for injected in found if injected.wrong] == []
    assert len(found) == len(FULL)


def test_an_archive_that_is_read_only_or_not_mounted_is_waited_for_and_puts_no_scan_into_quarantine(
    tmp_path: Path,
) -> None:
    found = first_faults(partial(outages, troubles=ARCHIVE_AWAY), tmp_path, len(ARCHIVE_AWAY))
    assert [injected for injected in found if injected.wrong] == []
    assert len(found) == len(ARCHIVE_AWAY)
