"""Take away what a scanner sees around a paper under an open lid: black, up to the page's edges.

A mark that the scan cuts lies against it, and would be compared with it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from skrynka.steps.marks.drawing import Pixels

_DARK = 48
"""Of 256: an open lid is darker, and a stain up to the page's edge is lighter: a mark may lie beneath it."""
_SHARE_OF_EDGE = 0.2
"""Of the pixels along the page's edges: with fewer dark ones nothing worth the time lies around."""
_NEAR_MM = 50.0
"""To each side: what is dark from the edge on in half of so many rows is around the paper. A mark that touches it is
dark further in, over 42 mm."""
_ROWS_APART_MM = 2.0


def surroundings(pixels: Pixels, dpi: float) -> npt.NDArray[np.bool_] | None:
    """Tell where it is dark from an edge inwards (height, width); None where little of a page is, or it is a negative.

    `pixels` are uint8 (height, width), 0 black.
    """
    edges = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
    if sum(int(np.count_nonzero(edge < _DARK)) for edge in edges) < _SHARE_OF_EDGE * sum(map(len, edges)):
        return None
    dark = pixels < _DARK
    around = np.zeros_like(dark)
    for turn in range(4):
        np.rot90(around, turn)[...] |= _from_left(np.rot90(dark, turn), dpi / 25.4)
    if around.all() or np.median(pixels[~around]) <= _DARK:
        return None
    return around


def without_surroundings(pixels: Pixels, around: npt.NDArray[np.bool_]) -> Pixels:
    """Give a page with paper where nothing but what lies around it is seen."""
    return np.where(around, np.uint8(np.median(pixels[~around])), pixels)


def _from_left(dark: npt.NDArray[np.bool_], scale: float) -> npt.NDArray[np.bool_]:
    """Mark what is dark from the left edge on, in each row no further than in most rows about it."""
    width = dark.shape[1]
    depth = np.where(dark.all(axis=1), width, np.argmin(dark, axis=1))
    apart, near = max(1, round(_ROWS_APART_MM * scale)), max(1, round(_NEAR_MM / _ROWS_APART_MM))
    some = depth[::apart]
    usual = np.median(sliding_window_view(np.pad(some, near, mode="edge"), 2 * near + 1), axis=1)
    depth = np.minimum(depth, np.repeat(usual, apart)[: len(depth)])
    return np.asarray(np.arange(width) < depth[:, np.newaxis])
