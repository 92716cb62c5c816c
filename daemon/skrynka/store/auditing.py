"""The account of everything, counted anew from the rows: no view, no counter, and no code that files is asked.

All of it in one read-only transaction, so that the daemon's work in between can't make it look wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, bindparam, text

from skrynka.core.auditing import (
    CaseFigures,
    DocumentFigures,
    OriginalFigures,
    ScanFigures,
    StackFigures,
    case_flaws,
    case_number_flaws,
    document_flaws,
    scan_flaws,
    stack_flaws,
)
from skrynka.core.flaws import Flaw, FoundFlaw
from skrynka.store.columns import Timestamp
from skrynka.store.database import Database

_AT_A_TIME = 2000
_DISPOSITIONS = ("document", "sheet", "blank", "duplicate", "quarantined")
_COUNTED = ", ".join(f"count(CASE WHEN disposition = '{each}' THEN 1 END) AS counted_{each}" for each in _DISPOSITIONS)

_SCANS = f"""
SELECT s.id, s.station_code || '-' || s.number AS name, s.station_code, s.state, s.page_count, s.duplicate_of,
  s.document_pages, s.sheet_pages, s.blank_pages, s.duplicate_pages, s.quarantined_pages,
  coalesce(r.page_rows, 0) AS page_rows, r.first_page, r.last_page, coalesce(r.pending, 0) AS pending,
  r.counted_document, r.counted_sheet, r.counted_blank, r.counted_duplicate, r.counted_quarantined,
  o.id AS original_id, o.duplicate_of AS original_of, o.page_count AS original_count,
  CASE WHEN o.sha256 = s.sha256 THEN 1 ELSE 0 END AS same_bytes
FROM scan s LEFT JOIN (
  SELECT scan_id, count(*) AS page_rows, min(number) AS first_page, max(number) AS last_page,
    count(CASE WHEN disposition IS NULL THEN 1 END) AS pending, {_COUNTED}
  FROM page GROUP BY scan_id
) r ON r.scan_id = s.id LEFT JOIN scan o ON o.id = s.duplicate_of
ORDER BY s.station_code, s.number
"""  # noqa: S608 - made of our own words only

_STACKS = """
SELECT s.id, s.station_code || '/' || s.number AS name, s.station_code, s.state,
  coalesce(r.page_rows, 0) AS page_rows, r.first_page, r.last_page, coalesce(r.pending, 0) AS pending,
  coalesce(r.quarantined, 0) AS quarantined, coalesce(r.strangers, 0) AS strangers,
  coalesce(b.broken, 0) AS broken, coalesce(c.cases, 0) AS cases, c.first_case, c.last_case
FROM stack s LEFT JOIN (
  SELECT p.stack_id, count(*) AS page_rows, min(p.position) AS first_page, max(p.position) AS last_page,
    count(CASE WHEN p.disposition IS NULL THEN 1 END) AS pending,
    count(CASE WHEN p.disposition = 'quarantined' THEN 1 END) AS quarantined,
    count(CASE WHEN n.box_code <> k.box_code OR n.station_code <> k.station_code THEN 1 END) AS strangers
  FROM page p JOIN scan n ON n.id = p.scan_id JOIN stack k ON k.id = p.stack_id GROUP BY p.stack_id
) r ON r.stack_id = s.id LEFT JOIN (
  SELECT stack_id, count(*) AS broken FROM (
    SELECT stack_id, scan_id FROM page WHERE stack_id IS NOT NULL GROUP BY stack_id, scan_id
    HAVING min(position - number) <> max(position - number)
  ) runs GROUP BY stack_id
) b ON b.stack_id = s.id LEFT JOIN (
  SELECT stack_id, count(*) AS cases, min(ordinal) AS first_case, max(ordinal) AS last_case
  FROM "case" GROUP BY stack_id
) c ON c.stack_id = s.id
ORDER BY s.station_code, s.number
"""

_CASES = """
SELECT c.number AS name, s.station_code, coalesce(d.documents, 0) AS documents, d.first_document, d.last_document,
  coalesce(e.recorded, 0) AS recorded
FROM "case" c JOIN stack s ON s.id = c.stack_id LEFT JOIN (
  SELECT case_id, count(*) AS documents, min(ordinal) AS first_document, max(ordinal) AS last_document
  FROM document GROUP BY case_id
) d ON d.case_id = c.id LEFT JOIN (
  SELECT case_id, count(*) AS recorded FROM event WHERE name = 'case_recorded' GROUP BY case_id
) e ON e.case_id = c.id
ORDER BY c.number
"""

_DOCUMENTS = """
SELECT c.number || ' document ' || d.ordinal AS name, s.station_code, d.page_count,
  coalesce(r.page_rows, 0) AS page_rows, r.first_page, r.last_page
FROM document d JOIN "case" c ON c.id = d.case_id JOIN stack s ON s.id = c.stack_id LEFT JOIN (
  SELECT document_id, count(*) AS page_rows, min(page_in_document) AS first_page, max(page_in_document) AS last_page
  FROM page WHERE document_id IS NOT NULL GROUP BY document_id
) r ON r.document_id = d.id
ORDER BY c.number, d.ordinal
"""

_LOOSE_PAGES = """
SELECT n.id, n.station_code || '-' || n.number AS name, n.station_code, count(*) AS pages
FROM page p JOIN scan n ON n.id = p.scan_id LEFT JOIN document d ON d.id = p.document_id AND d.case_id = p.case_id
WHERE (p.disposition = 'document' OR p.document_id IS NOT NULL OR p.case_id IS NOT NULL) AND d.id IS NULL
GROUP BY n.id, n.station_code, n.number ORDER BY n.station_code, n.number
"""

_CASE_NUMBERS = """
SELECT c.box_code, c.number, b.station_code FROM "case" c JOIN drop_box b ON b.code = c.box_code ORDER BY c.box_code
"""
_CASE_COUNTERS = (
    "SELECT n.box_code, n.year, n.last_number, b.station_code FROM case_number n JOIN drop_box b ON b.code = n.box_code"
)

# A scan that came out of quarantine is as old as its retry.
_OLD_SCANS = """
SELECT s.id, s.station_code || '-' || s.number AS name, s.station_code, s.state FROM scan s
WHERE s.assembled_at IS NULL AND s.received_at < :before AND NOT EXISTS (
  SELECT 1 FROM event e WHERE e.scan_id = s.id AND e.name = 'scan_retried' AND e.at >= :before
) ORDER BY s.station_code, s.number
"""
_OLD_STACKS = """
SELECT s.id, s.station_code || '/' || s.number AS name, s.station_code, s.state FROM stack s
WHERE s.state NOT IN ('filed', 'quarantined') AND coalesce(s.closed_at, s.last_page_at) < :before AND NOT EXISTS (
  SELECT 1 FROM event e WHERE e.stack_id = s.id AND e.name = 'stack_retried' AND e.at >= :before
) ORDER BY s.station_code, s.number
"""


def account_flaws(db: Database, lingering_since: datetime, *, quick: bool = False) -> Iterator[FoundFlaw]:
    """Give everything in the database that isn't as it must be.

    What waits since before `lingering_since` is told as standing still. `quick` leaves out SQLite's check of its own
    indexes. The flaws come one by one, within one transaction: go through them without waiting. Raises DatabaseAway.
    """
    with _snapshot(db) as connection:
        yield from _damage(connection, quick=quick)
        for row in _rows(connection, _SCANS):
            yield from scan_flaws(_scan(row))
        for row in _rows(connection, _STACKS):
            yield from stack_flaws(_stack(row))
        for row in _rows(connection, _CASES):
            yield from case_flaws(
                CaseFigures(
                    row.name, row.station_code, row.documents, row.first_document, row.last_document, row.recorded
                )
            )
        for row in _rows(connection, _DOCUMENTS):
            yield from document_flaws(
                DocumentFigures(
                    row.name, row.station_code, row.page_count, row.page_rows, row.first_page, row.last_page
                )
            )
        for row in _rows(connection, _LOOSE_PAGES):
            yield FoundFlaw(Flaw.PAGE_WITHOUT_DOCUMENT, row.name, f"{row.pages} pages", row.station_code, (row.id,))
        yield from _case_numbers(connection)
        for flaw, query in ((Flaw.SCAN_LINGERS, _OLD_SCANS), (Flaw.STACK_LINGERS, _OLD_STACKS)):
            for row in _rows(connection, query, before=lingering_since):
                yield FoundFlaw(flaw, row.name, row.state, row.station_code, (row.id,))


@contextmanager
def _snapshot(db: Database) -> Iterator[Connection]:
    """Give a connection that sees one state of the database and can't change it."""
    with db.read() as connection:
        if db.engine == "sqlite":
            connection.exec_driver_sql("PRAGMA query_only = ON")
            try:
                yield connection
            finally:
                # What is given up comes back to nobody.
                if not connection.invalidated:
                    connection.exec_driver_sql("PRAGMA query_only = OFF")
        else:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # To count a million pages takes longer than a statement of the daemon's may.
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            yield connection


def _rows(connection: Connection, query: str, **values: datetime) -> Iterator[Row[Any]]:
    statement = text(query)
    if values:
        statement = statement.bindparams(*(bindparam(name, value, Timestamp()) for name, value in values.items()))
    yield from connection.execute(statement, execution_options={"yield_per": _AT_A_TIME})


def _damage(connection: Connection, *, quick: bool) -> Iterator[FoundFlaw]:
    """Ask SQLite about its own file; PostgreSQL looks after its pages by itself (data checksums)."""
    if connection.dialect.name != "sqlite":
        return
    told = connection.exec_driver_sql(f"PRAGMA {'quick_check' if quick else 'integrity_check'}(20)").scalars().all()
    if told != ["ok"]:
        # Its words may quote rows.
        yield FoundFlaw(Flaw.DATABASE_DAMAGED, "database", f"{len(told)} faults in its file")
    strays = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if strays:
        tables = ", ".join(sorted({f"{row[0]} of {row[2]}" for row in strays}))
        yield FoundFlaw(Flaw.DATABASE_DAMAGED, "database", f"{len(strays)} rows point at nothing: {tables}")


def _scan(row: Row[Any]) -> ScanFigures:
    original = None
    if row.original_id is not None:
        original = OriginalFigures(bool(row.same_bytes), row.original_of is not None, row.original_count)
    return ScanFigures(
        id=row.id,
        name=row.name,
        station=row.station_code,
        state=row.state,
        page_count=row.page_count,
        counters={each: getattr(row, f"{each}_pages") for each in _DISPOSITIONS},
        counted={each: getattr(row, f"counted_{each}") or 0 for each in _DISPOSITIONS},
        pending=row.pending,
        rows=row.page_rows,
        first=row.first_page,
        last=row.last_page,
        original=original,
    )


def _stack(row: Row[Any]) -> StackFigures:
    return StackFigures(
        id=row.id,
        name=row.name,
        station=row.station_code,
        state=row.state,
        rows=row.page_rows,
        first=row.first_page,
        last=row.last_page,
        pending=row.pending,
        quarantined=row.quarantined,
        strangers=row.strangers,
        broken_runs=row.broken,
        cases=row.cases,
        first_case=row.first_case,
        last_case=row.last_case,
    )


def _case_numbers(connection: Connection) -> Iterator[FoundFlaw]:
    counters = {(row.box_code, row.year): row for row in connection.execute(text(_CASE_COUNTERS))}
    for box, rows in groupby(_rows(connection, _CASE_NUMBERS), key=lambda row: row.box_code):
        given: dict[int, list[int]] = {}
        station = None
        for row in rows:
            station = row.station_code
            numbered = _number(box, row.number)
            if numbered is None:
                yield FoundFlaw(
                    Flaw.CASE_NUMBERS_WRONG, box, "a number that isn't the box's, its year's and a count", station
                )
            else:
                given.setdefault(numbered[0], []).append(numbered[1])
        for year in sorted(given):
            counter = counters.pop((box, year), None)
            yield from case_number_flaws(
                box, year, given[year], None if counter is None else counter.last_number, station
            )
    for (box, year), counter in sorted(counters.items()):
        yield from case_number_flaws(box, year, (), counter.last_number, counter.station_code)


def _number(box: str, number: str) -> tuple[int, int] | None:
    """Take a case number such as "OBL-03/2026/000123" apart: year and count."""
    parts: Sequence[str] = number.removeprefix(f"{box}/").split("/")
    if not number.startswith(f"{box}/") or len(parts) != 2 or not all(part.isdecimal() for part in parts):  # noqa: PLR2004 - year and count
        return None
    return int(parts[0]), int(parts[1])
