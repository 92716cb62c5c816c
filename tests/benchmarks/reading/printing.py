"""What a printer does to a sheet: too little toner, streaks, edges that spread, another size."""

from __future__ import annotations

import numpy as np
from PIL import Image

from tests.benchmarks.reading.leaf import Leaf, clouds
from tests.support.typeset import WHITE, Picture

_GRAIN_MM = 0.25
"""Of toner, as it comes off."""
_PATCH_MM = 30.0


def toner(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Take this share of the ink away: in patches, and in grains at their borders, as an empty cartridge does."""
    shape = leaf.pixels.shape
    holds = 0.45 * clouds(rng, shape, leaf.mm(_PATCH_MM)) + 0.55 * clouds(rng, shape, leaf.mm(_GRAIN_MM))
    least = np.quantile(holds[::8, ::8], level)
    missing = np.clip((least - holds) * 12 + 0.5, 0, 1)
    return _paler(leaf, 1 - missing)


def streaks(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Print nothing on this share of the width, in stripes of half a millimetre to six, along the paper's way."""
    width = leaf.pixels.shape[1]
    ink = np.ones(width, np.float32)
    while (ink < 0.5).mean() < level:
        left, wide = rng.integers(width), leaf.mm(float(rng.choice([0.5, 1, 2, 4, 6])))
        ink[left : left + wide] = rng.uniform(0, 0.15)
    return _paler(leaf, np.broadcast_to(ink, leaf.pixels.shape))


def ink(leaf: Leaf, level: float, _rng: np.random.Generator) -> Leaf:
    """Have every edge spread by so many millimetres, or shrink, as with wet paper or too little heat."""
    return leaf.drawn(spread(leaf.pixels, leaf.mm(level)))


def scale(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Print at this size, in the middle or a corner of the paper. Where its codes lie isn't told anew."""
    image = Image.fromarray(leaf.pixels)
    size = round(image.width * level), round(image.height * level)
    shares = [(0.5, 0.5), (0.0, 0.0), (1.0, 0.0), (0.0, 1.0)][int(rng.integers(4))]
    left, top = (round((whole - part) * share) for whole, part, share in zip(image.size, size, shares, strict=True))
    page = Image.new("L", image.size, WHITE)
    page.paste(image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2), (left, top))
    return leaf.drawn(np.asarray(page))


def spread(picture: Picture, reach: int) -> Picture:
    """Darken by so many pixels in each direction, or lighten where `reach` is less than nothing."""
    choose = np.minimum if reach > 0 else np.maximum
    for axis in (0, 1):
        done, wanted = 0, abs(reach)
        while done < wanted:
            # Twice as far each time: what was chosen already stands for its neighbours too.
            step = min(done + 1, wanted - done) if done else 1
            padded = np.pad(picture, [(step, step) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
            length = picture.shape[axis]
            before = np.take(padded, np.arange(length), axis)
            after = np.take(padded, np.arange(2 * step, 2 * step + length), axis)
            picture = choose(choose(before, after), picture)
            done += step
    return picture


def _paler(leaf: Leaf, share: np.ndarray) -> Leaf:
    return leaf.drawn(WHITE - (WHITE - leaf.pixels.astype(np.float32)) * share)
