"""The scans of the demo: what comes out of two drop boxes on a long day, drawn, degraded and written down.

Box OBL-01 is set to a stack per file, box OBL-02 to stacks that go on from file to file.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
from PIL import Image

from tests.support import scans
from tests.support.drawn_sheets import SheetFields, full_sheet
from tests.support.oracle import Dropped, dropped
from tests.support.papers import paper
from tests.support.scanner import CLEAN, EncodedPage, Encoding, Scanning
from tests.support.stacks import (
    DrawnStack,
    Envelope,
    Paper,
    Role,
    SheetDrawer,
    TruePage,
    draw_stack,
    mixed_scanning,
    office_scanning,
)

BOX = "OBL-01"
GOING_ON_BOX = "OBL-02"
"""Its scans go on in one stack until an end sheet."""
SCANS = 15
BILL = "scan0005.pdf"
"""It comes twice."""


class WriteStyle(StrEnum):
    """How the scanner saves a file."""

    SLOW = "slow"
    """Piece by piece, closed and reopened between pages."""
    MOVED = "moved"
    """Written elsewhere, then moved in whole."""


@dataclass(frozen=True, slots=True)
class TrueCase:
    """A case that must come out."""

    case_type: str | None
    """None where nothing says it."""
    documents: tuple[str, ...]
    """The document kinds of each, joined by +, in order."""
    page_ids: tuple[int, ...]
    """In the documents' order."""


@dataclass(frozen=True, slots=True)
class DemoScan:
    """A scan of the demo; the list's order is the order in which they are dropped."""

    path: Path
    """Where it waits to be dropped; its name is the name that the scanner gives it."""
    box: str
    description: str
    write_style: WriteStyle
    truth: Dropped
    cases: tuple[TrueCase, ...] = ()
    """The cases that must come of it, or of the stack that ends with it."""


def draw_demo(
    folder: Path,
    seed: int = 1848,
    sheets: SheetDrawer = full_sheet,
    on_drawn: Callable[[DemoScan], object] = lambda _: None,
) -> list[DemoScan]:
    """Draw all scans of the demo into a folder: `SCANS` of them; `on_drawn` is called with each.

    `sheets` draws the readable sheets: give the printed ones.
    """
    desk = _Desk(folder, np.random.default_rng(seed), sheets, on_drawn)
    _three_case_types(desk)
    _six_cases(desk)
    _going_on(desk)
    _troubles(desk)
    _other_formats(desk)
    _same_again(desk)
    _quarantined(desk)
    return desk.made


CERT = Paper("CERT", declared=("CERT",))
PHOTO = Paper("PHOTO", declared=("PHOTO",))


@dataclass(slots=True)
class _Desk:
    folder: Path
    rng: np.random.Generator
    sheets: SheetDrawer
    on_drawn: Callable[[DemoScan], object]
    made: list[DemoScan] = field(default_factory=list)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(100, 100))
    serials: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def stack(
        self,
        *envelopes: Envelope,
        dpi: int = 200,
        scanning: Callable[[np.random.Generator], Scanning] = office_scanning,
        colour: bool = False,
        duplex: bool = False,
        collection: SheetFields | None = None,
        end: SheetFields | None = None,
    ) -> DrawnStack:
        """Draw a stack; its page ids begin at a hundred of its own."""
        return draw_stack(
            envelopes, self.rng, dpi=dpi, first_id=next(self.ids), scanning=scanning, colour=colour,
            duplex=duplex, collection=collection, end=end, sheets=self.sheets,
        )  # fmt: skip

    def sheet(self, case_type: str, branch: str | None = None, box: str = BOX) -> SheetFields:
        """Give a case sheet with a serial of its own."""
        serial = f"D{next(self.serials):06d}"
        return SheetFields(serial=serial, box=box, case_type=case_type, branch=branch, providers=("KTE", "KVK"))

    def save(
        self,
        name: str,
        data: bytes,
        description: str,
        pages: Sequence[TruePage] = (),
        cases: Iterable[TrueCase] = (),
        *,
        box: str = BOX,
        style: WriteStyle = WriteStyle.SLOW,
        spoilt: bool = False,
    ) -> None:
        """Put a scan among those to be dropped."""
        path = self.folder / f"{len(self.made) + 1:02d}" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        truth = dropped(data, pages, spoilt=spoilt)
        self.made.append(DemoScan(path, box, description, style, truth, tuple(cases)))
        self.on_drawn(self.made[-1])


def _cases(stack: DrawnStack, *, unreadable: int | None = None) -> list[TrueCase]:
    """Give the cases that must come of a stack; `unreadable` is the one whose sheet nobody can read, from 1."""
    return [
        TrueCase(
            case.sheet.case_type if case.sheet and case.ordinal != unreadable else None,
            tuple("+".join(sorted(document.kinds)) for document in case.documents),
            tuple(case.page_ids),
        )
        for case in stack.cases
    ]


def _three_case_types(desk: _Desk) -> None:
    stack = desk.stack(
        Envelope((CERT, PHOTO, Paper("PROTOCOL", 2, ("PROTOCOL",))), desk.sheet("VER", "ONS"), written="кв. 37"),
        Envelope((Paper("PASSPORT", declared=("PASSPORT",), sticker=True), PHOTO), desk.sheet("NUM")),
        Envelope((Paper("APPLICATION"),), desk.sheet("OTH"), written="вул. Озерна, буд. 21, корп. 2, кв. 204"),
        colour=True,
        duplex=True,
    )
    desk.save(
        "Приходько звернення.pdf", scans.pdf_of(stack.scanned),
        "the three case types, in colour and on both sides; the certificates are A5", stack.pages, _cases(stack),
    )  # fmt: skip


def _six_cases(desk: _Desk) -> None:
    acts = (
        Paper("DISMANTLE", declared=("DISMANTLE", "INSTALL")),
        Paper("SEAL", declared=("SEAL", "UNSEAL"), sticker=True),
    )
    stack = desk.stack(
        Envelope((CERT, PHOTO, *acts), desk.sheet("VER", "DIS")),
        Envelope((CERT, PHOTO, Paper("WORKS", declared=("WORKS",))), desk.sheet("VER")),
        Envelope(acts, desk.sheet("VER"), written="вул. Яблунева, 14"),
        Envelope((Paper("CERT", declared=("CERT",)), Paper("SEAL", declared=("SEAL",)), PHOTO), desk.sheet("NUM")),
        Envelope((Paper("UNFIT", declared=("UNFIT",)), Paper("PHOTO")), desk.sheet("VER"), look="plain"),
        Envelope((Paper("APPLICATION"), Paper("SEAL", 2)), desk.sheet("OTH")),
        scanning=mixed_scanning,
        collection=SheetFields("B", serial="D000901", box=BOX, counted=6),
        end=SheetFields("E"),
    )
    desk.save(
        "scan0001.pdf", scans.pdf_of(stack.scanned),
        "six cases under a collection sheet: grey and black and white, some pages upside down, holes, grime",
        stack.pages, _cases(stack),
    )  # fmt: skip


def _going_on(desk: _Desk) -> None:
    stack = desk.stack(
        Envelope((CERT, Paper("PHOTO")), desk.sheet("VER", "ONS", GOING_ON_BOX)),
        Envelope((Paper("PASSPORT"), Paper("SEAL"), Paper("PHOTO")), desk.sheet("NUM", box=GOING_ON_BOX)),
        collection=SheetFields("B", serial="D000902", box=GOING_ON_BOX, counted=2),
        end=SheetFields("E"),
    )
    jammed_after = 7
    parts = stack.pages[:jammed_after], stack.pages[jammed_after:]
    for place, (part, description) in enumerate(
        zip(parts, ("a stack whose second case is cut off by a jam", "the rest of that stack"), strict=True)
    ):
        data = scans.pdf_of([page.scanned for page in part])
        cases = _cases(stack) if place else ()
        desk.save(f"scan000{place + 1}.pdf", data, description, part, cases, box=GOING_ON_BOX)


def _troubles(desk: _Desk) -> None:
    before = desk.stack(Envelope((Paper("SEAL"), Paper("PHOTO"))), Envelope((CERT,), desk.sheet("VER")))
    desk.save(
        "scan0002.pdf", scans.pdf_of(before.scanned), "pages before the first sheet", before.pages, _cases(before)
    )

    unreadable = desk.stack(
        Envelope((Paper("CERT"),), desk.sheet("VER")),
        Envelope((Paper("SEAL"), Paper("PHOTO")), desk.sheet("NUM"), look="scribbled"),
        Envelope((Paper("WORKS"),), desk.sheet("VER")),
    )
    desk.save(
        "scan0003.pdf", scans.pdf_of(unreadable.scanned), "a sheet that can't be read, between two good ones",
        unreadable.pages, _cases(unreadable, unreadable=2),
    )  # fmt: skip

    empty = desk.stack(Envelope((), desk.sheet("VER")), Envelope((Paper("APPLICATION"),), desk.sheet("OTH")))
    desk.save("scan0004.pdf", scans.pdf_of(empty.scanned), "an empty submission", empty.pages, _cases(empty))

    bill = desk.stack(Envelope((Paper("BILL"), Paper("PASSPORT"), Paper("PHOTO")), desk.sheet("NUM")), dpi=300)
    desk.save(
        BILL, scans.pdf_of(bill.scanned), "a bill with somebody else's QR code, at 300 dpi", bill.pages, _cases(bill)
    )


def _other_formats(desk: _Desk) -> None:
    def black_and_white(rng: np.random.Generator) -> Scanning:
        return replace(office_scanning(rng), encoding=Encoding.G4, edge_shadow=0.0)

    tiff = desk.stack(Envelope((CERT, Paper("SEAL")), desk.sheet("VER")), dpi=300, scanning=black_and_white)
    desk.save("scan0006.tif", scans.tiff_of(tiff.scanned), "a TIFF of G4 pages at 300 dpi", tiff.pages, _cases(tiff))

    page_id = next(desk.ids)
    photo = paper("PHOTO", page_id, desk.rng, 150, colour=True)
    data = scans.jpeg_with_exif_rotation(photo, 150, 6)
    only = TruePage(Role.PAPER, page_id, 1)
    desk.save(
        "IMG_2041.jpg",
        data,
        "a photo from a telephone, turned by EXIF, no sheet",
        [only],
        [TrueCase(None, ("UNSORTED",), (page_id,))],
    )

    png = desk.stack(Envelope((Paper("APPLICATION"),)), scanning=lambda _: CLEAN)
    desk.save("scan0007.png", _png(png.scanned[0]), "a PNG without a sheet", png.pages, _cases(png))

    sheet = desk.stack(Envelope((), desk.sheet("OTH")))
    first = next(desk.ids)
    ids = [first, first + 1]
    data = scans.joined([scans.pdf_of(sheet.scanned), scans.vector_pdf(ids)])
    pages = [*sheet.pages, *(TruePage(Role.PAPER, vector_id, 1) for vector_id in ids)]
    cover = _cases(sheet)[0]
    case = TrueCase("OTH", (*cover.documents, "UNSORTED"), (*cover.page_ids, *ids))
    desk.save("scan0008.pdf", data, "pages of text and vectors behind a scanned sheet", pages, [case])


def _same_again(desk: _Desk) -> None:
    # Some scans after the first of the two, so that the later one is the duplicate.
    first = next(scan for scan in desk.made if scan.path.name == BILL)
    data, pages = first.path.read_bytes(), first.truth.pages
    desk.save(f"copy of {BILL}", data, f"{BILL} again, byte by byte", pages, style=WriteStyle.MOVED)


def _quarantined(desk: _Desk) -> None:
    stack = desk.stack(Envelope((Paper("CERT"), Paper("PHOTO"), Paper("PROTOCOL")), desk.sheet("VER")))
    whole = scans.pdf_of(stack.scanned)
    desk.save(
        "scan0009.pdf", scans.truncated(whole, 0.4), "a PDF cut off in the middle", style=WriteStyle.MOVED, spoilt=True
    )
    desk.save("scan0010.pdf", scans.encrypted(whole), "an encrypted PDF", style=WriteStyle.MOVED, spoilt=True)


def _png(page: EncodedPage) -> bytes:
    with Image.open(io.BytesIO(page.data)) as opened:
        return scans.png_of(np.asarray(opened), page.dpi)
