"""The two libraries that read barcodes, brought to one form of answer.

Only in reader processes: libzbar can end a process on bad input, and it mangles text that isn't ASCII.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import zxingcpp

from skrynka.core.errors import EnvironmentUnfit
from skrynka.core.model import Engine, Symbology
from skrynka.steps.barcodes.qr_side import is_mirrored

Pixels = npt.NDArray[np.uint8]

_ZXING = {
    Symbology.QR: zxingcpp.BarcodeFormat.QRCode,
    Symbology.CODE_128: zxingcpp.BarcodeFormat.Code128,
    Symbology.CODE_39: zxingcpp.BarcodeFormat.Code39,
    Symbology.DATA_MATRIX: zxingcpp.BarcodeFormat.DataMatrix,
}
_OF_ZXING = {theirs: ours for ours, theirs in _ZXING.items()}
_ONLY_KIN = frozenset({zxingcpp.BarcodeFormat.MicroQRCode, zxingcpp.BarcodeFormat.RMQRCode})
"""What zxing-cpp finds too where it is asked for QR codes: on labels, and by chance in noise. They are none."""
_OF_ZBAR = {"QRCODE": Symbology.QR, "CODE128": Symbology.CODE_128, "CODE39": Symbology.CODE_39}

_AROUND = 0.08
"""White around a page as a share of its shorter side, 17 mm of A4: zxing-cpp reads no QR code of which the page cuts a
corner off, though it could do without, if the place of that corner isn't in the picture. Of ours, on a page that was
scanned askew and cut to its format, it lies up to 12.5 mm outside, and a feeder shifts the paper by a few more."""
_WHITE = 255

Place = tuple[float, float]
"""(x, y) as fractions of the page."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One code as seen in one or more readings, before it is judged."""

    symbology: Symbology
    engines: tuple[Engine, ...]
    text: str
    mirrored: bool
    corners: tuple[tuple[float, float], ...]
    """Fractions of the page, clockwise on the page, from the code's own top left as far as the engine knows it; below 0
    or above 1 where the page cuts a corner off."""
    rung: str

    def covers(self, place: Place) -> bool:
        """Tell whether a place lies within the code's box."""
        xs, ys = zip(*self.corners, strict=True)
        return bool(min(xs) <= place[0] <= max(xs) and min(ys) <= place[1] <= max(ys))


_FIRST_CORNER = {"UP": 0, "RIGHT": 1, "DOWN": 2, "LEFT": 3}
"""Which corner of a box, clockwise from the upper left, is a linear code's own first, by what zbar says of its way."""


def zxing(
    pixels: Pixels,
    symbologies: frozenset[Symbology],
    rung: str,
    *,
    shrinking: bool = True,
    inverting: bool = True,
    on_white: bool = True,
) -> tuple[list[Seen], list[Place]]:
    """Read with zxing-cpp, at any rotation. The second answer: the middles of QR codes that couldn't be decoded.

    With `shrinking` it looks at smaller pictures of the page too, for codes whose modules are many pixels wide; with
    `inverting` at its negative, for codes that are white on black; with `on_white` there is white around the page.
    """
    if not symbologies:  # no formats at all would mean all of them
        return [], []
    height, width = pixels.shape
    around = round(_AROUND * min(height, width)) if on_white else 0
    picture = np.pad(pixels, around, constant_values=_WHITE)
    found = zxingcpp.read_barcodes(
        picture,
        formats=zxingcpp.BarcodeFormats([_ZXING[symbology] for symbology in sorted(symbologies)]),
        # The default renders control characters for people and would change what a code says.
        text_mode=zxingcpp.TextMode.Plain,
        try_downscale=shrinking,
        try_invert=inverting,
        return_errors=True,
    )
    seen: list[Seen] = []
    broken: list[Place] = []
    for code in found:
        symbology = _OF_ZXING[code.symbology]
        place = code.position
        quad = tuple((p.x, p.y) for p in (place.top_left, place.top_right, place.bottom_right, place.bottom_left))
        corners = tuple(((x - around) / width, (y - around) / height) for x, y in quad)
        if code.error is not None:
            # Text is full of things that begin like a linear code; a QR code's three finders are hardly ever chance.
            if symbology is Symbology.QR:
                broken.append((sum(x for x, _ in corners) / 4, sum(y for _, y in corners) / 4))
            continue
        if code.format in _ONLY_KIN:
            continue
        extra = cast("dict[str, Any]", code.extra)
        mirrored = symbology is Symbology.QR and is_mirrored(
            picture, quad, version=int(extra["Version"]), level=code.ec_level, mask=int(extra["DataMask"])
        )
        seen.append(Seen(symbology, (Engine.ZXING,), code.text, mirrored, corners, rung))
    return seen, broken


def zbar(pixels: Pixels, symbologies: frozenset[Symbology], rung: str) -> list[Seen]:
    """Read with zbar, at any rotation; what isn't ASCII is dropped, since zbar may have made other letters of it.

    Raises EnvironmentUnfit where there is no libzbar.
    """
    # Imported here: it loads libzbar, which is wanted only in a reader, and there only when a page needs it.
    try:
        from pyzbar import pyzbar  # noqa: PLC0415 - see above
    except ImportError as error:
        raise EnvironmentUnfit("libzbar isn't installed.", "apt install libzbar0") from error

    theirs = [pyzbar.ZBarSymbol[name] for name, symbology in _OF_ZBAR.items() if symbology in symbologies]
    if not theirs:
        return []
    height, width = pixels.shape
    seen: list[Seen] = []
    for code in pyzbar.decode((np.ascontiguousarray(pixels).tobytes(), width, height), symbols=theirs):
        if not code.data.isascii():
            continue
        symbology = _OF_ZBAR[code.type]
        box = code.rect
        quad: tuple[tuple[float, float], ...] = tuple((float(x), float(y)) for x, y in code.polygon)
        if symbology is not Symbology.QR or len(quad) != 4:  # noqa: PLR2004 - a quadrangle has four corners
            # Of a linear code zbar tells where scan lines crossed it, and which way it runs: that is all that is known.
            # Where one line alone crossed it, that is a point.
            right, bottom = box.left + max(1, box.width), box.top + max(1, box.height)
            quad = ((box.left, box.top), (right, box.top), (right, bottom), (box.left, bottom))
            first = _FIRST_CORNER.get(code.orientation, 0)
            quad = quad[first:] + quad[:first]
        else:
            quad = _clockwise(quad)
        mirrored = symbology is Symbology.QR and is_mirrored(pixels, quad)
        corners = tuple((x / width, y / height) for x, y in quad)
        seen.append(Seen(symbology, (Engine.ZBAR,), code.data.decode("ascii"), mirrored, corners, rung))
    return seen


def _clockwise(quad: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    """Order corners clockwise on the page, beginning at its upper left one: zbar's order isn't the code's own."""
    points = np.asarray(quad)
    spokes = points - points.mean(axis=0)
    order = np.argsort(np.arctan2(spokes[:, 1], spokes[:, 0]))
    points = points[order]
    points = np.roll(points, -int(points.sum(axis=1).argmin()), axis=0)
    return tuple((float(x), float(y)) for x, y in points)
