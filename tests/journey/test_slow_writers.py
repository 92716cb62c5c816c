"""Scanners that write slowly, each a process of its own, to files that are whole after every page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tests.support import growing, slow_writer
from tests.support.drawn_sheets import SheetFields
from tests.support.oracle import Dropped, Row, dropped, misfits, query
from tests.support.processes import await_that
from tests.support.stacks import DrawnStack, Envelope, Paper, draw_stack
from tests.support.stations import Daemon, Station, make_station

QUIET_SECONDS = 3.0
"""Far longer than the pauses, so that a writer that a busy machine holds up isn't taken for one that is done."""
PAUSE_SECONDS = 0.6
BYTES_A_SECOND = 400_000
SLOW = {"PDF": "OBL-01", "TIFF": "OBL-02", "a PDF on a share": "OBL-03"}
"""The box that each is written into."""
GIVES_UP = "OBL-04"


@dataclass(frozen=True, slots=True)
class Written:
    """What the station made of it all."""

    station: Station
    lines: list[dict[str, Any]]
    stacks: dict[str, DrawnStack]
    truth: list[Dropped]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Let all write at the same time, one of them until it is killed in the middle of a page."""
    folder = tmp_path_factory.mktemp("slow")
    boxes: dict[str, dict[str, str]] = {box: {} for box in (*SLOW.values(), GIVES_UP)}
    boxes["OBL-03"] = {"kind": '"share"'}
    seconds = {"QUIET_SECONDS": QUIET_SECONDS, "SHARE_QUIET_SECONDS": QUIET_SECONDS, "GIVE_UP_SECONDS": QUIET_SECONDS}
    seconds |= {"SWEEP_SECONDS": 0.2, "SHARE_SWEEP_SECONDS": 0.2}
    options = {f"INTAKE__{name}": str(value) for name, value in seconds.items()}
    station = make_station(folder / "station", boxes, options=options)
    stacks = {box: _stack(number, box) for number, box in enumerate(boxes, start=1)}
    states = {
        box: (growing.growing_tiff if box == "OBL-02" else growing.growing_pdf)(stack.scanned)
        for box, stack in stacks.items()
    }
    with station.running() as daemon:
        writers = {
            box: slow_writer.start(
                folder / box, states[box], station.inbox(box) / "scan.pdf", bytes_a_second=BYTES_A_SECOND,
                pause=PAUSE_SECONDS,
            )
            for box in boxes
        }  # fmt: skip
        broken_off = _kill_in_mid_page(writers[GIVES_UP], station)
        for box in SLOW.values():
            assert writers[box].wait(timeout=60) == 0
            assert writers[box].communicate()[0].split() == ["page"] * (len(states[box]) - 1) + ["done"]
        await_that(lambda: _finished(daemon) == len(boxes), "every scan is finished")
    truth = [dropped(states[box][-1], stacks[box].pages) for box in SLOW.values()]
    return Written(station, daemon.lines, stacks, [*truth, broken_off])


@pytest.mark.parametrize("what", SLOW)
def test_a_scan_that_is_whole_after_every_page_is_taken_when_its_writer_is_done(written: Written, what: str) -> None:
    row = _row(written.station, SLOW[what])
    assert (row["state"], row["page_count"]) == ("filed", len(written.stacks[SLOW[what]].pages))
    (line,) = [line for line in written.lines if line["event"] == "scan_claimed" and line["box"] == SLOW[what]]
    assert "unfinished" not in line


def test_a_scan_whose_writer_died_is_taken_as_it_is_and_set_aside(written: Written) -> None:
    row = _row(written.station, GIVES_UP)
    assert (row["state"], row["quarantine_reason"]) == ("quarantined", "corrupt")
    (line,) = [line for line in written.lines if line["event"] == "scan_claimed" and line["box"] == GIVES_UP]
    assert line["unfinished"] is True


def test_every_page_is_accounted_for_and_every_case_exists_once(written: Written) -> None:
    cases = [case.page_ids for box in SLOW.values() for case in written.stacks[box].cases]
    station = written.station
    assert misfits(station.database, station.archive, written.truth, cases, empty_folders=station.leftovers) == []


def _stack(number: int, box: str) -> DrawnStack:
    envelope = Envelope((Paper("CERT"), Paper("SEAL"), Paper("WORKS")), SheetFields(serial=f"A00000{number}", box=box))
    return draw_stack([envelope], np.random.default_rng(number), dpi=100, first_id=100 * number)


def _kill_in_mid_page(writer: Any, station: Station) -> Dropped:  # noqa: ANN401 - a Popen of text
    assert writer.stdout.readline() == "page\n"
    path = station.inbox(GIVES_UP) / "scan.pdf"
    whole = path.stat().st_size
    while path.stat().st_size <= whole + 1000:
        assert writer.poll() is None
    writer.kill()
    writer.communicate()
    return dropped(path.read_bytes(), spoilt=True)


def _row(station: Station, box: str) -> Row:
    (row,) = (row for row in query(station.database, "SELECT * FROM scan") if row["box_code"] == box)
    return row


def _finished(daemon: Daemon) -> int:
    return sum(line["event"] in {"stack_filed", "scan_quarantined"} for line in daemon.lines)
