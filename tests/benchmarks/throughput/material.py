"""The stacks that are measured: drawn, scanned at 300 dpi, seeded, and kept on disk for the next call.

Every eighth page is a case sheet of its own, one in sixteen is blank, the rest are papers. There are two dozen papers
of each look, which come again in long stacks, never as the same bytes: a document that is stored already costs no
writing.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pikepdf
from pikepdf import Name

from tests.benchmarks.throughput.alternatives import images_of
from tests.support import scans
from tests.support.drawn_sheets import SheetFields, full_sheet
from tests.support.layered import layered_pdf
from tests.support.papers import KINDS, blank_paper, paper
from tests.support.scanner import OFFICE, EncodedPage, Encoding, Scanning, degrade, encode, scan
from tests.support.typeset import Picture

DPI = 300
BOX = "OBL-01"
STACKS = ("grey", "colour", "g4", "mixed")
TITLES = {
    "grey": "grey JPEG, 300 dpi",
    "colour": "colour JPEG, 300 dpi",
    "g4": "Group 4, 300 dpi",
    "mixed": "mixed: JPEG, Group 4, lossless, vectors, layers",
    "fine": "colour JPEG of a megabyte a page, 300 dpi",
}
ENVELOPE = 8
"""Pages of one submission, its case sheet among them."""
_PAPERS = 24
"""Different papers of each look."""
_MIXED = ("grey", "g4", "colour", "vector", "grey", "layered", "colour", "g4", "grey", "lossless")
_COLOURED = {"colour", "layered", "fine"}
_ENCODINGS = {"g4": Encoding.G4, "lossless": Encoding.DEFLATE}
_FINE_QUALITY = 84
"""Of JPEG: what scanners call their best comes to a megabyte a page."""
_FAR = 50_000
"""Submissions that no stack reaches."""
_PART = 100
"""Pages in memory at a time."""
_SUPPORT = Path(__file__).parents[2] / "support"


@dataclass(frozen=True, slots=True)
class StackFile:
    """A stack as one file."""

    path: Path
    pages: int
    sheets: int

    @property
    def kilobytes(self) -> float:
        """Of a page, on average."""
        return self.path.stat().st_size / self.pages / 1000


class Material:
    """Draws what isn't drawn yet."""

    def __init__(self, folder: Path, seed: int, told: Callable[[str], None] = lambda _: None) -> None:
        """Keep everything below `folder`; `told` hears what takes long."""
        self._seed = seed
        self._told = told
        self._folder = folder / f"{_digest()}-{seed}"
        self._folder.mkdir(parents=True, exist_ok=True)

    def stack(self, look: str, pages: int, first: int = 0) -> StackFile:
        """Give so many pages from the place `first` (0-based) of an endless stack of this look."""
        path = self._folder / f"{look}-{first}-{pages}.pdf"
        if not path.exists():
            self._told(f"drawing {pages} pages: {TITLES[look]}")
            self._join([self._page(look, place) for place in range(first, first + pages)], path, first)
        return StackFile(path, pages, sum(place % ENVELOPE == 0 for place in range(first, first + pages)))

    def singles(self, look: str, count: int) -> list[StackFile]:
        """Give so many files of one page, a paper without a sheet each: a case each."""
        folder = self._folder / f"singles-{look}"
        folder.mkdir(exist_ok=True)
        paths = [folder / f"{number:06d}.pdf" for number in range(1, count + 1)]
        if missing := [path for path in paths if not path.exists()]:
            self._told(f"drawing {len(missing)} files of one page: {TITLES[look]}")
        for path in missing:
            number = int(path.stem)
            with pikepdf.open(io.BytesIO(self._kept(look, f"paper-{number % _PAPERS}", _paper))) as one:
                _name(one.pages[0], number)
                one.save(path.with_suffix(".unfinished"))
            path.with_suffix(".unfinished").rename(path)
        return [StackFile(path, 1, 1) for path in paths]

    def first(self, look: str) -> StackFile:
        """Give a scan of one page that is in no stack: what the daemon is warmed with."""
        return self.stack(look, 1, first=ENVELOPE * _FAR)

    def _join(self, pages: list[Callable[[], bytes]], path: Path, first: int) -> None:
        """Write pages into one file, some at a time: a long stack is larger than the memory should be."""
        parts: list[Path] = []
        for begin in range(0, len(pages), _PART):
            part = path.with_suffix(f".part{len(parts)}")
            with pikepdf.new() as pdf:
                for place, page in enumerate(pages[begin : begin + _PART], start=first + begin):
                    with pikepdf.open(io.BytesIO(page())) as one:
                        _name(one.pages[0], place)
                        pdf.pages.extend(one.pages)
                pdf.save(part)
            parts.append(part)
        unfinished = path.with_suffix(".unfinished")
        opened = [pikepdf.open(part) for part in parts]
        with pikepdf.new() as whole:
            for pdf in opened:
                whole.pages.extend(pdf.pages)
            whole.save(unfinished)
        for pdf, part in zip(opened, parts, strict=True):
            pdf.close()
            part.unlink()
        unfinished.rename(path)

    def _page(self, look: str, place: int) -> Callable[[], bytes]:
        """Give what makes the PDF of one page."""
        one = _MIXED[place % len(_MIXED)] if look == "mixed" else look
        if place % ENVELOPE == 0:
            name, draw = f"sheet-{place // ENVELOPE + 1}", _sheet
            one = {"vector": "grey", "layered": "colour"}.get(one, one)
        elif place % (2 * ENVELOPE) == 2 * ENVELOPE - 1:
            name, draw = "blank", _blank
            one = {"vector": "grey", "layered": "grey"}.get(one, one)
        else:
            name, draw = f"paper-{place * 7 % _PAPERS}", _paper
        return lambda: self._kept(one, name, draw)

    def _kept(self, look: str, name: str, draw: Callable[[int, np.random.Generator, bool], Picture]) -> bytes:
        path = self._folder / f"page-{look}-{name}.pdf"
        if not path.exists():
            number = int(name.rpartition("-")[2]) if "-" in name else 0
            rng = np.random.default_rng([self._seed, *name.encode()])
            data = _saved(look, number, rng, draw)
            unfinished = path.with_suffix(".unfinished")
            unfinished.write_bytes(data)
            unfinished.rename(path)
        return path.read_bytes()


def _name(page: pikepdf.Page, place: int) -> None:
    """Make a page's bytes its own."""
    for image in images_of(page):
        image.Name = Name(f"/P{place}")


def _saved(
    look: str,
    number: int,
    rng: np.random.Generator,
    draw: Callable[[int, np.random.Generator, bool], Picture],
) -> bytes:
    if look == "vector":
        return scans.vector_pdf([number])
    picture = draw(number, rng, look in _COLOURED)
    scanning = replace(OFFICE, skew=float(rng.uniform(-0.7, 0.7)), noise=float(rng.uniform(2, 4)))
    if look == "fine":
        scanning = replace(scanning, quality=_FINE_QUALITY)
    if look == "layered":
        return layered_pdf(degrade(picture, DPI, scanning, rng), DPI)
    if look in _ENCODINGS:
        scanning = replace(scanning, encoding=_ENCODINGS[look], edge_shadow=0.0)
    return scans.pdf_of([_scan(picture, scanning, rng)])


def _scan(picture: Picture, scanning: Scanning, rng: np.random.Generator) -> EncodedPage:
    if scanning.encoding is Encoding.DEFLATE:
        # A scanner that compresses without loss cleans up first; noise would make each page ten megabytes.
        return encode(degrade(picture, DPI, replace(scanning, noise=0.0), rng), DPI, scanning)
    return scan(picture, DPI, scanning, rng)


def _sheet(number: int, _rng: np.random.Generator, colour: bool) -> Picture:  # noqa: FBT001 - one of three drawers
    return full_sheet(
        SheetFields(serial=f"A{number:06d}", box=BOX, case_type="OTH"), 100_000 + number, DPI, colour=colour
    )


def _paper(number: int, rng: np.random.Generator, colour: bool) -> Picture:  # noqa: FBT001 - as above
    return paper(KINDS[number % len(KINDS)], number, rng, DPI, colour=colour)


def _blank(_number: int, _rng: np.random.Generator, colour: bool) -> Picture:  # noqa: FBT001 - as above
    return blank_paper(DPI, colour=colour)


def _digest() -> str:
    """Tell one state of what draws from another."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted(_SUPPORT.glob("*.py")):
        if not path.name.startswith("test_"):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:10]
