"""A page on its way from the printer to the scanner's file: its pixels, how fine they are, how they will be stored."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image

from tests.support.scanner import EncodedPage, Encoding
from tests.support.typeset import WHITE, Picture

DPI = 300
_TILE = 1999
"""Pixels: a page repeats it once or twice, and no sheet's code does."""
_ROWS = 16
"""Are reckoned with at a time."""
Field = npt.NDArray[np.float32]
Place = tuple[float, float, float, float]
"""Left, top, right, bottom, as fractions of the page."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A page; harms give a new one and never write on the old one's pixels."""

    pixels: Picture
    """Grey, (height, width), 0 black."""
    dpi: tuple[float, float] = (DPI, DPI)
    """Across and down: a fax has two."""
    quality: int | None = 82
    """Of the JPEG that it is stored as; None: it is black and white, stored as CCITT group 4."""
    codes: tuple[Place, ...] = ()
    """Where its codes lie: what falls on a code by accident is made to."""

    def drawn(self, pixels: npt.NDArray[np.generic]) -> Leaf:
        """Give the same page with other pixels, of any number type."""
        if pixels.dtype != np.uint8:
            made = np.empty(pixels.shape, np.uint8)
            for top in range(0, len(pixels), _ROWS):
                made[top : top + _ROWS] = np.clip(pixels[top : top + _ROWS], 0, WHITE)
            pixels = made
        return replace(self, pixels=np.asarray(pixels, np.uint8))

    def mm(self, millimetres: float) -> int:
        """Say how many pixels a length across the page has."""
        return round(millimetres * self.dpi[0] / 25.4)

    def encoded(self) -> EncodedPage:
        """Store it as the scanner does."""
        buffer = io.BytesIO()
        image = Image.fromarray(self.pixels)
        if self.quality is None:
            black_and_white = image.point(_MIDDLE, mode="1")
            black_and_white.save(buffer, "TIFF", compression="group4", dpi=self.dpi)
            encoding = Encoding.G4
        else:
            image.save(buffer, "JPEG", quality=self.quality, dpi=(round(self.dpi[0]), round(self.dpi[1])))
            encoding = Encoding.JPEG
        return EncodedPage(buffer.getvalue(), encoding, round(self.dpi[0]), *image.size)


Harm = Callable[[Leaf, float, np.random.Generator], Leaf]
"""What becomes of a page: given the page, how badly, and what is drawn by chance."""

_MIDDLE = [0] * 128 + [WHITE] * 128


def clouds(rng: np.random.Generator, shape: tuple[int, ...], cell: float) -> Field:
    """Draw a smooth field of chance, 0 to 1, whose hills are about `cell` pixels wide."""
    height, width = shape[:2]
    small = rng.random((max(2, round(height / cell) + 1), max(2, round(width / cell) + 1)), np.float32)
    smooth = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(smooth, np.float32), 0, 1)


def lit(pixels: Picture, rng: np.random.Generator, deviation: float, light: float, dark: float = 0) -> Picture:
    """See pixels at this share of their light, with so many levels more, and noise of this deviation in levels.

    Each pixel's noise is by itself: a piece of one large tile.
    """
    height, width = pixels.shape
    down, right = (int(offset) for offset in rng.integers(0, _TILE, 2))
    tile = _tiles(1 + -(-width // _TILE))[:, right : right + width]
    made = np.empty(pixels.shape, np.uint8)
    top = 0
    while top < height:
        # A few rows at a time: what is reckoned of them stays close to the processor.
        row = (down + top) % _TILE
        rows = min(_ROWS, height - top, _TILE - row)
        noisy = tile[row : row + rows] * np.float32(deviation)
        noisy += pixels[top : top + rows] * np.float32(light)
        noisy += np.float32(dark)
        made[top : top + rows] = np.clip(noisy, 0, WHITE, out=noisy)
        top += rows
    return made


@cache
def _tiles(beside_each_other: int) -> Field:
    """Draw the tile, so often side by side: millions of normal numbers for each page would take long."""
    return np.tile(np.random.default_rng(1848).standard_normal((_TILE, _TILE), np.float32), (1, beside_each_other))


def as_it_is(leaf: Leaf, _level: float, _rng: np.random.Generator) -> Leaf:
    """Do no harm."""
    return leaf
