"""The id that each drawn page carries, and the reading of it: how a test knows which drawn page lies where.

A row of black and white cells near the page's bottom edge. It is no barcode that the daemon looks for, and this
module shares no code with the daemon. From left to right, in cells of 1.4 mm: black 5, white 3, then 32 bits of two
cells each (black white is 1, white black is 0), white 3, black 3. The bits are 20 of the id and 12 of its CRC-32. A
mirrored row begins with black 3, white 3 and is not read, so show-through isn't taken for the page itself.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from tests.support.typeset import WHITE, Picture, grey, pixels

CELL_MM = 1.4
ROW_MM = 3.0
ABOVE_EDGE_MM = 6.5
"""From the row's lower edge to the page's."""
QUIET_MM = 2.5
HIGHEST_ID = 2**20 - 1

_ID_BITS = 20
_CHECK_BITS = 12
_BITS = _ID_BITS + _CHECK_BITS
_START = [1] * 5 + [0] * 3
_STOP = [0] * 3 + [1] * 3
_CELLS = len(_START) + 2 * _BITS + len(_STOP)
_READ_DPI = 100
"""A cell is 5.5 pixels then: more resolution only brings more noise."""
_STRIP_MM = 24.0
_EDGE_MM = 5.0
"""The scanner's shadow may be dark there, and no row is."""
_PALEST_BLACK = 120
"""Where nothing is darker there is no row: most blank pages are seen to be blank at once."""
_SLOPES = sorted(np.tan(np.radians(np.arange(-4.0, 4.01, 0.5))), key=abs)
_SMOOTH_ROWS = 5
"""Lines averaged before thresholding; the row is 12 high at the reading's resolution."""


def cells_of(page_id: int) -> list[int]:
    """Give the row's cells, 1 is black."""
    if not 0 <= page_id <= HIGHEST_ID:
        raise ValueError(f"a page id has {_ID_BITS} bits")
    value = page_id << _CHECK_BITS | _check(page_id)
    bits = [value >> place & 1 for place in reversed(range(_BITS))]
    return _START + [cell for bit in bits for cell in (bit, 1 - bit)] + _STOP


def draw_id(picture: Picture, page_id: int, dpi: int) -> None:
    """Draw the id on an upright page, in place, with `P-000123` for people right of the row."""
    height, width = picture.shape[:2]
    cells = cells_of(page_id)
    left = (width - pixels(CELL_MM * _CELLS, dpi)) // 2
    bottom = height - pixels(ABOVE_EDGE_MM, dpi)
    top = bottom - pixels(ROW_MM, dpi)
    quiet = pixels(QUIET_MM, dpi)
    edges = [left + pixels(CELL_MM * place, dpi) for place in range(_CELLS + 1)]
    picture[top - quiet : bottom + quiet, left - quiet : edges[-1] + quiet] = WHITE
    for cell, (begin, end) in zip(cells, itertools.pairwise(edges), strict=True):
        if cell:
            picture[top:bottom, begin:end] = 0
    label = Image.new("L", (pixels(17, dpi), pixels(3.4, dpi)), WHITE)
    font = ImageFont.load_default(size=pixels(2.6, dpi))
    ImageDraw.Draw(label).text((0, 0), f"P-{page_id:06d}", fill=60, font=font)
    drawn = np.asarray(label)
    place = picture[top : top + drawn.shape[0], edges[-1] + quiet :][:, : drawn.shape[1]]
    drawn = drawn[:, : place.shape[1]]
    place[...] = drawn if picture.ndim == 2 else drawn[:, :, np.newaxis]


def read_id(picture: Picture, dpi: float) -> int | None:
    """Read the id of a page at any quarter turn and up to 4° of skew; None where there is none to be read."""
    upright = _shrink(grey(picture), dpi)
    turned = [np.rot90(upright, turns) for turns in (0, 2, 1, 3)]
    strip = round(_STRIP_MM * _READ_DPI / 25.4)
    # At the edge first, where it nearly always is; farther up only for a small page that lies on a larger one. Never in
    # the upper half: there lies the row of a mirrored page that is turned over.
    for candidate in (*(page[-strip:] for page in turned), *(page[len(page) // 2 :] for page in turned)):
        found = next(_ids_in(candidate), None)
        if found is not None:
            return found
    return None


def _shrink(picture: Picture, dpi: float) -> Picture:
    height, width = picture.shape
    scale = _READ_DPI / dpi
    small = Image.fromarray(picture).resize((round(width * scale), round(height * scale)), Image.Resampling.BOX)
    return np.asarray(small)


def _ids_in(area: Picture) -> Iterator[int]:
    height, width = area.shape
    edge = round(_EDGE_MM * _READ_DPI / 25.4)
    if width < _CELLS * CELL_MM * _READ_DPI / 25.4 or area[:-edge, edge:-edge].min() > _PALEST_BLACK:
        return
    columns = np.arange(width)
    rows = np.arange(height)[:, np.newaxis]
    for slope in _SLOPES:
        shifts = np.rint((columns - width / 2) * slope).astype(np.intp)
        sheared = area[np.clip(rows + shifts, 0, height - 1), columns].astype(np.float32)
        sums = np.cumsum(sheared, axis=0)
        lines = (sums[_SMOOTH_ROWS:] - sums[:-_SMOOTH_ROWS])[::2] / _SMOOTH_ROWS
        middle = (lines.min(axis=1) + lines.max(axis=1)) / 2
        black = lines < middle[:, np.newaxis]
        changes = np.count_nonzero(black[:, 1:] != black[:, :-1], axis=1)
        for line in np.flatnonzero((changes >= _BITS + 4) & (changes <= 6 * _BITS)):
            found = _id_on(black[line])
            if found is not None:
                yield found


def _id_on(black: npt.NDArray[np.bool_]) -> int | None:
    edges = np.flatnonzero(black[1:] != black[:-1]) + 1
    if black[0]:
        edges = edges[1:]
    begins, ends = edges[0::2], edges[1::2]
    for first in range(len(ends) - 1):
        cell = (begins[first + 1] - begins[first]) / len(_START)
        # The first bit may begin white: then the white of the start is a cell longer.
        if not 3.5 < (ends[first] - begins[first]) / cell < 6.5:
            continue
        length = _CELLS * cell
        for last in range(first + _BITS // 2, len(ends)):
            reach = ends[last] - begins[first]
            if reach > 1.1 * length:
                break
            if reach > 0.8 * length:
                found = _id_between(black, float(begins[first]), float(ends[last]))
                if found is not None:
                    return found
    return None


def _id_between(black: npt.NDArray[np.bool_], begin: float, end: float) -> int | None:
    centres = begin + (np.arange(_CELLS) + 0.5) * (end - begin) / _CELLS
    cells = black[np.clip(centres.astype(np.intp), 0, len(black) - 1)].astype(int)
    halves = cells[len(_START) : -len(_STOP)].reshape(-1, 2)
    if cells[: len(_START)].tolist() != _START or cells[-len(_STOP) :].tolist() != _STOP:
        return None
    if np.any(halves[:, 0] == halves[:, 1]):
        return None
    value = int("".join(map(str, halves[:, 0])), 2)
    page_id = value >> _CHECK_BITS
    return page_id if value & (1 << _CHECK_BITS) - 1 == _check(page_id) else None


def _check(page_id: int) -> int:
    return zlib.crc32(b"page" + page_id.to_bytes(4, "big")) & (1 << _CHECK_BITS) - 1
