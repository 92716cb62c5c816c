"""A short number that says what a page looks like: the same page scanned again gives nearly the same one.

The usual perceptual hash: the page reduced to 32 x 32, its cosine transform, and of the lowest 8 x 8 frequencies
whether each is above their median. In numpy alone: the known package for this brings scipy and pywavelets along, 140
MB, for thirty lines.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]

_SIDE = 32
_LOW = 8


def fingerprint(pixels: Pixels) -> str:
    """Give the page's perceptual hash, 64 bits as 16 lower-case hexadecimal digits.

    `pixels` are uint8 (height, width) of any size. Noise, brightness and resolution change a few bits at most;
    compare by the number of bits that differ.
    """
    small = np.asarray(Image.fromarray(pixels).resize((_SIDE, _SIDE), Image.Resampling.BOX), np.float64)
    low = (_COSINES @ small @ _COSINES.T).ravel()
    # The first is the page's mean: always the largest, it would be a bit that says nothing and shifts the median.
    bits = low > np.median(low[1:])
    return np.packbits(bits).tobytes().hex()


_COSINES = np.cos(np.pi / (2 * _SIDE) * np.outer(np.arange(_LOW), 2 * np.arange(_SIDE) + 1))
"""The lowest rows of the discrete cosine transform, type II."""
