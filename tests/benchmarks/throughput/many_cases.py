"""A database that has been filled for years, made by SQL: whole rows, as filing leaves them, and files to some of them.

Five cases to a scan, three pages to a case: its sheet, and two pages of one document. Ids and hashes are counted, not
drawn by chance; hashes are spread as real ones are, for indexes feel that.
"""
# ruff: noqa: S608 -- these statements are put together from constants of this file

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from skrynka.store import migrations
from tests.benchmarks.throughput.material import BOX
from tests.support.stations import Station

CASES_A_SCAN = 5
_DIGITS = 12
_OLD_SECONDS = 3 * 86_400
"""Older than housekeeping's grace."""
_WHEN = "'2026-03-02T08:14:05.000000+00:00'"
_DAY = "'2026-03-02'"
_ID = "printf('%08x-0000-7000-8000-%012x', {kind}, {number})"
_HASH = "printf('%08x', ({number} * 2654435761) & 4294967295) || printf('%056x', {number})"
_SCAN, _STACK, _CASE, _COVER, _PAPER = 0x01900001, 0x01900002, 0x01900003, 0x01900004, 0x01900005
_BESIDE = 1_000_000_000
"""From the number of a case to that of its cover's hash."""
_OF_SCAN, _OF_STACK = (_ID.format(kind=kind, number=f"((i - 1) / {CASES_A_SCAN} + 1)") for kind in (_SCAN, _STACK))
"""The scan and the stack of case `i`."""
_PLAN = """printf('{"plan":{"of":%d,"as long as plans are":"%0900d"}}', i, 0)"""
_CODE = """'[{"symbology":"qr","text":"' || printf('Z%08d', i) || '"}]'"""


def fill(database: Path, cases: int) -> None:
    """Add so many cases to the empty database of a station; nobody else has it open."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -400000")
        connection.execute("BEGIN")
        for statement in _statements(cases):
            connection.execute(statement)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")


def filled(kept: Path, station: Station, cases: int) -> None:
    """Give a station a database with so many cases; it is made once and kept in the folder `kept`.

    It is made anew when the migrations or this file have changed. The station has run before, so that its archive knows
    it.
    """
    assert isinstance(station.database, Path)
    with closing(sqlite3.connect(station.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ready = kept / f"{_made_by()}-{cases}.db"
    if not ready.exists():
        kept.mkdir(parents=True, exist_ok=True)
        for old in kept.glob(f"*-{cases}.db"):
            old.unlink()
        unfinished = ready.with_suffix(".unfinished")
        shutil.copy(station.database, unfinished)
        fill(unfinished, cases)
        unfinished.rename(ready)
    for beside in ("-wal", "-shm"):
        station.database.with_name(station.database.name + beside).unlink(missing_ok=True)
    shutil.copy(ready, station.database)


def fill_archive(archive: Path, scans: int) -> int:
    """Put files to the first scans and their documents into an archive, small ones; give how many."""
    count = 0
    old = time.time() - _OLD_SECONDS
    for number in range(1, scans + 1):
        folder = archive / "originals" / sha256(number)[:2] / sha256(number)
        folder.mkdir(parents=True)
        cases = range(CASES_A_SCAN * (number - 1) + 1, CASES_A_SCAN * number + 1)
        documents = [sha256(case + beside) for case in cases for beside in (0, _BESIDE)]
        paths = [archive / "documents" / each[:2] / f"{each}.pdf" for each in documents]
        for path in (folder / "original.pdf", *paths):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"%PDF-1.7\n")
            os.utime(path, (old, old))
            count += 1
        os.utime(folder, (old, old))
    return count


def sha256(number: int) -> str:
    """Give the hash that stands for the content of this number, as the database has it."""
    return f"{number * 2654435761 & 0xFFFFFFFF:08x}{number:056x}"


def _made_by() -> str:
    """Tell one state of the tables, and of what fills them, from another."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted(Path(migrations.__file__).parent.rglob("*.py")):
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:_DIGITS]


def _statements(cases: int) -> list[str]:
    scans = -(-cases // CASES_A_SCAN)
    scan_id, stack_id = _ID.format(kind=_SCAN, number="i"), _ID.format(kind=_STACK, number="i")
    case_id, cover_id, paper_id = (_ID.format(kind=kind, number="i") for kind in (_CASE, _COVER, _PAPER))
    stack = {
        "id": stack_id, "station_code": "'ST'", "number": "i", "box_code": f"'{BOX}'", "state": "'filed'",
        "assemble": "'file'", "opened_by": "'scan'", "closed_by": "'scan_end'", "opened_at": _WHEN,
        "last_page_at": _WHEN, "closed_at": _WHEN, "filed_at": _WHEN, "attempts": "1", "epoch": "1",
        "plan": _PLAN, "config_digest": "'digest'",
    }  # fmt: skip
    scan = {
        "id": scan_id, "station_code": "'ST'", "number": "i", "box_code": f"'{BOX}'", "original_name": "'scan.pdf'",
        "sha256": _HASH.format(number="i"), "size_bytes": "9", "file_type": "'pdf'", "claimed_at": _WHEN,
        "received_at": _WHEN, "state": "'filed'", "page_count": f"{3 * CASES_A_SCAN}", "assembled_at": _WHEN,
        "document_pages": f"{2 * CASES_A_SCAN}", "sheet_pages": f"{CASES_A_SCAN}", "finished_at": _WHEN,
        "attempts": "1", "epoch": "1",
    }  # fmt: skip
    case = {
        "id": case_id, "number": f"printf('{BOX}/2025/%07d', i)", "box_code": f"'{BOX}'", "stack_id": _OF_STACK,
        "ordinal": f"((i - 1) % {CASES_A_SCAN} + 1)", "sheet_serial": "printf('Z%08d', i)", "case_type": "'OTH'",
        "completeness": "'complete'", "missing": "'[]'", "held": "0", "needs_review": "0", "received_on": _DAY,
        "created_at": _WHEN, "published_at": _WHEN,
    }  # fmt: skip
    cover = {
        "id": cover_id, "case_id": case_id, "ordinal": "1", "sha256": _HASH.format(number=f"(i + {_BESIDE})"),
        "size_bytes": "9", "page_count": "1",
    }  # fmt: skip
    paper = {**cover, "id": paper_id, "ordinal": "2", "sha256": _HASH.format(number="i"), "page_count": "2"}
    event = {"at": _WHEN, "actor": "'station:ST'", "station_code": "'ST'", "data": "'{}'"}
    return [
        f"INSERT INTO station (code, name, created_at) VALUES ('ST', '', {_WHEN}) ON CONFLICT DO NOTHING",
        f"INSERT INTO drop_box VALUES ('{BOX}', 'ST', '', '', 1) ON CONFLICT DO NOTHING",
        _rows("stack", scans, stack),
        _rows("scan", scans, scan),
        _rows('"case"', cases, case),
        _rows("document", cases, cover),
        _rows("document", cases, paper),
        _rows("document_kind", cases, {"document_id": cover_id, "kind": "'COVER'"}),
        _rows("document_kind", cases, {"document_id": paper_id, "kind": "'UNSORTED'"}),
        _rows("page", cases, {**_page(1), "marked": "1", "codes": _CODE, "disposition": "'sheet'"}),
        _rows("page", cases, {**_page(2), "document_id": paper_id}),
        _rows("page", cases, {**_page(3), "document_id": paper_id, "page_in_document": "2"}),
        _rows("event", scans, {**event, "name": "'scan_received'", "scan_id": scan_id}),
        _rows("event", scans, {**event, "name": "'stack_filed'", "stack_id": stack_id}),
        _rows("event", cases, {**event, "name": "'case_recorded'", "case_id": case_id}),
        f"INSERT INTO case_number (box_code, year, last_number) VALUES ('{BOX}', 2025, {cases})",
    ]


def _page(place: int) -> dict[str, str]:
    """Give the page at this place of its case, for a row a case."""
    at = f"(3 * ((i - 1) % {CASES_A_SCAN}) + {place})"
    return {
        "scan_id": _OF_SCAN, "number": at, "stack_id": _OF_STACK, "position": at, "width": "595.0", "height": "842.0",
        "rotation": "0", "source": "'image'", "dpi": "300.0", "marked": "0", "blank": "0", "ink": "0.05",
        "fingerprint": "printf('%016x', i)", "codes": "'[]'", "disposition": "'document'",
        "case_id": _ID.format(kind=_CASE, number="i"), "document_id": _ID.format(kind=_COVER, number="i"),
        "page_in_document": "1",
    }  # fmt: skip


def _rows(table: str, count: int, values: Mapping[str, str]) -> str:
    """Insert so many rows; in `values`, SQL by column, `i` is counted from 1."""
    counted = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
    return f"INSERT INTO {table} ({', '.join(values)}) {counted} SELECT {', '.join(values.values())} FROM n"
