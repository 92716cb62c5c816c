"""Kill −9 in mid-scan, and start again: the same cases as if nothing had happened. Asked to end, it ends at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.support import hostile, stations
from tests.support.drawn_sheets import SheetFields
from tests.support.oracle import dropped, misfits, query
from tests.support.outcomes import Outcome, outcome
from tests.support.processes import alive, await_that, descendants, drawers, readers
from tests.support.scans import pdf_of
from tests.support.stacks import DrawnStack, Envelope, Paper, draw_stack
from tests.support.stations import Daemon, Station, make_station

SUBMISSIONS = 10
TRIES = 5
"""How often a daemon may get past the moment before a test gives up on it."""


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan large enough to be killed in the middle of, and what becomes of it when nothing happens."""

    stack: DrawnStack
    data: bytes
    outcome: Outcome


@pytest.fixture(scope="module", autouse=True)
def _daemons_start_warm() -> None:
    """Not here: what is killed is to be what an admin's machine runs, with a fork server of its own."""
    assert stations.usual_start is None


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    kinds = ("SEAL", "PHOTO", "WORKS", "CERT")
    stack = draw_stack(
        [
            Envelope(
                (Paper(kinds[place % 4]), Paper(kinds[(place + 1) % 4], declared=("SEAL",))),
                SheetFields(serial=f"A{place:06d}", box="OBL-01", case_type="NUM"),
            )
            for place in range(1, SUBMISSIONS + 1)
        ],
        np.random.default_rng(9),
        dpi=120,
    )
    data = pdf_of(stack.scanned)
    calm = make_station(tmp_path_factory.mktemp("calm") / "station")
    calm.drop(data)
    calm.once()
    became = outcome(calm.database)
    assert len(became["cases"]) == SUBMISSIONS
    return Scan(stack, data, became)


@dataclass(frozen=True, slots=True)
class Moment:
    """When the daemon is killed: what is waited for, and the event that must not have come by then."""

    name: str
    wait: Callable[[Daemon, Station], None]
    not_yet: str | None

    def __str__(self) -> str:
        return self.name


def _reader_is_there(daemon: Daemon, _station: Station) -> None:
    await_that(lambda: bool(readers(daemon.process.pid)), "a reader process reads")


def _reader_is_well_on(daemon: Daemon, station: Station) -> None:
    _reader_is_there(daemon, station)
    # Others may help it by now.
    await_that(
        lambda: any(_seconds_worked(reader) > 0.1 for reader in readers(daemon.process.pid)),
        "a reader has worked for a while",
    )


def _documents_in(folder: Path) -> Iterator[str]:
    """Give the names of those at any depth; a folder that goes while it is looked at has none."""
    return (name for _, _, names in os.walk(folder) for name in names if name.endswith(".pdf"))


def _document_is_cut(_daemon: Daemon, station: Station) -> None:
    await_that(lambda: any(_documents_in(station.folder / "work")), "a document is cut")


def _document_is_stored(_daemon: Daemon, station: Station) -> None:
    await_that(lambda: any(_documents_in(station.archive / "documents")), "a document is in the archive")


CLAIMED = Moment("claimed", lambda daemon, _: ignore(daemon.wait_for("scan_claimed")), "scan_read")
REGISTERED = Moment("registered", lambda daemon, _: ignore(daemon.wait_for("scan_registered")), "scan_read")
READING_BEGAN = Moment("reading began", _reader_is_there, "scan_read")
READING_IS_WELL_ON = Moment("reading is well on", _reader_is_well_on, "scan_read")
READ = Moment("read", lambda daemon, _: ignore(daemon.wait_for("scan_read")), "case_created")
CUTTING = Moment("cutting", _document_is_cut, "case_created")
STORING = Moment("storing", _document_is_stored, "case_created")
RECORDED = Moment("recorded", lambda daemon, _: ignore(daemon.wait_for("case_created")), None)


@pytest.mark.parametrize(
    "moment", [CLAIMED, REGISTERED, READING_BEGAN, READING_IS_WELL_ON, READ, CUTTING, STORING, RECORDED], ids=str
)
def test_killed_in_mid_scan_and_started_again_the_cases_are_as_if_nothing_had_happened(
    tmp_path: Path, whole: Scan, moment: Moment
) -> None:
    station = killed_at(moment, tmp_path, whole.data)
    station.once()
    assert_as_if_nothing_had_happened(station, whole)


def test_killed_again_in_the_recovery_the_cases_are_the_same(tmp_path: Path, whole: Scan) -> None:
    station = killed_at(READING_IS_WELL_ON, tmp_path, whole.data)
    kill(READING_IS_WELL_ON, station)
    station.once()
    assert_as_if_nothing_had_happened(station, whole)


def test_a_scan_that_broke_off_three_times_is_set_aside_and_the_next_one_is_filed(tmp_path: Path, whole: Scan) -> None:
    station = killed_at(READING_BEGAN, tmp_path, whole.data)
    for _ in range(2):
        assert kill(READING_BEGAN, station)
    small = draw_stack([Envelope((Paper("SEAL"),))], np.random.default_rng(3), dpi=100, first_id=900)
    data = pdf_of(small.scanned)
    station.drop(data, "scan0002.pdf")
    station.once()
    rows = query(station.database, "SELECT state, quarantine_reason FROM scan ORDER BY number")
    assert [tuple(row.values()) for row in rows] == [("quarantined", "attempts_exhausted"), ("filed", None)]
    truth = [dropped(whole.data, spoilt=True), dropped(data, small.pages)]
    cases = [case.page_ids for case in small.cases]
    assert misfits(station.database, station.archive, truth, cases, empty_folders=station.leftovers) == []


def test_what_draws_a_page_dies_with_the_daemon(tmp_path: Path) -> None:
    station = make_station(tmp_path / "station")
    station.drop(hostile.endless_pdf(1, 1))
    daemon = Daemon(station)
    try:
        await_that(lambda: bool(drawers(daemon.process.pid)), "poppler draws")
        left = descendants(daemon.process.pid)
    finally:
        daemon.kill()
    await_that(lambda: not alive(left), "poppler has ended")


def test_asked_to_end_in_mid_scan_it_ends_well_and_the_next_start_finishes_the_scan(
    tmp_path: Path, whole: Scan
) -> None:
    station = make_station(tmp_path / "station")
    station.drop(whole.data)
    with station.running() as daemon:
        _reader_is_well_on(daemon, station)
    # `running` has seen that it ended by itself, with exit code 0.
    assert [line["event"] for line in daemon.lines][-2:] == ["service_stopping", "service_stopped"]
    assert "scan_read" not in [line["event"] for line in daemon.lines]
    (row,) = query(station.database, "SELECT state, attempts, lease_owner FROM scan")
    assert tuple(row.values()) == ("received", 0, None)
    station.once()
    assert_as_if_nothing_had_happened(station, whole)


def test_asked_to_end_while_a_page_is_drawn_that_never_ends_it_ends_well(tmp_path: Path) -> None:
    station = make_station(tmp_path / "station")
    station.drop(hostile.endless_pdf(1, 1))
    with station.running() as daemon:
        await_that(lambda: bool(drawers(daemon.process.pid)), "poppler draws")
        left = descendants(daemon.process.pid)
    await_that(lambda: not alive(left), "no process of the daemon is left")
    (row,) = query(station.database, "SELECT state, attempts FROM scan")
    assert tuple(row.values()) == ("received", 0)
    assert list((station.folder / "work").iterdir()) == []


def test_asked_to_end_before_it_is_ready_it_ends_well(tmp_path: Path) -> None:
    daemon = Daemon(make_station(tmp_path / "station"))
    daemon.wait_for("service_started")
    daemon.end()


def killed_at(moment: Moment, folder: Path, data: bytes) -> Station:
    """Give a station whose daemon was killed at the moment; where it got past it, another station is tried."""
    for nth in range(TRIES):
        station = make_station(folder / f"station-{nth}")
        station.drop(data)
        if kill(moment, station):
            return station
    raise AssertionError(f"{TRIES} daemons got past the moment: {moment}")


def kill(moment: Moment, station: Station) -> bool:
    """Run the daemon, kill it at the moment, and nothing else; False where it had got past it.

    Nobody ends the readers: they see for themselves that nobody listens any more.
    """
    daemon = Daemon(station)
    try:
        moment.wait(daemon, station)
        left = descendants(daemon.process.pid)
    finally:
        daemon.kill()
    await_that(lambda: not alive(left), "no process of the killed daemon is left")
    return moment.not_yet not in [line["event"] for line in daemon.lines]


def assert_as_if_nothing_had_happened(station: Station, whole: Scan) -> None:
    """See that the cases are those of a daemon that nobody killed, nothing is doubled, and nothing is left over."""
    assert outcome(station.database) == whole.outcome
    truth = [dropped(whole.data, whole.stack.pages)]
    cases = [case.page_ids for case in whole.stack.cases]
    assert misfits(station.database, station.archive, truth, cases, empty_folders=station.leftovers) == []
    for folder in station.leftovers:
        assert list(folder.iterdir()) == []


def ignore(_line: object) -> None:
    """Make nothing of an event but that it came."""


def _seconds_worked(process: psutil.Process) -> float:
    try:
        return float(process.cpu_times().user)
    except psutil.NoSuchProcess:
        return 0.0
