"""The judge of the law of conservation: raw SQL and drawn page ids, no code of the program that is judged.

Every page of every scan that was dropped is in exactly one stored document, or accounted for as a sheet or a blank, or
its scan is in quarantine with a reason, or it is byte by byte the same as an earlier one; every planned case exists
once; hashes in the database equal the files; nothing is left in the inboxes, the spool and the work folder.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
import psycopg
from psycopg.rows import dict_row

from tests.support.stacks import Role, TruePage
from tests.support.stored_documents import ids_in_pdf

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A scan that was put into an inbox, and what lies in it."""

    sha256: str
    size: int
    pages: tuple[TruePage, ...]
    """Empty where nobody can say: a file that isn't whole, or no scan at all."""
    spoilt: bool | None = False
    """True: it must end in quarantine. None: nobody can say beforehand, only that it must end. With pages: as these,
    if it is filed; without: what lies in its documents isn't looked at."""


def dropped(data: bytes, pages: Sequence[TruePage] = (), *, spoilt: bool | None = False) -> Dropped:
    """Note a file as it is dropped."""
    return Dropped(hashlib.sha256(data).hexdigest(), len(data), tuple(pages), spoilt)


def query(database: str | Path, sql: str) -> list[Row]:
    """Ask the database: a path is SQLite's file, a URL is PostgreSQL's (SQLAlchemy's form is understood)."""
    if isinstance(database, Path):
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql)]
    with psycopg.connect(database.replace("+psycopg", ""), row_factory=dict_row) as postgres:
        return list(postgres.execute(sql.encode()))


def misfits(
    database: str | Path,
    archive: Path,
    scans: Iterable[Dropped],
    cases: Sequence[Sequence[int]] | None = None,
    *,
    empty_folders: Sequence[Path] = (),
    orphans: bool = False,
    numbers: range | None = None,
) -> list[str]:
    """Say everything that isn't as it must be, a sentence each; an empty list is the verdict that all is well.

    `cases` are the page ids of each case that must exist, cover included, in the documents' order; the order of the
    cases themselves doesn't matter here (see `cases_in_order`). `orphans` allows documents in the archive that no row
    knows, as a crash leaves them. With `numbers` only scans of these numbers are judged; `scans` are these then.
    """
    judge = _Judge(database, archive, numbers)
    judge.weigh_scans(list(scans))
    judge.weigh_files(orphans=orphans or numbers is not None)
    if cases is not None:
        judge.weigh_cases(cases)
    left = [path for folder in empty_folders for path in sorted(folder.rglob("*")) if not path.is_dir()]
    return [*judge.wrong, *(f"left behind: {path}" for path in left)]


def cases_in_order(database: str | Path, archive: Path) -> list[list[int]]:
    """Give the page ids of each case, by stack and ordinal, in the order of the stored documents' pages."""
    judge = _Judge(database, archive)
    return [judge.ids_of_case(case["id"]) for case in judge.cases]


_KNOWN: dict[str, list[int | None]] = {}
"""The ids in documents, by the hash of what is in the file: a station may be judged again and again."""


def _ids_in(data: bytes) -> list[int | None]:
    digest = hashlib.sha256(data).hexdigest()
    if digest not in _KNOWN:
        _KNOWN[digest] = ids_in_pdf(data)
    return _KNOWN[digest]


class _Judge:
    def __init__(self, database: str | Path, archive: Path, numbers: range | None = None) -> None:
        self.archive = archive
        self.wrong: list[str] = []
        self.rows = query(database, "SELECT * FROM scan ORDER BY station_code, number")
        self.pages = query(database, "SELECT * FROM page ORDER BY scan_id, number")
        self.cases = query(
            database,
            'SELECT "case".* FROM "case" JOIN stack ON stack.id = "case".stack_id'
            ' ORDER BY stack.station_code, stack.number, "case".ordinal',
        )
        self.documents = query(database, "SELECT * FROM document ORDER BY case_id, ordinal")
        if numbers is not None:
            self.rows = [row for row in self.rows if row["number"] in numbers]
            ids = {row["id"] for row in self.rows}
            self.pages = [page for page in self.pages if page["scan_id"] in ids]
            of_these = {page["document_id"] for page in self.pages}
            self.documents = [document for document in self.documents if document["id"] in of_these]
        self._unread: set[str] = set()
        """Ids of documents that nobody can say what lies in."""
        self._read: dict[str, list[int | None]] = {}

    def weigh_scans(self, scans: Sequence[Dropped]) -> None:
        """Weigh the account of every page of every scan."""
        by_hash: dict[str, list[Row]] = {}
        for row in self.rows:
            by_hash.setdefault(row["sha256"], []).append(row)
        times = Counter(scan.sha256 for scan in scans)
        self._say(set(by_hash) == set(times), "the scans in the database aren't the scans that were dropped")
        expected: Counter[int] = Counter()
        for scan in {scan.sha256: scan for scan in scans}.values():
            rows = by_hash.get(scan.sha256, [])
            self._say(
                len(rows) == times[scan.sha256], f"{len(rows)} rows for a scan dropped {times[scan.sha256]} times"
            )
            originals = [row for row in rows if row["duplicate_of"] is None]
            self._say(len(originals) == 1, f"{len(originals)} originals of one scan")
            if scan.spoilt is None and not scan.pages:
                ids = {row["id"] for row in rows}
                self._unread |= {page["document_id"] for page in self.pages if page["scan_id"] in ids}
            for row in rows:
                self._say(row["size_bytes"] == scan.size, f"the size of scan {row['number']} isn't the file's")
                if self._weigh_scan(scan, row):
                    expected.update(
                        page.page_id
                        for page in scan.pages
                        if page.role in {Role.PAPER, Role.COVER} and page.page_id is not None
                    )
        stored = Counter(
            page_id for document in self.documents for page_id in self._ids(document) if page_id is not None
        )
        for page_id in sorted(set(expected) | set(stored)):
            if stored[page_id] != expected[page_id]:
                self.wrong.append(f"page {page_id} is stored {stored[page_id]} times instead of {expected[page_id]}")

    def _weigh_scan(self, scan: Dropped, row: Row) -> bool:
        """Weigh one scan's account; True if its papers must be in stored documents."""
        name = f"scan {row['number']}"
        match row["state"]:
            case "quarantined":
                self._say(bool(row["quarantine_reason"]), f"{name} is in quarantine without a reason")
                self._say(
                    scan.spoilt is not False, f"{name} is in quarantine and was whole: {row['quarantine_reason']}"
                )
                return False
            case "duplicate":
                self._say(row["duplicate_of"] is not None, f"{name} is a duplicate of nothing")
                return False
            case "filed":
                self._say(scan.spoilt is not True, f"{name} was spoilt and is filed")
            case state:
                self.wrong.append(f"{name} isn't finished: {state}")
                return False
        pages = [page for page in self.pages if page["scan_id"] == row["id"]]
        numbers = [page["number"] for page in pages]
        count = row["page_count"] if scan.spoilt is None else len(scan.pages)
        self._say(numbers == list(range(1, count + 1)), f"{name} has pages {numbers} of {count}")
        counted = Counter(page["disposition"] for page in pages)
        for disposition in ("document", "sheet", "blank", "duplicate", "quarantined"):
            said = row[f"{disposition}_pages"]
            self._say(
                said == counted[disposition], f"{name} counts {said} pages as {disposition}, not {counted[disposition]}"
            )
        for page, truth in zip(pages, scan.pages, strict=False):
            self._weigh_page(page, truth, f"page {page['number']} of {name}")
        return True

    def _weigh_page(self, page: Row, truth: TruePage, name: str) -> None:
        expected = {Role.PAPER: "document", Role.BLANK: "blank"}.get(truth.role, "sheet")
        self._say(page["disposition"] == expected, f"{name} is a {truth.role} and ended as {page['disposition']}")
        if page["document_id"] is None:
            self._say(truth.role not in {Role.PAPER, Role.COVER}, f"{name} is a {truth.role} and is in no document")
            return
        document = next((one for one in self.documents if one["id"] == page["document_id"]), None)
        ids = self._ids(document) if document else []
        place = page["page_in_document"]
        there = ids[place - 1] if 1 <= place <= len(ids) else "nothing"
        self._say(there == truth.page_id, f"{name} is drawn page {truth.page_id}; in its place lies {there}")

    def weigh_files(self, *, orphans: bool) -> None:
        """Weigh the archive against the hashes in the database."""
        known = set()
        for document in self.documents:
            path = self._document_path(document)
            known.add(path)
            if not path.is_file():
                self.wrong.append("a document isn't in the archive")
                continue
            data = path.read_bytes()
            self._say(hashlib.sha256(data).hexdigest() == document["sha256"], "a document isn't what its hash says")
            self._say(len(data) == document["size_bytes"], "a document isn't as long as its row says")
            self._say(len(self._ids(document)) == document["page_count"], "a document's page count isn't the file's")
        for row in self.rows:
            folder = self.archive / "originals" / row["sha256"][:2] / row["sha256"]
            kept = sorted(folder.glob("original.*"))
            self._say(len(kept) == 1, f"{len(kept)} originals of scan {row['number']} in the archive")
            for original in kept:
                digest = hashlib.sha256(original.read_bytes()).hexdigest()
                self._say(digest == row["sha256"], f"the original of scan {row['number']} isn't what its hash says")
        if not orphans:
            strangers = set((self.archive / "documents").rglob("*.pdf")) - known
            self._say(not strangers, f"{len(strangers)} documents in the archive that no row knows")

    def weigh_cases(self, cases: Sequence[Sequence[int]]) -> None:
        """Weigh the cases against those that must exist, each once."""
        found = Counter(tuple(self.ids_of_case(case["id"])) for case in self.cases)
        wanted = Counter(tuple(case) for case in cases)
        for case in sorted(set(found) | set(wanted)):
            if found[case] != wanted[case]:
                self.wrong.append(f"a case of pages {list(case)} exists {found[case]} times instead of {wanted[case]}")

    def ids_of_case(self, case_id: str) -> list[int]:
        """Give a case's page ids in the order of its documents; pages without an id are passed over."""
        documents = [document for document in self.documents if document["case_id"] == case_id]
        return [page_id for document in documents for page_id in self._ids(document) if page_id is not None]

    def _ids(self, document: Row) -> list[int | None]:
        path = self._document_path(document)
        if document["id"] in self._unread and path.is_file():
            with pikepdf.open(path) as pdf:
                return [None] * len(pdf.pages)
        if document["sha256"] not in self._read:
            self._read[document["sha256"]] = _ids_in(path.read_bytes()) if path.is_file() else []
        return self._read[document["sha256"]]

    def _document_path(self, document: Row) -> Path:
        digest = str(document["sha256"])
        return self.archive / "documents" / digest[:2] / f"{digest}.pdf"

    def _say(self, fits: bool, otherwise: str) -> None:  # noqa: FBT001 - reads like assert, and that is the point
        if not fits:
            self.wrong.append(otherwise)
