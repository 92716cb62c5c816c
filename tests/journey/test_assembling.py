"""When a stack is quiet: by a clock that nobody sets, whatever the station's clock says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from skrynka.core.signing import Signing
from skrynka.core.stacking import Assemble, OpenedBy, Segment
from skrynka.journey.assembling import Assembling, AssemblyRules
from skrynka.store.assembly import assemble, open_stack
from skrynka.store.boxes import sync_boxes
from skrynka.store.database import Database, open_database
from skrynka.store.listings import work_left
from skrynka.store.queue import record_reading
from skrynka.store.registration import register_scan
from tests.store.samples import BOXES, CLAIMED, new_scan, readings, received, taken

BOX = "OBL-03"
QUIET = 600.0


@dataclass(slots=True)
class Desk:
    """A station with an open stack, its wall clock and its monotonic one."""

    db: Database
    clocks: Clocks
    assembling: Assembling
    closings: list[None]
    """One for each time that it was told that stacks were closed."""

    def open(self) -> bool:
        """Say whether the stack is open."""
        return open_stack(self.db, BOX) is not None


@dataclass(slots=True)
class Clocks:
    """The wall's, which jumps, and one that only goes on: seconds."""

    wall: datetime = field(default_factory=lambda: datetime(2026, 3, 2, 8, tzinfo=UTC))
    monotonic: float = 0.0


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    clocks = Clocks()
    db = open_database(database_url, clock=lambda: clocks.wall)
    sync_boxes(db, "A", "Station A", BOXES)
    rules = AssemblyRules("A", {BOX: Assemble.STACK}, quiet_seconds=QUIET, ended_quiet_seconds=10.0, signing=Signing())
    closings: list[None] = []
    assembling = Assembling(db, rules, lambda: closings.append(None), lambda: clocks.monotonic)
    desk = Desk(db, clocks, assembling, closings)
    lay(desk, 1)
    yield desk
    db.close()


def lay(desk: Desk, number: int) -> None:
    scan_id = received(desk.db, number)
    record_reading(desk.db, taken(desk.db), readings(3))
    assemble(desk.db, scan_id, [Segment(1, 3, OpenedBy.SCAN if number == 1 else None)], Assemble.STACK)


def test_a_stack_is_closed_once_nothing_was_added_for_the_quiet_time(desk: Desk) -> None:
    assert desk.assembling.close_quiet() == QUIET
    desk.clocks.monotonic = QUIET - 1
    assert desk.assembling.close_quiet() == 1
    assert desk.open()
    assert desk.closings == []
    desk.clocks.monotonic = QUIET
    desk.assembling.close_quiet()
    assert not desk.open()
    assert len(desk.closings) == 1


def test_whoever_files_is_told_of_a_stack_that_a_scan_closes(desk: Desk) -> None:
    rules = AssemblyRules("A", {BOX: Assemble.FILE}, quiet_seconds=QUIET, ended_quiet_seconds=10.0, signing=Signing())
    received(desk.db, 2)
    record_reading(desk.db, taken(desk.db), readings(3))
    Assembling(desk.db, rules, lambda: desk.closings.append(None)).assemble()
    assert len(desk.closings) == 1


def test_a_page_that_is_added_begins_the_quiet_time_anew(desk: Desk) -> None:
    desk.assembling.close_quiet()
    desk.clocks.monotonic, desk.clocks.wall = QUIET - 1, desk.clocks.wall + timedelta(seconds=1)
    lay(desk, 2)
    assert desk.assembling.close_quiet() == QUIET
    assert desk.open()


def test_a_stack_isn_t_quiet_while_more_is_on_its_way_from_its_inbox(desk: Desk) -> None:
    desk.assembling.close_quiet()
    desk.clocks.monotonic = QUIET
    assert desk.assembling.close_quiet({BOX}) == QUIET
    assert desk.open()


@pytest.mark.parametrize("jump", [timedelta(days=3), timedelta(days=-3), timedelta(days=-20000)], ids=str)
def test_a_clock_that_jumps_closes_no_stack_and_keeps_none_open(desk: Desk, jump: timedelta) -> None:
    desk.assembling.close_quiet()
    desk.clocks.wall += jump
    desk.clocks.monotonic = 1
    assert desk.assembling.close_quiet() == QUIET - 1
    assert desk.open()
    desk.clocks.monotonic = QUIET
    desk.assembling.close_quiet()
    assert not desk.open()


@pytest.mark.parametrize(
    ("minutes", "stacks"),
    [((0, 5), ["1 2"]), ((0, 20), ["1", "2"]), ((20, 0), ["1", "2"]), ((0, 5, 20, 25), ["1 2", "3 4"])],
    ids=str,
)
def test_piles_that_were_registered_late_and_all_at_once_are_kept_apart_by_their_claims(
    desk: Desk, minutes: tuple[int, ...], stacks: list[str]
) -> None:
    desk.assembling.close_all()
    desk.clocks.wall = CLAIMED + timedelta(days=1)
    for number, minute in enumerate(minutes, start=2):
        scan = replace(new_scan(number), claimed_at=CLAIMED + timedelta(minutes=minute))
        register_scan(desk.db, scan)
        record_reading(desk.db, taken(desk.db), readings(3))
    desk.assembling.assemble()
    assert piles(desk.db) == stacks


def test_many_scans_that_are_placed_at_a_stretch_show_life_at_each(desk: Desk) -> None:
    for number in range(2, 6):
        register_scan(desk.db, new_scan(number))
        record_reading(desk.db, taken(desk.db), readings(3))
    left = []
    desk.assembling.assemble(lambda: left.append(work_left(desk.db).scans))
    assert left == [4, 3, 2, 1]


def piles(db: Database) -> list[str]:
    """Give the stacks but the first, each as the scans that lie in it, the first of them as 1."""
    lie = "SELECT DISTINCT stack.number AS stack, scan.number - 1 AS scan FROM page JOIN stack ON stack.id = stack_id"
    with db.read() as connection:
        rows = connection.execute(text(f"{lie} JOIN scan ON scan.id = scan_id WHERE stack.number > 1 ORDER BY 1, 2"))
        told: dict[int, list[str]] = {}
        for row in rows:
            told.setdefault(row.stack, []).append(str(row.scan))
    return [" ".join(scans) for scans in told.values()]


@pytest.mark.parametrize(("hours", "stacks"), [(15, 2), (0.1, 1)], ids=["the next morning", "soon"])
def test_what_comes_after_a_restart_goes_on_in_the_open_stack_only_if_it_was_claimed_within_the_quiet_time(
    desk: Desk, hours: float, stacks: int
) -> None:
    later = replace(new_scan(2), claimed_at=CLAIMED + timedelta(hours=hours))
    desk.clocks.wall = later.claimed_at
    register_scan(desk.db, later)
    record_reading(desk.db, taken(desk.db), readings(3))
    desk.assembling.close_quiet()  # of a service that didn't see the first scan come
    desk.assembling.assemble()
    with desk.db.read() as connection:
        found = connection.execute(text("SELECT DISTINCT stack_id FROM page")).all()
    assert len(found) == stacks


@pytest.mark.parametrize(
    ("came", "read_at", "stacks"),
    [((1, 26), (30, 32), ["1", "2"]), ((1, 9), (30, 32), ["1 2"]), ((1, 10, 19), (30, 45, 60), ["1 2 3"])],
    ids=["piles far apart", "one pile", "one pile in a steady backlog"],
)
def test_where_reading_lags_behind_piles_are_kept_apart_by_when_they_came_and_one_pile_is_one_stack(
    desk: Desk, came: tuple[int, ...], read_at: tuple[int, ...], stacks: list[str]
) -> None:
    desk.assembling.close_all()
    coming = dict(zip(came, range(2, 2 + len(came)), strict=True))
    scans = []
    for minute in sorted({0, *came, *read_at}):
        desk.clocks.wall, desk.clocks.monotonic = CLAIMED + timedelta(minutes=minute), minute * 60.0
        if minute in came:
            now = desk.clocks.wall
            register_scan(desk.db, replace(new_scan(coming[minute]), claimed_at=now, written_at=now))
            scans.append(taken(desk.db))
        if minute in read_at:
            record_reading(desk.db, scans[read_at.index(minute)], readings(3))
        desk.assembling.assemble()
        desk.assembling.close_quiet()
    assert piles(desk.db) == stacks


def test_the_gap_before_a_duplicate_of_a_blank_page_is_kept(desk: Desk) -> None:
    desk.assembling.close_all()
    blank = [replace(reading, blank=True) for reading in readings(1)]
    for number, pages, after_gap in (
        (2, readings(2), False),
        (3, blank, False),
        (4, blank, True),
        (5, readings(2), False),
    ):
        content = "an empty back" if pages is blank else None
        register_scan(desk.db, replace(new_scan(number, content=content), after_gap=after_gap))
        if number != 4:
            record_reading(desk.db, taken(desk.db), pages)
        desk.assembling.assemble()
    with desk.db.read() as connection:
        rows = connection.execute(
            text("SELECT scan.number FROM page JOIN scan ON scan.id = scan_id WHERE page.after_gap = true")
        ).all()
    assert [row.number for row in rows] == [5]
