"""Image number N of an axis and severity: a sheet, drawn, degraded and stored. The same number is the same image."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from skrynka.core.model import RoutingCode
from tests.benchmarks.reading import plain_pages, sheets
from tests.benchmarks.reading.axes import AXES, BY_NAME, Axis, Stage, harms, milder
from tests.benchmarks.reading.copying import resampled
from tests.benchmarks.reading.leaf import DPI, Leaf, lit
from tests.benchmarks.reading.scanning import skewed
from tests.support import ink
from tests.support.scanner import EncodedPage
from tests.support.typeset import pixels

_WRITTEN = ("вул. Прирічна, 27-А, кв. 118", "просп. Володимира Івасюка, 4, кв. 9", "бульв. Лесі Українки, 15, кв. 40")
NO_SHEET = "no-sheet"
"""Stands for an axis: pages without a sheet, and what is drawn on them for a severity."""
PLAIN_KINDS = plain_pages.kinds()
_SUFFER, _TWICE = 0.6, 0.25
"""The share of pages without a sheet that are degraded, and of these those that are twice."""
_CROOKED = 0.5
"""The share of pages that a feeder doesn't hold straight."""
_ANY = [axis for axis in AXES if axis.name != "show-through"]
"""Not with a sheet's back: that is a kind of its own."""


@dataclass(frozen=True, slots=True)
class Key:
    """Names one image."""

    axis: str
    severity: str
    number: int
    seed: int

    def __str__(self) -> str:
        """Give the name that `--image` takes."""
        return f"{self.axis}/{self.severity}/{self.number}"

    @property
    def rng(self) -> np.random.Generator:
        """Give the image's own chance, which no other image's has any part in."""
        return np.random.default_rng([self.seed, self.number, *map(_number, (self.axis, self.severity))])


@dataclass(frozen=True, slots=True)
class Image:
    """What is put before the readers."""

    page: EncodedPage
    leaf: Leaf
    """The same before it was stored."""
    code: RoutingCode | None
    """What the sheet says that it is, or whose back it is; None: it is neither."""
    is_sheet: bool
    texts: frozenset[str] | None
    """What codes on it say: anything else that is read isn't there. None: nobody knows."""


def sheet_image(key: Key) -> Image:
    """Draw a sheet and degrade it."""
    rng = key.rng
    axis = BY_NAME[key.axis]
    suffered = harms(axis, key.severity, rng)
    sheet = int(rng.integers(sheets.COUNT))
    fine = max([DPI, *(level for one, level in suffered if one.name == "dpi")])
    picture = sheets.picture(sheet, round(fine))
    leaf = Leaf(picture, (fine, fine), codes=sheets.places(sheet))
    code = sheets.codes()[sheet]
    leaf = degraded(leaf, suffered, rng, by_hand=code.kind.value in "BC")
    return Image(leaf.encoded(), leaf, code, is_sheet=True, texts=sheets.texts(code))


def plain_image(key: Key) -> Image:
    """Draw a page that is no sheet; most have suffered something too, and were scanned at any resolution."""
    rng = key.rng
    plain = PLAIN_KINDS[key.severity](rng)
    leaf = Leaf(plain.picture)
    suffered: list[tuple[Axis, float]] = []
    if plain.back_of is None and rng.random() < _SUFFER:
        suffered = [
            (axis, milder(axis, rng)) for axis in rng.choice(np.array(_ANY, object), 1 + (rng.random() < _TWICE))
        ]
        suffered.sort(key=lambda one: one[0].stage)
    if all(axis.name not in {"dpi", "fax", "dithered"} for axis, _ in suffered):
        dpi = float(rng.choice([300, 300, 200, 150]))
        leaf = degraded(leaf, suffered, rng)
        leaf = leaf if dpi == DPI else resampled(leaf, (dpi, dpi))
    else:
        leaf = degraded(leaf, suffered, rng)
    return Image(leaf.encoded(), leaf, plain.back_of, is_sheet=False, texts=plain.texts)


def image_of(key: Key) -> Image:
    """Draw any image."""
    return plain_image(key) if key.axis == NO_SHEET else sheet_image(key)


def degraded(
    leaf: Leaf, suffered: Sequence[tuple[Axis, float]], rng: np.random.Generator, *, by_hand: bool = False
) -> Leaf:
    """Have a page printed, written on, handled and scanned, with what befalls it on the way."""
    for stage in Stage:
        if stage is Stage.HANDLED and by_hand and rng.random() < 0.5:
            leaf = _written_on(leaf, rng)
        if stage is Stage.SCANNED:
            leaf = _scanned(leaf, rng)
        for axis, level in suffered:
            if axis.stage is stage:
                leaf = axis.harm(leaf, level, rng)
    return leaf


def _written_on(leaf: Leaf, rng: np.random.Generator) -> Leaf:
    page = leaf.pixels.copy()
    dpi = round(leaf.dpi[0])
    written = ink.handwriting(rng, dpi, _WRITTEN[int(rng.integers(len(_WRITTEN)))], (170, 26), 20)
    ink.lay(page, written, ink.PEN_BLUE, pixels(float(rng.uniform(105, 130)), dpi), pixels(18, dpi))
    return leaf.drawn(page)


def _scanned(leaf: Leaf, rng: np.random.Generator) -> Leaf:
    """Scan it as a fair scanner does, by ordinary hands: not quite straight, a little noise, paper not quite white."""
    crooked = skewed(leaf, float(rng.normal(0, 0.8))) if rng.random() < _CROOKED else leaf
    light, noise = rng.uniform(0.92, 1.0), rng.uniform(1, 5)
    return replace(crooked, pixels=lit(crooked.pixels, rng, noise, light), quality=int(rng.integers(65, 90)))


def _number(name: str) -> int:
    return zlib.crc32(name.encode())
