"""What the database says that the archive and the spool have, for a look at whether they do; a few rows at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select

from skrynka.core.formats import FileType
from skrynka.core.reasons import QuarantineReason
from skrynka.core.sidecars import ToldScan
from skrynka.store.case_tables import case, document, sheet_number
from skrynka.store.conditions import SCAN_IS_UNPLACED, STACK_IS_OPEN, STACK_WAITS
from skrynka.store.database import Database
from skrynka.store.runs import runs_of
from skrynka.store.states import ScanState
from skrynka.store.tables import drop_box, scan, stack

_AT_A_TIME = 500
_ROWS_AT_A_TIME = 2000
_HEX = "0123456789abcdef"


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """A document as its row tells of it; documents with the same bytes are one file."""

    sha256: str
    size_bytes: int
    name: str
    """Such as "OBL-03/2026/000123 document 2"."""
    station_code: str


@dataclass(frozen=True, slots=True)
class SetAside:
    """A scan in quarantine, as far as its note tells of it."""

    told: ToldScan
    reason: QuarantineReason
    page: int | None


def hash_ranges(db: Database) -> tuple[str, ...]:
    """Give beginnings of hashes that every hash has one of, so that few thousand rows have the same."""
    with db.read() as connection:
        rows = max(
            connection.scalar(select(func.count()).select_from(table)) or 0 for table in (scan, document)
        )  # fmt: skip
    beginnings: tuple[str, ...] = ("",)
    while rows > _ROWS_AT_A_TIME and len(beginnings[0]) < 2:  # noqa: PLR2004 - the archive's folders have two digits
        beginnings = tuple(each + digit for each in beginnings for digit in _HEX)
        rows //= len(_HEX)
    return beginnings


def scans_under(db: Database, prefix: str) -> dict[str, list[ToldScan]]:
    """Give the scans whose hash begins so, by hash, in the order of their numbers."""
    query = select(scan).where(_begins(scan.c.sha256, prefix)).order_by(scan.c.station_code, scan.c.number)
    found: dict[str, list[ToldScan]] = {}
    with db.read() as connection:
        for row in connection.execute(query):
            found.setdefault(row.sha256, []).append(_told(row))
    return found


def documents_under(db: Database, prefix: str) -> dict[str, KnownDocument]:
    """Give the documents whose hash begins so, by hash."""
    query = (
        select(document.c.sha256, document.c.size_bytes, document.c.ordinal, case.c.number, stack.c.station_code)
        .join(case, case.c.id == document.c.case_id)
        .join(stack, stack.c.id == case.c.stack_id)
        .where(_begins(document.c.sha256, prefix))
        .order_by(case.c.number.desc())
    )
    with db.read() as connection:
        return {
            row.sha256: KnownDocument(
                row.sha256, row.size_bytes, f"{row.number} document {row.ordinal}", row.station_code
            )
            for row in connection.execute(query)
        }


def scan_states(db: Database, ids: Collection[str]) -> dict[str, ScanState]:
    """Give the states of those of these scans that the database knows, by id."""
    states: dict[str, ScanState] = {}
    with db.read() as connection:
        for some in runs_of(sorted(ids), _AT_A_TIME):
            rows = connection.execute(select(scan.c.id, scan.c.state).where(scan.c.id.in_(some)))
            states |= {row.id: ScanState(row.state) for row in rows}
    return states


def told_scans(db: Database, ids: Collection[str]) -> dict[str, ToldScan]:
    """Give those of these scans that the database knows, by id."""
    found: dict[str, ToldScan] = {}
    with db.read() as connection:
        for some in runs_of(sorted(ids), _AT_A_TIME):
            found |= {row.id: _told(row) for row in connection.execute(select(scan).where(scan.c.id.in_(some)))}
    return found


def number_taken(db: Database, told: ToldScan) -> bool:
    """Say whether a scan's number is another scan's already."""
    query = select(scan.c.id).where(
        scan.c.station_code == told.station, scan.c.number == told.number, scan.c.id != told.id
    )
    with db.read() as connection:
        return connection.execute(query).first() is not None


def stacks_in_work(db: Database, ids: Collection[str]) -> frozenset[str]:
    """Say which of these stacks somebody works on."""
    with db.read() as connection:
        return frozenset(
            each
            for some in runs_of(sorted(ids), _AT_A_TIME)
            for each in connection.scalars(
                select(stack.c.id).where(stack.c.id.in_(some), stack.c.lease_owner.is_not(None))
            )
        )


def set_aside(db: Database) -> dict[str, SetAside]:
    """Give the scans in quarantine, by id."""
    query = select(scan).where(scan.c.state == ScanState.QUARANTINED.value)
    with db.read() as connection:
        return {
            row.id: SetAside(_told(row), QuarantineReason(row.quarantine_reason), row.quarantine_page)
            for row in connection.execute(query)
        }


def known_boxes(db: Database) -> frozenset[str]:
    """Give the codes of all boxes that the database knows, in use or not."""
    with db.read() as connection:
        return frozenset(connection.scalars(select(drop_box.c.code)))


def scan_numbers(db: Database, station_code: str) -> Iterator[int]:
    """Give the numbers of a station's scans, rising."""
    last = 0
    while True:
        query = (
            select(scan.c.number)
            .where(scan.c.station_code == station_code, scan.c.number > last)
            .order_by(scan.c.number)
            .limit(_AT_A_TIME * 10)
        )
        with db.read() as connection:
            numbers = connection.scalars(query).all()
        if not numbers:
            return
        yield from numbers
        last = numbers[-1]


def known_originals(db: Database, hashes: Collection[str]) -> set[str]:
    """Give those of these hashes that scans have. Raises DatabaseAway."""
    with db.read() as connection:
        return {
            sha256
            for some in runs_of(sorted(hashes), _AT_A_TIME)
            for sha256 in connection.scalars(select(scan.c.sha256).where(scan.c.sha256.in_(some)))
        }


def any_scan(db: Database) -> bool:
    """Say whether the database has a scan of any station. Raises DatabaseAway."""
    with db.read() as connection:
        return connection.execute(select(scan.c.id).limit(1)).first() is not None


def unfinished(db: Database) -> int:
    """Count the scans and stacks, of all stations, that documents may still come of."""
    pending = select(func.count()).select_from(scan).where(SCAN_IS_UNPLACED)
    stacks = [select(func.count()).select_from(stack).where(which) for which in (STACK_IS_OPEN, STACK_WAITS)]
    with db.read() as connection:
        return sum(connection.scalar(each) or 0 for each in (pending, *stacks))


def serials(db: Database, series: str) -> tuple[int, int]:
    """Give the last number of a series that was given, and the highest that came in on a case or collection sheet.

    A serial is the series' letters and six digits; 0 where there is none.
    """
    query = select(sheet_number.c.last_number).where(sheet_number.c.series == series)
    with db.read() as connection:
        given = connection.scalar(query) or 0
        seen = [
            connection.scalar(_highest(column, series)) for column in (case.c.sheet_serial, stack.c.collection_serial)
        ]
    numbers = [int(serial.removeprefix(series)) for serial in seen if serial]
    return given, max(numbers, default=0)


def _highest(serial: ColumnElement[str | None], series: str) -> Select[Any]:
    digits = func.substr(serial, len(series) + 1)
    return select(func.max(serial)).where(
        func.substr(serial, 1, len(series)) == series,
        func.length(serial) == len(series) + 6,
        digits >= "000000",
        digits <= "999999",
    )


def _begins(column: ColumnElement[str], prefix: str) -> ColumnElement[bool]:
    # "g" comes after every hexadecimal digit, so an index can find them.
    return (column >= prefix) & (column < f"{prefix}g")


def _told(row: Row[Any]) -> ToldScan:
    return ToldScan(
        id=row.id,
        number=row.number,
        station=row.station_code,
        box=row.box_code,
        original_name=row.original_name,
        claimed_at=row.claimed_at,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        file_type=FileType(row.file_type) if row.file_type else None,
        written_at=row.written_at,
        after_gap=row.after_gap,
    )
