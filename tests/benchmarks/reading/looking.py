"""Put an image before the program's own reading of a page, and before each engine alone, and judge what they say."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import zxingcpp
from PIL import Image as Picture

from skrynka.core.formats import FileType
from skrynka.core.model import Code, Engine, PageReading, PageSource, RoutingCode, Standing, Symbology
from skrynka.core.page_roles import PageRole, Role, page_roles
from skrynka.core.routing_code import compose
from skrynka.readers.messages import PageLimits, Read, ReadOrder

# What a reader process runs for a scan once it has confined itself: opening, mark, ink, codes, ladder.
from skrynka.readers.tasks import _read as read_as_a_reader_does
from tests.benchmarks.reading.images import Image
from tests.support.scanner import EncodedPage
from tests.support.scans import pdf_of

ENGINE_DPI = 300
SYMBOLOGIES = frozenset({Symbology.QR, Symbology.CODE_128})
"""Those that a station looks for where its configuration doesn't say otherwise."""
_LIMITS = PageLimits(scan_bytes=1 << 30, page_pixels=120_000_000, raster_seconds=60)
_OWN = "SKR"


class Verdict(StrEnum):
    """What became of an image."""

    READ = "read"
    """A sheet, and all that it says is known."""
    HELD = "held"
    """Known to be a boundary, and a person must look."""
    MISSED = "missed"
    """A sheet taken for a paper or for nothing: what follows is filed with what came before."""
    WRONG = "wrong"
    """Taken for a sheet that it isn't."""
    PASSED = "passed"
    """No sheet, and not taken for one."""
    FALSE_MARK = "false mark"
    """No sheet, and held for a mark that isn't there."""
    FALSE_CODE = "false code"
    """No sheet, and held for a code that isn't there."""
    CRASHED = "crashed"
    """The process that read it died."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the program made of an image."""

    verdict: Verdict
    role: str
    reason: str
    """Why it is held, as the program's reason code."""
    marked: bool
    blank: bool
    codes: tuple[tuple[str, str, str], ...]
    """Symbology, rung and engines of each code of ours."""
    false_texts: int
    """Codes of ours that say what nothing on the page says."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Alone:
    """What each engine by itself read at 300 dpi; `wrong` is a code in our scheme that isn't the sheet's own."""

    zxing: bool
    zbar: bool
    zxing_wrong: int
    zbar_wrong: int
    zxing_false: int
    """Codes that say what nothing on the page says, in any scheme."""
    zbar_false: int

    @property
    def zxing_reads(self) -> bool:
        """Whether it reads the sheet: who is told two sheets' codes by it can't know which one this is."""
        return self.zxing and not self.zxing_wrong

    @property
    def zbar_reads(self) -> bool:
        """The same."""
        return self.zbar and not self.zbar_wrong

    @property
    def either_reads(self) -> bool:
        """Whether one of them does."""
        return self.zxing_reads or self.zbar_reads


def program(image: Image) -> Seen:
    """Read an image as a reader process does, and judge the page's role as filing does."""
    began = time.perf_counter()
    reading = read_page(image.page)
    seconds = time.perf_counter() - began
    role = _role(image, reading)
    own = [code for code in reading.codes if code.standing is Standing.OWN]
    return Seen(
        verdict=_of_sheet(role, image.code) if image.is_sheet and image.code is not None else _of_plain(role, own),
        role=role.role.value,
        reason=role.held_for.value if role.held_for else "",
        marked=reading.marked,
        blank=reading.blank,
        codes=tuple((code.symbology.value, code.rung, "+".join(code.engines)) for code in own),
        false_texts=_false([code.text for code in reading.codes if code.text is not None], image),
        seconds=round(seconds, 3),
    )


def read_page(page: EncodedPage) -> PageReading:
    """Make a scan of one page, and read it."""
    with tempfile.TemporaryDirectory(prefix="skrynka-bench-") as folder:
        scan = Path(folder) / "scan.pdf"
        scan.write_bytes(pdf_of([page]))
        work = Path(folder) / "work"
        work.mkdir()
        order = ReadOrder(
            source=scan, kind=FileType.PDF, work=work, limits=_LIMITS, symbologies=SYMBOLOGIES,
            separators=frozenset(), foreign_text=False,
        )  # fmt: skip
        (reading,) = [answer.reading for answer in read_as_a_reader_does(order, _idle) if isinstance(answer, Read)]
    return reading


def alone(image: Image) -> Alone:
    """Give an image to each engine by itself, at 300 dpi, for QR codes and Code 128, as it comes out of the box."""
    # Imported here, as the program does: it loads libzbar.
    from pyzbar import pyzbar  # noqa: PLC0415 - see above

    pixels = _at(image.page, image.leaf.dpi)
    formats = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Code128])
    by_zxing = [code.text for code in zxingcpp.read_barcodes(pixels, formats)]
    symbols = [pyzbar.ZBarSymbol.QRCODE, pyzbar.ZBarSymbol.CODE128]
    found = pyzbar.decode((pixels.tobytes(), pixels.shape[1], pixels.shape[0]), symbols=symbols)
    by_zbar = [code.data.decode("ascii", "replace") for code in found]
    said = (image.texts or frozenset()) if image.is_sheet else frozenset()
    return Alone(
        zxing=not said.isdisjoint(by_zxing),
        zbar=not said.isdisjoint(by_zbar),
        zxing_wrong=_wrong(by_zxing, image),
        zbar_wrong=_wrong(by_zbar, image),
        zxing_false=_false(by_zxing, image),
        zbar_false=_false(by_zbar, image),
    )


def _role(image: Image, reading: PageReading) -> PageRole:
    code = image.code
    printed = {code.serial: code} if code is not None and code.serial else {}
    if image.is_sheet or code is None:
        return page_roles([reading], printed)[0]
    # A back is judged beside its front, which was read as it should be.
    text = Code(Symbology.QR, (Engine.ZXING,), compose(code), Standing.OWN)
    front = PageReading(
        number=1, width=595, height=842, rotation=0, source=PageSource.IMAGE, dpi=300, codes=(text,), marked=True,
        blank=False, ink=0.1, fingerprint="0" * 16,
    )  # fmt: skip
    return page_roles([reading], printed, front)[0]


def _of_sheet(role: PageRole, code: RoutingCode) -> Verdict:
    if role.role is Role.SHEET:
        return Verdict.READ if role.code == code and role.fields_known else Verdict.WRONG
    if role.role in {Role.PAPER, Role.BLANK}:
        return Verdict.WRONG if role.code is not None else Verdict.MISSED
    return Verdict.HELD


def _of_plain(role: PageRole, own: list[Code]) -> Verdict:
    if role.role is Role.SHEET:
        return Verdict.WRONG
    if role.role is Role.HELD:
        return Verdict.FALSE_CODE if own else Verdict.FALSE_MARK
    return Verdict.PASSED


def _false(texts: list[str], image: Image) -> int:
    return 0 if image.texts is None else sum(text not in image.texts for text in texts)


def _wrong(texts: list[str], image: Image) -> int:
    return sum(text.startswith(_OWN) and text not in (image.texts or ()) for text in texts)


def _at(page: EncodedPage, dpi: tuple[float, float]) -> np.ndarray:
    """Give a page as a renderer draws it at 300 dpi."""
    pixels = Picture.fromarray(page.picture())
    size = round(pixels.width * ENGINE_DPI / dpi[0]), round(pixels.height * ENGINE_DPI / dpi[1])
    if pixels.size != size:
        finer = size[0] >= pixels.width
        pixels = pixels.resize(size, Picture.Resampling.BICUBIC if finer else Picture.Resampling.BOX)
    return np.ascontiguousarray(pixels)


def _idle() -> None:
    """Take what a reader says while it draws a page: nobody waits here."""
