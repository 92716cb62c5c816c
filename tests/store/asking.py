"""What tests ask of a database, and the daemon never does: its boxes, its history, the account of every scan."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, text

from skrynka.core.model import Disposition
from skrynka.core.naming import scan_name
from skrynka.store.boxes import Box
from skrynka.store.database import Database
from skrynka.store.events import RecordedEvent, recorded
from skrynka.store.states import ScanState
from skrynka.store.tables import drop_box, event


@dataclass(frozen=True, slots=True)
class PageAccount:
    """A scan's pages, by what became of them."""

    scan_id: str
    name: str
    """Such as "A-4417"."""
    box_code: str
    state: ScanState
    page_count: int | None
    """None: nobody knows."""
    pages: dict[str, int]
    """Pages by disposition; every disposition is there."""
    pending: int
    """Pages that wait for their stack to be filed."""
    balanced: bool
    """The counters, the rows and the page count agree."""


def active_boxes(db: Database, station_code: str) -> list[Box]:
    """Give the station's boxes, by code."""
    query = select(drop_box).where(drop_box.c.station_code == station_code, drop_box.c.active).order_by(drop_box.c.code)
    with db.read() as connection:
        return [Box(row.code, row.name, row.centre) for row in connection.execute(query)]


def events_after(
    db: Database, number: int = 0, *, scan_id: str | None = None, stack_id: str | None = None, limit: int = 1000
) -> list[RecordedEvent]:
    """Give the events with greater numbers, in order; of one scan or one stack, where that is asked."""
    query = select(event).where(event.c.id > number).order_by(event.c.id).limit(limit)
    if scan_id is not None:
        query = query.where(event.c.scan_id == scan_id)
    if stack_id is not None:
        query = query.where(event.c.stack_id == stack_id)
    with db.read() as connection:
        rows = connection.execute(query).all()
    return [recorded(row) for row in rows]


def page_accounts(db: Database) -> list[PageAccount]:
    """Give the account of every scan, in the order of the claims."""
    with db.read() as connection:
        rows = connection.execute(text("SELECT * FROM page_account ORDER BY station_code, scan_number")).all()
    return [
        PageAccount(
            scan_id=row.scan_id,
            name=scan_name(row.station_code, row.scan_number),
            box_code=row.box_code,
            state=ScanState(row.state),
            page_count=row.page_count,
            pages={each.value: getattr(row, f"{each.value}_pages") for each in Disposition},
            pending=row.pending_rows,
            balanced=bool(row.balanced),
        )
        for row in rows
    ]
