"""Look at what lies beside marks, where their sheet would have its codes: restless, in bars, or like a QR code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from math import sqrt

import numpy as np
from PIL import Image

from skrynka.core.mark import (
    FINDERS_ANYWHERE,
    LEAST_LIKENESS,
    LEAST_OF_TWO,
    MAYBE_ANYWHERE,
    OFF_THE_PAGE,
    RESTLESS,
    RINGS_OF_LITTLE,
    Mark,
    Pair,
    of_this_side,
)
from skrynka.steps.marks import finders
from skrynka.steps.marks.bars import bars_at_foot
from skrynka.steps.marks.drawing import Grey, Pixels

Seen = tuple[list[Mark], list[Pair]]
"""What looks like a mark, and each two of them that lie as a sheet's two marks do."""

_CODE_MM = 30.0
"""Side of the square in the middle of a QR code that is looked at."""
_ROWS_APART = 5
"""Of a page's rows, one in so many tells its noise."""
_MORE_THAN_NOISE = 1.1
"""Here and there noise is so many times what it is all over the page."""
_LOOKED_AT = 2
"""Of the marks that may lie anywhere, the likest: a sheet has two, and to look around one takes a second."""


def paired_by_codes(marks: Sequence[Mark], grey: Grey, dpi: float) -> Seen:
    """Say how restless the places are where the QR codes would be, and pair marks.

    `grey` (height, width) at about 25 dpi, 0 for black.
    """
    noise = _difference(grey[::_ROWS_APART]) if marks else 0.0

    def restless(place: tuple[float, float]) -> float:
        return _restlessness(grey, dpi, noise, place)

    marks = [_beside_codes(mark, restless) if mark.in_its_corner else mark for mark in marks]
    return marks, [_paired(*two, restless) for two in combinations(marks, 2) if Pair.fits(*two)]


def with_bars(seen: Seen, pixels: Pixels, dpi: float) -> Seen:
    """Say how much like bars the place of the linear code is, for marks in their corners."""
    marks, pairs = seen
    two = any(pair.in_corners and pair.least_likeness >= LEAST_OF_TWO for pair in pairs)
    if not two and not any(mark.in_its_corner and abs(mark.likeness) >= LEAST_LIKENESS for mark in marks):
        return seen
    bars = bars_at_foot(pixels, dpi)
    return _each(seen, lambda mark: replace(mark, bars=bars) if mark.in_its_corner else mark)


def with_finders(seen: Seen, pixels: Pixels, dpi: float) -> Seen:
    """Say how much like QR codes, by their finders, is what lies where codes would, for marks that may be a sheet's."""
    worth_it = [mark for mark in of_this_side(*seen) if _may_be_borne_out(mark)]
    too_many = [mark for mark in worth_it if not mark.in_its_corner][_LOOKED_AT:]
    worth_it = [mark for mark in worth_it if mark not in too_many]
    if not worth_it:
        return seen
    factor = max(1, round(dpi / finders.DPI))
    grey = np.asarray(Image.fromarray(pixels).reduce(factor), np.float32)

    def look(mark: Mark) -> Mark:
        if mark not in worth_it:
            return mark
        if mark.in_its_corner:
            return replace(mark, finders=finders.codes_beside(grey, dpi / factor, mark))
        return replace(mark, finders=(0.0, finders.code_about(grey, dpi / factor, mark, FINDERS_ANYWHERE)))

    return _each(seen, look)


def _may_be_borne_out(mark: Mark) -> bool:
    """Tell whether a QR code near it, or two, would make a sheet's mark of it."""
    likeness = abs(mark.likeness)
    if not mark.in_its_corner:
        least, rings = MAYBE_ANYWHERE
        return likeness >= least and mark.rings >= rings
    of_two = likeness >= LEAST_LIKENESS and mark.rings >= RINGS_OF_LITTLE[0]
    return of_two or (likeness >= LEAST_OF_TWO and mark.one_code >= RESTLESS)


def _each(seen: Seen, look: Callable[[Mark], Mark]) -> Seen:
    """Look once at each mark, and have pairs made of what comes of it."""
    marks, pairs = seen
    looked_at = {mark: look(mark) for mark in marks}
    return list(looked_at.values()), [
        replace(pair, one=looked_at[pair.one], other=looked_at[pair.other]) for pair in pairs
    ]


def _beside_codes(mark: Mark, restless: Callable[[tuple[float, float]], float]) -> Mark:
    calmer, other = sorted(restless(place) for place in mark.code_places())
    return replace(mark, codes=calmer, one_code=other)


def _paired(one: Mark, other: Mark, restless: Callable[[tuple[float, float]], float]) -> Pair:
    """Look where the codes would be, of a sheet seen from its front and of one seen from its back."""
    seen = [restless(place) for place in Pair.code_places(one, other)]
    return Pair(one, other, front_codes=min(seen[:2]), back_codes=min(seen[2:]))


def _restlessness(grey: Grey, dpi: float, noise: float, place: tuple[float, float]) -> float:
    """Give how much neighbours differ there beyond the page's noise, in levels; OFF_THE_PAGE where it ends before.

    A few edges don't count.
    """
    half = round(_CODE_MM / 2 / 25.4 * dpi)
    column, row = (round(along / 25.4 * dpi) for along in place)
    if not (half <= row <= grey.shape[0] - half and half <= column <= grey.shape[1] - half):
        return OFF_THE_PAGE
    there = _difference(grey[row - half : row + half, column - half : column + half])
    return sqrt(max(0.0, there**2 - (_MORE_THAN_NOISE * noise) ** 2))


def _difference(grey: Grey) -> float:
    """Give the median difference between neighbours in a row."""
    return float(np.median(np.abs(np.diff(grey, axis=1))))
