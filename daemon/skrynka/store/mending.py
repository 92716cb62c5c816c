"""What an audit's repair writes into the database."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, update

from skrynka.core.model import Disposition
from skrynka.store.case_tables import document
from skrynka.store.database import Database
from skrynka.store.events import NewEvent, Value, record_events
from skrynka.store.states import ScanState
from skrynka.store.tables import page, scan

_FINISHED = (ScanState.FILED, ScanState.QUARANTINED, ScanState.DUPLICATE)


def recount(db: Database, scan_id: str, actor: str) -> bool:
    """Set a scan's counters to what its pages add up to; give False, and change nothing, where they aren't whole.

    A scan that isn't finished counts nothing yet. Raises DatabaseAway.
    """

    def work(connection: Connection) -> bool:
        row = connection.execute(
            select(scan.c.state, scan.c.page_count).where(scan.c.id == scan_id).with_for_update()
        ).first()
        if row is None:
            return False
        rows = connection.execute(
            select(page.c.disposition, func.count()).where(page.c.scan_id == scan_id).group_by(page.c.disposition)
        ).all()
        counted: dict[str | None, int] = {each[0]: each[1] for each in rows}
        finished = row.state in _FINISHED
        if sum(counted.values()) != (row.page_count or 0) or (finished and None in counted):
            return False
        counters = {f"{each.value}_pages": counted.get(each.value, 0) if finished else 0 for each in Disposition}
        connection.execute(update(scan).where(scan.c.id == scan_id).values(**counters))
        record_events(connection, db.now(), actor, [NewEvent("scan_recounted", scan_id=scan_id, data=counters)])
        return True

    return db.transact(work)


def record_mending(
    db: Database, actor: str, station_code: str, flaw: str, about: str, scan_id: str | None = None
) -> None:
    """Add to the history what was mended outside of the database; `about` is a path or a name of ours."""
    data: dict[str, Value] = {"flaw": flaw, "about": about}
    event = NewEvent("audit_repaired", station_code, scan_id, data=data)
    with db.write() as connection:
        record_events(connection, db.now(), actor, [event])


def has_document(db: Database, sha256: str) -> bool:
    """Say whether a case has a document with this hash."""
    with db.read() as connection:
        return connection.execute(select(document.c.id).where(document.c.sha256 == sha256)).first() is not None
