"""When a stack is quiet: by a clock that nobody sets, whatever the station's clock says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from skrynka.core.signing import Signing
from skrynka.core.stacking import Assemble, OpenedBy, Segment
from skrynka.journey.assembling import Assembling, AssemblyRules
from skrynka.store.assembly import assemble, open_stack
from skrynka.store.boxes import sync_boxes
from skrynka.store.database import Database, open_database
from skrynka.store.queue import record_reading
from tests.store.samples import BOXES, readings, received, taken

BOX = "OBL-03"
QUIET = 600.0


@dataclass(slots=True)
class Desk:
    """A station with an open stack, its wall clock and its monotonic one."""

    db: Database
    clocks: Clocks
    assembling: Assembling

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
    desk = Desk(db, clocks, Assembling(db, rules, lambda: clocks.monotonic))
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
    desk.clocks.monotonic = QUIET
    desk.assembling.close_quiet()
    assert not desk.open()


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
