"""Judge dark spots one by one: which of them are known to be no content."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

MARGIN_MM = 3.0
"""Printers leave 4 mm: what is nearer to the edge comes from scanning."""
SPECK_MM2 = 0.45
"""Dust: a full stop is 0.2 mm2, the smallest numeral 1."""
SPECK_MM = 2.5
"""Specks are also no larger than this, both ways."""
DIRTIEST = 0.002
"""Share of the page that specks may cover."""
FAINT = 0.17
"""Mean darkness of a stain's pixels, all above 0.15, below which it shows through from the other side: 8 to 12 %, and
noise. A stamp that hardly has ink left is at 20 %, a pencil at 30."""
EDGE_MM = 15.0
"""A feeder's shadow, the wedge beside a crooked paper, the paper's own edge: no wider from the edge than this."""
FROM_EDGE = 0.8
"""Share of an edge's shadow that is dark from the edge inwards without a gap."""
THIN_MM = 1.2
"""Folds, staples and the shadow of a paper's edge are no broader, blur included."""
HOLE_MM = (4.0, 9.0)
"""A punch makes 5.5 to 8 mm (ISO 838: 6), with blur."""
HOLE_SOLID = 0.62
"""Share of its box that a hole fills: a disc 0.79, a ring or a letter less than half."""
HOLE_FROM_EDGE_MM = 18.0
"""To a hole's middle: ISO 838 says 12, and the paper may lie crooked."""
STAPLE_MM = (8.0, 16.0)
"""Staples are 9 to 13 mm long; a 1 written as a page number is shorter."""
STAPLE_FROM_CORNER_MM = 35.0
FOLD_DARKNESS = 0.3
"""A fold is pale; a line darker than this may be ruled."""
FOLD_SHARE = 0.8
"""Of the page's width that a fold runs through."""
PAPER_EDGE_SHARE = 0.5
"""Of the page's width that a paper's edge makes a line on."""
_CELL_MM = 1.0


@dataclass(frozen=True, slots=True)
class _Stain:
    """Dark pixels that hang together. Millimetres, and darkness 0 to 1 against the paper."""

    area: float
    left: float
    top: float
    width: float
    height: float
    length: float
    """Along its own axis."""
    breadth: float
    """Across it."""
    darkness: float
    from_edge: float
    """Share of it that is dark from an edge of the paper inwards without a gap."""


def only_stains(dark: Mask, darkness: Grey, scale: float) -> bool:
    """Tell whether all that is dark is known to be no content."""
    height, width = dark.shape[0] / scale, dark.shape[1] / scale
    specks = 0.0
    for stain in _stains(dark, darkness, scale):
        if stain.area < SPECK_MM2 and max(stain.width, stain.height) <= SPECK_MM:
            specks += stain.area
        elif not _is_no_content(stain, width, height):
            return False
    return bool(specks < DIRTIEST * width * height)


def _is_no_content(stain: _Stain, width: float, height: float) -> bool:
    """Judge one stain on a page of this size in millimetres."""
    right, bottom = stain.left + stain.width, stain.top + stain.height
    depth = min(right, bottom, width - stain.left, height - stain.top)
    if depth <= MARGIN_MM or stain.from_edge > FROM_EDGE or stain.darkness < FAINT:
        return True
    across, down = stain.left + stain.width / 2, stain.top + stain.height / 2
    aside, above = min(across, width - across), min(down, height - down)
    smaller, larger = sorted((stain.width, stain.height))
    hole = (
        HOLE_MM[0] <= smaller
        and larger <= HOLE_MM[1]
        and stain.area > HOLE_SOLID * stain.width * stain.height
        and min(aside, above) < HOLE_FROM_EDGE_MM
    )
    across_page = stain.length / min(width, height)
    line = (
        (STAPLE_MM[0] <= stain.length <= STAPLE_MM[1] and max(aside, above) < STAPLE_FROM_CORNER_MM)
        or (across_page > FOLD_SHARE and stain.darkness < FOLD_DARKNESS)
        or (across_page > PAPER_EDGE_SHARE and depth <= EDGE_MM)
    )
    return hole or (line and stain.breadth < THIN_MM)


def _stains(dark: Mask, darkness: Grey, scale: float) -> list[_Stain]:
    """Gather dark pixels that lie within about a millimetre of each other."""
    cell = max(1, round(_CELL_MM * scale))
    ys, xs = np.nonzero(dark)
    if not len(ys):
        return []
    rows, columns = -(-dark.shape[0] // cell), -(-dark.shape[1] // cell)
    counts = np.bincount((ys // cell) * columns + xs // cell, minlength=rows * columns).reshape(rows, columns)
    names = _named(counts > 0)
    edge_dark = _dark_from_edge(counts >= cell * cell // 2, round(EDGE_MM))
    owner = names[ys // cell, xs // cell]
    order = np.argsort(owner, kind="stable")
    owner, ys, xs = owner[order], ys[order], xs[order]
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    sizes = np.diff(np.append(starts, len(owner)))

    def mean(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(np.add.reduceat(values, starts) / sizes, np.float64)

    x, y = xs / scale, ys / scale
    mean_x, mean_y = mean(x), mean(y)
    apart_x, apart_y = x - np.repeat(mean_x, sizes), y - np.repeat(mean_y, sizes)
    turn = 0.5 * np.arctan2(2 * mean(apart_x * apart_y), mean(apart_x**2) - mean(apart_y**2))
    cosine, sine = np.repeat(np.cos(turn), sizes), np.repeat(np.sin(turn), sizes)
    along, across = apart_x * cosine + apart_y * sine, apart_y * cosine - apart_x * sine
    pixel = 1 / scale
    length = np.maximum.reduceat(along, starts) - np.minimum.reduceat(along, starts) + pixel
    # An even band as wide as this has the same spread.
    breadth = np.sqrt(12 * mean(across**2) + pixel**2)
    left, top = np.minimum.reduceat(x, starts), np.minimum.reduceat(y, starts)
    wide = np.maximum.reduceat(x, starts) - left + pixel
    high = np.maximum.reduceat(y, starts) - top + pixel
    how_dark = mean(np.asarray(darkness[ys, xs], np.float64))
    from_edge = mean(edge_dark[ys // cell, xs // cell].astype(np.float64))
    return [
        _Stain(*(float(value) for value in values))
        for values in zip(sizes * pixel**2, left, top, wide, high, length, breadth, how_dark, from_edge, strict=True)
    ]


def _dark_from_edge(cells: Mask, reach: int) -> Mask:
    """Mark the cells from which all is dark up to an edge of the page, at most `reach` cells deep."""
    marked = np.zeros_like(cells)
    for turn in range(4):
        strip = np.rot90(cells, turn)[:, :reach]
        np.rot90(marked, turn)[:, :reach] |= np.logical_and.accumulate(strip, axis=1)
    return marked


def _named(cells: Mask) -> npt.NDArray[np.intp]:
    """Give cells that touch, at corners too, one number."""
    names = np.full(cells.shape, -1, np.intp)
    left = {(int(y), int(x)) for y, x in zip(*np.nonzero(cells), strict=True)}
    number = 0
    while left:
        front = [left.pop()]
        while front:
            y, x = front.pop()
            names[y, x] = number
            for near in ((y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)):
                if near in left:
                    left.remove(near)
                    front.append(near)
        number += 1
    return names
