"""Papers on which nobody wrote anything, and what still lies on them: dust, holes, staples, folds, shadows, the back.

And, for the other side of that question, the least that somebody does write on a paper.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tests.support import ink
from tests.support.meter_photos import meter_photo
from tests.support.papers import paper
from tests.support.scanner import Encoding, Scanning, scan, show_through
from tests.support.typeset import A4, A5, Picture, grey, pixels

Leave = Callable[[Picture, np.random.Generator, int], None]
"""Puts something on a page, in place; the number is dpi."""

PENCIL: ink.Colour = (120, 120, 124)
"""A soft pencil: half of black."""


def bare_paper(rng: np.random.Generator, dpi: int) -> Picture:
    """Give a grey picture of an empty paper, A4 or A5, of any tone, unevenly lit."""
    width_mm, height_mm = A4 if rng.random() < 0.3 else A5
    height, width = pixels(height_mm, dpi), pixels(width_mm, dpi)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    slant_x, slant_y, vault = rng.uniform(-0.06, 0.06, 3)
    light = 1 + slant_x * x + slant_y * y + vault * (x * x + y * y) / 2
    return np.asarray(np.clip(rng.uniform(170, 252) * light / light.max(), 0, 255), np.uint8)


def with_leftovers(page: Picture, rng: np.random.Generator, dpi: int) -> Picture:
    """Give the paper with a few of the things that lie on it though nobody wrote them."""
    page = page.copy()
    for leave in rng.permutation(np.array(LEFTOVERS, dtype=object))[: int(rng.integers(0, 4))]:
        leave(page, rng, dpi)
    return page


def scanned(page: Picture, rng: np.random.Generator, dpi: int) -> Picture:
    """Scan it in grey as a feeder does, carelessly now and then."""
    how = Scanning(
        encoding=Encoding.JPEG,
        quality=int(rng.integers(40, 92)),
        skew=float(rng.uniform(-2, 2)) if rng.random() < 0.4 else 0.0,
        noise=float(rng.uniform(0, 8)),
        edge_shadow=float(rng.uniform(0, 0.6)) if rng.random() < 0.4 else 0.0,
        grime=float(rng.uniform(0, 0.0004)) if rng.random() < 0.3 else 0.0,
    )
    return grey(scan(page, dpi, how, rng).picture())


def _dust(page: Picture, rng: np.random.Generator, dpi: int) -> None:
    for _ in range(int(rng.integers(1, 60))):
        _disc(page, rng, dpi, rng.uniform(0.05, 0.3), int(rng.integers(20, 180)))


def _holes(page: Picture, rng: np.random.Generator, dpi: int) -> None:
    x = rng.uniform(8, 14)
    for down in (-40, 40):
        middle = page.shape[0] / dpi * 25.4 / 2 + down
        _disc(page, rng, dpi, rng.uniform(2.6, 3.4), int(rng.integers(0, 140)), (x, middle))


def _staple(page: Picture, rng: np.random.Generator, dpi: int) -> None:
    x, y, turn = rng.uniform(8, 18), rng.uniform(8, 18), rng.uniform(0, np.pi)
    reach = rng.uniform(4.6, 6)
    ends = [(x + side * reach * np.cos(turn), y + side * reach * np.sin(turn)) for side in (-1, 1)]
    _lines(page, [ends], 0.5, int(rng.integers(40, 150)), dpi)


def _fold(page: Picture, rng: np.random.Generator, dpi: int) -> None:
    height, width = (length / dpi * 25.4 for length in page.shape)
    crook = rng.uniform(-1, 1)
    if rng.random() < 0.5:
        y = height * rng.uniform(0.3, 0.7)
        ends = [(0.0, y - crook), (width, y + crook)]
    else:
        x = width * rng.uniform(0.3, 0.7)
        ends = [(x - crook, 0.0), (x + crook, height)]
    _lines(page, [ends], rng.uniform(0.2, 0.5), int(page.mean() * rng.uniform(0.78, 0.95)), dpi)


def _black_edge(page: Picture, rng: np.random.Generator, dpi: int) -> None:
    height, width = (length / dpi * 25.4 for length in page.shape)
    near, far = rng.uniform(0, 9, 2)
    wedge = [(0.0, 0.0), (near, 0.0), (far, height), (0.0, height)]
    if rng.random() < 0.5:
        wedge = [(width - x, y) for x, y in wedge]
    scale = dpi / 25.4
    _drawn(page, lambda draw: draw.polygon([(x * scale, y * scale) for x, y in wedge], fill=int(rng.integers(0, 70))))


def _paper_edge(page: Picture, rng: np.random.Generator, dpi: int) -> None:
    width = page.shape[1] / dpi * 25.4
    x, crook = rng.uniform(3, 8), rng.uniform(-3, 3)
    ends = [(max(0.0, x - crook), 0.0), (max(0.0, x + crook), page.shape[0] / dpi * 25.4)]
    if rng.random() < 0.5:
        ends = [(width - x, y) for x, y in ends]
    _lines(page, [ends], 0.4, int(rng.integers(60, 190)), dpi)


def _other_side(page: Picture, rng: np.random.Generator, dpi: int) -> None:
    kind = str(rng.choice(["CERT", "PASSPORT", "BILL", "APPLICATION"]))
    front = paper(kind, 0, rng, dpi)[: page.shape[0], : page.shape[1]]
    through = show_through(front, float(rng.uniform(0.05, 0.12)))
    place = page[: front.shape[0], : front.shape[1]]
    place[...] = (place.astype(np.uint16) * through // 255).astype(np.uint8)


LEFTOVERS: tuple[Leave, ...] = (
    _dust, _holes, _staple, _fold, _black_edge, _paper_edge, _other_side,
)  # fmt: skip


def pale_stamp(page: Picture, rng: np.random.Generator, dpi: int) -> None:
    """Press a stamp on it whose pad has hardly any ink left: a quarter of black where it is darkest."""
    cover = ink.stamp(rng, dpi, "КИЇВВОДОКАНАЛ  ОБЛІК ВОДИ  ", "17")
    cover *= np.float32(0.25 / 0.67) / max(np.float32(0.1), cover.max())
    ink.lay(page, cover, ink.STAMP_BLUE, *_somewhere(page, cover.shape, rng))


def pencil_signature(page: Picture, rng: np.random.Generator, dpi: int) -> None:
    """Sign it in pencil."""
    cover = ink.signature(rng, dpi)
    ink.lay(page, cover, PENCIL, *_somewhere(page, cover.shape, rng))


def pencil_line(page: Picture, rng: np.random.Generator, dpi: int) -> None:
    """Write a few words by hand, in pencil."""
    words = str(rng.choice(["вул. Садова, 7", "повірено", "кв. 15", "див. на звороті", "0443211234"]))
    cover = ink.handwriting(rng, dpi, words, (80, 18), int(rng.integers(14, 22)))
    ink.lay(page, cover, PENCIL, *_somewhere(page, cover.shape, rng))


def small_number(page: Picture, rng: np.random.Generator, dpi: int) -> None:
    """Print a small number on it, of 7 to 11 points."""
    font = ImageFont.load_default(size=rng.uniform(7, 11) / 72 * dpi)
    y, x = _somewhere(page, (pixels(4, dpi), pixels(8, dpi)), rng)
    number = str(rng.integers(10, 1000))
    _drawn(page, lambda draw: draw.text((x, y), number, fill=int(rng.integers(0, 90)), font=font))


def pen_tick(page: Picture, rng: np.random.Generator, dpi: int) -> None:
    """Tick something: 5 mm and more."""
    y, x = (length / dpi * 25.4 for length in _somewhere(page, (pixels(10, dpi), pixels(10, dpi)), rng))
    size = rng.uniform(5, 9)
    strokes = [[(x, y + size / 2), (x + size / 3, y + size)], [(x + size / 3, y + size), (x + size, y)]]
    _lines(page, strokes, 0.4, int(rng.integers(30, 100)), dpi)


def photo(page: Picture, rng: np.random.Generator, _dpi: int) -> None:
    """Print a photo on it: over all of it or a part, as it was taken, too dark, too bright, or washed out."""
    whole = rng.random() < 0.5
    height, width = page.shape if whole else (int(page.shape[0] * 0.4), int(page.shape[1] * 0.6))
    small = grey(meter_photo(rng, max(200, width // 2), max(200, height // 2)))
    taken = np.asarray(Image.fromarray(small).resize((width, height)), np.float32)
    least, most = ((0, 255), (0, 110), (120, 255), (150, 225), (185, 255))[int(rng.integers(5))]
    y, x = (0, 0) if whole else _somewhere(page, (height, width), rng)
    page[y : y + height, x : x + width] = least + taken / 255 * (most - least)


CONTENT: tuple[Leave, ...] = (
    pale_stamp, pencil_signature, pencil_line, small_number, pen_tick, photo,
)  # fmt: skip


def _somewhere(page: Picture, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[int, int]:
    """Choose a place for something of this shape, 8 % of the page from its edges where it is small enough."""
    room = [max(1, whole - part) for whole, part in zip(page.shape, shape, strict=True)]
    top, left = (int(space * rng.uniform(0.08, 0.92)) for space in room)
    return top, left


def _disc(
    page: Picture,
    rng: np.random.Generator,
    dpi: int,
    radius_mm: float,
    level: int,
    place_mm: tuple[float, float] | None = None,
) -> None:
    scale = dpi / 25.4
    x, y = np.multiply(place_mm, scale) if place_mm else rng.uniform((0, 0), page.shape[::-1])
    radius = radius_mm * scale
    _drawn(page, lambda draw: draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=level))


def _lines(page: Picture, lines: list[list[tuple[float, float]]], breadth_mm: float, level: int, dpi: int) -> None:
    """Draw lines, twice as large and reduced, so that thin ones are paler rather than thicker."""
    scale = dpi / 25.4 * 2
    height, width = page.shape
    cover = Image.new("L", (width * 2, height * 2), 0)
    draw = ImageDraw.Draw(cover)
    for line in lines:
        draw.line([(x * scale, y * scale) for x, y in line], fill=255, width=max(1, round(breadth_mm * scale)))
    share = np.asarray(cover.reduce(2), np.float32) / 255
    page[...] = page * (1 - share) + np.minimum(level, page) * share


def _drawn(page: Picture, draw: Callable[[ImageDraw.ImageDraw], object]) -> None:
    image = Image.fromarray(page)
    draw(ImageDraw.Draw(image))
    page[...] = np.asarray(image)
