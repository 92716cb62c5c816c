"""Piles of paper written as words, and plans written back as words, so that a test reads like the pile on the table.

A word is a page: `x` paper, `_` blank, `B` collection sheet, `P` separator, `C1` case sheet with serial number 1,
`D:CERT` document sheet, `E` end sheet, `R` repeat sheet, `H` a sheet that bears the mark and no readable code,
`!` a code in our scheme that doesn't verify, `K1` paper with a case sticker, `K:CERT` paper with a document sticker,
`c1` the back of case sheet 1 with the code shining through, `e` the same for the end sheet, `d` for the sheet `D:CERT`,
`k` for the sticker `K:CERT`, a star after any of them: something is written on it too. `|` (before a page): a gap.
"""

from __future__ import annotations

from collections.abc import Sequence

from skrynka.core.model import (
    COVER,
    Code,
    Disposition,
    Engine,
    PageReading,
    PageRef,
    PageSource,
    Plan,
    StackPage,
    Standing,
    Symbology,
)
from skrynka.core.planning import Known, plan
from tests.support.routing_text import damaged, routing_text

KNOWN = Known(
    box="OBL-03",
    case_types={"VER": frozenset({"ONS", "DIS"}), "NUM": frozenset(), "OTH": frozenset()},
    providers=frozenset({"KTE", "KVK"}),
    document_kinds=frozenset({"CERT", "PHOTO", "SEAL"}),
    page_limit=6,
)


STICKER = routing_text("D", serial="D000009", document_kinds=["CERT"], sticker=True)


def qr(text: str, *, mirrored: bool = False) -> Code:
    """A QR code read by one engine."""
    return Code(Symbology.QR, (Engine.ZXING,), text, Standing.OWN, mirrored)


def linear(text: str) -> Code:
    """A linear code read by one engine."""
    return Code(Symbology.CODE_128, (Engine.ZXING,), text, Standing.OWN)


def reading(number: int, *codes: Code, marked: bool = False, blank: bool = False) -> PageReading:
    """An A4 page on which these codes were read."""
    return PageReading(
        number, 595.0, 842.0, 0, PageSource.IMAGE, 300.0, codes, marked, blank, 0.0 if blank else 0.05, "0" * 16
    )


def text(word: str) -> str:
    """The full routing text of a sheet's word."""
    kind, rest = word[0], word[1:]
    match kind:
        case "C":
            return routing_text("C", serial=f"A{int(rest):06d}", box="OBL-03", case_type="VER")
        case "D":
            return routing_text("D", serial="D000001", document_kinds=rest[1:].split("+"))
        case "B":
            return routing_text("B", serial=f"B{int(rest or 1):06d}", box="OBL-03")
        case _:
            return routing_text(kind)


def page(number: int, word: str) -> PageReading:  # noqa: PLR0911 - a row of the table of words each
    """The reading of one word."""
    match word[0]:
        case "x":
            return reading(number)
        case "_":
            return reading(number, blank=True)
        case "H":
            return reading(number, marked=True)
        case "!":
            return reading(number, qr(damaged(text("C9"))))
        case "c" | "e" | "b" | "d" | "k":
            said = {"d": text("D:CERT"), "k": STICKER}.get(word[0]) or text(word.rstrip("*").upper())
            return reading(number, qr(said, mirrored=True), blank=not word.endswith("*"))
        case "K" if word[1] == ":":
            sticker = routing_text("D", serial="D000009", document_kinds=[word[2:]], sticker=True)
            return reading(number, qr(sticker))
        case "K":
            sticker = routing_text("C", serial=f"A{int(word[1:]):06d}", box="OBL-03", case_type="VER", sticker=True)
            return reading(number, qr(sticker))
        case _:
            return reading(number, qr(text(word)), marked=True)


def pile(words: str) -> list[StackPage]:
    """The pages of a pile; page numbers count from 1."""
    split = words.split()
    pages: list[StackPage] = []
    gap = False
    for word in split:
        if word == "|":
            gap = True
            continue
        number = len(pages) + 1
        pages.append(StackPage(PageRef("s", number), page(number, word), after_gap=gap))
        gap = False
    return pages


def planned(words: str, known: Known = KNOWN, *, gap_at_end: bool = False) -> Plan:
    """Plan a pile."""
    return plan(pile(words), known, gap_at_end=gap_at_end)


def told(made: Plan) -> list[str]:
    """Each case as words: its number on the sheet or `-` (`held` where it is), its documents, its reasons.

    `1: COVER 1, CERT 3 4 [empty_submission]` is the case of sheet 1 with page 1 as its cover.
    """
    cases = []
    for case in made.cases:
        name = "held" if case.held else "-" if case.serial is None else str(int(case.serial[1:]))
        papers = ", ".join(
            " ".join(
                [COVER if COVER in paper.kinds else "+".join(paper.kinds), *(str(ref.number) for ref in paper.pages)]
            )
            for paper in case.documents
        )
        reasons = " ".join(review.reason.value for review in case.reviews)
        cases.append(f"{name}: {papers}" + (f" [{reasons}]" if reasons else ""))
    return cases


def dispositions(made: Plan) -> str:
    """The account as letters: `d` document, `s` sheet, `b` blank; upper case where held."""
    letters = {Disposition.DOCUMENT: "d", Disposition.SHEET: "s", Disposition.BLANK: "b"}
    return "".join(letters[page.disposition].upper() if page.held else letters[page.disposition] for page in made.pages)


def findings(made: Plan) -> Sequence[str]:
    """The reasons of the stack's findings."""
    return [finding.reason.value for finding in made.findings]
