"""Compare a picture with small drawn ones at every place at once, by Fourier transforms."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy import fft

Grey = npt.NDArray[np.float32]


def smooth_number(least: int) -> int:
    """Give the next number without prime factors above 5, which Fourier transforms are quick at."""
    number = least
    while True:
        rest = number
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return number
        number += 1


def spectrum(drawn: Grey, shape: tuple[int, int]) -> npt.NDArray[np.complex64]:
    """Transform what is drawn in the middle of a square of an odd side, so that a product compares it with a page's.

    `shape` (height, width) is that of the page, with so much room beside it that nothing comes round from its other
    end.
    """
    field = np.zeros(shape, np.float32)
    field[: drawn.shape[0], : drawn.shape[1]] = drawn
    half = drawn.shape[0] // 2
    return np.asarray(np.conj(fft.rfft2(np.roll(field, (-half, -half), axis=(0, 1)))), np.complex64)
