"""Into quarantine and out of it again, for scans that can't be read and for stacks that can't be filed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from skrynka.core.errors import LeaseLost
from skrynka.core.model import Disposition
from skrynka.core.reasons import QuarantineReason
from skrynka.store.accounts import lock_scans, settle_duplicates, settle_scan
from skrynka.store.database import Database
from skrynka.store.events import NewEvent, record_events
from skrynka.store.leases import TakenScan, TakenStack, one_row
from skrynka.store.page_rows import insert_unread
from skrynka.store.states import ScanState, StackState
from skrynka.store.tables import page, scan, stack

_NO_COUNTS = {f"{disposition.value}_pages": 0 for disposition in Disposition}


def quarantine_scan(
    db: Database,
    taken: TakenScan,
    reason: QuarantineReason,
    *,
    page_number: int | None = None,
    page_count: int | None = None,
) -> None:
    """Put a scan that can't be read into quarantine; its pages are accounted for where their number is known.

    Done before by the same worker, it changes nothing. Raises LeaseLost, DatabaseAway.
    """

    def work(connection: Connection) -> None:
        row = connection.execute(
            select(scan.c.state, scan.c.epoch).where(scan.c.id == taken.id).with_for_update()
        ).one()
        if (row.state, row.epoch) == (ScanState.QUARANTINED, taken.epoch):
            return
        if (row.state, row.epoch) != (ScanState.READING, taken.epoch):
            raise LeaseLost("somebody else has this scan now")
        at = db.now()
        events = set_scan_aside(connection, taken.id, reason, at, page_number, page_count)
        record_events(connection, at, taken.owner, events)

    db.transact(work)


def quarantine_stack(db: Database, taken: TakenStack, reason: QuarantineReason) -> None:
    """Put a stack that can't be filed into quarantine, with those of its scans whose pages are all accounted for.

    Done before by the same worker, it changes nothing. Raises LeaseLost, DatabaseAway.
    """

    def work(connection: Connection) -> None:
        row = connection.execute(
            select(stack.c.state, stack.c.epoch).where(stack.c.id == taken.id).with_for_update()
        ).one()
        if (row.state, row.epoch) == (StackState.QUARANTINED, taken.epoch):
            return
        if row.epoch != taken.epoch:
            raise LeaseLost("somebody else has this stack now")
        at = db.now()
        record_events(connection, at, taken.owner, set_stack_aside(connection, taken.id, reason, at))

    db.transact(work)


def retry_quarantined(db: Database, scan_id: str, actor: str) -> bool:
    """Take a scan out of quarantine; give False, and change nothing, when it isn't there.

    A scan that couldn't be read is read again. One that is here because its stack couldn't be filed goes back with
    the whole stack, which is then planned anew. `actor` is who asked, such as "user:olena".
    """

    def work(connection: Connection) -> bool:
        row = connection.execute(select(scan.c.state).where(scan.c.id == scan_id).with_for_update()).first()
        if row is None or row.state != ScanState.QUARANTINED:
            return False
        stacks = connection.scalars(
            select(page.c.stack_id)
            .where(page.c.scan_id == scan_id, page.c.disposition == Disposition.QUARANTINED.value)
            .where(page.c.stack_id.is_not(None))
            .distinct()
            .order_by(page.c.stack_id)
        ).all()
        events = _refile(connection, stacks) if stacks else _reread(connection, scan_id)
        record_events(connection, db.now(), actor, events)
        return True

    return db.transact(work)


def set_scan_aside(
    connection: Connection,
    scan_id: str,
    reason: QuarantineReason,
    at: datetime,
    page_number: int | None = None,
    page_count: int | None = None,
) -> list[NewEvent]:
    """Do what `quarantine_scan` says, in a transaction that has the scan locked; give the events to record."""
    connection.execute(
        update(scan)
        .where(scan.c.id == scan_id)
        .values(
            state=ScanState.QUARANTINED.value,
            quarantine_reason=reason.value,
            quarantine_page=page_number,
            page_count=page_count,
            quarantined_pages=page_count or 0,
            finished_at=at,
            lease_owner=None,
            lease_until=None,
        )
    )
    events = [NewEvent("scan_quarantined", scan_id=scan_id, data={"reason": reason.value, "page": page_number})]
    if page_count:
        insert_unread(connection, scan_id, page_count, Disposition.QUARANTINED)
        events += settle_duplicates(connection, scan_id, page_count)
    return events


def set_stack_aside(connection: Connection, stack_id: str, reason: QuarantineReason, at: datetime) -> list[NewEvent]:
    """Do what `quarantine_stack` says, in a transaction that has the stack locked; give the events to record."""
    scans = connection.scalars(
        select(page.c.scan_id).where(page.c.stack_id == stack_id).distinct().order_by(page.c.scan_id)
    ).all()
    lock_scans(connection, scans)
    one_row(
        connection.execute(
            update(stack)
            .where(stack.c.id == stack_id, stack.c.state.in_([StackState.CLOSED.value, StackState.PLANNED.value]))
            .values(
                state=StackState.QUARANTINED.value,
                quarantine_reason=reason.value,
                lease_owner=None,
                lease_until=None,
            )
        )
    )
    connection.execute(
        update(page).where(page.c.stack_id == stack_id).values(disposition=Disposition.QUARANTINED.value)
    )
    events = [NewEvent("stack_quarantined", stack_id=stack_id, data={"reason": reason.value})]
    for scan_id in scans:
        events += settle_scan(connection, scan_id, at)
    return events


def _reread(connection: Connection, scan_id: str) -> list[NewEvent]:
    connection.execute(delete(page).where(page.c.scan_id == scan_id))
    connection.execute(
        update(scan)
        .where(scan.c.id == scan_id)
        .values(
            state=ScanState.RECEIVED.value,
            page_count=None,
            assembled_at=None,
            finished_at=None,
            retried=True,
            attempts=0,
            quarantine_reason=None,
            quarantine_page=None,
            **_NO_COUNTS,
        )
    )
    return [NewEvent("scan_retried", scan_id=scan_id)]


def _refile(connection: Connection, stacks: Sequence[str]) -> list[NewEvent]:
    scans = connection.scalars(
        select(page.c.scan_id).where(page.c.stack_id.in_(stacks)).distinct().order_by(page.c.scan_id)
    ).all()
    lock_scans(connection, scans)
    connection.execute(
        update(stack)
        .where(stack.c.id.in_(stacks))
        .values(state=StackState.CLOSED.value, plan=None, config_digest=None, attempts=0, quarantine_reason=None)
    )
    connection.execute(update(page).where(page.c.stack_id.in_(stacks)).values(disposition=None))
    connection.execute(
        update(scan)
        .where(scan.c.id.in_(scans))
        .values(
            state=ScanState.READ.value, finished_at=None, quarantine_reason=None, quarantine_page=None, **_NO_COUNTS
        )
    )
    return [NewEvent("stack_retried", stack_id=stack_id) for stack_id in stacks]
