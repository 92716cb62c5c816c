"""What of a page is shown, how large, and which way up.

Rules from ISO 32000-1: 7.7.3.3 (boxes, /Rotate, /UserUnit), 14.11.2 (the CropBox counts only inside the MediaBox).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pikepdf

POINTS_PER_INCH = 72.0
ODD_OBJECT = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
"""What pikepdf and our own reading raise when an object of a PDF isn't of the kind, or the form, that it should be."""
_CORNERS = 4


class PageUnusable(Exception):
    """The page can't be shown; the text says why, and is ours."""


@dataclass(frozen=True, slots=True)
class PageBox:
    """The shown part of a page in its own units, before /Rotate."""

    left: float
    bottom: float
    right: float
    top: float
    unit: float
    """Points in one unit: /UserUnit, mostly 1."""
    rotation: int
    """Degrees clockwise: 0, 90, 180 or 270."""

    @property
    def width_pt(self) -> float:
        """Points, as displayed."""
        return self.unit * (self.top - self.bottom if self.rotation in (90, 270) else self.right - self.left)

    @property
    def height_pt(self) -> float:
        """Points, as displayed."""
        return self.unit * (self.right - self.left if self.rotation in (90, 270) else self.top - self.bottom)

    def pixels_at(self, dpi: float) -> int:
        """Count the pixels of the whole page at `dpi`, each side rounded up."""
        return math.ceil(self.width_pt * dpi / POINTS_PER_INCH) * math.ceil(self.height_pt * dpi / POINTS_PER_INCH)


def page_box(page: pikepdf.Page) -> PageBox:
    """Measure a page. A /Rotate that isn't a multiple of 90 counts as none. Raises PageUnusable."""
    media = _rectangle(page.obj.get("/MediaBox"))
    if media is None:
        raise PageUnusable("it has no area")
    left, bottom, right, top = media
    if (crop := _rectangle(page.obj.get("/CropBox"))) is not None:
        left, bottom = max(left, crop[0]), max(bottom, crop[1])
        right, top = min(right, crop[2]), min(top, crop[3])
    unit = _number(page.obj.get("/UserUnit", 1))
    if not (right > left and top > bottom and unit is not None and unit > 0):
        raise PageUnusable("it has no area")
    rotation = _number(page.obj.get("/Rotate", 0)) or 0
    return PageBox(left, bottom, right, top, unit, int(rotation) % 360 if rotation % 90 == 0 else 0)


def _rectangle(value: object) -> tuple[float, float, float, float] | None:
    """Read a rectangle given by any two opposite corners."""
    if not isinstance(value, pikepdf.Array) or len(value) != _CORNERS:
        return None
    numbers = [_number(item) for item in value]
    if any(number is None for number in numbers):
        return None
    x0, y0, x1, y1 = (float(number) for number in numbers if number is not None)
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]  # whatever the file holds: that's what the except is for
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
