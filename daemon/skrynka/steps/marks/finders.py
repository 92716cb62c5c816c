"""Tell how much a place is like a sheet's QR code, though no engine may read it any more.

Three of a QR code's corners have a finder, seven modules wide: a black square in a white frame in a black one. Each
place is compared with a finder (normalised cross-correlation), and three places with all three at once, as far from
each other as the code's width has it. What takes the modules of a code takes less of its finders, and the likeness of
three together is hardly ever chance. The corner without a finder is that which lies outwards on the sheet.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from numpy import fft

from skrynka.core.mark import APART, Mark
from skrynka.steps.marks.fourier import Grey, smooth_number, spectrum

DPI = 37.5
"""About that much is asked for: a module of 0.8 mm is a pixel and a fifth."""
SIDE_MM = 42.0
"""Of a sheet's QR code, but for the longest texts'."""
_MODULES_MM = (0.82, 0.93, 1.07, 1.24, 1.45, 1.68)
"""From the most of them in a code, some 50, to the fewest, 25."""
_PER_CODE = 3
_FINDER, _AROUND = 7, 9
"""Modules across a finder, and with the white around it."""
_BLACK = (0, 1, 3)
"""How many modules from its middle one a finder is black: across, down or aslant."""
_FINE = 4
"""Each pixel of a drawn finder is the mean of so many by so many."""
_SLACK_MM = 8.0
"""From where a code should be: a skew of two degrees, 225 mm away."""
_LEVELS = 4.0
"""Levels of 256: what varies less is as good as even."""
_TURNS = tuple(float(turn) for turn in range(0, 90, 6))
"""Degrees, of codes of which it isn't known how they lie; turned by a quarter a finder looks the same. A code that lies
between two of them comes to four fifths."""
_ASKEW = 8.0
"""Degrees by which a code may be turned otherwise than its turn, or than the way to it from its mark."""
_FARTHER = 0.07
"""By so much of it a code may be nearer to its mark, or farther from it, than on the sheet."""


def codes_beside(grey: Grey, dpi: float, mark: Mark) -> tuple[float, float]:
    """Give how much like QR codes the places are where those of a mark in its corner are: both, and the liker one.

    Of both by their finders on average, at most 2; of the one by the worst of its three, at most 1. What lies off the
    page is 0. `grey` (height, width) has 0 for black, of a page that is as good as straight.
    """
    middle = complex(*mark.page) / 2
    seen = [_code_at(grey, dpi, complex(*place), complex(*place) - middle, mark) for place in mark.code_places()]
    return max(0.0, sum(average for average, _ in seen)), max(0.0, *(worst for _, worst in seen))


def code_about(grey: Grey, dpi: float, mark: Mark, enough: float) -> float:
    """Give how much like a QR code anything is that lies as far from a mark as its sheet's codes do, at most 1.

    By the worst of its three finders, whichever way the sheet lies on the page; when it is `enough`, no more is looked
    for. It may take a second, on pages of any size.
    """
    grey, middle = _surrounding(grey, dpi, mark)
    down, across = np.ogrid[: grey.shape[0], : grey.shape[1]]
    way = ((across + 0.5) + 1j * (down + 0.5)) / dpi * 25.4 - middle
    beyond = np.abs(np.abs(way) / mark.size / np.reshape(APART, (2, 1, 1)) - 1)
    there = beyond.min(axis=0) < _FARTHER
    # Seen from a mark, the corner that lies outwards is left of the way to the nearer code, right of that to the other.
    outwards = np.degrees(np.angle(way)) + np.where(beyond.argmin(axis=0) == 0, -45.0, 45.0)
    most = 0.0
    for turn in _TURNS:
        corner = (outwards - turn - 45.0) / 90.0
        nearest = np.round(corner)
        places = np.nonzero(there & (np.abs(corner - nearest) < _ASKEW / 90.0))
        if places[0].size:
            without = nearest[places].astype(np.intp) % 4
            for finders in _corners(grey, dpi, mark, turn):
                others = (finders[(without + 1 + each) % 4, *places] for each in range(_PER_CODE))
                most = max(most, float(np.min([*others], axis=0).max()))
        if most >= enough:
            break
    return most


def _surrounding(grey: Grey, dpi: float, mark: Mark) -> tuple[Grey, complex]:
    """Give what is as near to a mark as its codes are, of a page of any size, and where the mark is in it."""
    reach = max(APART) * (1 + _FARTHER) * mark.size + SIDE_MM
    left, top = (max(0, int((along - reach) / 25.4 * dpi)) for along in (mark.x, mark.y))
    right, bottom = (int((along + reach) / 25.4 * dpi) for along in (mark.x, mark.y))
    return grey[top:bottom, left:right], complex(mark.x, mark.y) - complex(left, top) / dpi * 25.4


def _code_at(grey: Grey, dpi: float, place: complex, outwards: complex, mark: Mark) -> tuple[float, float]:
    """Give how much like a QR code without a finder outwards something about a place is, on average and at worst."""
    # As far as a finder may lie from it, with what is compared around that.
    half = round((SIDE_MM / 2 * mark.size + _SLACK_MM + _MODULES_MM[-1] * 2) / 25.4 * dpi)
    slack = round(_SLACK_MM / 25.4 * dpi)
    column, row = int(place.real / 25.4 * dpi), int(place.imag / 25.4 * dpi)
    if not (0 <= row < grey.shape[0] and 0 <= column < grey.shape[1]):
        return 0.0, 0.0
    around = np.pad(grey, half, mode="edge")[row : row + 2 * half + 1, column : column + 2 * half + 1]
    about = slice(half - slack, half + slack + 1)
    without = int(np.degrees(np.angle(outwards)) // 90) % 4
    average = worst = 0.0
    for finders in _corners(around, dpi, mark, 0.0):
        three = np.delete(finders[:, about, about], without, axis=0)
        average = max(average, float(three.mean(axis=0).max()))
        worst = max(worst, float(three.min(axis=0).max()))
    return average, worst


def _corners(grey: Grey, dpi: float, mark: Mark, turn: float) -> Iterator[Grey]:
    """Give for each size of modules how much like finders the corners of a code around every pixel would be.

    (corner, row, column), the first corner to the right and down of it, then clockwise, all turned by so many degrees.
    """
    black = -grey if mark.likeness > 0 else grey
    for module, likeness in zip(_MODULES_MM, _finders(black, dpi, mark.size, turn), strict=True):
        arm = (SIDE_MM - _FINDER * module) / 2 * mark.size / 25.4 * dpi
        corners = arm * np.exp(1j * np.radians(turn + 45.0 + 90.0 * np.arange(4))) * 2**0.5
        yield np.array([_shifted(likeness, round(corner.imag), round(corner.real)) for corner in corners])


def _finders(black: Grey, dpi: float, size: float, turn: float) -> Iterator[Grey]:
    """Give for each size of modules how much like a finder it is around every pixel, or a pixel beside it."""
    height, width = black.shape
    side = 2 * _half(_MODULES_MM[-1] * size, dpi) + 1
    shape = smooth_number(height + side), smooth_number(width + side)
    black = black - black.mean()
    page, squares = fft.rfft2(black, shape), fft.rfft2(np.square(black), shape)
    for module in _MODULES_MM:
        finder, around = _drawn(round(module * size, 3), dpi, turn, shape)
        covariance, mean, square = (
            fft.irfft2(product, shape)[:height, :width] for product in (page * finder, page * around, squares * around)
        )
        likeness = covariance / np.sqrt(np.maximum(square - np.square(mean), 0) + _LEVELS**2)
        yield _most_nearby(np.asarray(likeness, np.float32))


@lru_cache(maxsize=12)
def _drawn(
    module: float, dpi: float, turn: float, shape: tuple[int, int]
) -> tuple[npt.NDArray[np.complex64], npt.NDArray[np.complex64]]:
    """Transform a finder with its white, and the square that it takes up, each made so that a product is a mean."""
    half = _half(module, dpi)
    along = ((np.arange((2 * half + 1) * _FINE) + 0.5) / _FINE - half - 0.5) / (module / 25.4 * dpi)
    x, y = along, along[:, np.newaxis]
    cosine, sine = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    # Modules from the middle one.
    away = np.maximum(np.abs(x * cosine + y * sine), np.abs(y * cosine - x * sine))
    blocks = (2 * half + 1, _FINE, 2 * half + 1, _FINE)
    black = np.isin(np.floor(away + 0.5), _BLACK).reshape(blocks).mean(axis=(1, 3))
    inside = (away < _AROUND / 2).reshape(blocks).mean(axis=(1, 3))
    inside /= inside.sum()
    finder = (black - (black * inside).sum()) * inside
    finder /= np.sqrt((np.square(black - (black * inside).sum()) * inside).sum())
    return spectrum(np.asarray(finder, np.float32), shape), spectrum(np.asarray(inside, np.float32), shape)


def _half(module: float, dpi: float) -> int:
    """Give pixels from the middle of a drawn finder to the side of its square, however it is turned."""
    return int(np.ceil(_AROUND / 2 * 2**0.5 * module / 25.4 * dpi))


def _most_nearby(likeness: Grey) -> Grey:
    """Give the most of each pixel and its eight neighbours."""
    for _ in range(2):
        padded = np.pad(likeness, ((1, 1), (0, 0)), constant_values=-1.0)
        likeness = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:]).T
    return likeness


def _shifted(likeness: Grey, down: int, right: int) -> Grey:
    """Give what lies so many pixels below and to the right of each, 0 where the page ends before."""
    height, width = likeness.shape
    shifted = np.zeros_like(likeness)
    rows, columns = _overlap(height, down), _overlap(width, right)
    shifted[rows[0], columns[0]] = likeness[rows[1], columns[1]]
    return shifted


def _overlap(length: int, shift: int) -> tuple[slice, slice]:
    """Give which pixels along a side are still on it when moved, and where they are then."""
    kept = max(0, length - abs(shift))
    first = max(0, -shift)
    return slice(first, first + kept), slice(first + shift, first + shift + kept)
