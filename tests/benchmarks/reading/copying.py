"""What machines make of a page when they store it, send it or copy it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image, ImageFilter

from tests.benchmarks.reading.leaf import Leaf, lit
from tests.benchmarks.reading.printing import spread
from tests.support.typeset import WHITE, Picture

_FAX_DPI = {"fine": (204.0, 196.0), "standard": (204.0, 98.0)}
"""ITU-T T.4: dots across, lines down."""
_STANDARD = 1000


def jpeg(leaf: Leaf, level: float, _rng: np.random.Generator) -> Leaf:
    """Store it at this quality."""
    return replace(leaf, quality=int(level))


def bilevel(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Make it black and white at this share of the paper's level: too low, ink goes; too high, paper turns black."""
    soft = Image.fromarray(leaf.pixels).filter(ImageFilter.GaussianBlur(1))
    page = lit(np.asarray(soft), rng, 5, 0.92)
    paper = np.median(page[::8, ::8])
    return replace(leaf.drawn(np.where(page > level * paper, WHITE, 0)), quality=None)


def dithered(leaf: Leaf, level: float, _rng: np.random.Generator) -> Leaf:
    """Store it as black dots of this resolution, as scanners do for pictures."""
    small = resampled(leaf, (level, level))
    dots = Image.fromarray(small.pixels // 5 * 4 + 25).convert("1", dither=Image.Dither.FLOYDSTEINBERG)
    return replace(small.drawn(np.asarray(dots.convert("L"))), quality=None)


def resolution(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Scan it at this resolution; now and then in black and white."""
    fine = resampled(leaf, (level, level))
    if rng.random() < 0.4:
        return replace(fine.drawn(np.where(fine.pixels > 150, WHITE, 0)), quality=None)
    return fine


def fax(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Send it by fax, and lose a share of the lines on the way: they repeat their neighbour, or are streaks."""
    small = resampled(leaf, _FAX_DPI["standard" if level >= _STANDARD else "fine"])
    page = np.where(small.pixels > rng.uniform(100, 190), WHITE, 0).astype(np.uint8)
    lost = np.flatnonzero(rng.random(len(page)) < level % 1)
    for line in lost:
        if rng.random() < 0.5:
            page[line] = page[line - 1]
        else:
            runs = np.repeat(rng.random(40) < 0.5, -(-page.shape[1] // 40))[: page.shape[1]]
            page[line] = np.where(runs, WHITE, 0)
    return replace(small.drawn(page), quality=None)


def photocopied(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Copy it so often: each time softer, harder in contrast, a little askew and larger or smaller, with new specks."""
    page = leaf.pixels
    for _ in range(int(level)):
        page = _copied(page, rng)
    return replace(leaf.drawn(page), codes=())


def negative(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Show it white on black, with this share of the contrast."""
    return leaf.drawn(lit(leaf.pixels, rng, 2, -0.9 * level, 20 + 0.9 * level * WHITE))


def resampled(leaf: Leaf, dpi: tuple[float, float]) -> Leaf:
    """Give it in another resolution, as a scanner sees it: each pixel the mean of what it covers."""
    size = tuple(
        max(1, round(side * new / old)) for side, new, old in zip(leaf.pixels.shape[::-1], dpi, leaf.dpi, strict=True)
    )
    finer = dpi[0] > leaf.dpi[0]
    image = Image.fromarray(leaf.pixels)
    image = image.resize((size[0], size[1]), Image.Resampling.BICUBIC if finer else Image.Resampling.BOX)
    return replace(leaf.drawn(np.asarray(image)), dpi=dpi)


def _copied(page: Picture, rng: np.random.Generator) -> Picture:
    image = Image.fromarray(page)
    size = float(rng.uniform(0.985, 1.012))
    angle = float(rng.normal(0, 0.5))
    cosine, sine = np.cos(np.radians(angle)) / size, np.sin(np.radians(angle)) / size
    shift = rng.normal(0, 12, 2)
    middle = image.width / 2, image.height / 2
    matrix = (
        cosine, sine, middle[0] - cosine * middle[0] - sine * middle[1] + shift[0],
        -sine, cosine, middle[1] + sine * middle[0] - cosine * middle[1] + shift[1],
    )  # fmt: skip
    image = image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR, fillcolor=WHITE)
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.7, 1.6)))))
    middle_grey, hardness = rng.uniform(105, 170), rng.uniform(1.5, 2.5)
    copy = lit(soft, rng, 12, hardness, 128 - middle_grey * hardness)
    if rng.random() < 0.3:
        copy = spread(copy, int(rng.choice([-1, 1])))
    specks = int(rng.integers(50, 600))
    y, x = rng.integers(0, copy.shape[0] - 4, specks), rng.integers(0, copy.shape[1] - 4, specks)
    wide = int(rng.integers(1, 4))
    for down in range(wide):
        for right in range(wide):
            copy[y + down, x + right] = 40
    return copy
