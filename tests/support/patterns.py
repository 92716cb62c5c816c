"""Pages full of bars that aren't our mark: fences, radiators, louvers, flags, hatching, frames, tables, barcodes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import zxingcpp
from PIL import Image, ImageDraw, ImageFilter

from tests.support.meter_photos import meter_photo
from tests.support.typeset import A4, WHITE, Picture, grey, pixels

Pattern = Callable[[np.random.Generator, int], Picture]


def stripes(rng: np.random.Generator, dpi: int) -> Picture:
    """Draw a fence, a flag or hatching: parallel bars, alike or of a few widths, at any angle, dark or pale."""
    widths = rng.uniform(0.8, 6.0, int(rng.integers(1, 4)) * 2)
    return _barred(widths, rng, dpi)


def random_bars(rng: np.random.Generator, dpi: int) -> Picture:
    """Draw bars of one, two and three units of 2 mm in chance order, over the whole page."""
    widths = rng.integers(1, 4, 40) * rng.uniform(1.6, 2.3)
    return _barred(widths, rng, dpi)


def radiator(rng: np.random.Generator, dpi: int) -> Picture:
    """Draw a photo of a radiator or louver: rounded ribs with soft shadows, lit from one side."""
    height, width = _size(dpi)
    x = np.arange(width) / dpi * 25.4
    rib = rng.uniform(3, 14)
    phase = (x / rib) % 1
    profile = np.sin(np.pi * phase) ** rng.uniform(0.3, 3) * rng.uniform(60, 200) + rng.uniform(10, 60)
    profile[phase < rng.uniform(0, 0.4)] *= rng.uniform(0.1, 0.8)
    light = np.linspace(rng.uniform(0.6, 1), rng.uniform(0.6, 1), height)[:, np.newaxis]
    picture = Image.fromarray(np.clip(profile * light, 0, WHITE).astype(np.uint8))
    return np.asarray(picture.rotate(float(rng.uniform(-90, 90)), Image.Resampling.BILINEAR, fillcolor=128))


def framed_form(rng: np.random.Generator, dpi: int) -> Picture:
    """Draw a form or table with thick frames and rules at uneven distances, some of them double."""
    page = Image.new("L", _size(dpi)[::-1], WHITE)
    draw = ImageDraw.Draw(page)
    scale = dpi / 25.4
    for _ in range(int(rng.integers(1, 4))):
        left, top = rng.uniform(8, 40, 2)
        right, bottom = rng.uniform(140, 200), rng.uniform(120, 285)
        draw.rectangle([v * scale for v in (left, top, right, bottom)], outline=0, width=_pen(rng, scale))
    y = rng.uniform(10, 30)
    while y < 280:
        draw.line([(20 * scale, y * scale), (190 * scale, y * scale)], fill=0, width=_pen(rng, scale))
        y += rng.choice([2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0]) * rng.uniform(0.9, 1.1)
    x = 20.0
    while x < 190:
        draw.line([(x * scale, 20 * scale), (x * scale, 280 * scale)], fill=0, width=_pen(rng, scale))
        x += rng.uniform(4, 40)
    return np.asarray(page.rotate(float(rng.uniform(-4, 4)), Image.Resampling.BILINEAR, fillcolor=WHITE))


def large_barcode(rng: np.random.Generator, dpi: int) -> Picture:
    """Draw a Code 128 as large as the page, with modules of up to 1.3 mm."""
    text = "".join(rng.choice(list("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"), 8))
    bars = np.asarray(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128).to_image(scale=1))
    row = bars[len(bars) // 2]
    size = pixels(len(row) * rng.uniform(0.6, 1.3), dpi), pixels(rng.uniform(60, 150), dpi)
    code = Image.fromarray(row[np.newaxis]).resize(size, Image.Resampling.BOX)
    page = Image.new("L", _size(dpi)[::-1], WHITE)
    page.paste(code, (pixels(10, dpi), pixels(40, dpi)))
    return np.asarray(page.rotate(float(rng.uniform(0, 360)), Image.Resampling.BILINEAR, fillcolor=WHITE))


def whole_photo(rng: np.random.Generator, dpi: int) -> Picture:
    """Take a photo of a meter over the whole page."""
    height, width = _size(dpi)
    return np.repeat(np.repeat(grey(meter_photo(rng, width // 2, height // 2)), 2, axis=0), 2, axis=1)


def dark_copy(rng: np.random.Generator, dpi: int) -> Picture:
    """Make what a copier makes of an open lid: black with grey streaks and a light patch."""
    height, width = _size(dpi)
    page = np.full((height, width), 20, np.float32) + rng.normal(0, 12, (1, width)) + rng.normal(0, 6, (height, width))
    top, left = rng.uniform(0.1, 0.4, 2)
    page[int(top * height) : int((top + 0.5) * height), int(left * width) : int((left + 0.5) * width)] += 200
    return np.clip(page, 0, WHITE).astype(np.uint8)


PATTERNS: tuple[Pattern, ...] = (
    stripes, random_bars, radiator, framed_form, large_barcode, whole_photo, dark_copy,
)  # fmt: skip


def _barred(widths: np.ndarray, rng: np.random.Generator, dpi: int) -> Picture:
    """Draw bars of these widths in millimetres, black and white in turn, again and again over the page."""
    height, width = _size(dpi)
    across = np.arange(int(np.hypot(height, width)) + 2) / dpi * 25.4 + rng.uniform(0, 30)
    edges = np.cumsum(widths)
    black = np.searchsorted(edges, across % edges[-1], side="right") % 2 == 0
    dark, light = sorted(rng.uniform(0, WHITE, 2))
    side = len(across)
    field = Image.fromarray(np.broadcast_to(np.where(black, dark, light).astype(np.uint8), (side, side)).copy())
    turned = field.rotate(float(rng.uniform(0, 180)), Image.Resampling.BILINEAR).filter(
        ImageFilter.GaussianBlur(float(rng.uniform(0, 1)))
    )
    left, top = (side - width) // 2, (side - height) // 2
    return np.asarray(turned.crop((left, top, left + width, top + height)))


def _size(dpi: int) -> tuple[int, int]:
    return pixels(A4[1], dpi), pixels(A4[0], dpi)


def _pen(rng: np.random.Generator, scale: float) -> int:
    return max(1, round(float(rng.choice([0.4, 1, 2, 4])) * rng.uniform(0.9, 1.2) * scale))
