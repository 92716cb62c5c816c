"""The axes along which pages are degraded, and how badly: each ends where a person no longer sees a sheet at 40 dpi.

The ends were set by eye, on the contact sheets that `--look` writes: of all the images at an axis's last severity one
can say that it is a sheet, and beyond it, where the axis goes on at all, of some one can't.

But for `scale`: it ends at 71 %, A3 made A4 or two pages on one, and by design. Smaller prints are still a sheet to a
person; the program doesn't look for marks smaller than that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from tests.benchmarks.reading import copying, handling, lighting, printing, scanning
from tests.benchmarks.reading.leaf import Harm, as_it_is


class Stage(IntEnum):
    """When it befalls a page; between these, hands write on it, and an ordinary scan is made of it."""

    PRINTED = 1
    HANDLED = 2
    SCANNED = 3


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """One way in which a page suffers."""

    name: str
    what: str
    """Ends the sentence "Severity is ...". """
    severities: Mapping[str, float]
    """From harmless to the end, by their labels. An image is drawn by its label, so that a new one changes no other."""
    harm: Harm
    stage: Stage = Stage.SCANNED


def _of(values: tuple[float, ...], unit: str) -> dict[str, float]:
    return {f"{value:g}{unit}": value for value in values}


def _percent(values: tuple[float, ...]) -> dict[str, float]:
    return {f"{value * 100:g}%": value for value in values}


AXES: tuple[Axis, ...] = (
    Axis("toner", "the share of the ink that is missing", _percent((0.2, 0.4, 0.55, 0.7, 0.8, 0.87)), printing.toner,
         Stage.PRINTED),
    Axis("streaks", "the share of the width that got no toner", _percent((0.1, 0.25, 0.4, 0.55, 0.7, 0.8)),
         printing.streaks, Stage.PRINTED),
    Axis("ink", "by how much all edges spread, or shrink",
         _of((0.15, -0.25, 0.25, -0.4, 0.4, -0.6, 0.6, -0.75, 0.75), " mm"), printing.ink, Stage.PRINTED),
    Axis("scale", "the size that it is printed at", _percent((0.95, 1.06, 0.9, 0.85, 0.77, 0.71)), printing.scale,
         Stage.PRINTED),
    Axis("stain", "how many codes a spill hides; 4 and more: and spills elsewhere", _of((1, 2, 3, 4, 6, 10), " spills"),
         handling.stain, Stage.HANDLED),
    Axis("note", "how many codes are covered by slips of paper", _of((1, 2, 3, 4, 6), " slips"), handling.note,
         Stage.HANDLED),
    Axis("pen", "strokes of a ball pen across each code", _of((2, 6, 15, 40, 90), " strokes"), handling.pen,
         Stage.HANDLED),
    Axis("marker", "strokes of a thick marker, codes first", _of((1, 3, 6, 10, 20), " strokes"), handling.marker,
         Stage.HANDLED),
    Axis("folds", "folds across, each worse than the last", _of((1, 2, 3, 4, 6), " folds"), handling.folds,
         Stage.HANDLED),
    Axis("dog-ear", "the side of a corner that is folded over", _of((30, 60, 90, 120), " mm"), handling.dog_ear,
         Stage.HANDLED),
    Axis("crumpled", "how far the paper is bent out of place", _of((0.4, 0.8, 1.5, 2.5, 4), " mm"), handling.crumpled,
         Stage.HANDLED),
    Axis("staple", "the side of the shadow in a stapled corner", _of((20, 40, 60, 90), " mm"), handling.staple,
         Stage.HANDLED),
    Axis("cut", "how much of one side is missing", _of((10, 25, 50, 80, 110, 140), " mm"), handling.cut,
         Stage.HANDLED),
    Axis("show-through", "the other side's share of contrast", _percent((0.1, 0.2, 0.35, 0.5, 0.7)),
         handling.show_through, Stage.HANDLED),
    Axis("skew", "degrees, either way", _of((1, 3, 7, 15, 30, 45), "°"), scanning.skew),
    Axis("turn", "how it lay in the feeder", _of((90, 180, 270), "°"), scanning.turn),
    Axis("perspective", "how far a telephone's picture is askew", _percent((0.03, 0.07, 0.12, 0.18, 0.25)),
         scanning.perspective),
    Axis("lid", "how crooked it lay under an open lid", _of((0, 4, 10, 20), "°"), scanning.lid),
    Axis("glass", "dark lines from dirt on the scanner's glass", _of((1, 4, 12, 30, 60), " lines"), scanning.glass),
    Axis("blur", "the deviation of a soft focus", _of((0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.3), " mm"), lighting.blur),
    Axis("jolt", "how far it moved while it was seen", _of((0.5, 1, 1.5, 2, 3), " mm"), lighting.jolt),
    Axis("noise", "the deviation of each pixel, in levels of 256", _of((15, 35, 60, 100, 160, 250), ""),
         lighting.noise),
    Axis("grain", "the same in grains of 0.4 mm", _of((15, 30, 50, 70, 100), ""), lighting.coarse),
    Axis("contrast", "the share of contrast that is left", _percent((0.6, 0.4, 0.25, 0.15, 0.1, 0.07)),
         lighting.contrast),
    Axis("dark", "the light that is left", _percent((0.7, 0.5, 0.3, 0.2, 0.12)), lighting.dark),
    Axis("uneven", "how much light is missing where there is least", _percent((0.3, 0.5, 0.7, 0.85)),
         lighting.uneven),
    Axis("glare", "the width of a lamp's glare", _of((40, 80, 120, 160), " mm"), lighting.glare),
    Axis("jpeg", "the quality", _of((50, 30, 20, 10, 5), ""), copying.jpeg),
    Axis("bilevel", "the threshold, as a share of the paper's level", _percent((0.8, 0.35, 0.9, 0.2, 0.96, 0.1, 0.99)),
         copying.bilevel),
    Axis("dithered", "the resolution of the dots", _of((300, 200, 150, 100), " dpi"), copying.dithered),
    Axis("dpi", "the resolution", _of((100, 150, 200, 400, 600), " dpi"), copying.resolution),
    Axis("fax", "fine or standard resolution, and the lines that were lost",
         {"fine": 0, "fine 3%": 0.03, "std": 1000, "std 3%": 1000.03, "std 10%": 1000.1},
         copying.fax),
    Axis("copies", "how often it was photocopied", _of((1, 2, 3, 5, 8), "x"), copying.photocopied),
    Axis("negative", "the share of contrast that is left of a negative", _percent((1, 0.5, 0.25)), copying.negative),
)  # fmt: skip
BY_NAME = {axis.name: axis for axis in AXES}
TOGETHER = Axis(
    "together", "how many of the others befall it, each in its milder half", _of((2, 3, 4), " harms"), as_it_is
)
"""Stands for others: `harms` draws which.

They don't know of each other. What seeks codes (a pen, a marker, a spill, a slip) aims after `scale` and `folds` at
where the codes were, and so misses some of them; after `cut` it knows of none: a pen then draws nothing, and the others
fall anywhere.
"""
EVERY = (*AXES, TOGETHER)
BY_NAME = {axis.name: axis for axis in EVERY}
_MILDER = 0.7
"""The share of an axis's severities that others may come together with: at all their ends nobody would see a sheet."""


def harms(axis: Axis, severity: str, rng: np.random.Generator) -> list[tuple[Axis, float]]:
    """Give what befalls a page, and how badly, in the order in which it does."""
    level = axis.severities[severity]
    if axis is not TOGETHER:
        return [(axis, level)]
    # One of the printer's and one of the scanner's at most: a page that is made pale twice is white.
    drawn: list[Axis] = []
    for place in rng.permutation(len(AXES)):
        stage = AXES[place].stage
        if len(drawn) < level and (stage is Stage.HANDLED or all(one.stage is not stage for one in drawn)):
            drawn.append(AXES[place])
    drawn.sort(key=lambda one: one.stage)
    return [(one, milder(one, rng)) for one in drawn]


def milder(axis: Axis, rng: np.random.Generator) -> float:
    """Draw one of an axis's milder severities."""
    values = list(axis.severities.values())
    return values[int(rng.integers(max(1, round(len(values) * _MILDER))))]
