"""Stacks of paper as they come out of a drop box, described in a few words, drawn, scanned, and with the truth beside.

The truth follows the domain's rules for piles, written down here a second time: a case sheet opens its case; staff's
separators open one too, and then the case sheet may lie anywhere in its envelope; what has neither goes on with the
case before it, because nobody can know better. Pages are kept encoded: a stack of hundreds of pages stays small.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Literal

import numpy as np

from tests.support.drawn_sheets import (
    SheetFields,
    back_of_sheet,
    full_sheet,
    plain_sheet,
    stickered,
    unreadable_sheet,
    write_on_sheet,
)
from tests.support.papers import anybody, paper
from tests.support.people import Person
from tests.support.scanner import OFFICE, EncodedPage, Encoding, Scanning, blank_back, scan
from tests.support.typeset import Picture


class Role(StrEnum):
    """What a drawn page is."""

    PAPER = "paper"
    COVER = "cover"
    """A case sheet, or a sheet that can't be read: it stays with its case."""
    COVER_BACK = "cover_back"
    """Its back, where it shows through: it stays with its case too, and carries no id of its own."""
    SHEET = "sheet"
    """Any other sheet, or its back: counted, and kept nowhere but in the scan."""
    BLANK = "blank"


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper of an envelope."""

    kind: str
    pages: int = 1
    declared: tuple[str, ...] = ()
    """Document kinds that a document sheet before it, or its sticker, declares."""
    sticker: bool = False
    """Declared by a sticker on its first page instead of a sheet."""


SheetDrawer = Callable[[SheetFields, int, int], Picture]
"""Draws a sheet of these fields with this page id at this dpi."""
Look = Literal["full", "plain", "scribbled", "stained", "torn"]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What lay in one envelope."""

    papers: tuple[Paper, ...] = ()
    sheet: SheetFields | None = None
    look: Look = "full"
    """Of the case sheet: full, plain (one QR code and nothing else), or harmed until no code can be read."""
    written: str = ""
    """By hand, on the case sheet."""
    separator: bool = False
    """Staff put a separator before it."""
    papers_above_sheet: int = 0
    """How many papers lie before the case sheet; only where envelopes are separated."""
    text: str | None = None
    """Replaces what the case sheet's QR codes say."""


@dataclass(frozen=True, slots=True)
class TruePage:
    """What a page truly is, however it was made."""

    role: Role
    page_id: int | None
    """None for pages that carry none: blanks and backs."""
    case: int | None
    """The case it should end in: 1-based, within its stack."""


@dataclass(frozen=True, slots=True)
class DrawnPage(TruePage):
    """A page as drawn and scanned."""

    scanned: EncodedPage


@dataclass(slots=True)
class ExpectedDocument:
    """A document that should come out."""

    kinds: tuple[str, ...]
    page_ids: list[int] = field(default_factory=list)


@dataclass(slots=True)
class ExpectedCase:
    """A case that should come out, with its documents in order."""

    ordinal: int
    sheet: SheetFields | None
    documents: list[ExpectedDocument] = field(default_factory=list)

    @property
    def page_ids(self) -> list[int]:
        """Give the ids of its pages, in the order of its documents."""
        return [page_id for document in self.documents for page_id in document.page_ids]


@dataclass(frozen=True, slots=True)
class DrawnStack:
    """A stack as scanned, and the truth about it."""

    pages: tuple[DrawnPage, ...]
    cases: tuple[ExpectedCase, ...]

    @property
    def scanned(self) -> list[EncodedPage]:
        """Give the pages as the scanner's file holds them."""
        return [page.scanned for page in self.pages]

    @property
    def page_ids(self) -> list[int | None]:
        """Give the ids in the order of the pages."""
        return [page.page_id for page in self.pages]

    @property
    def counts(self) -> dict[str, int]:
        """Count the pages by the disposition that they should end with."""
        names = {Role.PAPER: "document", Role.BLANK: "blank"}
        return dict(Counter(names.get(page.role, "sheet") for page in self.pages))


def office_scanning(rng: np.random.Generator) -> Scanning:
    """Scan as a fair office scanner does: every other page a little crooked, a little noise, grey JPEG."""
    skew = float(rng.uniform(-1, 1)) if rng.random() < 0.5 else 0.0
    return replace(OFFICE, skew=skew, noise=float(rng.uniform(2, 6)))


def mixed_scanning(rng: np.random.Generator) -> Scanning:
    """Scan as people feed: some pages upside down, some black and white, some with holes, some on a tired scanner."""
    scanning = office_scanning(rng)
    if rng.random() < 0.3:
        scanning = replace(scanning, encoding=Encoding.G4, noise=min(scanning.noise, 4), edge_shadow=0.0)
    if rng.random() < 0.25:
        scanning = replace(scanning, turn=180)
    if rng.random() < 0.2:
        scanning = replace(scanning, punch_holes=True)
    if rng.random() < 0.2:
        scanning = replace(scanning, blur=0.8, contrast=0.85, grime=0.0005)
    return scanning


def draw_stack(
    envelopes: Sequence[Envelope],
    rng: np.random.Generator,
    *,
    dpi: int = 200,
    first_id: int = 1,
    scanning: Callable[[np.random.Generator], Scanning] = office_scanning,
    colour: bool = False,
    duplex: bool = False,
    collection: SheetFields | None = None,
    end: SheetFields | None = None,
    sheets: SheetDrawer = full_sheet,
) -> DrawnStack:
    """Draw and scan a stack. Every front gets an id of its own, counted up from `first_id`; blank pages carry none.

    `scanning` says anew for each page how it is scanned. `collection` and `end` are put first and last.
    `sheets` draws the whole, readable sheets; a sheet that says something else than its fields is always drawn here.
    """
    desk = _Desk(rng, dpi, itertools.count(first_id), scanning, colour=colour, duplex=duplex, sheets=sheets)
    if collection is not None:
        desk.lay_sheet(collection)
    for envelope in envelopes:
        desk.lay(envelope)
    if end is not None:
        desk.lay_sheet(end)
    for case in desk.cases:
        case.documents = [document for document in case.documents if document.page_ids]
    return DrawnStack(tuple(desk.pages), tuple(case for case in desk.cases if case.documents))


@dataclass(slots=True)
class _Desk:
    rng: np.random.Generator
    dpi: int
    ids: Iterator[int]
    scanning: Callable[[np.random.Generator], Scanning]
    colour: bool
    duplex: bool
    sheets: SheetDrawer
    pages: list[DrawnPage] = field(default_factory=list)
    cases: list[ExpectedCase] = field(default_factory=list)
    open: ExpectedCase | None = None
    serials: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def lay(self, envelope: Envelope) -> None:
        if envelope.papers_above_sheet and not envelope.separator:
            raise ValueError("whose papers lie above a sheet is known only between separators")
        if envelope.separator:
            self.lay_sheet(SheetFields("P"))
            self._open_case(None)
        papers = list(envelope.papers)
        person = anybody(self.rng)
        for above in papers[: envelope.papers_above_sheet]:
            self._lay_paper(above, person)
        if envelope.sheet is not None:
            self._lay_case_sheet(envelope, envelope.sheet)
        for below in papers[envelope.papers_above_sheet :]:
            self._lay_paper(below, person)

    def lay_sheet(self, fields: SheetFields) -> None:
        """Lay a sheet that belongs to no case. Any but a document sheet ends the case before it."""
        if fields.kind != "D":
            self.open = None
        page_id = next(self.ids)
        picture = self.sheets(fields, page_id, self.dpi)
        self._put(picture, Role.SHEET, page_id, None, Role.SHEET)

    def _lay_case_sheet(self, envelope: Envelope, fields: SheetFields) -> None:
        page_id = next(self.ids)
        match envelope.look:
            case "full":
                draw = self.sheets if envelope.text is None else partial(full_sheet, text=envelope.text)
                picture = draw(fields, page_id, self.dpi)
                if envelope.written:
                    write_on_sheet(picture, envelope.written, self.rng, self.dpi)
            case "plain":
                picture = plain_sheet(envelope.text or fields.text(), page_id, self.dpi)
            case harm:
                picture = unreadable_sheet(fields, page_id, self.dpi, self.rng, harm=harm)
        case = self.open
        if not envelope.separator or case is None:
            case = self._open_case(fields)
        case.sheet = fields
        case.documents.insert(0, ExpectedDocument(("COVER",), [page_id]))
        # Papers above the sheet and below it are two documents: nothing says that they are one.
        case.documents.append(ExpectedDocument(("UNSORTED",)))
        self._put(picture, Role.COVER, page_id, case.ordinal, Role.COVER_BACK)

    def _lay_paper(self, brought: Paper, person: Person) -> None:
        case = self.open or self._open_case(None)
        if brought.declared and not brought.sticker:
            self.lay_sheet(self._document_fields(brought))
        if brought.declared or not case.documents:
            case.documents.append(ExpectedDocument(brought.declared or ("UNSORTED",)))
        for number in range(1, brought.pages + 1):
            page_id = next(self.ids)
            picture = paper(brought.kind, page_id, self.rng, self.dpi, page=number, person=person, colour=self.colour)
            if brought.sticker and number == 1:
                picture = stickered(picture, self._document_fields(brought), self.dpi)
            case.documents[-1].page_ids.append(page_id)
            self._put(picture, Role.PAPER, page_id, case.ordinal, Role.BLANK)

    def _document_fields(self, brought: Paper) -> SheetFields:
        """Say what a document sheet or sticker says; each has a serial of its own in the stack."""
        return SheetFields("D", serial=f"D{next(self.serials):06d}", document_kinds=brought.declared)

    def _open_case(self, sheet: SheetFields | None) -> ExpectedCase:
        if self.cases and not any(document.page_ids for document in self.cases[-1].documents):
            self.cases.pop()
        self.open = ExpectedCase(len(self.cases) + 1, sheet)
        self.cases.append(self.open)
        return self.open

    def _put(self, picture: Picture, role: Role, page_id: int, case: int | None, back: Role) -> None:
        scanning = self.scanning(self.rng)
        self.pages.append(DrawnPage(role, page_id, case, scan(picture, self.dpi, scanning, self.rng)))
        if self.duplex:
            other = blank_back(picture) if back is Role.BLANK else back_of_sheet(picture)
            scanned = scan(other, self.dpi, scanning, self.rng)
            self.pages.append(DrawnPage(back, None, case if back is Role.COVER_BACK else None, scanned))
