"""The account of a scan's pages: what its rows say is counted on the scan itself, where a CHECK adds it up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, update

from skrynka.core.model import Disposition
from skrynka.core.reasons import QuarantineReason
from skrynka.store.events import NewEvent
from skrynka.store.page_rows import insert_unread
from skrynka.store.states import ScanState
from skrynka.store.tables import page, scan, stack

_LOCK = (
    select(scan.c.id).where(scan.c.id.in_(bindparam("of_scans", expanding=True))).order_by(scan.c.id).with_for_update()
)
_DISPOSITIONS = (
    select(page.c.disposition, func.count()).where(page.c.scan_id == bindparam("of_scan")).group_by(page.c.disposition)
)
_SETTLE = update(scan).where(scan.c.id == bindparam("of_scan"))
_DUPLICATES = (
    select(scan.c.id)
    .where(scan.c.duplicate_of == bindparam("of_scan"), scan.c.page_count.is_(None))
    .order_by(scan.c.id)
    .with_for_update()
)


def lock_scans(connection: Connection, scan_ids: Sequence[str]) -> None:
    """Keep others from accounting for these scans meanwhile.

    Two stacks may hold pages of one scan. Whoever files the second must see what the first filed, else neither would
    see the scan finished. Always in the same order, so that nobody waits in a circle.
    """
    connection.execute(_LOCK, {"of_scans": list(scan_ids)}).all()


def settle_scan(connection: Connection, scan_id: str, at: datetime) -> list[NewEvent]:
    """Finish a scan if all of its pages are accounted for: filed, or in quarantine where any page is. Else nothing."""
    rows = connection.execute(_DISPOSITIONS, {"of_scan": scan_id}).all()
    counts: dict[str | None, int] = {row[0]: row[1] for row in rows}
    if None in counts:
        return []
    counters = {f"{disposition.value}_pages": counts.get(disposition.value, 0) for disposition in Disposition}
    reason = _stack_reason(connection, scan_id) if counts.get(Disposition.QUARANTINED) else None
    state = ScanState.FILED if reason is None else ScanState.QUARANTINED
    settled = {"of_scan": scan_id, "state": state.value, "finished_at": at, "quarantine_reason": reason}
    connection.execute(_SETTLE, settled | counters)
    name = "scan_filed" if reason is None else "scan_quarantined"
    return [NewEvent(name, scan_id=scan_id, data={**counters, **({} if reason is None else {"reason": reason})})]


def settle_duplicates(connection: Connection, original_id: str, page_count: int) -> list[NewEvent]:
    """Account for the pages of a scan's duplicates, now that it is known how many it has."""
    waiting = connection.scalars(_DUPLICATES, {"of_scan": original_id}).all()
    events = []
    for duplicate_id in waiting:
        connection.execute(
            update(scan).where(scan.c.id == duplicate_id).values(page_count=page_count, duplicate_pages=page_count)
        )
        insert_unread(connection, duplicate_id, page_count, Disposition.DUPLICATE)
        events.append(NewEvent("duplicate_accounted", scan_id=duplicate_id, data={"duplicate_pages": page_count}))
    return events


def _stack_reason(connection: Connection, scan_id: str) -> str:
    reason = connection.scalar(
        select(stack.c.quarantine_reason)
        .join(page, page.c.stack_id == stack.c.id)
        .where(page.c.scan_id == scan_id, page.c.disposition == Disposition.QUARANTINED.value)
        .order_by(stack.c.number)
        .limit(1)
    )
    return reason or QuarantineReason.CUT_FAILED.value
