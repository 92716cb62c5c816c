"""What people do to a sheet between printer and scanner."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from tests.benchmarks.reading import sheets
from tests.benchmarks.reading.leaf import DPI, Field, Leaf, Place, clouds
from tests.support import ink, papers
from tests.support.typeset import WHITE, Picture

_CODES = 3
_SHADE_MM = 40
"""Nothing is seen of a fold's shade further away."""
_SOOT: ink.Colour = (0, 0, 0)


def stain(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Spill something over so many codes; what is more than there are codes falls anywhere."""
    page = leaf.pixels.copy()
    targets = [_grown(place, rng.uniform(1.0, 1.5)) for place in _in_chance_order(leaf, rng)[: int(level)]]
    targets += [_anywhere(rng, 0.3) for _ in range(int(level) - len(targets))]
    for left, top, right, bottom in targets:
        size = ((right - left) * page.shape[1], (bottom - top) * page.shape[0])
        size_mm = tuple(max(side, leaf.mm(25)) / leaf.dpi[0] * 25.4 for side in size)
        cover = ink.stain(rng, round(leaf.dpi[0]), (size_mm[0], size_mm[1]), float(rng.uniform(0.75, 1.3)))
        middle = (top + bottom) / 2 * page.shape[0], (left + right) / 2 * page.shape[1]
        at = round(middle[0] - cover.shape[0] / 2), round(middle[1] - cover.shape[1] / 2)
        ink.lay(page, cover, _SOOT if rng.random() < 0.6 else ink.COFFEE, *at)
    return leaf.drawn(page)


def note(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Stick slips of paper over so many codes, written on; the fourth lies anywhere."""
    page = leaf.pixels.copy()
    targets = [_grown(place, 1.15) for place in _in_chance_order(leaf, rng)[: int(level)]]
    targets += [_anywhere(rng, 0.25) for _ in range(int(level) - len(targets))]
    for place in targets:
        left, top, right, bottom = _on(place, page)
        slip = np.full((bottom - top, right - left), int(rng.integers(200, 250)), np.uint8)
        if min(slip.shape) > leaf.mm(12):
            size = [side / leaf.dpi[0] * 25.4 for side in slip.shape]
            written = ink.signature(rng, round(leaf.dpi[0]), size[1], size[0])
            ink.lay(slip, written, ink.PEN_BLUE, 0, 0)
        slip[-3:], slip[:, -3:] = 120, 150
        page[top:bottom, left:right] = slip[: page.shape[0] - top, : page.shape[1] - left]
    return leaf.drawn(page)


def pen(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Draw so many strokes of a ball pen across each code."""
    image = Image.fromarray(leaf.pixels.copy())
    draw = ImageDraw.Draw(image)
    for place in leaf.codes:
        for _ in range(int(level)):
            ends = [(x * image.width, y * image.height) for x, y in _within(_grown(place, 1.3), rng, 2)]
            draw.line(ends, fill=int(rng.integers(20, 110)), width=leaf.mm(float(rng.uniform(0.4, 1.1))))
    return leaf.drawn(np.asarray(image))


def marker(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Draw so many strokes of a thick black marker: one across each code, the rest anywhere."""
    image = Image.fromarray(leaf.pixels.copy())
    draw = ImageDraw.Draw(image)
    places = _in_chance_order(leaf, rng)[: int(level)]
    places += [_anywhere(rng, 0.6) for _ in range(int(level) - len(places))]
    for place in places:
        ends = [(x * image.width, y * image.height) for x, y in _within(_grown(place, 1.2), rng, 3)]
        draw.line(ends, fill=int(rng.integers(0, 60)), width=leaf.mm(float(rng.uniform(3, 7))), joint="curve")
    return leaf.drawn(np.asarray(image))


def folds(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Fold it so often: the toner cracks off along each fold, one side of it lies in shade, paper is out of sight."""
    page = leaf.pixels.astype(np.float32)
    worst = level / 6
    for _ in range(int(level)):
        page = np.ascontiguousarray(page.T)
        height = page.shape[0]
        at = int(height * rng.uniform(0.03, 0.97))
        first = max(0, at - leaf.mm(6))
        strip = page[first : at + leaf.mm(_SHADE_MM)]
        below = np.arange(first, first + len(strip), dtype=np.float32)[:, np.newaxis] - at
        below = below - np.linspace(-1, 1, page.shape[1], dtype=np.float32) * leaf.mm(float(rng.uniform(-3, 3)))
        crack = np.abs(below) < leaf.mm(0.15 + 1.6 * worst * float(rng.random()))
        strip[crack] = WHITE - (WHITE - strip[crack]) * (1 - 0.8 * min(1, worst + 0.4))
        strip *= 1 - (0.1 + 0.5 * worst) * np.exp(-np.maximum(below, 0) / leaf.mm(4)) * (below >= 0)
        lost = leaf.mm(2.5 * worst * float(rng.random()))
        page = np.concatenate([page[:at], page[at + lost :], np.full((lost, page.shape[1]), 250, np.float32)])
    return leaf.drawn(page if int(level) % 2 == 0 else np.ascontiguousarray(page.T))


def dog_ear(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Fold a corner over, by so much along both its sides: its white back covers as much again."""
    turns = int(rng.integers(4))
    page = np.rot90(leaf.pixels, turns).copy()
    along, down = leaf.mm(level * float(rng.uniform(0.8, 1.2))), leaf.mm(level * float(rng.uniform(0.8, 1.2)))
    y, x = np.mgrid[: min(page.shape[0], 2 * down), : min(page.shape[1], 2 * along)].astype(np.float32)
    distance = (x / along + y / down - 1) / np.hypot(1 / along, 1 / down)
    foot = _mirrored_reach(x, y, along, down, distance)
    corner = page[: x.shape[0], : x.shape[1]]
    corner[foot] = 238
    corner[foot & (distance < leaf.mm(1))] = 190
    edge = (~foot) & (distance > 0) & np.roll(foot, leaf.mm(1), axis=(0, 1))[...]
    corner[edge] = corner[edge] * 0.75
    corner[distance < 0] = int(rng.choice([20, 250]))
    return leaf.drawn(np.rot90(page, -turns))


def crumpled(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Crumple and smooth it: places are off by so many millimetres, and its slopes lie in shade."""
    image = Image.fromarray(leaf.pixels)
    cell = leaf.mm(18)
    columns, rows = -(-image.width // cell) + 1, -(-image.height // cell) + 1
    off = rng.uniform(-1, 1, (rows, columns, 2)) * level / 2 * leaf.dpi[0] / 25.4
    mesh = []
    for row in range(rows - 1):
        for column in range(columns - 1):
            corners = ((row, column), (row + 1, column), (row + 1, column + 1), (row, column + 1))
            quad = [float(v) for r, c in corners for v in (c * cell + off[r, c, 0], r * cell + off[r, c, 1])]
            mesh.append(((column * cell, row * cell, (column + 1) * cell, (row + 1) * cell), tuple(quad)))
    bent = image.transform(image.size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR, fillcolor=245)
    slopes = np.gradient(clouds(rng, leaf.pixels.shape, cell * 1.3), axis=1) * cell * 1.3
    shade = 1 - np.clip(slopes * (0.12 + 0.12 * level), -0.05, 0.55)
    return leaf.drawn(np.asarray(bent, np.float32) * shade)


def staple(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Leave a staple in a corner, and the shadow of the corner that didn't lie flat."""
    turns = int(rng.integers(4))
    page = np.rot90(leaf.pixels, turns).astype(np.float32)
    side = leaf.mm(level)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    depth = 1 - (x * float(rng.uniform(0.7, 1.3)) + y) / side
    page[:side, :side] *= 1 - np.clip(depth * 2.5, 0, 1) * rng.uniform(0.3, 0.75)
    at = leaf.mm(float(rng.uniform(7, 16)))
    drawn = Image.fromarray(np.clip(page, 0, WHITE).astype(np.uint8))
    half = leaf.mm(6) * 0.7
    ImageDraw.Draw(drawn).line([(at - half, at + half), (at + half, at - half)], fill=60, width=leaf.mm(0.6))
    return leaf.drawn(np.rot90(np.asarray(drawn), -turns))


def cut(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Tear or cut so much off one side; the scan ends there, or shows what lay under it."""
    turns = int(rng.integers(4))
    page = np.rot90(leaf.pixels, turns)
    lost = leaf.mm(level)
    if rng.random() < 0.4:
        rest = page[:, lost:]
    else:
        rough = leaf.mm(4) if rng.random() < 0.6 else 0
        border = lost + (clouds(rng, (page.shape[0], 2), leaf.mm(6))[:, :1] - 0.5) * rough
        rest = np.where(np.arange(page.shape[1]) < border, np.uint8(rng.choice([10, 252])), page)
    return replace(leaf.drawn(np.ascontiguousarray(np.rot90(rest, -turns))), codes=())


def show_through(leaf: Leaf, level: float, rng: np.random.Generator) -> Leaf:
    """Print its other side too, with a paper or another sheet, and have that shine through at this share."""
    if rng.random() < 0.4:
        other = sheets.picture(int(rng.integers(sheets.COUNT)), DPI)
    else:
        other = _other_side(int(rng.integers(6)))
    height, width = leaf.pixels.shape
    behind = Image.fromarray(np.ascontiguousarray(other[:, ::-1])).resize((width, height))
    soft = np.asarray(behind.filter(ImageFilter.GaussianBlur(2)), np.float32)
    return leaf.drawn(leaf.pixels * (1 - level * (1 - soft / WHITE)))


@lru_cache(maxsize=6)
def _other_side(which: int) -> Picture:
    kinds = ("APPLICATION", "WORKS", "PROTOCOL", "DISMANTLE", "UNFIT", "BILL")
    return papers.paper(kinds[which], which, np.random.default_rng(which), DPI)


def _mirrored_reach(x: Field, y: Field, along: int, down: int, distance: Field) -> np.ndarray:
    """Tell which pixels the folded corner covers: their mirror images in the fold lie in the corner."""
    length = np.hypot(1 / along, 1 / down)
    right, below = 1 / along / length, 1 / down / length
    there_x, there_y = x - 2 * distance * right, y - 2 * distance * below
    covered: np.ndarray = (distance > 0) & (there_x > 0) & (there_y > 0)
    return covered


def _in_chance_order(leaf: Leaf, rng: np.random.Generator) -> list[Place]:
    return [leaf.codes[place] for place in rng.permutation(len(leaf.codes))]


def _grown(place: Place, factor: float) -> Place:
    left, top, right, bottom = place
    across, down = (right - left) * (factor - 1) / 2, (bottom - top) * (factor - 1) / 2
    return left - across, top - down, right + across, bottom + down


def _anywhere(rng: np.random.Generator, size: float) -> Place:
    left, top = rng.uniform(0, 1 - size, 2)
    return float(left), float(top), float(left) + size, float(top) + size * 0.7


def _on(place: Place, page: Picture) -> tuple[int, int, int, int]:
    height, width = page.shape
    left, top, right, bottom = place
    return max(0, round(left * width)), max(0, round(top * height)), round(right * width), round(bottom * height)


def _within(place: Place, rng: np.random.Generator, count: int) -> list[tuple[float, float]]:
    """Draw points of a stroke across a place: from one side of it to the other."""
    left, top, right, bottom = place
    if rng.random() < 0.5:
        xs, ys = np.linspace(left, right, count), rng.uniform(top, bottom, count)
    else:
        xs, ys = rng.uniform(left, right, count), np.linspace(top, bottom, count)
    return [(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]
