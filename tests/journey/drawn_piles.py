"""Piles of paper written as words, as in `tests/core/piles.py`, but drawn and scanned: what the daemon gets is a file.

A word is a page: `x` paper (`x:CERT` paper of this kind), `_` blank, `w` a few words by hand on an empty page,
`B` collection sheet, `P` separator, `C1` case sheet with serial number 1 (`C1w` with an address written on it),
`D:CERT` document sheet, `E` end sheet, `R` repeat sheet, `H` a case sheet whose codes nobody can read any more,
`K1` paper with a case sticker, `K:CERT` paper with a document sticker, `B:3` and `E:3` with three envelopes counted.
A small letter is the back of that sheet, its front shining through: `c1`, `d:CERT`, `e`. Any other word is one of the
pile's own `pages`. `@180` after a word turns the paper, `@skew` lays it crooked.

The page at place n bears the id `100 * number + n`, so that a pile's cases can be told by places.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tests.support import ink, scans
from tests.support.drawn_sheets import (
    SheetFields,
    back_of_sheet,
    full_sheet,
    stickered,
    unreadable_sheet,
    write_on_sheet,
)
from tests.support.oracle import Dropped, dropped
from tests.support.papers import blank_paper, paper
from tests.support.scanner import CLEAN, Scanning, scan
from tests.support.stacks import DrawnPage, Role
from tests.support.typeset import Picture, pixels

DPI = 150
_KINDS = ("SEAL", "WORKS", "APPLICATION", "PROTOCOL", "DISMANTLE")
_WORD = re.compile(r"(?P<kind>[BPCDREHKxbpcdre])(?P<number>\d+)?(?P<written>w)?(:(?P<said>[A-Z0-9+]+))?")
ADDRESS = "вул. Озерна, буд. 21, кв. 204"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a pile that has no word: how it is drawn (with this id, by this generator), and what it truly is."""

    draw: Callable[[int, np.random.Generator], Picture]
    role: Role = Role.PAPER
    numbered: bool = True
    """It bears its id; one that would be blank without it doesn't."""
    scanning: Scanning = CLEAN


@dataclass(frozen=True, slots=True)
class File:
    """A file to be dropped, and the truth about it."""

    data: bytes = field(repr=False)
    truth: Dropped = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pile:
    """A pile, drawn and scanned."""

    number: int
    pages: tuple[DrawnPage, ...]
    file: File
    """All of it as one file."""

    def part(self, first: int, last: int | None = None) -> File:
        """Save the pages from place `first` to `last` as a file of their own."""
        return save(self.pages[first - 1 : last])

    def place(self, page_id: int | None) -> str:
        """Say where in the pile a page lies by its id; `~` for one that bears none."""
        return "~" if page_id is None else str(page_id - 100 * self.number)


def draw_pile(
    number: int,
    words: str,
    pages: Mapping[str, Page] | None = None,
    *,
    box: str = "OBL-01",
    serials_of: int | None = None,
    dpi: int = DPI,
) -> Pile:
    """Draw a pile. `serials_of` is the number of another pile that its case sheets are photocopied from."""
    desk = _Desk(number, number if serials_of is None else serials_of, box, dpi, pages or {})
    drawn = tuple(desk.page(place, word) for place, word in enumerate(words.split(), start=1))
    return Pile(number, drawn, save(drawn))


def save(pages: Sequence[DrawnPage]) -> File:
    """Save pages as a scanner does."""
    data = scans.pdf_of([page.scanned for page in pages])
    return File(data, dropped(data, pages))


def serial(pile: int, number: int) -> str:
    """Give the serial of a pile's case sheet."""
    return f"A{100 * pile + number:06d}"


def case_fields(pile: int, number: int, box: str = "OBL-01") -> SheetFields:
    """Give what a pile's case sheet says."""
    return SheetFields(serial=serial(pile, number), box=box, case_type="VER", providers=("KTE",))


class _Desk:
    def __init__(self, number: int, serials: int, box: str, dpi: int, pages: Mapping[str, Page]) -> None:
        self._number, self._serials, self._box, self._dpi, self._pages = number, serials, box, dpi, pages
        self._rng = np.random.default_rng(number)

    def page(self, place: int, word: str) -> DrawnPage:
        """Draw and scan the page of a word."""
        page_id = 100 * self._number + place
        name, _, laid = word.partition("@")
        page = self._pages.get(name) or self._of_word(name, place)
        scanning = page.scanning
        if laid == "skew":
            scanning = replace(scanning, skew=2.5)
        elif laid:
            scanning = replace(scanning, turn=int(laid))
        scanned = scan(page.draw(page_id, self._rng), self._dpi, scanning, self._rng)
        return DrawnPage(page.role, page_id if page.numbered else None, None, scanned)

    def _of_word(self, word: str, place: int) -> Page:
        if word == "_":
            return Page(lambda _id, _rng: blank_paper(self._dpi), Role.BLANK, numbered=False, scanning=_NOISY)
        if word == "w":
            return Page(lambda _id, rng: by_hand(blank_paper(self._dpi), rng, self._dpi), numbered=False)
        found = _WORD.fullmatch(word)
        if found is None:
            raise ValueError(f"{word} is no page")
        kind, said, number = found["kind"], found["said"] or "", int(found["number"] or 0)
        if kind == "x":
            kind = said or _KINDS[place % len(_KINDS)]
            return Page(lambda page_id, rng: paper(kind, page_id, rng, self._dpi))
        if kind == "K":
            fields = self._fields("D" if said else "C", number, said, place)
            return Page(lambda page_id, rng: stickered(paper("SEAL", page_id, rng, self._dpi), fields, self._dpi))
        return self._of_sheet(kind, self._fields("C" if kind == "H" else kind.upper(), number, said, place), found)

    def _of_sheet(self, kind: str, fields: SheetFields, word: re.Match[str]) -> Page:
        if kind.islower():
            role = Role.COVER_BACK if kind == "c" else Role.SHEET
            return Page(lambda _id, _rng: back_of_sheet(full_sheet(fields, 0, self._dpi)), role, numbered=False)
        role = Role.COVER if kind in "CH" else Role.SHEET
        if kind == "H":
            return Page(lambda page_id, rng: unreadable_sheet(fields, page_id, self._dpi, rng), role)
        return Page(lambda page_id, rng: self._sheet(fields, page_id, rng, written=bool(word["written"])), role)

    def _sheet(self, fields: SheetFields, page_id: int, rng: np.random.Generator, *, written: bool) -> Picture:
        picture = full_sheet(fields, page_id, self._dpi)
        if written:
            write_on_sheet(picture, ADDRESS, rng, self._dpi)
        return picture

    def _fields(self, kind: str, number: int, said: str, place: int) -> SheetFields:
        match kind:
            case "C":
                return case_fields(self._serials, number or 50 + place, self._box)
            case "D":
                unique = f"D{100 * self._number + number:06d}"
                return SheetFields("D", serial=unique, document_kinds=tuple(said.split("+")))
            case "B":
                unique = f"B{100 * self._number + number:06d}"
                return SheetFields("B", serial=unique, box=self._box, counted=int(said) if said else None)
            case _:
                return SheetFields(kind, counted=int(said) if said else None)


_NOISY = Scanning(noise=4, edge_shadow=0.25)
"""A scanner's blank page is never white."""


def by_hand(picture: Picture, rng: np.random.Generator, dpi: int) -> Picture:
    """Write a few words by hand on a page; gives a new picture."""
    written = picture.copy()
    note = ink.handwriting(rng, dpi, "Передзвоніть, будь ласка", (120, 24), 20)
    ink.lay(written, note, ink.PEN_BLUE, pixels(90, dpi), pixels(40, dpi))
    return written
