"""How a page is seen: focus, movement, noise, light."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from tests.benchmarks.reading.leaf import Leaf, clouds, lit
from tests.support.typeset import WHITE

_PAPER = 235
"""The level of paper in a poor light, out of 255."""


def blur(leaf: Leaf, level: float, _rng: np.random.Generator) -> Leaf:
    """See it out of focus, by a Gaussian of this deviation in millimetres."""
    image = Image.fromarray(leaf.pixels)
    return leaf.drawn(np.asarray(image.filter(ImageFilter.GaussianBlur(level * leaf.dpi[0] / 25.4))))


def jolt(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """See it while it moves so far, across or down: always, or only within a band, where the feeder jerked."""
    across = rng.random() < 0.5
    page = leaf.pixels.astype(np.float32)
    axis = 1 if across else 0
    length = leaf.mm(level)
    sums = np.cumsum(np.pad(page, [(length, 0) if a == axis else (0, 0) for a in (0, 1)], mode="edge"), axis=axis)
    smeared = (np.take(sums, np.arange(length, sums.shape[axis]), axis)
               - np.take(sums, np.arange(sums.shape[axis] - length), axis)) / length  # fmt: skip
    if rng.random() < 0.4:
        band = slice(*sorted((rng.uniform(0, 1, 2) * page.shape[0]).astype(int)))
        page[band] = smeared[band]
        return leaf.drawn(page)
    return leaf.drawn(smeared)


def noise(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Add noise to each pixel."""
    return leaf.drawn(lit(leaf.pixels, rng, level, 0.9))


def coarse(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Add noise in grains of 0.4 mm, as on recycled paper or in a telephone's night shot."""
    hills = clouds(rng, leaf.pixels.shape, leaf.mm(0.4)) - 0.5
    return leaf.drawn(leaf.pixels * np.float32(0.9) + hills * np.float32(level / hills[::7, ::7].std()))


def contrast(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Leave this share of the contrast, on paper that may be grey, with a good scanner's noise."""
    paper = float(rng.uniform(150, _PAPER))
    return leaf.drawn(lit(leaf.pixels, rng, 2, level * paper / WHITE, paper * (1 - level)))


def dark(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Leave this share of the light."""
    return leaf.drawn(lit(leaf.pixels, rng, 3, level))


def uneven(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Take up to this share of the light away: at one side, or in shadows of hands and heads."""
    shape = leaf.pixels.shape
    if rng.random() < 0.5:
        direction = rng.uniform(0, 2 * np.pi)
        x, y = np.linspace(-1, 1, shape[1], dtype=np.float32), np.linspace(-1, 1, shape[0], dtype=np.float32)
        away = np.clip((x * np.cos(direction) + y[:, np.newaxis] * np.sin(direction)) / 2.4 + 0.5, 0, 1)
    else:
        away = np.clip((clouds(rng, shape, leaf.mm(80)) - 0.45) * 6, 0, 1)
    return leaf.drawn(leaf.pixels * (1 - np.float32(level) * away))


def glare(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Have a lamp shine back from so wide a patch: white within, pale around."""
    height, width = leaf.pixels.shape
    middle = rng.uniform(0.1, 0.9, 2) * (width, height)
    x, y = np.arange(width) - middle[0], np.arange(height)[:, np.newaxis] - middle[1]
    distance = np.hypot(x, y * rng.uniform(0.7, 1.3)) / leaf.mm(level / 2)
    shine = np.clip(1.5 - distance, 0, 1).astype(np.float32)
    return leaf.drawn(leaf.pixels * np.float32(0.92) * (1 - shine) + WHITE * shine)
