"""Look for the mark on a page.

It is compared with the page at every place and at several sizes, by what a mark's black and white have in common
with the page's dark and light there (normalised cross-correlation). That heeds neither contrast nor brightness, sums up
over the whole mark, so that grain, streaks and noise even out, and finds a negative as well.

Coarse pixels propose places, by one Fourier transform of the page and one back for each size; finer ones judge them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import combinations
from math import hypot

import numpy as np
import numpy.typing as npt
from numpy import fft
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from skrynka.core.mark import (
    CORNER_SLACK_MM,
    FROM_EDGE_MM,
    LEAST_LIKENESS,
    LEAST_OF_TWO,
    RADIUS_MM,
    Mark,
    Marked,
    Pair,
    weigh,
)
from skrynka.steps.marks.beside import paired_by_codes, with_bars, with_finders
from skrynka.steps.marks.drawing import QUIET_MM, Drawn, Grey, Numbers, Pixels, Shape, drawn_mark, drawn_shapes
from skrynka.steps.marks.fourier import smooth_number, spectrum
from skrynka.steps.marks.rings import drawn_rings, ring_likeness

Place = tuple[float, float, float]
"""Millimetres from the left and from above, and a size as a share of the mark's own."""

_COARSEST_DPI = 40.0
_JUDGING_DPI = 25.0
"""A ring of 3 mm is 3 pixels wide; places are proposed at half of it."""
_SIZES = (0.74, 0.82, 0.91, 1.0, 1.07)
"""At which a mark is proposed, as shares of its own: what "fit to page" prints, and copiers that make A4 of A3."""
_CORNER_SIZES = _SIZES[2:]
"""Of those, what may be a mark in its corner: what is printed smaller lies elsewhere."""
_NEAR = (0.95, 1.0, 1.05)
"""Of the size at which it is proposed: the sizes at which it is judged."""
_SQUEEZED = ((0.85, 0.0), (0.85, 45.0), (0.85, 90.0), (0.85, 135.0))
"""To so much of its breadth, in this direction in degrees: how a photograph taken aslant shows it."""
_MAYBE_SQUEEZED = (0.45, 0.85)
"""Likenesses between which that is tried."""
_MIDDLE = 0.6
"""Of the lightest level: paper lies above it, even in shade, and the ground of a negative far below."""
_AROUND_MM = 38.0
"""Side of the square whose mean and deviation the page is levelled by before it is compared."""
_LEVELS = 1.5
"""Levels of 256: what varies less is as good as even."""
_PROPOSED = 5
"""Places: both marks, and what a page has that is liker than a worn one."""
_LEAST_PROPOSED = 0.27
"""Of a likeness, when it is proposed: of 340 sheets in every bad state none was lost below 0.35."""
_LEAST_IN_CORNER = 0.12
"""Of what lies where a sheet's mark does: codes beside it may bear it out."""
_SAME_MM = 3.0
"""What is nearer to another is the same."""
_CLEAR_MM = 12.0
"""From one place that is proposed to the next."""
_PLACES = 9
"""Three by three, a pixel apart, at which a mark is judged."""


def find_marks(pixels: Pixels, dpi: float) -> tuple[tuple[Mark, ...], tuple[Pair, ...]]:
    """Give what looks like a mark, the likest first, and each two of them that lie as a sheet's two marks do.

    `pixels` are uint8 (height, width), 0 black; below 40 dpi nothing is found. Places are in millimetres from the upper
    left.
    """
    if dpi < _COARSEST_DPI:
        return (), ()
    factor = max(1, round(dpi / _JUDGING_DPI))
    reduced = Image.fromarray(pixels).reduce(factor)
    fine, coarse = (np.asarray(each, np.float32) for each in (reduced, reduced.reduce(2)))
    # Rounded, so that pages whose widths differ by a few pixels share what is drawn for them.
    fine_dpi, coarse_dpi = round(dpi / factor, 1), round(dpi / factor / 2, 1)
    # On pale paper what is like a negative is a seal or a dial, whose lines lie where the mark's white does.
    pale = bool(2 * np.count_nonzero(coarse > _MIDDLE * coarse.max()) > coarse.size)
    places = _proposed(_likenesses(coarse, coarse_dpi, pale=pale), coarse_dpi)
    marks = _once_each([_judged(fine, fine_dpi, *place) for place in places])
    if pale:
        marks = [mark for mark in marks if mark.likeness > 0]
    likely = _likely(marks)
    marks = [_with_rings(pixels, dpi, mark) if mark in likely else mark for mark in marks]
    seen = paired_by_codes(marks, fine, fine_dpi)
    for look_closer in (with_bars, with_finders):
        if weigh(*seen) is not Marked.YES:
            seen = look_closer(seen, pixels, dpi)
    marks, pairs = seen
    return tuple(marks), tuple(pairs)


def draw_ahead(dpi: float) -> None:
    """Draw the mark as pages of A4 at this resolution are compared with it, for processes that are forked hereafter.

    It takes as long as a dozen pages; what other pages need is drawn when they come.
    """
    side = round(dpi / max(1, round(dpi / _JUDGING_DPI)), 1)
    find_marks(np.full((round(297 / 25.4 * dpi), round(210 / 25.4 * dpi)), 255, np.uint8), dpi)
    for size in _SIZES:
        drawn_shapes(_near(size), side)
        for shape in _near(size):
            drawn_rings(round(shape[0], 2))
    drawn_shapes(_squeezed(1.0), side)


def _likenesses(grey: Grey, dpi: float, *, pale: bool) -> Numbers:
    """Give how like the mark it is at each size and place (size, row, column), about."""
    side = round(_AROUND_MM / 25.4 * dpi)
    mean = _local_mean(grey, side)
    deviation = np.sqrt(np.maximum(_local_mean(grey * grey, side) - mean * mean, 0))
    level = (grey - mean) / (deviation + _LEVELS)
    height, width = grey.shape
    around = round((RADIUS_MM * _SIZES[-1] + QUIET_MM) / 25.4 * dpi) + 1
    shape = smooth_number(max(height, 2 * around) + around), smooth_number(max(width, 2 * around) + around)
    likeness = fft.irfft2(fft.rfft2(level, shape) * _spectra(shape, dpi), shape)[:, :height, :width]
    return np.asarray(likeness if pale else np.abs(likeness))


def _proposed(likeness: Numbers, dpi: float) -> Iterator[Place]:
    """Give places where something is like the mark, the likest first, then those in a page's corners."""
    best = likeness.max(axis=0)
    apart = round(_CLEAR_MM / 25.4 * dpi)
    for _ in range(_PROPOSED):
        row, column = divmod(int(best.argmax()), best.shape[1])
        if best[row, column] < _LEAST_PROPOSED:
            break
        yield _place(likeness, row, column, dpi, _SIZES)
        best[max(0, row - apart) : row + apart + 1, max(0, column - apart) : column + apart + 1] = 0
    # As if nothing had been proposed: what is like a mark by chance may lie beside one that is worn.
    likeness = likeness[-len(_CORNER_SIZES) :]
    best = likeness.max(axis=0)
    for rows in _corners(best.shape[0], dpi):
        for columns in _corners(best.shape[1], dpi):
            corner = best[rows, columns]
            if corner.size and corner.max() >= _LEAST_IN_CORNER:
                down, right = divmod(int(corner.argmax()), corner.shape[1])
                yield _place(likeness, rows.start + down, columns.start + right, dpi, _CORNER_SIZES)


def _place(likeness: Numbers, row: int, column: int, dpi: float, sizes: tuple[float, ...]) -> Place:
    size = sizes[int(likeness[:, row, column].argmax())]
    return (column + 0.5) / dpi * 25.4, (row + 0.5) / dpi * 25.4, size


def _corners(length: int, dpi: float) -> list[slice]:
    """Give which of so many pixels along a side are as far from either end as a sheet's mark is."""
    nearest, farthest = ((FROM_EDGE_MM + way * CORNER_SLACK_MM) / 25.4 * dpi for way in (-1, 1))
    first = slice(min(length, int(nearest)), min(length, int(farthest) + 1))
    return [first, slice(length - first.stop, length - first.start)]


def _once_each(marks: list[Mark]) -> list[Mark]:
    """Give the likest first, and of those at one place that one alone: a corner may have been proposed twice."""
    kept: list[Mark] = []
    for mark in sorted(marks, key=lambda mark: -abs(mark.likeness)):
        if all(hypot(mark.x - other.x, mark.y - other.y) > _SAME_MM for other in kept):
            kept.append(mark)
    return kept


def _judged(grey: Grey, dpi: float, x: float, y: float, size: float) -> Mark:
    """Compare what lies about a place with the mark, exactly, and take the best place, size and shape near it."""
    best = _best(grey, dpi, (x, y), _near(size))
    if _MAYBE_SQUEEZED[0] < abs(best.likeness) < _MAYBE_SQUEEZED[1]:
        squeezed = _best(grey, dpi, (best.x, best.y), _squeezed(best.size))
        best = max(best, squeezed, key=lambda mark: abs(mark.likeness))
    return best


def _near(size: float) -> tuple[Shape, ...]:
    return tuple((size * near, 1.0, 0.0) for near in _NEAR)


def _squeezed(size: float) -> tuple[Shape, ...]:
    return tuple((size, *shape) for shape in _SQUEEZED)


def _best(grey: Grey, dpi: float, place: tuple[float, float], shapes: tuple[Shape, ...]) -> Mark:
    """Give what is likest to the mark in one of these shapes, at a place or a pixel from it."""
    column, row = (int(along / 25.4 * dpi) for along in place)
    likeness, contrast = _compared(grey, drawn_shapes(shapes, dpi), row, column)
    shift, number = divmod(int(np.abs(likeness).argmax()), len(shapes))
    down, right = divmod(shift, 3)
    x, y = ((along - 0.5) / dpi * 25.4 for along in (column + right, row + down))
    page = grey.shape[1] / dpi * 25.4, grey.shape[0] / dpi * 25.4
    return Mark(x, y, shapes[number][0], float(likeness[shift, number]), float(contrast[shift, number]), page)


def _compared(grey: Grey, drawn: Drawn, row: int, column: int) -> tuple[Numbers, Numbers]:
    """Compare with several shapes at nine places, a pixel apart: of a mark that the page cuts, what is left of it.

    Gives, by place and shape, the correlation with what is seen, and the contrast of what is seen as a share of its
    white. Where less than half of a shape would lie on the page both are 0.
    """
    side = drawn.side
    height, width = grey.shape
    top, left = row - side // 2 - 1, column - side // 2 - 1
    part = grey[max(0, top) : top + side + 2, max(0, left) : left + side + 2]
    level = float(part.mean())
    part = part - level  # so that squares stay small
    pixels, marks, squares = np.split(drawn.sums, 3)
    if part.shape != (side + 2, side + 2):
        missing = [
            (max(0, -top), max(0, top + side + 2 - height)),
            (max(0, -left), max(0, left + side + 2 - width)),
        ]
        there = np.pad(np.ones_like(part), missing)
        part = np.pad(part, missing)
        pixels, marks, squares = np.split(_at_places(there, side) @ drawn.weights, 3, axis=1)
    seen = _at_places(part, side)
    masks, masks_and_marks = drawn.weights[:, : drawn.shapes], drawn.weights[:, : 2 * drawn.shapes]
    sums, covariance = np.split(seen @ masks_and_marks, 2, axis=1)
    seen_squares = np.square(seen) @ masks
    enough = pixels >= drawn.sums[: drawn.shapes] / 2
    pixels = np.maximum(pixels, 1)
    mean, offset = sums / pixels, marks / pixels
    variance = np.maximum(squares - marks * offset, 1)
    covariance = np.where(enough, covariance - sums * offset, 0)
    likeness = covariance / np.sqrt(variance * (np.maximum(seen_squares - sums * mean, 0) + pixels))
    step = covariance / variance  # from black to white, which are 2 apart in the drawn mark
    white = level + mean - step * offset + np.abs(step)
    return likeness, 2 * np.abs(step) / np.maximum(1, white)


def _at_places(part: Grey, side: int) -> Grey:
    """Give the square of this side at each of nine places, as one line."""
    return np.asarray(sliding_window_view(part, (side, side)).reshape(_PLACES, side * side))


def _likely(marks: list[Mark]) -> list[Mark]:
    """Give those that are worth a closer look, by themselves or together with another."""
    likely = [mark for mark in marks if abs(mark.likeness) >= LEAST_LIKENESS]
    in_corners = [mark for mark in marks if mark.in_its_corner and abs(mark.likeness) >= LEAST_OF_TWO]
    return likely + [mark for two in combinations(in_corners, 2) if Pair.fits(*two) for mark in two]


def _with_rings(pixels: Pixels, dpi: float, mark: Mark) -> Mark:
    rings = ring_likeness(pixels, dpi, (mark.x, mark.y), mark.size, negative=mark.likeness < 0)
    return replace(mark, rings=rings)


@lru_cache(maxsize=4)
def _spectra(shape: tuple[int, int], dpi: float) -> npt.NDArray[np.complex64]:
    """Transform the mark at each size, so that a product with a page's transform gives about the likenesses."""
    spectra = []
    for size in _SIZES:
        mark, inside = drawn_mark(dpi, size)
        mark = np.where(inside, mark - mark[inside].mean(), 0)
        mark /= float(np.sqrt((mark**2).sum()) * np.sqrt(inside.sum()))
        spectra.append(spectrum(mark, shape))
    return np.asarray(spectra, np.complex64)


def _local_mean(grey: Grey, side: int) -> Grey:
    """Average over a square of this side around each pixel, cut off at the page's edges."""
    for _ in range(2):
        length = len(grey)
        sums = np.zeros((length + 1, grey.shape[1]))
        np.cumsum(grey, axis=0, out=sums[1:])
        first = np.maximum(np.arange(length) - side // 2, 0)
        last = np.minimum(np.arange(length) + side // 2 + 1, length)
        grey = np.asarray((sums[last] - sums[first]) / (last - first)[:, np.newaxis], np.float32).T
    return grey
