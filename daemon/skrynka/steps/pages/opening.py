"""Open a scan and give its pages.

| what comes | what becomes of it |
|---|---|
| no bytes; more bytes or pages than the limits | `empty`; `too_large` |
| a PDF with /Encrypt, with or without a password to open it | `encrypted`: rights of use aren't ours to take off |
| a PDF whose structure has to be guessed: cross-reference table cut off or wrong, objects that aren't there, fewer
  pages than its page tree says | `corrupt`. qpdf could mend most, but a file that was cut off mends into a good one
  with fewer pages, and nothing tells it from a file with a harmless slip |
| odd things that leave no doubt (junk before the header or behind the end, a page tree that says too few) | taken |
| no pages | `no_pages` |
| a page with more pixels than the limit, in its image or drawn at 100 dpi; one longer than 16 m | `page_too_large` |
| a page without an area or narrower than 3 mm, that can't be drawn, that paints what isn't in the file, whose image
  or content is damaged or ends too early | `page_unreadable` |

A PDF that grows by increments, a page each, and is cut off exactly between two of them is a good PDF with fewer pages:
that can't be seen in it, so settling has to wait for the writer.
"""

from __future__ import annotations

import math
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, cast

import numpy as np
import pikepdf
from pikepdf.settings import get_qpdf_limits, set_qpdf_limits
from PIL import Image, ImageFile

from skrynka.core.errors import ScanRejected
from skrynka.core.formats import FileType
from skrynka.core.model import PageSource
from skrynka.core.reasons import QuarantineReason
from skrynka.steps.pages.colours import Grey, NotUnderstood
from skrynka.steps.pages.decoding import ImageDamaged, decode
from skrynka.steps.pages.drawing import NotDrawn, draw
from skrynka.steps.pages.one_image import PlacedImage, find_one_image
from skrynka.steps.pages.page_box import ODD_OBJECT, POINTS_PER_INCH, PageBox, PageUnusable, page_box
from skrynka.steps.pages.pictures import make_pdf
from skrynka.steps.pages.wholeness import ImageTooLarge, PageDamaged

_LEAST_DPI = 100
"""A page that can't be drawn at this within the limit on pixels is too large."""
_MOST_DPI = 300
"""Drawing finer shows nothing more of what a scanner saw."""
_LONGEST_SIDE = 65_535
"""Pixels: longer pictures aren't looked through for codes by zxing-cpp, and JPEG has none."""
_LEAST_SIDE_PT = 9.0
"""3 mm: no paper is so narrow, and nothing can be measured on it."""
_ANOTHER_OBJECT = re.compile(r"expected \d+ \d+ obj")
"""In qpdf's warnings: at an object's place there is one of another number."""
_BYTES_A_PIXEL = 8
"""Of a decoded stream: CMYK of 16 bits."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a scan may cost."""

    scan_bytes: int
    page_pixels: int = 120_000_000
    raster_seconds: float = 60.0
    """For one run of a poppler tool."""
    scan_pages: int = 5000


@dataclass(slots=True)
class OpenPage:
    """One page, lazily read. `source` and `dpi` are final once `pixels` was called."""

    number: int
    """1-based."""
    source: PageSource
    dpi: float
    """Dots per inch: of the image that the page is; else the finest that the page would be drawn at."""
    _pdf: pikepdf.Pdf
    _page: pikepdf.Page
    _box: PageBox
    _image: PlacedImage | None
    _work: Path
    _limits: Limits

    @property
    def width_pt(self) -> float:
        """Points, as displayed: after /Rotate, /UserUnit applied."""
        return self._box.width_pt

    @property
    def height_pt(self) -> float:
        """Points, as displayed."""
        return self._box.height_pt

    @property
    def finest_dpi(self) -> float:
        """The most that `pixels` gives; where an image's pixels aren't square, along its finer side."""
        drawn = _drawing_dpi(self._box, self._limits.page_pixels)
        return drawn if self._image is None else min(drawn, max(self._image.dpi))

    @property
    def rotation(self) -> int:
        """The page's /Rotate, in degrees: 0, 90, 180 or 270."""
        return self._box.rotation

    def pixels(self, max_dpi: int) -> Grey:
        """Give the page as displayed: (height, width), 0 black, 255 white, square pixels, writable by nobody else.

        The resolution is `max_dpi` within 5 %, or `finest_dpi` where that is less: of an image nothing is enlarged but
        the side that has fewer pixels to an inch. Raises ScanRejected (page_unreadable, page_too_large), and
        EnvironmentUnfit when poppler is missing.
        """
        try:
            if self._image is not None:
                try:
                    # A little of an image may be laid over a large page, and its pixels need not be square.
                    finest = _drawing_dpi(self._box, self._limits.page_pixels)
                    return self._displayed(self._image, decode(self._image, min(max_dpi, finest)))
                except (NotUnderstood, *ODD_OBJECT):
                    self._image = None
                    self.source = PageSource.RASTER
                    self.dpi = _drawing_dpi(self._box, self._limits.page_pixels)
            dpi = min(max_dpi, self.dpi)
            return draw(
                self._pdf,
                self._page,
                self._box,
                dpi,
                self._work,
                seconds=self._limits.raster_seconds,
                most_pixels=self._limits.page_pixels,
            )
        except (ImageDamaged, pikepdf.PikepdfError) as error:
            raise self._unreadable("its image is damaged or ends too early") from error
        except NotDrawn as error:
            # Poppler is a process too: it may have been killed, or short of memory and time.
            raise self._unreadable(str(error), may_pass=True) from error
        except PageDamaged as error:
            raise self._unreadable(str(error)) from error
        except ODD_OBJECT as error:
            raise self._unreadable("something on it isn't what it should be") from error
        except (ImageTooLarge, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise ScanRejected(QuarantineReason.PAGE_TOO_LARGE, self.number) from error

    def _displayed(self, image: PlacedImage, grey: Grey) -> Grey:
        if image.transposed:
            grey = grey.T
        if image.flipped_across:
            grey = grey[:, ::-1]
        if image.flipped_down:
            grey = grey[::-1]
        return np.ascontiguousarray(np.rot90(grey, -self._box.rotation // 90))

    def _unreadable(self, detail: str, *, may_pass: bool = False) -> ScanRejected:
        return ScanRejected(QuarantineReason.PAGE_UNREADABLE, self.number, detail, may_pass=may_pass)


class OpenScan:
    """A scan that is open."""

    def __init__(
        self, path: Path, work: Path, limits: Limits, *, known: bool, first: int = 1, count: int | None = None
    ) -> None:
        """Made by `open_scan`. `first` is the scan's page that the file at `path` begins with.

        What is `known` isn't looked through again: made by us, or opened by a reader before.
        """
        self.pdf = _open_known_pdf(path) if known else _open_pdf(path, limits.scan_pages)
        """What documents are cut from."""
        self.count = len(self.pdf.pages) if count is None else count
        """How many pages the scan has, open or not."""
        self.first = first
        """The number of the page that `pdf` begins with."""
        self._path = path
        self._work = work
        self._limits = limits

    def open_anew(self) -> None:
        """Close the file and open it again, for what its library keeps of each page; `pdf` is another one then."""
        self.close()
        self.pdf = _open_known_pdf(self._path)

    def close(self) -> None:
        """Close the file."""
        self.pdf.close()

    def page(self, number: int) -> OpenPage:
        """Look at a page, without decoding it. Raises ScanRejected: page_too_large, page_unreadable."""
        page = self.pdf.pages[number - self.first]
        try:
            box = page_box(page)
            image = find_one_image(page, box)
        except PageUnusable as error:
            raise ScanRejected(QuarantineReason.PAGE_UNREADABLE, number, str(error)) from error
        except (pikepdf.PikepdfError, *ODD_OBJECT) as error:
            raise ScanRejected(QuarantineReason.PAGE_UNREADABLE, number, "it isn't what a page should be") from error
        pixels = image.width * image.height if image is not None else box.pixels_at(_LEAST_DPI)
        sides = [side * _LEAST_DPI / POINTS_PER_INCH for side in (box.width_pt, box.height_pt)]
        if image is not None:
            sides += [image.width, image.height]
        if pixels > self._limits.page_pixels or max(sides) > _LONGEST_SIDE:
            raise ScanRejected(QuarantineReason.PAGE_TOO_LARGE, number)
        if min(box.width_pt, box.height_pt) < _LEAST_SIDE_PT:
            raise ScanRejected(QuarantineReason.PAGE_UNREADABLE, number, "it is narrower than any paper")
        source = PageSource.RASTER if image is None else PageSource.IMAGE
        dpi = _drawing_dpi(box, self._limits.page_pixels) if image is None else math.sqrt(image.dpi[0] * image.dpi[1])
        return OpenPage(number, source, dpi, self.pdf, page, box, image, self._work, self._limits)


@contextmanager
def open_scan(
    path: Path,
    kind: FileType,
    work: Path,
    limits: Limits,
    progress: Callable[[], None] = lambda: None,
    *,
    known: bool = False,
    first: int = 1,
    last: int | None = None,
) -> Iterator[OpenScan]:
    """Open the scan at `path`, which is of type `kind` by its content; `known` where that went well before.

    `work` is a private folder; a folder of its own is made in it and removed at the end. While a scan is open, the
    process-wide limits of Pillow and qpdf are those in `limits`: this is made for reader processes. `progress` is
    called again and again while pictures are made into a PDF, which takes seconds for each: of those from page `first`
    to page `last` (None: the scan's last). No other page of it is looked at then.

    Raises ScanRejected: empty, too_large, corrupt, encrypted, no_pages, unsupported, page_too_large.
    """
    size = path.stat().st_size
    if size == 0:
        raise ScanRejected(QuarantineReason.EMPTY)
    if size > limits.scan_bytes:
        raise ScanRejected(QuarantineReason.TOO_LARGE)
    with _limited(limits.page_pixels), tempfile.TemporaryDirectory(dir=work) as folder:
        if kind is FileType.PDF:
            scan = OpenScan(path, Path(folder), limits, known=known)
        else:
            try:
                made = make_pdf(path, kind, Path(folder), limits.scan_pages, progress, first=first, last=last)
            except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
                raise ScanRejected(QuarantineReason.PAGE_TOO_LARGE) from error
            scan = OpenScan(made.path, Path(folder), limits, known=True, first=first, count=made.pictures)
        with closing(scan):
            yield scan


def _open_known_pdf(path: Path) -> pikepdf.Pdf:
    """Open a PDF that went through `_open_pdf` before: nothing of it is looked at again."""
    try:
        return pikepdf.open(path, attempt_recovery=False, suppress_warnings=True)
    except (pikepdf.PikepdfError, *ODD_OBJECT) as error:
        raise _damaged() from error


def _open_pdf(path: Path, most_pages: int) -> pikepdf.Pdf:
    """Open a PDF that is none of those that aren't taken."""
    try:
        # Looked at twice: qpdf mends the page tree as soon as it hands attributes down to the pages.
        with pikepdf.open(path, attempt_recovery=False, suppress_warnings=True, inherit_page_attributes=False) as raw:
            if raw.is_encrypted:
                raise ScanRejected(QuarantineReason.ENCRYPTED)
            _require_right_table(raw)
            promised, there = _count_pages(raw.Root, most_pages)
        pdf = pikepdf.open(path, attempt_recovery=False, suppress_warnings=True)
    except pikepdf.PasswordError as error:
        raise ScanRejected(QuarantineReason.ENCRYPTED) from error
    except (pikepdf.PikepdfError, *ODD_OBJECT) as error:
        raise _damaged() from error
    if promised > there or len(pdf.pages) != there:
        pdf.close()
        raise ScanRejected(QuarantineReason.CORRUPT, detail="pages are missing")
    if there == 0:
        pdf.close()
        raise ScanRejected(QuarantineReason.NO_PAGES)
    return pdf


def _damaged() -> ScanRejected:
    return ScanRejected(QuarantineReason.CORRUPT, detail="the PDF's structure is damaged")


def _require_right_table(raw: pikepdf.Pdf) -> None:
    """Raise ValueError where the cross-reference table leads to an object of another number or generation than it says.

    qpdf (12.3.2 to 12.4.2) then takes that one for what is there of the other's number, wherever it stands: a picture
    for another page's. Where it is met while the other is copied or listed, the process dies (SIGSEGV). So each object
    is looked at singly, in a file of which nothing is used.
    """
    len(raw.objects)
    if any(_ANOTHER_OBJECT.search(warning) for warning in raw.get_warnings()):
        _refuse()


def _count_pages(root: pikepdf.Object, most: int) -> tuple[int, int]:
    """Count the pages that the page tree promises, and those that it leads to.

    Raises ValueError for a broken tree, and ScanRejected (too_large) as soon as it leads to more than `most`.
    """
    promised = int(root["/Pages"].get("/Count", 0))
    there = 0
    waiting, seen = [root["/Pages"]], set[tuple[int, int]]()
    while waiting:
        node = waiting.pop()
        kids = node.get("/Kids") if isinstance(node, pikepdf.Dictionary) else _refuse()
        if not isinstance(kids, pikepdf.Array):
            there += 1
        elif node.objgen in seen:
            _refuse()
        else:
            seen.add(node.objgen)
            if there + len(waiting) + len(kids) > most:
                raise ScanRejected(QuarantineReason.TOO_LARGE, detail="more pages than a scan may have")
            waiting.extend(kids)
    return promised, there


def _refuse() -> NoReturn:
    raise ValueError


def _drawing_dpi(box: PageBox, page_pixels: int) -> float:
    """Choose the finest resolution at which a page is drawn within the limit on pixels."""
    # A little below the limits: each side is rounded up to a whole pixel.
    by_area = _LEAST_DPI * math.sqrt(page_pixels / box.pixels_at(_LEAST_DPI))
    by_side = _LONGEST_SIDE * POINTS_PER_INCH / max(box.width_pt, box.height_pt)
    return min(_MOST_DPI, 0.998 * by_area, 0.998 * by_side)


@contextmanager
def _limited(page_pixels: int) -> Iterator[None]:
    """Limit what Pillow and qpdf unpack: bombs raise instead of filling the memory."""
    pillow, qpdf = Image.MAX_IMAGE_PIXELS, cast("Any", get_qpdf_limits())
    truncated = ImageFile.LOAD_TRUNCATED_IMAGES
    most = min(page_pixels * _BYTES_A_PIXEL, 2**32 - 1)
    with warnings.catch_warnings():
        # Pillow and libtiff chatter about whatever is odd in a file; what matters is raised.
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        Image.MAX_IMAGE_PIXELS = page_pixels
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        set_qpdf_limits(flate_max_memory=most, png_max_memory=most, run_length_max_memory=most, tiff_max_memory=most)
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = pillow
            ImageFile.LOAD_TRUNCATED_IMAGES = truncated
            set_qpdf_limits(**qpdf)
