"""How a page lies before the scanner or the telephone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from tests.benchmarks.reading.leaf import Leaf, clouds


def skew(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Turn it by so many degrees, either way; a third of the scanners then cut it to its format."""
    return _turned(leaf, level * float(rng.choice([-1, 1])), 250, whole=rng.random() < 0.67)


def skewed(leaf: Leaf, degrees: float) -> Leaf:
    """Turn it by a little that leaves its codes about where they are."""
    return replace(_turned(leaf, degrees, 250, whole=False), codes=leaf.codes)


def turn(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Turn it by quarters, and a little."""
    quarters = replace(leaf.drawn(np.ascontiguousarray(np.rot90(leaf.pixels, int(level) // 90))), codes=())
    return _turned(quarters, float(rng.uniform(-2, 2)), 250, whole=False)


def lid(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Scan it with the lid open, so crooked: all around is black, and cuts a few millimetres off."""
    crooked = _turned(leaf, level * float(rng.choice([-1, 1])), 12, whole=rng.random() < 0.67)
    page = crooked.pixels.copy()
    for edge in (page, page[::-1], page.T, page.T[::-1]):
        edge[: leaf.mm(float(rng.uniform(0, 12)))] = 12
    return crooked.drawn(page)


def glass(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Draw so many dark lines along the paper's way: dirt lies still while the paper moves over it."""
    light = np.ones(leaf.pixels.shape[1], np.float32)
    for _ in range(int(level)):
        left = int(rng.integers(len(light)))
        light[left : left + max(1, leaf.mm(float(rng.uniform(0.1, 0.7))))] = rng.uniform(0.1, 0.7)
    return leaf.drawn(leaf.pixels * light)


def perspective(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Photograph it by hand: its corners are off by up to this share of its sides, on a table, in a room's light."""
    image = Image.fromarray(leaf.pixels)
    width, height = image.size
    inward = rng.uniform(0.25, 1, (4, 2)) * level
    corners = [
        (inward[0, 0], inward[0, 1]), (1 - inward[1, 0], inward[1, 1]),
        (1 - inward[2, 0], 1 - inward[2, 1]), (inward[3, 0], 1 - inward[3, 1]),
    ]  # fmt: skip
    seen = [(x * width, y * height) for x, y in corners]
    paper = [(0, 0), (width, 0), (width, height), (0, height)]
    coefficients = _coefficients(seen, paper)
    table = int(rng.integers(40, 170))
    photo = image.transform(
        image.size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC, fillcolor=table
    )
    light = 1 - 0.45 * clouds(rng, leaf.pixels.shape, max(width, height))
    return replace(leaf.drawn(np.asarray(photo, np.float32) * light), codes=())


def _turned(leaf: Leaf, degrees: float, around: int, *, whole: bool) -> Leaf:
    image = Image.fromarray(leaf.pixels)
    turned = image.rotate(degrees, Image.Resampling.BILINEAR, expand=whole, fillcolor=around)
    return replace(leaf.drawn(np.asarray(turned)), codes=())


def _coefficients(seen: list[tuple[float, float]], paper: list[tuple[float, float]]) -> tuple[float, ...]:
    """Solve for the eight numbers by which Pillow finds, for each pixel of the photo, its place on the paper."""
    rows, right = [], []
    for (x, y), (u, v) in zip(seen, paper, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    return tuple(float(value) for value in np.linalg.solve(np.array(rows), np.array(right)))
