"""The queue of scans that wait to be read: their rows are the queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select, update

from skrynka.core.errors import LeaseLost
from skrynka.core.formats import FileType
from skrynka.core.model import PageReading
from skrynka.core.reasons import QuarantineReason
from skrynka.store.accounts import settle_duplicates
from skrynka.store.conditions import SCAN_WAITS
from skrynka.store.database import Database
from skrynka.store.events import NewEvent, record_events
from skrynka.store.leases import TakenScan, is_exhausted, is_given_up, last, lease_end, one_row, taking
from skrynka.store.page_rows import insert_readings
from skrynka.store.quarantine import set_scan_aside
from skrynka.store.states import ScanState
from skrynka.store.tables import scan, stack

__all__ = [
    "TakenScan",
    "record_reading",
    "release_scan",
    "renew_scan",
    "reset_interrupted",
    "take_scan",
]


def take_scan(
    db: Database,
    owner: str,
    lease_seconds: float,
    given_up: Callable[[TakenScan], None] = lambda _scan: None,
    behind: Sequence[str] = (),
) -> TakenScan | None:
    """Take the scan that has waited longest, or one whose lease has run out; None when there is none.

    The attempt is counted before the work begins, so that a scan that kills its host is counted too. One that broke
    off three times goes to quarantine here, `given_up` is told of it afterwards, and the next one is taken. `owner`
    names the worker, who has no other scan, and is the actor of its events, such as "worker:a". No two workers get
    the same scan. Scans whose ids are in `behind` are taken when no other waits, the first of them first. Raises
    DatabaseAway.
    """

    def work(connection: Connection) -> tuple[TakenScan | None, list[TakenScan]]:
        abandoned = and_(scan.c.state == ScanState.READING.value, is_given_up(connection, scan, owner))
        waiting = or_(scan.c.state == ScanState.RECEIVED.value, abandoned)
        oldest = (
            select(scan)
            .where(SCAN_WAITS, waiting)
            .order_by(*last(scan, behind), scan.c.received_at, scan.c.station_code, scan.c.number)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        events: list[NewEvent] = []
        taken, exhausted = None, []
        while taken is None and (row := connection.execute(oldest).first()) is not None:
            if is_exhausted(row, owner):
                events += set_scan_aside(connection, row.id, QuarantineReason.ATTEMPTS_EXHAUSTED, db.now())
                exhausted.append(_taken(row, owner))
                continue
            values = taking(connection, row, owner, lease_seconds)
            taken = _taken(
                connection.execute(
                    update(scan)
                    .where(scan.c.id == row.id)
                    .values(state=ScanState.READING.value, **values)
                    .returning(scan)
                ).one(),
                owner,
            )
        record_events(connection, db.now(), owner, events)
        return taken, exhausted

    taken, exhausted = db.transact(work)
    for scan_given_up in exhausted:
        given_up(scan_given_up)
    return taken


def renew_scan(db: Database, taken: TakenScan, lease_seconds: float) -> None:
    """Make the lease last so long from now. Raises LeaseLost, DatabaseAway."""
    with db.write() as connection:
        one_row(
            connection.execute(
                update(scan).where(_still(taken)).values(lease_until=lease_end(connection, lease_seconds))
            )
        )


def release_scan(db: Database, taken: TakenScan, *, counted: bool = False) -> None:
    """Give a scan back to the queue. Unless `counted`, as if it had not been taken: nothing is wrong with the scan.

    Raises LeaseLost, DatabaseAway.
    """
    with db.write() as connection:
        one_row(
            connection.execute(
                update(scan)
                .where(_still(taken))
                .values(
                    state=ScanState.RECEIVED.value,
                    attempts=scan.c.attempts - (0 if counted else 1),
                    lease_owner=None,
                    lease_until=None,
                )
            )
        )


def record_reading(db: Database, taken: TakenScan, readings: Sequence[PageReading]) -> None:
    """Write down what was seen on every page: numbers 1 to `len(readings)`, in order.

    Done before by the same worker, it changes nothing. Raises LeaseLost when somebody else has the scan now (nothing
    is written then), DatabaseAway, and ValueError when the numbers aren't those.
    """
    if not readings or [reading.number for reading in readings] != list(range(1, len(readings) + 1)):
        raise ValueError("readings are of pages 1 to the last, in order")

    def work(connection: Connection) -> None:
        row = connection.execute(
            select(scan.c.state, scan.c.epoch).where(scan.c.id == taken.id).with_for_update()
        ).one()
        if row.epoch == taken.epoch and row.state in (ScanState.READ, ScanState.FILED):
            return
        if (row.state, row.epoch) != (ScanState.READING, taken.epoch):
            raise LeaseLost("somebody else has this scan now")
        insert_readings(connection, taken.id, readings)
        one_row(
            connection.execute(
                update(scan)
                .where(_still(taken))
                .values(state=ScanState.READ.value, page_count=len(readings), lease_owner=None, lease_until=None)
            )
        )
        events = [NewEvent("scan_read", scan_id=taken.id, data={"pages": len(readings)})]
        events += settle_duplicates(connection, taken.id, len(readings))
        record_events(connection, db.now(), taken.owner, events)

    db.transact(work)


def reset_interrupted(db: Database) -> int:
    """Set back what was taken when a service on SQLite died; give how many scans and stacks that were.

    Attempts stay counted. On a shared database it does nothing: there the leases run out.
    """
    if db.shared:
        return 0
    with db.write() as connection:
        scans = connection.execute(
            update(scan)
            .where(SCAN_WAITS, scan.c.state == ScanState.READING.value)
            .values(state=ScanState.RECEIVED.value, lease_owner=None, lease_until=None)
        )
        stacks = connection.execute(
            update(stack).where(stack.c.lease_owner.is_not(None)).values(lease_owner=None, lease_until=None)
        )
        return scans.rowcount + stacks.rowcount


def _taken(row: Row[Any], owner: str) -> TakenScan:
    return TakenScan(
        id=row.id,
        station_code=row.station_code,
        number=row.number,
        box_code=row.box_code,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        file_type=FileType(row.file_type) if row.file_type else None,
        attempt=row.attempts,
        epoch=row.epoch,
        owner=owner,
    )


def _still(taken: TakenScan) -> ColumnElement[bool]:
    return and_(scan.c.id == taken.id, scan.c.state == ScanState.READING.value, scan.c.epoch == taken.epoch)
