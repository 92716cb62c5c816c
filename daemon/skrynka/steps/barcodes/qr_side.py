"""Tell a QR code from its mirror image: one that is seen through the paper from its other side.

Both engines read a mirrored code and don't say so. Mirrored, the symbol's grid is transposed: its three finders look
the same, but the 15 bits of format information around them run the other way, and the dark module lies elsewhere
(ISO/IEC 18004, 7.9.1). These are looked up in the pixels, softly: each module counts by how dark it is between the
black and the white of the finders, so that a code that shines through at a tenth of the contrast counts the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Grid = npt.NDArray[np.float32]

_VERSIONS = range(1, 15)
"""Tried where the engine doesn't say the version; the longest routing codes fit version 10, level H."""
_LEVELS = {"L": 1, "M": 0, "Q": 3, "H": 2}
_FORMAT_MASK = 0x5412
_FORMAT_GENERATOR = 0x537
_FORMAT_BITS = 15
_FINDER = np.array(
    [[max(abs(x - 3), abs(y - 3)) in (0, 1, 3) for x in range(7)] for y in range(7)],
    dtype=np.bool_,
)
_LEAST_AGREEMENT = 16.0
"""Of 31 modules that are asked: of 333 codes that were seen through paper none came to less than 27. The modules of one
that is crumpled lie where they aren't looked for, and say neither: of 1,000 whose corners were half a module off, 109
came nearer to the other side's than to their own, four of them to so much."""
_SPREAD = (-0.25, 0.0, 0.25)
"""Each module is looked at in nine places, parts of a module from its middle."""


def is_mirrored(
    pixels: Pixels,
    corners: Sequence[tuple[float, float]],
    *,
    version: int | None = None,
    level: str | None = None,
    mask: int | None = None,
) -> bool:
    """Tell whether a QR code is seen through the paper. Where it can't be told, it isn't.

    `corners` are pixels, the symbol's outer corners clockwise on the page. With `version`, `level` and `mask` known
    they begin at the corner between the finders; else they may begin anywhere, and all is found out from the pixels.
    """
    grid = _best_grid(pixels, corners) if version is None else _sampled(pixels, corners, 17 + 4 * version)
    if level is not None and mask is not None:
        words = [_format_word(_LEVELS[level], mask)]
    else:
        words = [_format_word(level_bits, mask) for level_bits in range(4) for mask in range(8)]
    grid = _levelled(grid)
    seen_through = max(_agreement(grid.T, word) for word in words)
    return bool(seen_through > max(_LEAST_AGREEMENT, *(_agreement(grid, word) for word in words)))


def _best_grid(pixels: Pixels, corners: Sequence[tuple[float, float]]) -> Grid:
    """Find the version whose timing patterns fit, and turn the grid so that the corner without a finder comes last."""
    best, best_score = np.zeros((21, 21), np.float32), -np.inf
    for version in _VERSIONS:
        size = 17 + 4 * version
        sampled = _sampled(pixels, corners, size)
        for turn in range(4):
            grid = np.rot90(sampled, turn)
            score = _finder_fit(grid, size)
            if score > best_score:
                best, best_score = grid, score
    return best


def _finder_fit(grid: Grid, size: int) -> float:
    contrast = float(grid.std()) or 1.0
    expected = np.where(_FINDER, -1.0, 1.0)
    finders = [grid[:7, :7], grid[:7, size - 7 :], grid[size - 7 :, :7]]
    fit = sum(float((finder * (expected - expected.mean())).mean()) for finder in finders)
    timing = np.where(np.arange(8, size - 8) % 2, 1.0, -1.0)
    timing -= timing.mean()
    fit += sum(float((line * timing).mean()) for line in (grid[6, 8 : size - 8], grid[8 : size - 8, 6]))
    return fit / contrast


def _sampled(pixels: Pixels, corners: Sequence[tuple[float, float]], size: int) -> Grid:
    """Look at each module of the symbol: (size, size), 0 black to 255 white, row 0 between the first two corners."""
    middles = np.arange(size) + 0.5
    ticks = (middles[:, np.newaxis] + np.asarray(_SPREAD)).ravel() / size
    u, v = np.meshgrid(ticks, ticks)
    x, y = _projected(corners, u, v)
    height, width = pixels.shape
    left = np.clip(np.round(x - 0.5), 0, width - 1).astype(np.intp)
    top = np.clip(np.round(y - 0.5), 0, height - 1).astype(np.intp)
    looks = pixels[top, left].astype(np.float32)
    spread = len(_SPREAD)
    return np.asarray(looks.reshape(size, spread, size, spread).mean(axis=(1, 3)), np.float32)


def _projected(
    corners: Sequence[tuple[float, float]], u: npt.NDArray[np.float64], v: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Map the unit square onto the quadrangle by the perspective that takes corner to corner."""
    rows, right = [], []
    for (x, y), (s, t) in zip(corners, ((0, 0), (1, 0), (1, 1), (0, 1)), strict=True):
        rows += [[s, t, 1, 0, 0, 0, -s * x, -t * x], [0, 0, 0, s, t, 1, -s * y, -t * y]]
        right += [x, y]
    try:
        a, b, c, d, e, f, g, h = np.linalg.solve(np.array(rows, np.float64), np.array(right, np.float64))
    except np.linalg.LinAlgError:  # corners in one line: no symbol has that, a wrong reading may
        a = b = d = e = g = h = 0.0
        c, f = corners[0]
    below = np.where(np.abs(w := g * u + h * v + 1) < 1e-6, 1.0, w)  # noqa: PLR2004 - the horizon: nothing is there
    return (a * u + b * v + c) / below, (d * u + e * v + f) / below


def _levelled(grid: Grid) -> Grid:
    """Say of each module how dark it is: about 1 for black, about -1 for white, by the finder in its own corner."""
    size = len(grid)
    levelled = np.empty_like(grid)
    middle = size // 2
    for rows, columns, top, left in (
        (slice(0, middle), slice(0, middle), 0, 0),
        (slice(0, middle), slice(middle, size), 0, size - 7),
        (slice(middle, size), slice(0, middle), size - 7, 0),
        (slice(middle, size), slice(middle, size), 0, 0),
    ):
        finder = grid[top : top + 7, left : left + 7]
        black, white = float(finder[_FINDER].mean()), float(finder[~_FINDER].mean())
        half = (white - black) / 2  # below nothing on a negative
        levelled[rows, columns] = ((white + black) / 2 - grid[rows, columns]) / np.copysign(max(1.0, abs(half)), half)
    return np.clip(levelled, -1.5, 1.5)


def _agreement(grid: Grid, word: int) -> float:
    """Add up how well both copies of the format information, and the dark module, say this word."""
    size = len(grid)
    total = float(grid[size - 8, 8])
    for bit in range(_FORMAT_BITS):
        sign = 1.0 if word >> bit & 1 else -1.0
        total += sign * float(grid[_FIRST[bit]])
        second = (8, size - 1 - bit) if bit < 8 else (size - _FORMAT_BITS + bit, 8)  # noqa: PLR2004 - 8 bits in the row
        total += sign * float(grid[second])
    return total


_FIRST = (
    *((row, 8) for row in range(6)), (7, 8), (8, 8), (8, 7), *((8, column) for column in range(5, -1, -1)),
)  # fmt: skip
"""Row and column of each bit of the first copy, the lowest bit first."""


def _format_word(level: int, mask: int) -> int:
    """Compute the 15 bits: five of data, ten of a BCH code, under a fixed mask (ISO/IEC 18004, annex C)."""
    data = level << 3 | mask
    rest = data << 10
    for bit in range(14, 9, -1):
        if rest >> bit & 1:
            rest ^= _FORMAT_GENERATOR << (bit - 10)
    return (data << 10 | rest) ^ _FORMAT_MASK
