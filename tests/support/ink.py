"""What people put on paper by hand: stamps, signatures, handwriting, ticks, scribbles and stains.

Everything is laid on a picture as ink is: it darkens and tints, and what was printed shows through.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from tests.support.typeset import WHITE, Picture, pixels, typeset

Cover = npt.NDArray[np.float32]
"""How much ink lies at each pixel, 0 to 1."""
Colour = tuple[int, int, int]

STAMP_BLUE: Colour = (58, 72, 168)
PEN_BLUE: Colour = (28, 44, 140)
PEN_BLACK: Colour = (32, 32, 38)
COFFEE: Colour = (150, 104, 58)


def lay(picture: Picture, cover: Cover, colour: Colour, top: int, left: int) -> None:
    """Lay ink on a page, in place, its upper left corner there; what falls off the page is cut off."""
    height, width = picture.shape[:2]
    above, before = max(0, -top), max(0, -left)
    cover = cover[above : above + height - max(0, top), before : before + width - max(0, left)]
    top, left = max(0, top), max(0, left)
    place = picture[top : top + cover.shape[0], left : left + cover.shape[1]]
    if picture.ndim == 2:
        luma = np.float32(0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2])
        place[...] = place * (1 - cover * (1 - luma / WHITE))
    else:
        tint = 1 - np.asarray(colour, np.float32) / WHITE
        place[...] = place * (1 - cover[:, :, np.newaxis] * tint)


def stamp(rng: np.random.Generator, dpi: int, text: str, middle: str) -> Cover:
    """Give an imprint of a round stamp of 38 mm: text around the edge, a code in the middle, unevenly inked."""
    imprint = _stamp(dpi, text, middle)
    turned = Image.fromarray(imprint).rotate(float(rng.uniform(-35, 35)), Image.Resampling.BILINEAR, fillcolor=WHITE)
    ink = 1 - np.asarray(turned, np.float32) / WHITE
    return np.asarray(ink * _uneven(rng, ink.shape, 0.35, 0.95), np.float32)


@lru_cache(maxsize=16)
def _stamp(dpi: int, text: str, middle: str) -> Picture:
    letters = "".join(
        f"#place(center + horizon, rotate({place * 352 / len(text) - 176:.2f}deg, box(height: 31mm, align(top, "
        f'text(8.4pt, weight: "bold")[{letter if letter != " " else "~"}]))))\n'
        for place, letter in enumerate(text)
    )
    source = f"""#set page(margin: 1mm)
#place(center + horizon, circle(radius: 18mm, stroke: 1.6pt))
#place(center + horizon, circle(radius: 16.6mm, stroke: 0.6pt))
#place(center + horizon, circle(radius: 11.2mm, stroke: 0.8pt))
{letters}
#place(center + horizon, align(center, par(leading: 0.35em, text(8pt, weight: "bold")[{middle}])))
"""
    return typeset(source, dpi, (38.0, 38.0))


def signature(rng: np.random.Generator, dpi: int, width_mm: float = 34.0, height_mm: float = 13.0) -> Cover:
    """Give a signature: one looping stroke of a ball pen, and a line under it now and then."""
    beats = int(rng.integers(5, 9))
    along = np.linspace(0, 1, 240)
    amplitude = np.interp(along, np.linspace(0, 1, beats), rng.uniform(0.15, 1, beats))
    phase = 2 * math.pi * beats * along + rng.uniform(0, math.pi)
    x = 0.06 + 0.82 * along + 0.055 * np.cos(phase) * amplitude
    y = 0.5 - 0.36 * np.sin(phase) * amplitude * (1.1 - 0.6 * along)
    strokes = [np.stack([x, y], axis=1)]
    if rng.random() < 0.6:
        strokes.append(np.array([[0.1, 0.86], [0.5, 0.8], [0.97, 0.74 + 0.1 * rng.random()]]))
    return strokes_of_pen(strokes, (width_mm, height_mm), dpi, 0.45)


def strokes_of_pen(
    strokes: Iterable[npt.NDArray[np.float64]], size_mm: tuple[float, float], dpi: int, pen_mm: float
) -> Cover:
    """Give strokes as ink: each an array of (x, y) in fractions of the size."""
    fine = 3
    width, height = (fine * pixels(side, dpi) for side in size_mm)
    sheet = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(sheet)
    pen = max(2, round(fine * pen_mm * dpi / 25.4))
    for stroke in strokes:
        points = [(float(x * width), float(y * height)) for x, y in stroke]
        draw.line(points, fill=WHITE, width=pen, joint="curve")
    return np.asarray(sheet.reduce(fine), np.float32) / np.float32(WHITE)


def handwriting(rng: np.random.Generator, dpi: int, text: str, size_mm: tuple[float, float], points: int) -> Cover:
    """Give text as if written by hand: letters of uneven height on a wandering line. Lines are parted by newlines."""
    source = f"""#set page(margin: 3mm)
#set text(font: "Libertinus Serif", style: "italic", {points}pt, tracking: -0.2pt, lang: "uk", hyphenate: false)
#set par(leading: 0.62em)
{_escaped(text)}
"""
    written = Image.fromarray(np.array(typeset(source, dpi, size_mm)))
    width, height = written.size
    step = max(8, pixels(4.0, dpi))
    # Each small piece of the line moves and slants by itself, continuously: the eye reads that as a hand.
    columns = np.arange(0, width + step, step)
    rows = np.arange(0, height + step, step)
    dx = rng.normal(0, 0.28, (len(rows), len(columns))) * dpi / 25.4
    dy = rng.normal(0, 0.42, (len(rows), len(columns))) * dpi / 25.4
    dy += np.cumsum(rng.normal(0, 0.1, len(columns))) * dpi / 25.4
    mesh = []
    for row in range(len(rows) - 1):
        for column in range(len(columns) - 1):
            corners = ((row, column), (row + 1, column), (row + 1, column + 1), (row, column + 1))
            quad = [
                float(part) for r, c in corners for part in (columns[c] + dx[r, c], rows[r] + dy[r, c])
            ]  # upper left, lower left, lower right, upper right
            box = (int(columns[column]), int(rows[row]), int(columns[column + 1]), int(rows[row + 1]))
            mesh.append((box, tuple(quad)))
    bent = written.transform(written.size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR, fillcolor=WHITE)
    ink = 1 - np.asarray(bent, np.float32) / WHITE
    return np.asarray(np.minimum(ink * 1.25, 1) * _uneven(rng, ink.shape, 0.75, 1.0), np.float32)


def scribble(rng: np.random.Generator, dpi: int, size_mm: tuple[float, float]) -> Cover:
    """Give what a pen leaves that tries to make something unreadable: a dense tangle over the whole place."""
    along = np.linspace(0, 1, 46)
    zigzag = [
        np.stack([along, np.where(np.arange(46) % 2, 0.02, 0.98) + rng.normal(0, 0.02, 46)], axis=1),
        np.stack([np.where(np.arange(46) % 2, 0.02, 0.98) + rng.normal(0, 0.02, 46), along], axis=1),
        rng.uniform(0, 1, (60, 2)),
    ]
    return strokes_of_pen(zigzag, size_mm, dpi, 1.1)


def stain(rng: np.random.Generator, dpi: int, size_mm: tuple[float, float], strength: float) -> Cover:
    """Give a spill with an uneven border, darker at its rim; strength 1 hides what lies under it."""
    height, width = pixels(size_mm[1], dpi), pixels(size_mm[0], dpi)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    angle = np.arctan2(y, x)
    border = 0.84 + sum(rng.uniform(0.01, 0.05) * np.sin(k * angle + rng.uniform(0, 6)) for k in range(2, 6))
    distance = np.hypot(x, y) / border
    rim = np.exp(-(((distance - 0.95) / 0.05) ** 2))
    inside = 1 / (1 + np.exp((distance - 1) * 60))
    return np.asarray(np.clip(inside * (strength * 0.85 + 0.25 * rim), 0, 1), np.float32)


def _uneven(rng: np.random.Generator, shape: tuple[int, ...], least: float, most: float) -> Cover:
    coarse = rng.uniform(least, most, (7, 7)).astype(np.float32)
    even = Image.fromarray(coarse).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(even, np.float32), 0, 1)


def _escaped(text: str) -> str:
    return "".join("\\" + character if character in "#$*_`<>@=-+/[]\\~" else character for character in text).replace(
        "\n", " \\\n"
    )
