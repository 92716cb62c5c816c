"""The judge must see every fault, or all that it judges is worth nothing: each one is made here, and it says so."""

from __future__ import annotations

import hashlib
import io
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pikepdf
import pytest

from tests.support import scans
from tests.support.drawn_sheets import SheetFields
from tests.support.oracle import Dropped, cases_in_order, dropped, misfits
from tests.support.stacks import DrawnStack, Envelope, Paper, draw_stack
from tests.support.stored_documents import ids_in_pdf

_TABLES = """
CREATE TABLE stack (id TEXT, station_code TEXT, number INTEGER);
CREATE TABLE scan (id TEXT, station_code TEXT, number INTEGER, sha256 TEXT, size_bytes INTEGER, state TEXT,
    duplicate_of TEXT, page_count INTEGER, document_pages INTEGER DEFAULT 0, sheet_pages INTEGER DEFAULT 0,
    blank_pages INTEGER DEFAULT 0, duplicate_pages INTEGER DEFAULT 0, quarantined_pages INTEGER DEFAULT 0,
    quarantine_reason TEXT);
CREATE TABLE page (scan_id TEXT, number INTEGER, disposition TEXT, document_id TEXT, page_in_document INTEGER);
CREATE TABLE "case" (id TEXT, stack_id TEXT, ordinal INTEGER);
CREATE TABLE document (id TEXT, case_id TEXT, ordinal INTEGER, sha256 TEXT, size_bytes INTEGER, page_count INTEGER);
"""


@dataclass(frozen=True)
class World:
    """A database and an archive in which all is well: two cases of one scan, a spoilt scan, and a scan seen twice."""

    database: Path
    archive: Path
    inbox: Path
    stack: DrawnStack
    scans: list[Dropped]

    def misfits(self, *, orphans: bool = False) -> list[str]:
        """Ask the judge."""
        cases = [case.page_ids for case in self.stack.cases]
        return misfits(self.database, self.archive, self.scans, cases, empty_folders=[self.inbox], orphans=orphans)

    def change(self, sql: str) -> None:
        """Change rows, and be sure that there were any."""
        with closing(sqlite3.connect(self.database)) as connection, connection:
            assert connection.execute(sql).rowcount > 0


@pytest.fixture(scope="module")
def drawn() -> tuple[DrawnStack, bytes]:
    rng = np.random.default_rng(7)
    envelopes = [
        Envelope((Paper("CERT"), Paper("SEAL", 2)), SheetFields(serial="A000001", box="OBL-03", case_type="VER")),
        Envelope((Paper("PHOTO"),), SheetFields(serial="A000002", box="OBL-03", case_type="OTH")),
    ]
    stack = draw_stack(envelopes, rng, dpi=100, first_id=10, duplex=True)
    return stack, scans.pdf_of(stack.scanned)


@pytest.fixture
def world(tmp_path: Path, drawn: tuple[DrawnStack, bytes]) -> World:
    stack, whole = drawn
    broken = scans.truncated(whole)
    archive, inbox = tmp_path / "archive", tmp_path / "inbox"
    inbox.mkdir()
    for data in (whole, broken):
        digest = hashlib.sha256(data).hexdigest()
        _write(archive / "originals" / digest[:2] / digest / "original.pdf", data)
    with closing(sqlite3.connect(tmp_path / "skrynka.db")) as connection, connection:
        connection.executescript(_TABLES)
        connection.execute("INSERT INTO stack VALUES ('k', 'A', 1)")
        add = "INSERT INTO scan VALUES (?, 'A', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)"
        digests = hashlib.sha256(whole).hexdigest(), hashlib.sha256(broken).hexdigest()
        pages = len(stack.pages)
        counts = [stack.counts[name] for name in ("document", "sheet", "blank")]
        connection.execute(add, ("s1", 1, digests[0], len(whole), "filed", None, pages, *counts, 0, None))
        connection.execute(add, ("s2", 2, digests[1], len(broken), "quarantined", None, None, 0, 0, 0, 0, "corrupt"))
        connection.execute(add, ("s3", 3, digests[0], len(whole), "duplicate", "s1", pages, 0, 0, 0, pages, None))
        _file(connection, archive, stack, whole)
    spoilt = dropped(broken, spoilt=True)
    return World(tmp_path / "skrynka.db", archive, inbox, stack, [*[dropped(whole, stack.pages)] * 2, spoilt])


def _file(connection: sqlite3.Connection, archive: Path, stack: DrawnStack, whole: bytes) -> None:
    places: dict[int, tuple[str, int]] = {}
    for case in stack.cases:
        connection.execute('INSERT INTO "case" VALUES (?, ?, ?)', (f"c{case.ordinal}", "k", case.ordinal))
        for ordinal, document in enumerate(case.documents, start=1):
            numbers = [stack.page_ids.index(page_id) for page_id in document.page_ids]
            if document.kinds == ("COVER",):
                numbers.append(numbers[0] + 1)
            data = _cut(whole, numbers)
            digest = hashlib.sha256(data).hexdigest()
            _write(archive / "documents" / digest[:2] / f"{digest}.pdf", data)
            key = f"d{case.ordinal}{ordinal}"
            row = (key, f"c{case.ordinal}", ordinal, digest, len(data), len(numbers))
            connection.execute("INSERT INTO document VALUES (?, ?, ?, ?, ?, ?)", row)
            places.update({number: (key, place) for place, number in enumerate(numbers, start=1)})
    for number, page in enumerate(stack.pages):
        disposition = {"paper": "document", "blank": "blank"}.get(page.role, "sheet")
        row = ("s1", number + 1, disposition, *places.get(number, (None, None)))
        connection.execute("INSERT INTO page VALUES (?, ?, ?, ?, ?)", row)


def _cut(whole: bytes, numbers: list[int]) -> bytes:
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(whole)) as source, pikepdf.new() as target:
        target.pages.extend(source.pages[number] for number in numbers)
        target.save(buffer, deterministic_id=True)
    return buffer.getvalue()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def test_where_all_is_well_the_judge_says_nothing(world: World) -> None:
    assert world.misfits() == []
    assert cases_in_order(world.database, world.archive) == [case.page_ids for case in world.stack.cases]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE page SET disposition = 'blank' WHERE number = 3",
        "UPDATE page SET disposition = 'document' WHERE number = 4",
        "UPDATE page SET disposition = 'blank' WHERE number = 1",
        "UPDATE page SET document_id = NULL WHERE number = 3",
        "UPDATE page SET document_id = 'd22' WHERE number = 3",
        "UPDATE page SET page_in_document = 9 WHERE number = 3",
        "UPDATE page SET number = 99 WHERE number = 10",
        "DELETE FROM page WHERE number = 10",
        "UPDATE scan SET blank_pages = 3 WHERE id = 's1'",
        "UPDATE scan SET state = 'read' WHERE id = 's1'",
        "UPDATE scan SET state = 'filed', page_count = 0 WHERE id = 's2'",
        "UPDATE scan SET state = 'quarantined', quarantine_reason = 'corrupt' WHERE id = 's1'",
        "UPDATE scan SET quarantine_reason = NULL WHERE id = 's2'",
        "UPDATE scan SET duplicate_of = NULL WHERE id = 's3'",
        "UPDATE scan SET size_bytes = 1 WHERE id = 's2'",
        "DELETE FROM scan WHERE id = 's2'",
        "DELETE FROM scan WHERE id = 's3'",
        "UPDATE scan SET sha256 = upper(sha256) WHERE id = 's2'",
        "DELETE FROM document WHERE id = 'd12'",
        "INSERT INTO document SELECT 'd13', case_id, 3, sha256, size_bytes, page_count FROM document WHERE id = 'd12'",
        "UPDATE document SET case_id = 'c2' WHERE id = 'd12'",
        "UPDATE document SET size_bytes = 1 WHERE id = 'd12'",
        "UPDATE document SET page_count = 2 WHERE id = 'd12'",
        "DELETE FROM \"case\" WHERE id = 'c2'",
        "INSERT INTO \"case\" VALUES ('c3', 'k', 3)",
    ],
)
def test_every_wrong_row_is_seen(world: World, sql: str) -> None:
    world.change(sql)

    assert world.misfits() != []


def _lose_document(world: World) -> None:
    next((world.archive / "documents").rglob("*.pdf")).unlink()


def _append_to_document(world: World) -> None:
    with next((world.archive / "documents").rglob("*.pdf")).open("ab") as document:
        document.write(b"\n")


def _lose_original(world: World) -> None:
    next((world.archive / "originals").rglob("original.pdf")).unlink()


def _append_to_original(world: World) -> None:
    with next((world.archive / "originals").rglob("original.pdf")).open("ab") as original:
        original.write(b"\n")


def _leave_in_inbox(world: World) -> None:
    _write(world.inbox / "OBL-03" / "scan0001.pdf", b"%PDF")


@pytest.mark.parametrize(
    "harm", [_lose_document, _append_to_document, _lose_original, _append_to_original, _leave_in_inbox]
)
def test_every_wrong_file_is_seen(world: World, harm: Callable[[World], None]) -> None:
    harm(world)

    assert world.misfits() != []


def test_a_document_that_no_row_knows_is_seen_unless_a_crash_may_have_left_it(world: World) -> None:
    _write(world.archive / "documents" / "aa" / f"{'aa' * 32}.pdf", b"%PDF")

    assert world.misfits() != []
    assert world.misfits(orphans=True) == []


def test_ids_are_read_from_pages_of_vectors_too() -> None:
    assert ids_in_pdf(scans.vector_pdf([700, 701])) == [700, 701]


def test_ids_are_read_from_black_and_white_and_turned_pages(drawn: tuple[DrawnStack, bytes]) -> None:
    stack, _ = drawn
    turned = scans.pdf_of(stack.scanned[:3], rotations=(90, 180, 270))

    assert ids_in_pdf(turned) == stack.page_ids[:3]
