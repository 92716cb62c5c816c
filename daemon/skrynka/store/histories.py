"""What happened to a case, and the names of the scans that its papers came from."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from skrynka.core.naming import scan_name
from skrynka.store.case_tables import case
from skrynka.store.database import Database
from skrynka.store.events import RecordedEvent, recorded
from skrynka.store.tables import event, scan


def case_history(db: Database, case_id: str) -> list[RecordedEvent]:
    """Give a case's events and those of its stack as a whole, in order."""
    of_stack = select(case.c.stack_id).where(case.c.id == case_id).scalar_subquery()
    query = (
        select(event)
        .where((event.c.case_id == case_id) | (event.c.case_id.is_(None) & (event.c.stack_id == of_stack)))
        .order_by(event.c.id)
    )
    with db.read() as connection:
        rows = connection.execute(query).all()
    return [recorded(row) for row in rows]


def scan_names(db: Database, scan_ids: Collection[str]) -> dict[str, str]:
    """Give the names of scans, such as "A-4417", by their ids."""
    with db.read() as connection:
        rows = connection.execute(
            select(scan.c.id, scan.c.station_code, scan.c.number).where(scan.c.id.in_(scan_ids))
        ).all()
    return {row.id: scan_name(row.station_code, row.number) for row in rows}
