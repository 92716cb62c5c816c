"""Turn and cut a page to the paper on it, where an open lid shows what is paper and what isn't.

Where a sheet's marks and codes are is known only as far as it is known where the sheet is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from skrynka.steps.marks.drawing import Pixels

_DPI = 20.0
"""Enough to tell where paper begins to a millimetre and a quarter."""
_FARTHEST = 45
"""Degrees either way: of a paper that lies across, another side is upright then, which makes no difference."""
_STEPS = 2
"""Of a degree."""
_CUT_OFF = 2.0
"""Per cent of the paper's outline, on each side, that may lie beyond it: a bent corner, dust."""
_LEAST = 0.3
"""Of the page's width and height: what is narrower is no page."""


def straightened(pixels: Pixels, around: npt.NDArray[np.bool_], dpi: float) -> Pixels | None:
    """Give the paper alone, its sides along the picture's; None where no page is left.

    `pixels` are uint8 (height, width), 0 black; `around` says which of them aren't paper.
    """
    apart = max(1, round(dpi / _DPI))
    outline = _outline(~around[::apart, ::apart]) * apart
    if not len(outline):
        return None
    turns = np.arange(-_FARTHEST * _STEPS, _FARTHEST * _STEPS + 1) / _STEPS
    boxes = [_box(outline, turn) for turn in turns]
    turn, (left, top, right, bottom) = min(
        zip(turns, boxes, strict=True), key=lambda each: (each[1][2] - each[1][0]) * (each[1][3] - each[1][1])
    )
    height, width = pixels.shape
    if right - left < _LEAST * width or bottom - top < _LEAST * height:
        return None
    # The box's corner in the page, and where a step to the right, and down, in the box leads there.
    first = (left + 1j * top) * np.exp(1j * np.radians(turn))
    step = np.exp(1j * np.radians(turn))
    paper = int(np.median(pixels[~around]))
    straight = Image.fromarray(pixels).transform(
        (round(right - left), round(bottom - top)),
        Image.Transform.AFFINE,
        (step.real, -step.imag, first.real, step.imag, step.real, first.imag),
        Image.Resampling.BILINEAR,
        fillcolor=paper,
    )
    return np.asarray(straight)


def _outline(paper: npt.NDArray[np.bool_]) -> npt.NDArray[np.complex128]:
    """Give where paper begins and ends in each row and column, as across + down j."""
    return np.concatenate([*_ends(paper), *(1j * each.conj() for each in _ends(paper.T))])


def _ends(paper: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.complex128]]:
    rows = np.flatnonzero(paper.any(axis=1))
    first, last = paper[rows].argmax(axis=1), paper.shape[1] - paper[rows, ::-1].argmax(axis=1)
    return [along + 1j * (rows + 0.5) for along in (first, last)]


def _box(outline: npt.NDArray[np.complex128], turn: float) -> tuple[float, float, float, float]:
    """Give left, top, right and bottom of what is around the outline, along axes that are turned by so many degrees."""
    turned = outline * np.exp(-1j * np.radians(turn))
    left, right = np.percentile(turned.real, (_CUT_OFF, 100 - _CUT_OFF))
    top, bottom = np.percentile(turned.imag, (_CUT_OFF, 100 - _CUT_OFF))
    return float(left), float(top), float(right), float(bottom)
