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
_EDGE = 0.05
"""Left out on each side, as a share of it: 10 mm of A4."""


def fingerprint(pixels: Pixels) -> str:
    """Give the page's perceptual hash, 64 bits as 16 lower-case hexadecimal digits.

    `pixels` are uint8 (height, width) of any size. Noise, brightness and resolution change a few bits at most;
    compare by the number of bits that differ. Two copies of one form, filled in for two people, may have the same one:
    it says that a page may have been seen before, never that it was.
    """
    height, width = pixels.shape
    # Edges are where shadows lie and where crooked paper shows what is behind it.
    inner = (width * _EDGE, height * _EDGE, width * (1 - _EDGE), height * (1 - _EDGE))
    small = np.asarray(Image.fromarray(pixels).resize((_SIDE, _SIDE), Image.Resampling.BOX, inner), np.float64)
    low = (_COSINES @ small @ _COSINES.T).ravel()
    # The first is the page's mean: always the largest, it would be a bit that says nothing and shifts the median.
    bits = low > np.median(low[1:])
    return np.packbits(bits).tobytes().hex()


_COSINES = np.cos(np.pi / (2 * _SIDE) * np.outer(np.arange(_LOW), 2 * np.arange(_SIDE) + 1))
"""The lowest rows of the discrete cosine transform, type II."""
