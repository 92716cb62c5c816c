"""What people ask about the work: how much waits, where each box is, and what is in quarantine."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from skrynka.core.naming import scan_name
from skrynka.core.reasons import QuarantineReason
from skrynka.store.case_tables import case as case_table
from skrynka.store.conditions import SCAN_IS_UNPLACED, SCAN_WAITS, STACK_IS_OPEN, STACK_WAITS, of_station
from skrynka.store.database import Database
from skrynka.store.states import ScanState, StackState
from skrynka.store.tables import drop_box, page, scan, stack

_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
"""As many digits as the column holds at least."""


@dataclass(frozen=True, slots=True)
class WorkLeft:
    """What isn't finished."""

    scans: int
    """Scans that are still to be read, or to get their places in stacks."""
    stacks: int
    """Stacks that are closed and still to be filed."""
    open_stacks: int


@dataclass(frozen=True, slots=True)
class BoxStatus:
    """One box."""

    code: str
    station_code: str
    active: bool
    last_scan: str | None
    """The name of the scan that was claimed last."""
    last_claimed_at: datetime | None
    open_stack: str | None
    """The name of the stack that is open, such as "A/417"."""
    open_pages: int
    open_since: datetime | None


@dataclass(frozen=True, slots=True)
class Status:
    """The state of the whole database."""

    scans: dict[str, int]
    """Scans by state; every state is there."""
    stacks: dict[str, int]
    """Stacks by state; every state is there."""
    cases: int
    cases_for_review: int
    oldest_waiting_at: datetime | None
    """When the scan was claimed that has waited longest to be read."""
    boxes: tuple[BoxStatus, ...]


@dataclass(frozen=True, slots=True)
class QuarantinedScan:
    """A scan in quarantine."""

    id: str
    name: str
    """Such as "A-4417"."""
    station_code: str
    box_code: str
    reason: QuarantineReason
    page: int | None
    """1-based; the page that it is about, where there is one."""
    page_count: int | None
    claimed_at: datetime
    quarantined_at: datetime
    attempts: int
    sha256: str
    size_bytes: int
    original_name: str = field(repr=False)
    """Private: shown to who asks for it, never logged."""


def work_left(db: Database, station_code: str | None = None) -> WorkLeft:
    """Count what isn't finished, of one station or of all."""
    unplaced = select(func.count()).select_from(scan).where(scan.c.assembled_at.is_(None))
    # In the order of their states: one that goes on between two questions is counted twice rather than not at all.
    stacks = [select(func.count()).select_from(stack).where(which) for which in (STACK_IS_OPEN, STACK_WAITS)]
    if station_code is not None:
        unplaced = unplaced.where(of_station(scan, station_code))
        stacks = [each.where(of_station(stack, station_code)) for each in stacks]
    with db.read() as connection:
        scans, are_open, waiting = (connection.scalar(each) or 0 for each in (unplaced, *stacks))
    return WorkLeft(scans=scans, stacks=waiting, open_stacks=are_open)


def unfiled_bytes(db: Database, station_code: str) -> int:
    """Sum up the sizes of a station's scans whose pages aren't all filed yet. Raises DatabaseAway."""
    # By way of what is unfinished, which has indexes: a full archive's worth of rows isn't looked at.
    unplaced = select(scan.c.id).where(of_station(scan, station_code), SCAN_IS_UNPLACED)
    are_open, waiting = (
        select(stack.c.id).where(of_station(stack, station_code), which) for which in (STACK_IS_OPEN, STACK_WAITS)
    )
    placed = select(page.c.scan_id).where(page.c.stack_id.in_(are_open.union(waiting)))
    with db.read() as connection:
        return connection.scalar(select(func.sum(scan.c.size_bytes)).where(scan.c.id.in_(unplaced.union(placed)))) or 0


def status(db: Database) -> Status:
    """Give the state of the whole database."""
    with db.read() as connection:
        scans = {
            row[0]: row[1] for row in connection.execute(select(scan.c.state, func.count()).group_by(scan.c.state))
        }
        stacks = {
            row[0]: row[1] for row in connection.execute(select(stack.c.state, func.count()).group_by(stack.c.state))
        }
        cases = connection.execute(
            select(func.count(), func.count(case((case_table.c.needs_review, 1)))).select_from(case_table)
        ).one()
        oldest = connection.scalar(select(func.min(scan.c.claimed_at)).where(SCAN_WAITS))
        boxes = _boxes(connection)
    return Status(
        scans={state.value: scans.get(state.value, 0) for state in ScanState},
        stacks={state.value: stacks.get(state.value, 0) for state in StackState},
        cases=cases[0],
        cases_for_review=cases[1],
        oldest_waiting_at=oldest,
        boxes=boxes,
    )


def quarantined(db: Database) -> list[QuarantinedScan]:
    """Give the scans in quarantine, those that came first first."""
    query = select(scan).where(scan.c.state == ScanState.QUARANTINED.value).order_by(scan.c.finished_at, scan.c.number)
    with db.read() as connection:
        rows = connection.execute(query).all()
    return [
        QuarantinedScan(
            id=row.id,
            name=scan_name(row.station_code, row.number),
            station_code=row.station_code,
            box_code=row.box_code,
            reason=QuarantineReason(row.quarantine_reason),
            page=row.quarantine_page,
            page_count=row.page_count,
            claimed_at=row.claimed_at,
            quarantined_at=row.finished_at,
            attempts=row.attempts,
            sha256=row.sha256,
            size_bytes=row.size_bytes,
            original_name=row.original_name,
        )
        for row in rows
    ]


def find_scan(db: Database, reference: str) -> str | None:
    """Give the id of a scan that a person names: by its name such as "A-4417", by its id, or by its number alone.

    None where there is none, or where a number alone is several stations'.
    """
    station_code, _, number = reference.rpartition("-")
    wanted = scan.c.id == reference
    if _NUMBER.fullmatch(number):
        by_number = scan.c.number == int(number)
        wanted |= by_number & (scan.c.station_code == station_code) if station_code else by_number
    with db.read() as connection:
        found = connection.scalars(select(scan.c.id).where(wanted).limit(2)).all()
    return found[0] if len(found) == 1 else None


def _boxes(connection: Connection) -> tuple[BoxStatus, ...]:
    newest = select(scan.c.box_code, func.max(scan.c.number).label("number")).group_by(scan.c.box_code).subquery()
    pages = select(page.c.stack_id, func.count().label("pages")).group_by(page.c.stack_id).subquery()
    is_open = (stack.c.box_code == drop_box.c.code) & STACK_IS_OPEN
    query = (
        select(
            drop_box,
            scan.c.station_code.label("scan_station"),
            scan.c.number.label("scan_number"),
            scan.c.claimed_at,
            stack.c.number.label("stack_number"),
            stack.c.station_code.label("stack_station"),
            stack.c.opened_at,
            pages.c.pages,
        )
        .outerjoin(newest, newest.c.box_code == drop_box.c.code)
        .outerjoin(scan, (scan.c.box_code == drop_box.c.code) & (scan.c.number == newest.c.number))
        .outerjoin(stack, is_open)
        .outerjoin(pages, pages.c.stack_id == stack.c.id)
        .order_by(drop_box.c.code)
    )
    return tuple(
        BoxStatus(
            code=row.code,
            station_code=row.station_code,
            active=row.active,
            last_scan=None if row.scan_number is None else scan_name(row.scan_station, row.scan_number),
            last_claimed_at=row.claimed_at,
            open_stack=None if row.stack_number is None else f"{row.stack_station}/{row.stack_number}",
            open_pages=row.pages or 0,
            open_since=row.opened_at,
        )
        for row in connection.execute(query)
    )
