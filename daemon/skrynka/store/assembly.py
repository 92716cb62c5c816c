"""From scans to stacks: the pages of a box's scans get their places, in the order that the scans were claimed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, insert, select, update

from skrynka.core.errors import ConservationBroken
from skrynka.core.model import PageReading
from skrynka.core.naming import scan_name
from skrynka.core.stacking import Assemble, Came, ClosedBy, Segment
from skrynka.store.conditions import STACK_IS_OPEN, of_station
from skrynka.store.database import Database, new_id
from skrynka.store.events import NewEvent, record_events
from skrynka.store.leases import one_row
from skrynka.store.page_rows import reading_of
from skrynka.store.states import ScanState, StackState
from skrynka.store.tables import page, scan, stack, station

_NEXT = (
    select(scan)
    .where(scan.c.box_code == bindparam("of_box"), scan.c.assembled_at.is_(None))
    .order_by(scan.c.number)
    .limit(1)
)
_READINGS = (
    select(page).where(page.c.scan_id == bindparam("of_scan"), page.c.width.is_not(None)).order_by(page.c.number)
)
_TO_PLACE = (
    select(scan.c.box_code).where(of_station(scan, bindparam("of_station")), scan.c.assembled_at.is_(None)).distinct()
)
_OPEN = select(stack).where(stack.c.box_code == bindparam("of_box"), STACK_IS_OPEN)
_OPEN_BOXES = select(stack.c.box_code).where(of_station(stack, bindparam("of_station")), STACK_IS_OPEN).distinct()
_ASSEMBLED = (
    select(
        scan.c.state,
        scan.c.assembled_at,
        scan.c.page_count,
        scan.c.station_code,
        scan.c.box_code,
        scan.c.after_gap,
    )
    .where(scan.c.id == bindparam("of_scan"))
    .with_for_update()
)
_BEGIN = insert(stack).returning(stack)
_ASSEMBLE = update(scan).where(scan.c.id == bindparam("of_scan"))
_NUMBERING = select(station.c.code).where(station.c.code == bindparam("of_station")).with_for_update()
_LAST_NUMBER = select(func.coalesce(func.max(stack.c.number), 0)).where(stack.c.station_code == bindparam("of_station"))
_LAST_PLACE = select(func.max(page.c.position)).where(page.c.stack_id == bindparam("of_stack"))
_PLACE = (
    update(page)
    .where(page.c.scan_id == bindparam("of_scan"), page.c.number.between(bindparam("from_page"), bindparam("to_page")))
    .values(stack_id=bindparam("into"), position=page.c.number + bindparam("ahead"))
)


@dataclass(frozen=True, slots=True)
class UnassembledScan:
    """The scan of a box whose pages are the next to get their places."""

    id: str
    name: str
    """Such as "A-4417"."""
    state: ScanState
    """RECEIVED or READING: wait for it. READ: assemble it. QUARANTINED or DUPLICATE: pass it."""
    duplicate_of: str | None
    """The scan with the same bytes that came before, for a DUPLICATE."""
    retried: bool
    """It comes out of quarantine: scans that were claimed after it may have been assembled long ago."""
    came: Came


@dataclass(frozen=True, slots=True)
class OpenedStack:
    """The stack that is open in a box."""

    id: str
    name: str
    """Such as "A/417"."""
    ended: bool
    """Its end sheet was seen."""
    bare: bool
    """What `assemble` was told last."""
    pages: int
    last_page: PageReading | None
    """What was seen on the page that lies last in it."""
    last_page_at: datetime
    """When a page was added last."""
    last_came: Came | None
    """When the scan came that this page is of."""


@dataclass(frozen=True, slots=True)
class StackRef:
    """A stack, by id and by the name that people use."""

    id: str
    name: str


def next_unassembled(db: Database, box_code: str) -> UnassembledScan | None:
    """Give the box's scan with the lowest number that hasn't been assembled or passed yet."""
    with db.read() as connection:
        row = connection.execute(_NEXT, {"of_box": box_code}).first()
    if row is None:
        return None
    return UnassembledScan(
        row.id,
        scan_name(row.station_code, row.number),
        ScanState(row.state),
        row.duplicate_of,
        row.retried,
        Came(row.claimed_at, row.received_at, row.written_at),
    )


def scan_readings(db: Database, scan_id: str) -> list[PageReading]:
    """Give what was seen on each page of a scan, in order."""
    with db.read() as connection:
        return [reading_of(row) for row in connection.execute(_READINGS, {"of_scan": scan_id})]


def open_stack(db: Database, box_code: str) -> OpenedStack | None:
    """Give the stack that is open in a box, if one is."""
    with db.read() as connection:
        row = _open_row(connection, box_code)
        if row is None:
            return None
        last = connection.execute(
            select(page, scan.c.claimed_at, scan.c.received_at, scan.c.written_at)
            .join(scan, scan.c.id == page.c.scan_id)
            .where(page.c.stack_id == row.id)
            .order_by(page.c.position.desc())
            .limit(1)
        ).first()
    return OpenedStack(
        id=row.id,
        name=f"{row.station_code}/{row.number}",
        ended=row.ended_at is not None,
        bare=row.bare,
        pages=0 if last is None else last.position,
        last_page=None if last is None else reading_of(last),
        last_page_at=row.last_page_at,
        last_came=None if last is None else Came(last.claimed_at, last.received_at, last.written_at),
    )


def assemble(
    db: Database, scan_id: str, segments: Sequence[Segment], how: Assemble, *, bare: bool = False
) -> tuple[StackRef, ...]:
    """Give the pages of a scan that was read their places in stacks, open and close stacks; give those it touched.

    `segments` are those of `skrynka.core.stacking`; together they hold every page once. `bare` is for the stack that
    stays open: whether it holds nothing but a repeat sheet or blank pages. A scan that was assembled before is left
    as it is, and the answer is empty. Raises ConservationBroken where segments and pages disagree, DatabaseAway.
    """

    def work(connection: Connection) -> tuple[StackRef, ...]:
        row = connection.execute(_ASSEMBLED, {"of_scan": scan_id}).one()
        if row.assembled_at is not None:
            return ()
        covered = [number for run in segments for number in range(run.first_page, run.last_page + 1)]
        if row.state != ScanState.READ or covered != list(range(1, row.page_count + 1)):
            raise ConservationBroken("the runs of a scan aren't its pages, once each and in order")
        making = _Making(connection, scan_id, row, how, db.now())
        for run in segments:
            making.take(run, bare=bare)
        connection.execute(_ASSEMBLE, {"of_scan": scan_id, "assembled_at": making.at})
        record_events(connection, making.at, f"station:{row.station_code}", making.events)
        return tuple(making.touched)

    return db.transact(work)


def pass_scan(db: Database, scan_id: str, *, blank: bool = False) -> bool:
    """Pass a scan in quarantine, or a duplicate, and mark its gap in the stack that is open in its box; give whether.

    What lay there is unknown: a duplicate may be a separator page that a program writes alike each time. A duplicate of
    `blank` pages leaves no gap of its own, only the one that it came after. A scan that came out of quarantine and went
    back was never part of that stack. Where none is open there is nothing to mark: the next begins anew. A scan that
    was passed before is left as it is. Raises DatabaseAway.
    """
    with db.write() as connection:
        row = connection.execute(
            update(scan)
            .where(
                scan.c.id == scan_id,
                scan.c.assembled_at.is_(None),
                scan.c.state.in_([ScanState.QUARANTINED.value, ScanState.DUPLICATE.value]),
            )
            .values(assembled_at=db.now())
            .returning(scan.c.box_code, scan.c.retried, scan.c.after_gap)
        ).first()
        if row is None or row.retried or (blank and not row.after_gap):
            return False
        told = connection.execute(
            update(stack).where(stack.c.box_code == row.box_code, STACK_IS_OPEN).values(gap_at_end=True)
        )
        return told.rowcount == 1


def close_stack(db: Database, box_code: str, closed_by: ClosedBy) -> StackRef | None:
    """Close the stack that is open in a box; None when none is. Raises DatabaseAway."""
    return db.transact(lambda connection: _close_open(connection, db.now(), box_code, closed_by))


def close_quiet_stack(db: Database, box_code: str, seen: OpenedStack) -> StackRef | None:
    """Close the stack that is open in a box if it is as it was `seen`, and no page is on its way to it.

    Raises DatabaseAway.
    """

    def work(connection: Connection) -> StackRef | None:
        row = _open_row(connection, box_code)
        if row is None or (row.id, row.last_page_at) != (seen.id, seen.last_page_at):
            return None
        on_its_way = select(scan.c.id).where(scan.c.box_code == box_code, scan.c.assembled_at.is_(None))
        if connection.execute(on_its_way.limit(1)).first() is not None:
            return None
        return _close_open(connection, db.now(), box_code, ClosedBy.QUIET_TIME)

    return db.transact(work)


class _Making:
    """One transaction's work on the stacks of a box."""

    def __init__(
        self,
        connection: Connection,
        scan_id: str,
        placed: Row[Any, Any, Any, Any, Any, Any],
        how: Assemble,
        at: datetime,
    ) -> None:
        self.at = at
        self.events: list[NewEvent] = []
        self.touched: list[StackRef] = []
        self._connection = connection
        self._scan_id = scan_id
        self._station_code = placed.station_code
        self._box_code = placed.box_code
        self._after_gap = placed.after_gap
        self._how = how
        # Numbers of stacks run per station: whoever gives one has the station's row.
        connection.execute(_NUMBERING, {"of_station": placed.station_code}).one()

    def take(self, run: Segment, *, bare: bool) -> None:
        """Place a run of pages."""
        into = self._begin(run) if run.opened_by is not None else self._go_on()
        gap = into.gap_at_end or (run.first_page == 1 and self._after_gap)
        if run.last_page >= run.first_page:
            self._place(run, into.id, after_gap=gap, empty=run.opened_by is not None)
            gap = False
        values: dict[str, object] = {"last_page_at": self.at, "gap_at_end": gap}
        if run.ended and into.ended_at is None:
            values["ended_at"] = self.at
        if run.collection_serial is not None:
            values["collection_serial"] = run.collection_serial
        if run.closed_by is not None and into.state == StackState.OPEN:
            values |= {"state": StackState.CLOSED.value, "closed_at": self.at, "closed_by": run.closed_by.value}
        values["bare"] = bare and run.closed_by is None
        self._connection.execute(update(stack).where(stack.c.id == into.id).values(**values))
        if run.closed_by is not None:
            self.events.append(_closing(into.id, run.closed_by))
        self.touched.append(StackRef(into.id, f"{into.station_code}/{into.number}"))

    def _go_on(self) -> Row[Any]:
        row = _open_row(self._connection, self._box_code)
        if row is None:
            raise ConservationBroken("a run goes on in a stack that isn't open")
        return row

    def _begin(self, run: Segment) -> Row[Any]:
        last = self._connection.execute(_LAST_NUMBER, {"of_station": self._station_code}).scalar_one()
        opened_by = run.opened_by.value if run.opened_by is not None else None
        row: dict[str, object] = {
            "id": new_id(),
            "station_code": self._station_code,
            "number": last + 1,
            "box_code": self._box_code,
            "state": StackState.OPEN.value,
            "assemble": self._how.value,
            "opened_by": opened_by,
            "opened_at": self.at,
            "last_page_at": self.at,
        }
        if run.closed_by is not None:
            # Never open: a scan that comes late, out of quarantine, makes its own stacks beside the open one.
            row |= {"state": StackState.CLOSED.value, "closed_at": self.at, "closed_by": run.closed_by.value}
        made = self._connection.execute(_BEGIN, row).one()
        self.events.append(NewEvent("stack_opened", self._station_code, stack_id=made.id, data={"by": opened_by}))
        return made

    def _place(self, run: Segment, stack_id: str, *, after_gap: bool, empty: bool) -> None:
        """Place pages behind those that lie in a stack; `empty`: it was begun just now."""
        last = 0 if empty else self._connection.scalar(_LAST_PLACE, {"of_stack": stack_id}) or 0
        run_of_pages = {"of_scan": self._scan_id, "from_page": run.first_page, "to_page": run.last_page}
        self._connection.execute(_PLACE, {**run_of_pages, "into": stack_id, "ahead": last + 1 - run.first_page})
        if after_gap:
            first = (page.c.scan_id == self._scan_id) & (page.c.number == run.first_page)
            one_row(self._connection.execute(update(page).where(first).values(after_gap=True)))


def _open_row(connection: Connection, box_code: str) -> Row[Any] | None:
    return connection.execute(_OPEN, {"of_box": box_code}).first()


def _close_open(connection: Connection, at: datetime, box_code: str, closed_by: ClosedBy) -> StackRef | None:
    row = connection.execute(
        update(stack)
        .where(stack.c.box_code == box_code, STACK_IS_OPEN)
        .values(state=StackState.CLOSED.value, closed_at=at, closed_by=closed_by.value, bare=False)
        .returning(stack.c.id, stack.c.station_code, stack.c.number)
    ).first()
    if row is None:
        return None
    record_events(connection, at, f"station:{row.station_code}", [_closing(row.id, closed_by)])
    return StackRef(row.id, f"{row.station_code}/{row.number}")


def _closing(stack_id: str, closed_by: ClosedBy) -> NewEvent:
    return NewEvent("stack_closed", stack_id=stack_id, data={"by": closed_by.value})


def boxes_to_place(db: Database, station_code: str) -> list[str]:
    """Give the station's boxes that have scans to assemble or pass, configured or not, by code."""
    return _boxes(db, _TO_PLACE, station_code)


def boxes_with_open_stack(db: Database, station_code: str) -> list[str]:
    """Give the station's boxes in which a stack is open, configured or not, by code."""
    return _boxes(db, _OPEN_BOXES, station_code)


def _boxes(db: Database, query: Select[tuple[str]], station_code: str) -> list[str]:
    with db.read() as connection:
        return sorted(connection.scalars(query, {"of_station": station_code}))
