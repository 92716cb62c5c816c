"""Judge dark spots one by one: which of them are known to be no content."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

MARGIN_MM = 3.0
"""Printers leave 4 mm: what is nearer to the edge comes from scanning."""
SPECKS = ((0.5, 1.5), (0.25, 3.0))
"""Dust: so much ink at most (mm2 times darkness), so large at most (mm, both ways). A speck 0.6 mm across has 0.45 at
most, a printed number of two digits in 7 points 0.8; with less ink it may be a few specks that lie together."""
DIRTIEST = 0.002
"""Share of the page that specks may cover. Black and white scans of paper that is nearly too grey have more: kept."""
FAINT = 0.17
"""Mean darkness of a stain's pixels, all above 0.15, below which it shows through from the other side: 8 to 12 %, and
noise. A stamp that hardly has ink left is at 20 %, a pencil at 30."""
PALE = 0.3
"""Folds and shadows are paler than this; a darker line may be ruled."""
EDGE_MM = 15.0
"""A feeder's shadow, the wedge beside a crooked paper, the paper's own edge: no wider from the edge than this."""
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
CREASE_MM = (10.0, 0.6, 0.2)
"""A crease that is just to be seen: so long at least, so broad and so dark at most. The rim of a round stamp bends more
than that in 10 mm.
"""
PAPER_EDGE_MM = 10.0
"""A line along an edge, so long or longer, is the paper's own, seen on a larger background."""
FOLD_SPAN, FOLD_SHARE = 0.5, 0.25
"""Of the page's width or height: a fold's pieces lie on one straight line, reach so far, and are so long together."""
FOLD_OFF_MM = 1.0
"""How far from that line a piece may lie."""
_CELL_MM = 1.0


@dataclass(frozen=True, slots=True)
class _Stain:
    """Dark pixels that hang together. Millimetres, and darkness 0 to 1 against the paper."""

    at_edge: bool
    """It touches the page's edge, or what is dark from there inwards."""
    area: float
    left: float
    top: float
    width: float
    height: float
    length: float
    """Along its own axis."""
    breadth: float
    """Across it, as an even band would have it that is spread as much."""
    darkness: float


def only_stains(dark: Mask, darkness: Grey, scale: float) -> bool:
    """Tell whether all that is dark is known to be no content. `scale` is pixels per millimetre."""
    height, width = dark.shape[0] / scale, dark.shape[1] / scale
    specks = 0.0
    left: list[_Stain] = []
    for stain in _stains(dark, darkness, scale):
        if _is_speck(stain):
            specks += stain.area
        elif not _is_no_content(stain, width, height):
            left.append(stain)
    return specks < DIRTIEST * width * height and (not left or _are_folds(left, width, height))


def _is_speck(stain: _Stain) -> bool:
    weight, larger = stain.area * stain.darkness, max(stain.width, stain.height)
    return any(weight < most and larger <= largest for most, largest in SPECKS)


def _is_no_content(stain: _Stain, width: float, height: float) -> bool:
    """Judge one stain on a page of this size in millimetres."""
    right, bottom = stain.left + stain.width, stain.top + stain.height
    depth = min(right, bottom, width - stain.left, height - stain.top)
    if depth <= MARGIN_MM or stain.darkness < FAINT:
        return True
    across, down = stain.left + stain.width / 2, stain.top + stain.height / 2
    aside, above = min(across, width - across), min(down, height - down)
    smaller, larger = sorted((stain.width, stain.height))
    shadow = stain.at_edge and depth <= EDGE_MM and stain.darkness < PALE
    hole = (
        HOLE_MM[0] <= smaller
        and larger <= HOLE_MM[1]
        and stain.area > HOLE_SOLID * stain.width * stain.height
        and min(aside, above) < HOLE_FROM_EDGE_MM
    )
    staple = STAPLE_MM[0] <= stain.length <= STAPLE_MM[1] and max(aside, above) < STAPLE_FROM_CORNER_MM
    paper_edge = (
        depth <= EDGE_MM
        and stain.length >= PAPER_EDGE_MM
        and (stain.darkness < PALE or stain.length > min(width, height) / 2)
    )
    crease = stain.length >= CREASE_MM[0] and stain.breadth <= CREASE_MM[1] and stain.darkness <= CREASE_MM[2]
    return shadow or hole or crease or (stain.breadth < THIN_MM and (staple or paper_edge))


def _are_folds(stains: Iterable[_Stain], width: float, height: float) -> bool:
    """Tell whether all these are pieces of folds, one across the page and one down it at most: pale, thin, straight."""
    across: list[tuple[float, float, float]] = []
    down: list[tuple[float, float, float]] = []
    for stain in stains:
        if stain.breadth >= THIN_MM or stain.darkness >= PALE:
            return False
        middle = stain.left + stain.width / 2, stain.top + stain.height / 2
        if stain.width > stain.height:
            across.append((middle[0], middle[1], stain.length))
        else:
            down.append((middle[1], middle[0], stain.length))
    return _is_one_line(across, width) and _is_one_line(down, height)


def _is_one_line(pieces: list[tuple[float, float, float]], whole: float) -> bool:
    """Tell whether pieces (along, aside, length) lie on one straight line and make up enough of the whole."""
    if not pieces:
        return True
    along, aside, length = np.array(pieces).T
    middle, weight = np.average(along, weights=length), np.sqrt(length)
    factors = np.stack([np.ones_like(along), along - middle], axis=1) * weight[:, np.newaxis]
    line = np.linalg.lstsq(factors, aside * weight, rcond=None)[0]
    off = np.abs(aside - line[0] - line[1] * (along - middle))
    span = (along + length / 2).max() - (along - length / 2).min()
    return bool(span >= FOLD_SPAN * whole and length.sum() >= FOLD_SHARE * whole and off.max() <= FOLD_OFF_MM)


def _stains(dark: Mask, darkness: Grey, scale: float) -> list[_Stain]:
    """Gather dark pixels that lie within about a millimetre of each other, without what is dark from an edge on."""
    cell = max(1, round(_CELL_MM * scale))
    ys, xs = np.nonzero(dark)
    rows, columns = -(-dark.shape[0] // cell), -(-dark.shape[1] // cell)
    counts = np.bincount((ys // cell) * columns + xs // cell, minlength=rows * columns).reshape(rows, columns)
    edge = _dark_from_edge(counts >= cell * cell // 2, round(EDGE_MM / _CELL_MM))
    names = _named((counts > 0) & ~edge)
    owner = names[ys // cell, xs // cell]
    order = np.argsort(owner, kind="stable")[int((owner < 0).sum()) :]
    if not len(order):
        return []
    owner, ys, xs = owner[order], ys[order], xs[order]
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    sizes = np.diff(np.append(starts, len(owner)))

    def mean(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(np.add.reduceat(values, starts) / sizes, np.float64)

    x, y = xs / scale, ys / scale
    apart_x, apart_y = x - np.repeat(mean(x), sizes), y - np.repeat(mean(y), sizes)
    turn = 0.5 * np.arctan2(2 * mean(apart_x * apart_y), mean(apart_x**2) - mean(apart_y**2))
    cosine, sine = np.repeat(np.cos(turn), sizes), np.repeat(np.sin(turn), sizes)
    along, across = apart_x * cosine + apart_y * sine, apart_y * cosine - apart_x * sine
    pixel = 1 / scale
    length = np.maximum.reduceat(along, starts) - np.minimum.reduceat(along, starts) + pixel
    breadth = np.sqrt(12 * mean(across**2) + pixel**2)
    left, top = np.minimum.reduceat(x, starts), np.minimum.reduceat(y, starts)
    wide = np.maximum.reduceat(x, starts) - left + pixel
    high = np.maximum.reduceat(y, starts) - top + pixel
    how_dark = mean(np.asarray(darkness[ys, xs], np.float64))
    at_edge = np.maximum.reduceat(_grown(edge, border=True)[ys // cell, xs // cell].astype(np.uint8), starts)
    measures = zip(sizes * pixel**2, left, top, wide, high, length, breadth, how_dark, strict=True)
    return [
        _Stain(bool(touches), *(float(value) for value in values))
        for values, touches in zip(measures, at_edge, strict=True)
    ]


def _dark_from_edge(cells: Mask, reach: int) -> Mask:
    """Mark the cells from which all is dark up to an edge of the page, at most `reach` deep, and their fringe."""
    marked = np.zeros_like(cells)
    for turn in range(4):
        strip = np.rot90(cells, turn)[:, :reach].copy()
        # A turned page has a light rim of background, and the last cells aren't whole.
        strip[:, :2] |= strip[:, 2:3]
        np.rot90(marked, turn)[:, :reach] |= np.logical_and.accumulate(strip, axis=1)
    return _grown(marked)


def _grown(cells: Mask, *, border: bool = False) -> Mask:
    """Add the cells that touch these; with `border`, the page's outermost two as well."""
    padded = np.pad(cells, 1)
    rows, columns = cells.shape
    grown = np.zeros_like(cells)
    for down in range(3):
        for right in range(3):
            grown |= padded[down : down + rows, right : right + columns]
    if border:
        grown[:2] = grown[-2:] = grown[:, :2] = grown[:, -2:] = True
    return grown


def _named(cells: Mask) -> npt.NDArray[np.intp]:
    """Give cells that touch, at corners too, one number; other cells have -1."""
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
