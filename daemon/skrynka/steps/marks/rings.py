"""Tell the mark of our sheets from other rings, by where black and white end from its middle outwards.

A target or a seal has rings too, of other widths, and over the whole of it as much in common with our mark as one that
is worn. But taken around the middle, wear evens out: of a mark without half its toner, or under streaks, the edges
still lie where they belong, and those of other rings don't. The average of all directions is compared, which little of
a mark is enough for, and the median, which heeds no stain.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from skrynka.core.mark import RADII_MM, RADIUS_MM
from skrynka.steps.marks.drawing import QUIET_MM, Numbers, Pixels, levels_at

_STEP_MM = 0.5
_FARTHEST_MM = 24.0
_DIRECTIONS = 48
_PLACES_MM = (-0.5, 0.0, 0.5)
"""Across and down from where it is said to lie, which is known to a pixel of a millimetre."""
_SIZES = np.arange(0.68, 1.17, 0.02)
_NEAR = 0.08
"""How far its size may be from what is said, as a share of it."""
_SHAPES_MM = (*((gain, 0.0) for gain in (-0.7, -0.35, 0.0, 0.35, 0.7)), (0.0, 1.0))
"""By how much black is broader all around than it was drawn, which printers, copiers and thresholds add or take; and
the standard deviation of what blurs it."""


def ring_likeness(pixels: Pixels, dpi: float, place_mm: tuple[float, float], size: float, *, negative: bool) -> float:
    """Give the correlation of what is seen around a place, from the middle outwards, with our mark: at most 1.

    `pixels` are uint8 (height, width), 0 black; `place_mm` is (x, y) from the upper left; `size` is the mark's as a
    share of its own, as it is known so far. Part of it may lie off the page.
    """
    levels = _around(pixels, dpi, place_mm)
    there = np.count_nonzero(~np.isnan(levels), axis=1)
    known = there > 0
    in_order = np.sort(levels, axis=1)  # what is off the page comes last
    median = np.take_along_axis(in_order, (there // 2)[:, np.newaxis], axis=1)[:, 0]
    mean = np.nansum(levels, axis=1) / np.maximum(there, 1)
    profiles = np.concatenate([median, mean])
    known = np.concatenate([known, known])
    profiles = np.where(known, profiles, profiles[known].mean() if known.any() else 0.0)
    weights, weighted = drawn_rings(round(size, 2))
    mean_levels = profiles @ weights.T
    variance = np.maximum(np.square(profiles) @ weights.T - np.square(mean_levels), 1.0)
    likeness = (profiles @ weighted.T) / np.sqrt(variance)
    return float(-likeness.min() if negative else likeness.max())


def _around(pixels: Pixels, dpi: float, place_mm: tuple[float, float]) -> Numbers:
    """Give the levels (place, direction, distance) around nine places near one, NaN off the page."""
    across, down = _rays()
    columns, rows = (
        np.floor((along + rays) * (dpi / 25.4)).astype(np.intp)
        for along, rays in zip(place_mm, (across, down), strict=True)
    )
    height, width = pixels.shape
    there = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    seen = pixels[rows.clip(0, height - 1), columns.clip(0, width - 1)].astype(np.float32)
    seen[~there] = np.nan
    return np.asarray(seen, np.float32)


@lru_cache(maxsize=1)
def _rays() -> tuple[Numbers, Numbers]:
    """Give millimetres across and down (place, direction, distance) from a middle."""
    turns = np.arange(_DIRECTIONS) * (2 * np.pi / _DIRECTIONS)
    rays = [np.outer(along, _distances())[np.newaxis] for along in (np.cos(turns), np.sin(turns))]
    shifts = np.repeat(_PLACES_MM, len(_PLACES_MM)), np.tile(_PLACES_MM, len(_PLACES_MM))
    across, down = (
        np.asarray(shift[:, np.newaxis, np.newaxis] + ray, np.float32) for shift, ray in zip(shifts, rays, strict=True)
    )
    return across, down


def _distances() -> Numbers:
    return np.asarray(np.arange(_STEP_MM, _FARTHEST_MM, _STEP_MM), np.float32)


@lru_cache(maxsize=64)
def drawn_rings(size: float) -> tuple[Numbers, Numbers]:
    """Give (shape, distance) for sizes near one: how much each distance counts, and the mark by that."""
    weights, weighted = [], []
    for each in _SIZES[np.abs(_SIZES / size - 1) <= _NEAR]:
        distances = _distances() / each
        # The farther out, the more paper a distance stands for; by its root, for the middle says something too.
        weight = np.sqrt(distances) * (distances < RADIUS_MM + QUIET_MM)
        weight /= weight.sum()
        for gain, blur in _SHAPES_MM:
            mark = _drawn(distances, gain, blur)
            mark -= weight @ mark
            mark /= np.sqrt(weight @ np.square(mark))
            weights.append(weight)
            weighted.append(weight * mark)
    return np.asarray(weights, np.float32), np.asarray(weighted, np.float32)


def _drawn(distances: Numbers, gain: float, blur: float) -> Numbers:
    """Draw the mark's levels at these distances from its middle, black -1 and white 1."""
    edges = np.array(RADII_MM) + gain * np.array([1, -1, 1, -1, 1])
    mark = levels_at(distances, edges)
    if blur:
        nearness = np.exp(-np.square(np.subtract.outer(distances, distances) / blur) / 2)
        mark = nearness @ mark / nearness.sum(axis=1)
    return np.asarray(mark, np.float32)
