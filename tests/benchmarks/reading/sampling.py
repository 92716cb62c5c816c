"""Which images are looked at, and in what order: every cell has its turn before any has a second one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, islice

import numpy as np

from tests.benchmarks.reading.axes import EVERY
from tests.benchmarks.reading.images import NO_SHEET, PLAIN_KINDS, Key

FULL_SHEETS, FULL_PLAIN = 20_000, 10_000
_SHEETS_SHARE = 2 / 3
"""Of a sample; the rest are pages without a sheet."""
_COMPARED = 4


def sample(size: int, axes: Sequence[str], seed: int) -> list[Key]:
    """Give so many images of these axes, all if there are none named, with pages without a sheet among them."""
    with_sheets = _cells(axes)
    if NO_SHEET not in axes and axes:
        return _first(size, with_sheets, seed)
    if not with_sheets:
        return _first(size, _plain_cells(), seed)
    sheets = round(size * _SHEETS_SHARE)
    return _first(sheets, with_sheets, seed) + _first(size - sheets, _plain_cells(), seed)


def everything(axes: Sequence[str], seed: int) -> list[Key]:
    """Give the images of the long run, sheets and pages without one in turn, so that it can be broken off anywhere."""
    sheets = _first(FULL_SHEETS, _cells(axes), seed) if _cells(axes) else []
    plain = _first(FULL_PLAIN, _plain_cells(), seed) if NO_SHEET in axes or not axes else []
    order = sorted([(place / len(keys), key) for keys in (sheets, plain) for place, key in enumerate(keys)], key=_place)
    return [key for _, key in order]


def compared(keys: Sequence[Key], axes: Sequence[str] = ()) -> frozenset[Key]:
    """Give those of a long run that the engines are put before as well: of each cell one image in four.

    That tells how the engines do; what an engine reads of the images that the program doesn't is asked for all of them.
    Of `axes` they are all of the images: such an axis then weighs four times as much in what is compared of all.
    """
    return frozenset(key for key in keys if key.axis in axes or key.number % _COMPARED == 1)


def _first(size: int, cells: Sequence[tuple[str, str]], seed: int) -> list[Key]:
    return list(islice(_in_turn(cells, seed), size))


def _in_turn(cells: Sequence[tuple[str, str]], seed: int) -> Iterator[Key]:
    """Give image 1 of all cells in chance order, then image 2: a sample of any size is spread over them evenly."""
    for number in count(1):
        for place in np.random.default_rng([seed, number]).permutation(len(cells)):
            yield Key(*cells[place], number, seed)


def _cells(axes: Sequence[str]) -> list[tuple[str, str]]:
    return [(axis.name, severity) for axis in EVERY if not axes or axis.name in axes for severity in axis.severities]


def _plain_cells() -> list[tuple[str, str]]:
    return [(NO_SHEET, kind) for kind in PLAIN_KINDS]


def _place(placed: tuple[float, Key]) -> float:
    return placed[0]
