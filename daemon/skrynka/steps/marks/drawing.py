"""Draw the mark of our sheets as a page's pixels would show it, in the shapes that it is compared in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from skrynka.core.mark import RADII_MM, RADIUS_MM

Pixels = npt.NDArray[np.uint8]
Grey = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float32]
Shape = tuple[float, float, float]
"""Of a mark: its size as a share of its own, its breadth in a direction as a share of what it is across that, and this
direction in degrees."""

QUIET_MM = 1.0
"""White around the mark that is compared too."""
_FINE = 4
"""Each pixel of a drawn mark is the mean of so many by so many."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The mark drawn in several shapes, each in the middle of a square of the same size, to be compared with pixels."""

    side: int
    """Pixels, an odd number."""
    weights: Numbers
    """(side x side, 3 x shapes): for each shape which pixels are compared; then the marks; then their squares."""
    sums: Numbers
    """Of the weights, over the square."""

    @property
    def shapes(self) -> int:
        """How many there are."""
        return len(self.sums) // 3


@lru_cache(maxsize=64)
def drawn_shapes(shapes: tuple[Shape, ...], dpi: float) -> Drawn:
    """Draw the mark in these shapes."""
    drawn = [drawn_mark(dpi, *shape) for shape in shapes]
    side = max(mark.shape[0] for mark, _ in drawn)
    marks, masks = (
        [np.pad(each, (side - each.shape[0]) // 2).ravel() for each in kind] for kind in zip(*drawn, strict=True)
    )
    weights = np.array([*masks, *marks, *np.square(marks)], np.float32)
    return Drawn(side, weights.T.copy(), weights.sum(axis=1))


def drawn_mark(dpi: float, size: float, squeezed: float = 1.0, direction: float = 0.0) -> tuple[Grey, Mask]:
    """Draw the mark in a shape, black -1 and white 1, and say which pixels of the square around it are compared."""
    half = int(np.ceil((RADIUS_MM + QUIET_MM) * size / 25.4 * dpi / squeezed**0.5))
    fine = (2 * half + 1) * _FINE
    along = ((np.arange(fine) + 0.5) / _FINE - half - 0.5) / (size / 25.4 * dpi)
    x, y = along, along[:, np.newaxis]
    turn = np.radians(direction)
    longer = squeezed**0.5
    distance = np.hypot((x * np.cos(turn) + y * np.sin(turn)) / longer, (y * np.cos(turn) - x * np.sin(turn)) * longer)
    blocks = (2 * half + 1, _FINE, 2 * half + 1, _FINE)
    inside = (distance < RADIUS_MM + QUIET_MM).reshape(blocks).mean(axis=(1, 3)) > 1 / 2
    mark = levels_at(distance, RADII_MM).reshape(blocks).mean(axis=(1, 3))
    return np.asarray(mark * inside, np.float32), inside


def levels_at(distances: npt.NDArray[np.floating], edges: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Give the levels at these distances from a mark's middle, black -1 and white 1, in turn between these edges."""
    return np.where(np.searchsorted(edges, distances, side="right") % 2 == 0, -1.0, 1.0)
