"""Find the mark of our sheets on a page, by the geometry in `core.mark`, at any rotation.

Straight lines along rows and along columns are searched for the band's black and white runs. A line that crosses the
band aslant meets the same ratios, only longer by one over the cosine of the angle; the angle is known once the
crossings of neighbouring lines are seen to lie on a straight line themselves, and then so is the true unit. Distances
are taken between like edges (where black begins, where it ends): toner that spreads or fades moves both alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from skrynka.core.mark import BARS, LONGEST_UNIT_MM, SHORTEST_RUN_MM, SHORTEST_UNIT_MM

Pixels = npt.NDArray[np.uint8]
Grey = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float32]

WORKING_DPI = 50
"""A unit of 2 mm is 4 pixels: enough, and fast. Never less than COARSEST_DPI."""
COARSEST_DPI = 40
LEAST_CONTRAST = 0.35
"""How much darker than the white between them the bars must be, as a share of that white.

Through office paper (80 g) a sheet's front shows at 8 to 20 %; toner that has nearly run out prints at 45 % and more.
Above the limit a show-through would be held for review without need, which is safe; below it a sheet whose codes can't
be read either would be lost, but codes are read down to 12 %.
"""

_AROUND_MM = 30.0
"""Side of the square whose mean parts black from white: wider than the band, so that it holds both."""
_FAINTEST = 10.0
"""Levels below that mean: less is noise."""
_BLOCK = 4
"""Pixels: side of the blocks whose means stand for the page in that mean. Taken of every pixel it cost more than half
of the search, and no page of the samples was judged otherwise."""
_EDGES = np.cumsum((0, *BARS))
_LEADING = _EDGES[:-1:2]
"""Where black begins, in units: 0 3 5 7."""
_TRAILING = _EDGES[1::2]
"""Where it ends: 2 4 6 9."""
_TOLERANCE = 0.30
"""Of a unit, for each distance between like edges: a third would let through bars that are all alike."""
_ROUGHNESS = 0.75
"""Pixels, added for small units: where an edge lies is known to about half a pixel."""
_STEEPEST = 1.1
"""A band steeper than 45 degrees to the columns is found along the other axis."""
_SLOPE_STEP = 0.02
_LANE = 3.0
"""Pixels: crossings within a lane so wide lie on one straight line."""
_BLACK = (3.6, 8.2)
"""Units of black across the band, which has 6: toner and thresholds don't move its eight edges by more than that."""
_QUIET = 1.4
"""Units of white that lie on both sides of the band at least: bars in a long row of bars aren't the mark."""
_SEEN_SHARE = 0.7
"""So much of the run must be seen: writing, a crease or a stain may lie across the band."""
_FIRST_LOOK = 3
"""First each third line is looked at, and all only where these cross half as often as a mark's would."""
_UNIT_SLACK = 0.04
"""A unit is measured to about 3 %."""


@dataclass(frozen=True, slots=True)
class _Crossings:
    """Where lines cross something that has the band's ratios: middles, in pixels."""

    along: Numbers
    """On the line."""
    line: Numbers
    """The line's number."""
    unit: Numbers
    """Pixels along the line."""
    contrast: Numbers

    def __len__(self) -> int:
        return len(self.line)


def find_mark(pixels: Pixels, dpi: float) -> bool:
    """Tell whether a page bears the mark, at any rotation.

    `pixels` are uint8 (height, width), 0 black, at 40 dpi or more.
    """
    factor = max(1, round(dpi / WORKING_DPI))
    if dpi / factor < COARSEST_DPI:
        factor = max(1, int(dpi / COARSEST_DPI))
    scale = dpi / factor / 25.4
    page = Image.fromarray(pixels).reduce(factor)
    small = np.asarray(page, np.float32)
    darkness = _mean_around(page, scale) - small
    darkness -= _FAINTEST
    return _found(small, darkness, scale) or _found(small.T, darkness.T, scale)


def _found(grey: Grey, darkness: Grey, scale: float) -> bool:
    """Search along rows. `scale` is pixels per millimetre."""
    needed = SHORTEST_RUN_MM * scale
    least = needed / 2**0.5 * _SEEN_SHARE
    if len(_crossings(grey[::_FIRST_LOOK], darkness[::_FIRST_LOOK], scale)) < least / _FIRST_LOOK / 2:
        return False
    crossings = _crossings(grey, darkness, scale)
    return len(crossings) >= least and _in_line(crossings, needed, scale)


def _mean_around(page: Image.Image, scale: float) -> Grey:
    """Average over the square around each pixel: of blocks, and between their middles in a straight line."""
    blocks = page.reduce(_BLOCK)
    means = _local_mean(np.asarray(blocks, np.float32), round(_AROUND_MM * scale / _BLOCK))
    covered = (0.0, 0.0, page.width / _BLOCK, page.height / _BLOCK)
    return np.asarray(Image.fromarray(means).resize(page.size, Image.Resampling.BILINEAR, covered), np.float32)


def _local_mean(grey: Grey, side: int) -> Grey:
    """Average over a square of this side around each pixel, cut off at the page's edges."""
    for axis in (0, 1):
        length = grey.shape[axis]
        sums = np.concatenate(
            [np.zeros_like(grey.take([0], axis), dtype=np.float64), np.cumsum(grey, axis, dtype=np.float64)], axis
        )
        first = np.maximum(np.arange(length) - side // 2, 0)
        last = np.minimum(np.arange(length) + side // 2 + 1, length)
        counts = (last - first).reshape((-1, 1) if axis == 0 else (1, -1))
        grey = np.asarray((sums.take(last, axis) - sums.take(first, axis)) / counts, np.float32)
    return grey


def _crossings(grey: Grey, darkness: Grey, scale: float) -> _Crossings:
    darkness = np.ascontiguousarray(darkness)
    black = darkness > 0
    # One number for each place: numpy finds and fetches by pairs of them several times more slowly.
    changes = np.flatnonzero(black[:, 1:] != black[:, :-1])
    lines, before = np.divmod(changes, darkness.shape[1] - 1)
    here, there = (darkness.ravel()[changes + lines + beside] for beside in (0, 1))
    edges = (before + here / (here - there)).astype(np.float32)

    first = np.flatnonzero(there[:-7] > 0) if len(edges) > 7 else np.empty(0, np.intp)  # noqa: PLR2004 - 8 edges
    first = first[lines[first] == lines[first + 7]]
    span = edges[first + 7] - edges[first]
    # Units are the band's ninth part, and slant makes them longer by the square root of two at most.
    shortest, longest = SHORTEST_UNIT_MM * scale, LONGEST_UNIT_MM * scale * 2**0.5
    first = first[(span > (9 * shortest) * 0.9) & (span < (9 * longest) * 1.1)]

    leading = np.stack([edges[first + 2 * bar] for bar in range(4)])
    trailing = np.stack([edges[first + 2 * bar + 1] for bar in range(4)])
    unit = (leading[3] - leading[0] + trailing[3] - trailing[0]) / (_LEADING[3] + _TRAILING[3] - _TRAILING[0])
    slack = np.maximum(_TOLERANCE * unit, np.minimum(_ROUGHNESS, 0.36 * unit))
    fits = np.ones(len(first), np.bool_)
    for edge, units in ((leading, _LEADING), (trailing, _TRAILING)):
        for bar in range(3):
            fits &= np.abs(edge[bar + 1] - edge[bar] - (units[bar + 1] - units[bar]) * unit) < slack
    black_units = (trailing - leading).sum(axis=0)
    fits &= (black_units > _BLACK[0] * unit) & (black_units < _BLACK[1] * unit)
    before_first = np.where((first > 0) & (lines[first - 1] == lines[first]), edges[first - 1], -np.inf)
    after_last = np.minimum(first + 8, len(edges) - 1)
    after = np.where((after_last > first + 7) & (lines[after_last] == lines[first]), edges[after_last], np.inf)
    fits &= (leading[0] - before_first > _QUIET * unit) & (after - trailing[3] > _QUIET * unit)
    leading, trailing, first, unit = leading[:, fits], trailing[:, fits], first[fits], unit[fits]
    line = lines[first]
    bars = _at(grey, line, (leading + trailing) / 2)
    gaps = _at(grey, line, (trailing[:-1] + leading[1:]) / 2)
    white = gaps.mean(axis=0)
    contrast = (white - bars.mean(axis=0)) / np.maximum(white, 1)
    middle = (leading.mean(axis=0) + trailing.mean(axis=0)) / 2
    return _Crossings(middle, line.astype(np.float32), unit, contrast)


def _at(grey: Grey, line: npt.NDArray[np.intp], along: Numbers) -> Grey:
    return np.asarray(grey[line[np.newaxis], np.round(along).astype(np.intp)], np.float32)


def _in_line(crossings: _Crossings, needed: float, scale: float) -> bool:
    """Tell whether enough crossings lie on one straight line, close together, with the right unit and contrast."""
    for slope in np.arange(-_STEEPEST, _STEEPEST + _SLOPE_STEP, _SLOPE_STEP):
        cosine = 1 / (1 + slope * slope) ** 0.5
        units = crossings.unit * cosine
        right = (
            (units > SHORTEST_UNIT_MM * scale * (1 - _UNIT_SLACK))
            & (units < LONGEST_UNIT_MM * scale * (1 + _UNIT_SLACK))
            & (crossings.contrast > LEAST_CONTRAST)
        )
        lines_needed = needed * cosine
        least = lines_needed * _SEEN_SHARE
        if right.sum() < least:
            continue
        offsets = crossings.along[right] - slope * crossings.line[right]
        lanes = np.floor((offsets - offsets.min()) / (_LANE / 2)).astype(np.intp)
        counts = np.bincount(lanes, minlength=lanes.max() + 2)
        for lane in np.flatnonzero(counts[:-1] + counts[1:] >= least):
            # A lane and its neighbour, so that no straight line is parted by where lanes happen to begin.
            lines = np.unique(crossings.line[right][(lanes == lane) | (lanes == lane + 1)])
            reach = np.searchsorted(lines, lines + lines_needed, side="right") - np.arange(len(lines))
            if reach.max() >= least:
                return True
    return False
