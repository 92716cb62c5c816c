"""One long day's scans on SQLite and on PostgreSQL: the same cases, documents, accounts and quarantine, row by row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np
import pytest

from tests.support import scans
from tests.support.databases import MakeDatabase
from tests.support.drawn_sheets import SheetFields
from tests.support.oracle import Dropped, dropped, misfits
from tests.support.outcomes import Outcome, outcome
from tests.support.processes import await_that
from tests.support.stacks import DrawnStack, Envelope, Paper, draw_stack
from tests.support.stations import Daemon, Station, make_station

DPI = 120
ENGINES = ("sqlite", "postgresql")
BOXES = {"OBL-01": {}, "OBL-02": {"assemble": '"stack"'}}
OPTIONS = {"FILING__END_SHEET_QUIET_SECONDS": "0.5"}


@dataclass(slots=True)
class Day:
    """What is dropped, in order, and the truth about it."""

    files: list[tuple[str, bytes]] = field(default_factory=list)
    """Box and file."""
    truth: list[Dropped] = field(default_factory=list)
    cases: list[list[int]] = field(default_factory=list)

    def drop(self, box: str, data: bytes, truth: Dropped, *stacks: DrawnStack) -> None:
        """Add a file, and the stacks that end with it."""
        self.files.append((box, data))
        self.truth.append(truth)
        self.cases += [case.page_ids for stack in stacks for case in stack.cases]


@pytest.fixture(scope="module")
def day() -> Day:
    return _draw()


@pytest.fixture(scope="module")
def stations(
    day: Day, make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Station]]:
    """A station on each engine, after that day."""
    with ExitStack() as databases:
        made = {}
        for engine in ENGINES:
            url = databases.enter_context(make_database(engine))
            made[engine] = make_station(
                tmp_path_factory.mktemp(engine) / "station", BOXES, database_url=url, options=OPTIONS
            )
            _live(made[engine], day)
        yield made


@pytest.fixture(scope="module")
def outcomes(stations: dict[str, Station]) -> dict[str, Outcome]:
    return {engine: outcome(station.database) for engine, station in stations.items()}


@pytest.mark.parametrize("engine", ENGINES)
def test_every_page_is_accounted_for_on_each(stations: dict[str, Station], day: Day, engine: str) -> None:
    station = stations[engine]
    assert misfits(station.database, station.archive, day.truth, day.cases, empty_folders=station.leftovers) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_an_audit_finds_nothing_wrong_with_either(stations: dict[str, Station], engine: str) -> None:
    found = json.loads(stations[engine].run("audit", "--json").stdout)
    # The sheets were drawn by the test, and not printed here.
    assert {each["flaw"] for each in found["flaws"]} == {"serials_behind"}


def test_the_day_had_something_of_everything(outcomes: dict[str, Outcome]) -> None:
    told = outcomes["sqlite"]
    assert {scan["state"] for scan in told["scans"]} == {"filed", "duplicate", "quarantined"}
    assert {scan["quarantine_reason"] for scan in told["scans"]} == {None, "encrypted", "corrupt"}
    assert {page["disposition"] for page in told["pages"]} == {"document", "sheet", "blank", "duplicate"}
    assert {case["completeness"] for case in told["cases"]} >= {"complete", "incomplete"}
    assert {1, 0} == {case["held"] for case in told["cases"]}
    assert {review["reason"] for review in told["reviews"]} >= {"sheet_unreadable", "pages_before_first_sheet"}
    assert [finding["reason"] for finding in told["findings"]] == ["stack_count_mismatched"]
    assert all(count["times"] == 1 for count in told["created"])
    assert len(told["created"]) == len(told["cases"])


@pytest.mark.parametrize(
    "subject",
    ["scans", "stacks", "pages", "cases", "documents", "kinds", "reviews", "findings", "providers", "created"],
)
def test_both_hold_the_same_rows(outcomes: dict[str, Outcome], subject: str) -> None:
    assert outcomes["postgresql"][subject] == outcomes["sqlite"][subject]


def _live(station: Station, day: Day) -> None:
    with station.running() as daemon:
        for number, (box, data) in enumerate(day.files, start=1):
            station.drop(data, f"scan{number:04d}.pdf", box)
            # One after the other, so that both stations number them alike.
            await_that(lambda: _finished(daemon) == number, f"scan {number} is finished")  # noqa: B023 - it is awaited here


def _finished(daemon: Daemon) -> int:
    return sum(line["event"] in {"scan_finished", "scan_duplicated", "scan_quarantined"} for line in daemon.lines)


def _draw() -> Day:
    day, rng = Day(), np.random.default_rng(28)

    def sheet(number: int, case_type: str, box: str = "OBL-01") -> SheetFields:
        return SheetFields(serial=f"A{number:06d}", box=box, case_type=case_type, providers=("KTE", "KVK"))

    papers = tuple(Paper(kind, declared=(kind,)) for kind in ("CERT", "SEAL", "PHOTO"))
    plain = draw_stack(
        [
            Envelope(papers, sheet(1, "NUM")),
            Envelope((Paper("WORKS", 2, declared=("WORKS",)),), sheet(2, "VER")),
        ],
        rng, dpi=DPI, duplex=True,
    )  # fmt: skip
    data = scans.pdf_of(plain.scanned)
    day.drop("OBL-01", data, dropped(data, plain.pages), plain)
    day.drop("OBL-01", data, dropped(data, plain.pages))

    troubled = draw_stack(
        [
            Envelope((Paper("SEAL"),)),
            Envelope((Paper("CERT"),), sheet(3, "VER")),
            Envelope((Paper("PASSPORT"),), sheet(4, "NUM"), look="scribbled"),
        ],
        rng, dpi=DPI, first_id=100,
    )  # fmt: skip
    data = scans.tiff_of(troubled.scanned)
    day.drop("OBL-01", data, dropped(data, troubled.pages), troubled)

    for spoilt in (scans.encrypted(data := scans.pdf_of(troubled.scanned)), scans.truncated(data)):
        day.drop("OBL-01", spoilt, dropped(spoilt, spoilt=True))

    crossing = draw_stack(
        [Envelope((Paper("WORKS", 3),), sheet(5, "VER", "OBL-02"))],
        rng, dpi=DPI, first_id=200, end=SheetFields("E", serial="E000001"),
        collection=SheetFields("B", serial="B000001", box="OBL-02", emptied="20220221", counted=2),
    )  # fmt: skip
    whole = scans.pdf_of(crossing.scanned)
    day.drop("OBL-02", whole, dropped(whole, crossing.pages), crossing)
    return day
