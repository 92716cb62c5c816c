"""Every hostile construction, by way of a real daemon: each is done with in its time, and nobody else notices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.journey.drawn_piles import draw_pile
from tests.readers.constructions import CONSTRUCTIONS
from tests.support import hostile
from tests.support.oracle import Dropped, Row, dropped, misfits, query
from tests.support.processes import await_that, drawers, readers
from tests.support.stations import Station, make_station

PAGE_SECONDS, SCAN_SECONDS = 4, 40
OPTIONS = {
    "LIMITS__PAGE_SECONDS": str(PAGE_SECONDS),
    "LIMITS__SCAN_SECONDS": str(SCAN_SECONDS),
    "LIMITS__SCAN_PAGES": "200",
    "LIMITS__PAGE_MEGAPIXELS": "40",
    "LIMITS__READER_MEGABYTES": "640",
    "INTAKE__QUIET_SECONDS": "0.2",
    "INTAKE__GIVE_UP_SECONDS": "0.4",
}
ENDS = frozenset({"scan_finished", "scan_quarantined"})


@dataclass(frozen=True, slots=True)
class Taken:
    """What the daemon made of it all."""

    station: Station
    lines: list[dict[str, Any]]
    scans: dict[str, Row]
    """By construction, and the good ones by "good 1" and so on."""
    truth: list[Dropped]
    left: int
    """Processes that were left when all was done."""

    def seconds(self, what: str) -> float:
        """Say how long a scan took from its first reader to its end."""
        mine = [line for line in self.lines if line.get("scan_id") == self.scans[what]["id"]]
        times = [
            datetime.fromisoformat(line["time"])
            for line in mine
            if line["event"] in {"reader_started", "scan_read", "scan_quarantined"}
        ]
        return (times[-1] - times[0]).total_seconds()


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Taken:
    """Drop every construction into one inbox and, now and then, a good scan into the other."""
    station = make_station(tmp_path_factory.mktemp("hostile"), ("OBL-01", "OBL-02"), options=OPTIONS)
    dropped_as: dict[str, Dropped] = {}
    with station.running() as daemon:
        pid = daemon.process.pid
        for number, (what, (make, _)) in enumerate(CONSTRUCTIONS.items(), start=1):
            data = make()
            dropped_as[what] = dropped(data, spoilt=None)
            station.drop(data, f"scan{number:04d}.pdf", "OBL-02")
            if number % 10 == 1:
                good = draw_pile(number, "C1 x").file
                dropped_as[f"good {number}"] = good.truth
                station.drop(good.data, f"scan{number:04d}.pdf", "OBL-01")
        for _ in dropped_as:
            daemon.wait_for_any(ENDS, 300)
        await_that(lambda: not readers(pid) and not drawers(pid), "no process is left")
        left = len(readers(pid)) + len(drawers(pid))
        assert daemon.process.poll() is None
    rows = {row["sha256"]: row for row in query(station.database, "SELECT * FROM scan")}
    scans = {what: rows[truth.sha256] for what, truth in dropped_as.items()}
    return Taken(station, daemon.lines, scans, list(dropped_as.values()), left)


@pytest.mark.parametrize("what", CONSTRUCTIONS)
def test_it_is_filed_or_in_quarantine_for_a_reason_of_its_own(taken: Taken, what: str) -> None:
    row = taken.scans[what]
    outcome = "filed" if row["state"] == "filed" else row["quarantine_reason"]
    assert outcome in CONSTRUCTIONS[what][1]
    if outcome in {"page_unreadable", "page_too_large"} and row["file_type"] == "pdf":
        assert row["quarantine_page"] is not None


@pytest.mark.parametrize("what", CONSTRUCTIONS)
def test_it_is_done_with_in_its_time(taken: Taken, what: str) -> None:
    # Two tries of its page, each ended at the limit, and starting and ending processes on a busy machine.
    assert taken.seconds(what) < 2 * PAGE_SECONDS + 10


def test_the_good_scans_among_them_are_filed_and_nothing_is_left(taken: Taken) -> None:
    assert {row["state"] for what, row in taken.scans.items() if what.startswith("good")} == {"filed"}
    station = taken.station
    assert misfits(station.database, station.archive, taken.truth, empty_folders=station.leftovers) == []
    assert taken.left == 0


def test_no_reader_said_what_cant_be_and_no_loop_failed(taken: Taken) -> None:
    assert [line for line in taken.lines if line["event"] in {"work_failed", "plan_refused"}] == []
    assert {row["quarantine_reason"] for row in taken.scans.values()}.isdisjoint(
        {"reader_incoherent", "attempts_exhausted"}
    )


def test_a_page_that_kills_its_readers_puts_its_scan_aside_with_the_pages_number_and_no_other(tmp_path: Path) -> None:
    station = make_station(tmp_path, ("OBL-01", "OBL-02"), options={"READING__READERS": "2"})
    good = [draw_pile(number, "C1 x") for number in (1, 2)]
    with station.running() as daemon:
        station.drop(hostile.endless_pdf(2, 1), box="OBL-02")
        killed: set[int] = set()
        for pile in good:
            await_that(lambda: any(drawer.pid not in killed for drawer in drawers(daemon.process.pid)), "poppler draws")
            (drawer,) = drawers(daemon.process.pid)
            killed.add(drawer.pid)
            station.drop(pile.file.data, f"scan{pile.number:04d}.pdf")
            daemon.wait_for("scan_finished")
            reader = next(each for each in readers(daemon.process.pid) if each.pid == drawer.parent().pid)
            reader.kill()
        line = daemon.wait_for("scan_quarantined")
        assert (line["reason"], line["page"], line["box"]) == ("reader_crashed", 3, "OBL-02")
    died = [line for line in daemon.lines if line["event"] == "reader_died"]
    assert [(line["page"], line["signal"], line["scan_number"]) for line in died] == [(3, "SIGKILL", "ST-1")]
    (row,) = query(station.database, "SELECT * FROM scan WHERE box_code = 'OBL-02'")
    assert (row["state"], row["quarantine_page"]) == ("quarantined", 3)
