"""A station, what was dropped into its inboxes, and what became of it: by raw SQL and by the ids in stored documents.

What is told is written as in `tests/core/piles.py`: `1: COVER 1, CERT 3 4 [empty_submission]` is the case of the sheet
with serial number 1, with the pile's first page as its cover; `-` stands for a case without a sheet, `held` for one
that follows a boundary that doesn't verify, `~` for a page that bears no id.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.journey.drawn_piles import File, Pile
from tests.support.oracle import Dropped, Row, misfits, query
from tests.support.stations import Station
from tests.support.stored_documents import ids_in_pdf


@dataclass(slots=True)
class Mailroom:
    """Where tests drop scans and ask what became of them."""

    station: Station
    dropped: list[Dropped] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    """Of the log."""

    def drop(self, file: File, name: str = "scan0001.pdf", box: str = "OBL-01") -> Path:
        """Move a file into an inbox, whole, and give where it lies.

        The next one of this name may come only when this one was taken.
        """
        self.dropped.append(file.truth)
        return self.station.drop(file.data, name, box)

    def drop_all(self, piles: Iterable[Pile], box: str = "OBL-01") -> None:
        """Drop piles, each as one file."""
        for pile in piles:
            self.drop(pile.file, f"scan{pile.number:04d}.pdf", box)

    def once(self) -> None:
        """Let the daemon take what is there, finish it, and end."""
        self.lines += self.station.once()

    def said(self, event: str, **fields: object) -> list[dict[str, Any]]:
        """Give the log's lines of an event with these fields."""
        return [
            line
            for line in self.lines
            if line["event"] == event and all(line.get(name) == value for name, value in fields.items())
        ]

    def query(self, sql: str) -> list[Row]:
        """Ask the database."""
        return query(self.station.database, sql)

    def misfits(self) -> list[str]:
        """Say everything that isn't as the law of conservation wants it."""
        return misfits(self.station.database, self.station.archive, self.dropped, empty_folders=self.station.leftovers)

    def cases(self, *files: File) -> list[Row]:
        """Give the cases of the stacks that these files' pages lie in, in order."""
        stacks = {page["stack_id"] for file in files for page in self.pages(file)}
        rows = self.query(
            'SELECT "case".*, stack.number AS stack_number FROM "case" JOIN stack ON stack.id = stack_id'
            ' ORDER BY stack_number, "case".ordinal'
        )
        return [row for row in rows if row["stack_id"] in stacks]

    def scans(self, file: File) -> list[Row]:
        """Give the rows of the scans that a file made, in the order of their claims."""
        rows = self.query("SELECT * FROM scan ORDER BY number")
        return [row for row in rows if row["sha256"] == file.truth.sha256]

    def pages(self, file: File) -> list[Row]:
        """Give the rows of a file's pages, in order."""
        rows = self.query(
            "SELECT page.*, sha256 FROM page JOIN scan ON scan.id = scan_id ORDER BY scan_id, page.number"
        )
        return [row for row in rows if row["sha256"] == file.truth.sha256]

    def told(self, pile: Pile, *files: File) -> list[str]:
        """Tell the cases that came of a pile; `files` where it wasn't dropped as one."""
        return [self._told(pile, case) for case in self.cases(*(files or [pile.file]))]

    def account(self, pile: Pile, *files: File) -> str:
        """Tell the account of a pile's pages as letters: `d` document, `s` sheet, `b` blank; upper case where held."""
        letters = {"document": "d", "sheet": "s", "blank": "b", "duplicate": "2", "quarantined": "q"}
        pages = [page for file in files or [pile.file] for page in self.pages(file)]
        told = [letters[page["disposition"]] for page in pages]
        return "".join(letter.upper() if page["held"] else letter for page, letter in zip(pages, told, strict=True))

    def documents(self, case: Row) -> list[Row]:
        """Give a case's documents in order, each with its `kinds` and the `path` of its file."""
        rows = [row for row in self.query("SELECT * FROM document ORDER BY ordinal") if row["case_id"] == case["id"]]
        kinds = self.query("SELECT * FROM document_kind ORDER BY kind")
        for row in rows:
            row["kinds"] = [kind["kind"] for kind in kinds if kind["document_id"] == row["id"]]
            row["path"] = self.station.archive / "documents" / row["sha256"][:2] / f"{row['sha256']}.pdf"
        return rows

    def reasons(self, case: Row) -> list[str]:
        """Give a case's reasons for review, in the order of the alphabet."""
        rows = self.query("SELECT * FROM case_review ORDER BY reason")
        return [row["reason"] for row in rows if row["case_id"] == case["id"]]

    def _told(self, pile: Pile, case: Row) -> str:
        name = "held" if case["held"] else "-" if case["sheet_serial"] is None else str(int(case["sheet_serial"][-2:]))
        papers = ", ".join(
            " ".join(["+".join(document["kinds"]), *map(pile.place, ids_in_pdf(document["path"]))])
            for document in self.documents(case)
        )
        reasons = self.reasons(case)
        assert bool(reasons) == bool(case["needs_review"]), "whether a case needs review isn't what its reasons say"
        return f"{name}: {papers}" + (f" [{' '.join(reasons)}]" if reasons else "")
