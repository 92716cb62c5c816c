from __future__ import annotations

import hashlib
import os
import time
from itertools import count
from pathlib import Path

import pytest

from skrynka.steps.archive import Archive
from skrynka.store.database import new_id
from tests.faults.clocks import DAY_SECONDS, WallClock, clocks, compiled, wrong_clocks
from tests.faults.row import CannotInject
from tests.faults.suite import first_faults
from tests.support.skipped_faults import skip_fault
from tests.support.stations import make_station


@pytest.mark.parametrize(
    "number", range(1, len(clocks()) + 1), ids=lambda number: clocks()[number - 1].told.replace(" ", "-")
)
def test_a_clock_that_is_wrong_or_set_loses_nothing_and_closes_no_stack_early_or_never(
    tmp_path: Path, number: int
) -> None:
    assert [injected.wrong for injected in first_faults(wrong_clocks, tmp_path, 1, first=number)] == [()]


def test_what_is_just_being_stored_is_young_by_the_archives_own_clock_when_the_stations_is_days_fast(
    tmp_path: Path,
) -> None:
    try:
        clock = WallClock(tmp_path / "clock", compiled(tmp_path))
    except CannotInject as why:
        skip_fault(why)
    clock.set(3 * DAY_SECONDS)
    station = make_station(tmp_path / "station")
    station.environment |= clock.environment
    archive = Archive(station.archive)
    for content, days in zip(_of_one_folder(), (0, 2), strict=True):
        source = tmp_path / "source.pdf"
        source.write_bytes(content)
        stored = archive.store_original(source, scan_id=new_id(), file_type="pdf", sidecar={})
        changed = time.time() - days * DAY_SECONDS
        os.utime(archive.original_path(stored.sha256).parent, (changed, changed))
    with station.running() as daemon:
        assert daemon.wait_for("scans_unregistered")["scans"] == 1


def _of_one_folder() -> tuple[bytes, bytes]:
    """Give two contents that the archive keeps in the same folder, so that they are compared at one time."""
    first = b"%PDF-1.7 number 0"
    beginning = hashlib.sha256(first).hexdigest()[:2]
    others = (f"%PDF-1.7 number {number}".encode() for number in count(1))
    return first, next(each for each in others if hashlib.sha256(each).hexdigest()[:2] == beginning)
