"""Barcodes as vector pictures with exact sizes in millimetres, and the geometry of the sheets around them.

All figures are for A4 at 100 %. Printed with "fit to page" at 90 %, modules are 0.72 mm and bars 0.36 mm at least:
8 and 4 dots at 300 dpi. A QR code and a mark share each row, the mark at the left of the upper one and at the right of
the lower one; the linear code has a row of its own above the lower one.

Error correction was chosen by measuring drawn QR codes of 72 characters with worn patches, drum streaks and blur,
24 of each, read by zxing-cpp and pyzbar. At 36 mm, patches and streaks at 150 dpi left 156 of 240 readable at level H
and 120 at M, while a blur of 0.35 mm at 75 dpi left none of 48 at H, with its smaller modules, and 47 at M. At 48 mm,
with modules of 1.1 mm, H kept 169 and 48. So the square is roomy, and takes the highest level whose modules stay
large enough.
"""

from __future__ import annotations

from dataclasses import dataclass

from skrynka.core import mark
from skrynka.core.errors import ConfigurationError

PAGE_WIDTH_MM = 210.0
PAGE_HEIGHT_MM = 297.0
MARGIN_MM = 15.0
"""Codes and mark stay this far from the edges: printers and feeders take less."""
QR_SIDE_MM = 42.0
"""Without the quiet zone. A longer text makes the square larger rather than its modules smaller than allowed."""
SMALLEST_MODULE_MM = 0.8
QR_QUIET_MODULES = 4
GAP_MM = 5.5
"""Between what machines read and what people read."""
NARROWEST_MIDDLE_MM = 35.0
"""Of what people read between a mark and a QR code."""
LINEAR_HEIGHT_MM = 17.0
"""A straight line crosses all of 163 mm of bars up to 6 degrees."""
NARROWEST_BAR_MM = 0.4
WIDEST_BAR_MM = 0.65
"""1.9 pixels at 75 dpi, so that a glance reads it: of 96 sheets scanned crookedly, in grey or black and white, all; of
those with bars of 0.6 mm 73, of 0.55 mm 50. The row has no room for wider ones."""
LINEAR_QUIET_MODULES = 10
_LEVELS = ("H", "Q", "M")


@dataclass(frozen=True, slots=True)
class Symbol:
    """A drawn barcode: `svg` holds its modules without the quiet zone; lengths are in millimetres."""

    svg: str
    width: float
    height: float
    module: float
    quiet: float
    """The white that must stay free: on every side of a QR code, left and right of a linear one."""


@dataclass(frozen=True, slots=True)
class Symbols:
    """What a sheet bears, and the width that is left between a mark and a QR code, in millimetres."""

    qr: Symbol
    linear: Symbol
    middle: float


def draw(text: str, short_text: str) -> Symbols:
    """Draw the QR code of `text` and the Code 128 of `short_text`.

    Raises ConfigurationError where a text is so long that less than `NARROWEST_MIDDLE_MM` would be left beside the QR
    code, or that the linear code's bars would fall below `NARROWEST_BAR_MM`.
    """
    qr = _qr(text)
    width = PAGE_WIDTH_MM - 2 * MARGIN_MM
    middle = width - qr.width - qr.quiet - 2 * mark.RADIUS_MM - 2 * GAP_MM
    if middle < NARROWEST_MIDDLE_MM:
        raise _too_long()
    return Symbols(qr=qr, linear=_linear(short_text, width), middle=middle)


def _qr(text: str) -> Symbol:
    for level in _LEVELS:
        svg, modules = _drawn(text, "QRCode", ec_level=level)
        if QR_SIDE_MM / modules >= SMALLEST_MODULE_MM:
            break
    module = max(QR_SIDE_MM / modules, SMALLEST_MODULE_MM)
    side = module * modules
    return Symbol(svg=svg, width=side, height=side, module=module, quiet=QR_QUIET_MODULES * module)


def _linear(text: str, room: float) -> Symbol:
    """Fill `room` with the bars and their quiet zones, as far as they may be widened."""
    svg, modules = _drawn(text, "Code128")
    bar = min(room / (modules + 2 * LINEAR_QUIET_MODULES), WIDEST_BAR_MM)
    if bar < NARROWEST_BAR_MM:
        raise _too_long()
    return Symbol(svg=svg, width=bar * modules, height=LINEAR_HEIGHT_MM, module=bar, quiet=LINEAR_QUIET_MODULES * bar)


def _drawn(text: str, symbology: str, **options: str) -> tuple[str, int]:
    """Give the SVG, stretchable to any height, and its width in modules."""
    import zxingcpp  # noqa: PLC0415 - the daemon has this module too, and never prints

    barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat[symbology], **options)
    height, width = barcode.to_image(scale=1, add_quiet_zones=False).shape
    svg = barcode.to_svg(scale=1, add_quiet_zones=False)
    return svg.replace("<svg ", f'<svg preserveAspectRatio="none" viewBox="0 0 {width} {height}" ', 1), width


def _too_long() -> ConfigurationError:
    return ConfigurationError(
        "The sheet's code is too long to be printed large enough.",
        "Use shorter codes for boxes, case types and serials, or name fewer meters.",
    )
