"""The queue of scans that wait to be read: their rows are the queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Connection, Row, Select, Update, and_, bindparam, or_, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from skrynka.core.errors import LeaseLost
from skrynka.core.formats import FileType
from skrynka.core.model import PageReading
from skrynka.core.reasons import QuarantineReason
from skrynka.store.accounts import settle_duplicates
from skrynka.store.conditions import SCAN_WAITS
from skrynka.store.database import Database
from skrynka.store.events import NewEvent, record_events
from skrynka.store.leases import NOT_TAKEN, TakenScan, is_exhausted, is_given_up, last, lease_end, one_row, taking
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

_STILL = and_(
    scan.c.id == bindparam("of_scan"),
    scan.c.state == ScanState.READING.value,
    scan.c.epoch == bindparam("of_epoch"),
)
_READ = update(scan).where(_STILL).values(state=ScanState.READ.value, page_count=bindparam("pages"), **NOT_TAKEN)
_RELEASE = (
    update(scan)
    .where(_STILL)
    .values(state=ScanState.RECEIVED.value, attempts=scan.c.attempts - bindparam("uncounted"), **NOT_TAKEN)
)
_HOLDER = select(scan.c.state, scan.c.epoch).where(scan.c.id == bindparam("of_scan"))


@lru_cache(maxsize=16)
def _oldest(engine: str, behind: tuple[str, ...]) -> Select[Any]:
    abandoned = and_(scan.c.state == ScanState.READING.value, is_given_up(engine, scan))
    return (
        select(scan)
        .where(SCAN_WAITS, or_(scan.c.state == ScanState.RECEIVED.value, abandoned))
        .order_by(*last(scan, behind), scan.c.received_at, scan.c.station_code, scan.c.number)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


@cache
def _take(engine: str) -> ReturningUpdate[Any]:
    values = {"state": ScanState.READING.value, "lease_until": lease_end(engine)}
    return update(scan).where(scan.c.id == bindparam("of_scan")).values(**values).returning(scan)


@cache
def _renew(engine: str) -> Update:
    return update(scan).where(_STILL).values(lease_until=lease_end(engine))


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
        oldest = _oldest(db.engine, tuple(behind))
        events: list[NewEvent] = []
        taken, exhausted = None, []
        while taken is None and (row := connection.execute(oldest, {"owner": owner}).first()) is not None:
            if is_exhausted(row, owner):
                events += set_scan_aside(connection, row.id, QuarantineReason.ATTEMPTS_EXHAUSTED, db.now())
                exhausted.append(_taken(row, owner))
                continue
            values = {"of_scan": row.id, "lease_seconds": lease_seconds, **taking(row, owner)}
            taken = _taken(connection.execute(_take(db.engine), values).one(), owner)
        record_events(connection, db.now(), owner, events)
        return taken, exhausted

    taken, exhausted = db.transact(work)
    for scan_given_up in exhausted:
        given_up(scan_given_up)
    return taken


def renew_scan(db: Database, taken: TakenScan, lease_seconds: float) -> None:
    """Make the lease last so long from now. Raises LeaseLost, DatabaseAway."""
    with db.write() as connection:
        one_row(connection.execute(_renew(db.engine), {**_of(taken), "lease_seconds": lease_seconds}))


def release_scan(db: Database, taken: TakenScan, *, counted: bool = False) -> None:
    """Give a scan back to the queue. Unless `counted`, as if it had not been taken: nothing is wrong with the scan.

    Raises LeaseLost, DatabaseAway.
    """
    with db.write() as connection:
        one_row(connection.execute(_RELEASE, {**_of(taken), "uncounted": 0 if counted else 1}))


def record_reading(db: Database, taken: TakenScan, readings: Sequence[PageReading]) -> None:
    """Write down what was seen on every page: numbers 1 to `len(readings)`, in order.

    Done before by the same worker, it changes nothing. Raises LeaseLost when somebody else has the scan now (nothing
    is written then), DatabaseAway, and ValueError when the numbers aren't those.
    """
    if not readings or [reading.number for reading in readings] != list(range(1, len(readings) + 1)):
        raise ValueError("readings are of pages 1 to the last, in order")

    def work(connection: Connection) -> None:
        if not connection.execute(_READ, {**_of(taken), "pages": len(readings)}).rowcount:
            row = connection.execute(_HOLDER, {"of_scan": taken.id}).one()
            if row.epoch == taken.epoch and row.state in (ScanState.READ, ScanState.FILED):
                return
            raise LeaseLost("somebody else has this scan now")
        insert_readings(connection, taken.id, readings)
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
            .values(state=ScanState.RECEIVED.value, **NOT_TAKEN)
        )
        stacks = connection.execute(update(stack).where(stack.c.lease_owner.is_not(None)).values(**NOT_TAKEN))
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


def _of(taken: TakenScan) -> dict[str, object]:
    return {"of_scan": taken.id, "of_epoch": taken.epoch}
