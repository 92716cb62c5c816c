"""Part ink from paper, whatever the paper's tone, the light and the noise; large shapes make a photo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from skrynka.steps.blankness.stains import MARGIN_MM, only_stains

Pixels = npt.NDArray[np.uint8]
Grey = npt.NDArray[np.float32]
_Level = TypeVar("_Level", bound=np.generic)

WORKING_DPI = 75
"""A pen's stroke of 0.35 mm is a pixel wide; noise is halved at least."""
FAINTEST = 0.15
"""How much darker than the paper around it a pixel must be to be ink, as a share of the paper's level."""
NOISE_FACTOR = 6.0
"""And so many times the page's own noise: of half a million pixels none gets there by chance."""
PAPER_LEVEL = 130
"""The darkest paper, 0 to 255: below that it is a photo or a dark copy."""
SHAPE = 0.05
"""How far a patch may be from the smooth surface through the page, as a share of the paper's level."""
SHAPE_SHARE = 0.2
"""Share of patches beyond that which makes a photo. A sheet's marks and codes that show through make half of it."""
INSIDE_MM = 30.0
"""From the edges: no punch, staple or feeder leaves anything further in."""
FULL_OF_INK = 0.01
"""Share of ink inside, above which nothing of it needs a closer look: two folds make a third of it."""
OUTSIDE_MM = 15.0
"""From the edges: shadows there say nothing about shapes."""
_LEAST_SIDE = 10
"""Pixels: what has fewer of them, over however large a page, says too little of it."""
_PATCH_MM = 4.0
_FEWEST_PATCHES = 25
"""A scrap of paper is too small for a surface through it."""
_BLOCK_MM = 6.0
"""Side of the blocks that the paper's level is taken from: wider than any stroke."""
_ROWS = 6
"""Over so many rows of pixels, 2 mm, the paper's level hardly changes."""
_SAMPLED = 5
"""Of a block's rows one in so many is looked at: evenly ruled lines can't fall on all of them."""
_LIGHT = 0.7
"""The paper's level in a block: so many of its pixels are darker. Letters cover less than a third."""

_DEVIATION = 1.05
"""The standard deviation of noise is so many times the median difference between neighbours (1.4826 over root 2)."""
_NOISIEST = 0.04
"""As a share of the paper's level: what differs more from pixel to pixel is a pattern."""
_DARKEST_PLACE, _LIGHTEST_PLACE = 0.75, 1.12
"""The paper's level in its worst and best light, as a share of the page's usual level."""


@dataclass(frozen=True, slots=True)
class Ink:
    """What there is on a page."""

    ink: float
    """Share of dark pixels within the page's margins, 0 to 1."""
    blank: bool


def measure(pixels: Pixels, dpi: float) -> Ink:
    """Say how much ink there is on a page, and whether it is blank.

    `pixels` are uint8 (height, width), 0 black; at 75 dpi or more, to see thin pens.
    """
    factor = max(1, round(dpi / WORKING_DPI))
    scale = dpi / factor / 25.4
    levels = pixels if factor == 1 else np.asarray(Image.fromarray(pixels).reduce(factor))
    if min(levels.shape) < _LEAST_SIDE:
        return Ink(float((levels < PAPER_LEVEL).mean()), blank=False)
    paper = _paper(levels, scale)
    usual = max(1.0, float(np.median(paper)))
    noise = min(_NOISIEST, _DEVIATION * _difference(levels[::12]) / usual)
    # A byte for each level of paper: numbers of four bytes for each pixel would take three times as long.
    lightest_ink = np.ceil(np.maximum(np.arange(256), 1) * (1 - max(FAINTEST, NOISE_FACTOR * noise))).astype(np.uint8)
    dark = levels < _spread(lightest_ink[paper], levels, scale)
    ink = _share(dark, MARGIN_MM * scale)
    plain = usual >= PAPER_LEVEL and _share(dark, INSIDE_MM * scale) < FULL_OF_INK and not _has_shapes(levels, scale)
    return Ink(ink, blank=plain and only_stains(dark, _darkness(levels, _spread(paper, levels, scale)), scale))


def _difference(levels: Pixels) -> float:
    """Give the median difference between neighbours in a row, told more finely than in whole levels."""
    counts = np.bincount(np.abs(np.diff(levels.astype(np.int16), axis=1)).ravel(), minlength=1)
    half, below = counts.sum() / 2, np.cumsum(counts)
    middle = int(np.searchsorted(below, half))
    return max(0.0, middle + 0.5 - float(below[middle] - half) / float(counts[middle]))


def _darkness(levels: Pixels, paper: Pixels) -> Grey:
    return np.asarray(1 - levels / np.maximum(paper, 1).astype(np.float32), np.float32)


def _share(dark: npt.NDArray[np.bool_], margin: float) -> float:
    inner = _within(dark, margin)
    return float(np.count_nonzero(inner) / inner.size)


def _within(picture: npt.NDArray[_Level], margin: float) -> npt.NDArray[_Level]:
    """Cut a margin off, as far as the page is large enough to leave half of it."""
    cut = min(round(margin), min(picture.shape) // 4)
    return picture[cut : picture.shape[0] - cut, cut : picture.shape[1] - cut]


def _block(scale: float) -> int:
    """Give the side of a block in pixels."""
    return _ROWS * max(1, round(_BLOCK_MM * scale / _ROWS))


def _paper(levels: Pixels, scale: float) -> Pixels:
    """Estimate the paper's own level, a number for each block: what is light in the neighbourhood."""
    block = _block(scale)
    (height, width), (rows, columns) = levels.shape, (-(-side // block) for side in levels.shape)
    padded = np.pad(levels, ((0, rows * block - height), (0, columns * block - width)), mode="edge")
    # 120 of each block at most: below 113 dpi a block has 24 pixels a side.
    blocks = padded.reshape(rows, block, columns, block)[:, ::_SAMPLED].transpose(1, 3, 0, 2).reshape(-1, rows, columns)
    light = _at_place(blocks, int(len(blocks) * _LIGHT))
    # A hole or a letter may fill a block: its lightest neighbour is paper.
    around = np.pad(light, 1, mode="edge")
    lightest = np.max([around[y : y + rows, x : x + columns] for y in range(3) for x in range(3)], axis=0)
    # Where a black strip, a photo, or the scanner's white beside grey paper fills the neighbourhood too, the rest of
    # the page says what paper is.
    usual = float(np.median(lightest))
    within = np.clip(lightest, _DARKEST_PLACE * usual, _LIGHTEST_PLACE * usual)
    return np.asarray(np.rint(within), np.uint8)


def _at_place(levels: Pixels, place: int) -> Pixels:
    """Give what each column of fewer than 256 numbers would have at a place, from 0, if it were sorted.

    Bit by bit, for all columns at once: to part each one by itself takes five times as long.
    """
    found = np.zeros(levels.shape[1:], np.uint8)
    for bit in (128, 64, 32, 16, 8, 4, 2, 1):
        larger = found | np.uint8(bit)
        below = np.add.reduce((levels < larger).view(np.uint8), axis=0, dtype=np.uint8)
        found = np.where(below <= place, larger, found)
    return found


def _spread(paper: Pixels, levels: Pixels, scale: float) -> Pixels:
    """Give each pixel its level between those of the blocks around it."""
    rows, columns = paper.shape
    block = _block(scale)
    size = (columns * block, rows * block // _ROWS)
    smooth = np.asarray(Image.fromarray(paper).resize(size, Image.Resampling.BILINEAR))
    return np.repeat(smooth, _ROWS, axis=0)[: levels.shape[0], : levels.shape[1]]


def _has_shapes(levels: Pixels, scale: float) -> bool:
    """Tell whether the page has the large light and dark shapes of a photo, which no lamp makes."""
    inner = _within(levels, OUTSIDE_MM * scale)
    patch = max(2, round(_PATCH_MM * scale))
    rows, columns = inner.shape[0] // patch, inner.shape[1] // patch
    if rows * columns < _FEWEST_PATCHES:
        return False
    whole = np.ascontiguousarray(inner[: rows * patch, : columns * patch])
    patches = np.asarray(Image.fromarray(whole).reduce(patch), np.float64).ravel()
    y, x = (axis.ravel() for axis in np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j])
    surface = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=1)
    fits = np.ones(len(patches), np.bool_)
    away = np.zeros(len(patches))
    for _ in range(3):
        if fits.sum() < len(patches) // 4:
            return True
        through = surface[fits]
        factors = np.linalg.pinv(through.T @ through) @ (through.T @ patches[fits])
        away = np.abs(patches - surface @ factors) / max(1.0, float(np.median(patches)))
        fits = away < SHAPE
    return float((~fits).mean()) > SHAPE_SHARE
