"""Sheets as pixels: what a scanner would see of a printed page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import zxingcpp
from numpy.typing import NDArray
from pdf2image import convert_from_bytes
from PIL import Image
from pyzbar import pyzbar

Pixels = NDArray[np.uint8]
QR = "qr"
LINEAR = "code128"


@dataclass(frozen=True)
class Seen:
    """A code that an engine read: the pixels it spans, left, top, right, bottom."""

    symbology: str
    text: str
    box: tuple[int, int, int, int]


def rasterised(pdf: bytes, dpi: int) -> list[Pixels]:
    """Draw every page in grey with poppler."""
    return [np.array(page) for page in convert_from_bytes(pdf, dpi=dpi, grayscale=True)]


def scaled_in_page(page: Pixels, factor: float) -> Pixels:
    """Give the page as "fit to page" prints it: smaller, in the middle of the same paper."""
    height, width = page.shape
    small = Image.fromarray(page).resize((round(width * factor), round(height * factor)), Image.Resampling.LANCZOS)
    paper = Image.new("L", (width, height), 255)
    paper.paste(small, ((width - small.width) // 2, (height - small.height) // 2))
    return np.array(paper)


def read_by_zxing(page: Pixels) -> list[Seen]:
    wanted = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Code128])
    names = {zxingcpp.BarcodeFormat.QRCode: QR, zxingcpp.BarcodeFormat.Code128: LINEAR}
    return [
        Seen(names[code.symbology], code.text, _box(code.position)) for code in zxingcpp.read_barcodes(page, wanted)
    ]


def read_by_zbar(page: Pixels) -> list[Seen]:
    names = {"QRCODE": QR, "CODE128": LINEAR}
    symbols = [pyzbar.ZBarSymbol.QRCODE, pyzbar.ZBarSymbol.CODE128]
    found = pyzbar.decode(Image.fromarray(page), symbols)
    return [
        Seen(
            names[code.type],
            code.data.decode("ascii"),
            (code.rect.left, code.rect.top, code.rect.left + code.rect.width, code.rect.top + code.rect.height),
        )
        for code in found
    ]


def runs(line: NDArray[np.bool_]) -> list[tuple[bool, int]]:
    """Give the stretches of equal pixels along a line: whether dark, and how long."""
    edges = np.flatnonzero(np.diff(line.astype(np.int8))) + 1
    parts = np.split(line, edges)
    return [(bool(part[0]), len(part)) for part in parts]


def _box(position: Any) -> tuple[int, int, int, int]:  # noqa: ANN401 - zxing-cpp has no type for it
    corners = [position.top_left, position.top_right, position.bottom_right, position.bottom_left]
    xs = [corner.x for corner in corners]
    ys = [corner.y for corner in corners]
    return min(xs), min(ys), max(xs), max(ys)
