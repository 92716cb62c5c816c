"""A scan comes in: new, or the same id again after a crash, or byte by byte what came before."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, bindparam, func, insert, select

from skrynka.core.errors import DatabaseRefused
from skrynka.core.formats import FileType
from skrynka.core.naming import scan_name
from skrynka.store.accounts import settle_duplicates
from skrynka.store.database import Database
from skrynka.store.events import NewEvent, record_events
from skrynka.store.states import ScanState
from skrynka.store.tables import scan

_HASH = select(scan.c.sha256).where(scan.c.id == bindparam("of_scan"))
_KNOWN = select(scan.c.sha256, scan.c.duplicate_of).where(scan.c.id == bindparam("of_scan"))
_ORIGINAL = (
    # Locked, so that its page count can't become known between this look and the commit.
    select(scan.c.id, scan.c.page_count)
    .where(scan.c.sha256 == bindparam("of_sha256"), scan.c.duplicate_of.is_(None))
    .with_for_update()
)
_ADD = insert(scan)


@dataclass(frozen=True, slots=True)
class NewScan:
    """A scan whose bytes are safe in the archive."""

    id: str
    """UUIDv7; made when the scan was claimed."""
    station_code: str
    number: int
    """The station's running number, from 1."""
    box_code: str
    original_name: str = field(repr=False)
    """As found in the inbox; bytes that aren't UTF-8 as surrogates, as Python gives them. Private."""
    sha256: str
    """64 hexadecimal digits."""
    size_bytes: int
    file_type: FileType | None
    """By content; None when it is none of ours."""
    claimed_at: datetime
    written_at: datetime | None = None
    """By the clock of its inbox's file system."""
    after_gap: bool = False
    """Something that lay before it in its box was lost."""


class Registered(StrEnum):
    """What a registration found."""

    RECEIVED = "received"
    DUPLICATE = "duplicate"
    KNOWN = "known"
    """This very scan was registered before: nothing was changed."""
    OTHER_BYTES = "other bytes"
    """It was registered before with other bytes: nothing was changed, and these bytes are nobody's yet."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What became of a registration."""

    outcome: Registered
    duplicate_of: str | None = None
    """The name of the scan with the same bytes, such as "A-4417"."""


def register_scan(db: Database, new: NewScan, actor: str | None = None) -> Registration:
    """Insert a scan: the row is the queue. The same scan again changes nothing.

    `actor` is who did it, such as "audit:olena"; without one, the station. Raises DatabaseAway; DatabaseRefused where
    the box or station isn't known, or the number is another scan's.
    """
    try:
        return db.transact(lambda connection: _register(connection, new, db.now(), actor))
    except DatabaseRefused as refused:
        if refused.kind != "unique":
            raise
        # Another station registered the same bytes in this moment: now its row can be seen.
        return db.transact(lambda connection: _register(connection, new, db.now(), actor))


def registered_sha256(db: Database, scan_id: str) -> str | None:
    """Give the hash that a scan is registered with; None where it isn't. Raises DatabaseAway."""
    with db.read() as connection:
        return connection.scalar(_HASH, {"of_scan": scan_id})


def last_scan_number(db: Database, station_code: str) -> int:
    """Give the highest number that a station's scans have in the database, 0 where there are none."""
    with db.read() as connection:
        return connection.scalar(select(func.max(scan.c.number)).where(scan.c.station_code == station_code)) or 0


def _register(connection: Connection, new: NewScan, at: datetime, actor: str | None) -> Registration:
    known = connection.execute(_KNOWN, {"of_scan": new.id}).first()
    if known is not None and known.sha256 != new.sha256:
        return Registration(Registered.OTHER_BYTES)
    if known is not None:
        return Registration(Registered.KNOWN, _name_of(connection, known.duplicate_of))
    original = connection.execute(_ORIGINAL, {"of_sha256": new.sha256}).first()
    row: dict[str, object] = {
        "id": new.id,
        "station_code": new.station_code,
        "number": new.number,
        "box_code": new.box_code,
        "original_name": new.original_name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"),
        "sha256": new.sha256,
        "size_bytes": new.size_bytes,
        "file_type": new.file_type.value if new.file_type else None,
        "claimed_at": new.claimed_at,
        "written_at": new.written_at,
        "after_gap": new.after_gap,
        "received_at": at,
        "state": ScanState.RECEIVED.value,
    }
    if original is not None:
        row |= {"state": ScanState.DUPLICATE.value, "duplicate_of": original.id, "finished_at": at}
    connection.execute(_ADD, row)
    name = "scan_received" if original is None else "scan_duplicated"
    data = {"size_bytes": new.size_bytes} if original is None else {"duplicate_of": original.id}
    events = [NewEvent(name, new.station_code, new.id, data=data)]
    if original is not None and original.page_count is not None:
        events += settle_duplicates(connection, original.id, original.page_count)
    record_events(connection, at, actor or f"station:{new.station_code}", events)
    return Registration(
        Registered.RECEIVED if original is None else Registered.DUPLICATE,
        None if original is None else _name_of(connection, original.id),
    )


def _name_of(connection: Connection, scan_id: str | None) -> str | None:
    row = connection.execute(select(scan.c.station_code, scan.c.number).where(scan.c.id == scan_id)).first()
    return None if row is None else scan_name(row.station_code, row.number)
