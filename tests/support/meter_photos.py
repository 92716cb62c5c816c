"""Photos of water meters, drawn: a dial with rollers on a dark pipe, uneven light, the noise of a phone's sensor."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tests.support.typeset import Picture


def meter_photo(rng: np.random.Generator, width: int, height: int) -> Picture:
    """Draw an RGB photo of a water meter, with its serial and a reading on it."""
    scale = min(width, height) / 400
    wall = tuple(int(v) for v in rng.integers((120, 112, 96), (196, 186, 170)))
    photo = Image.new("RGB", (width, height), wall)
    draw = ImageDraw.Draw(photo)
    cx, cy = width * rng.uniform(0.44, 0.56), height * rng.uniform(0.44, 0.56)
    _tiles(draw, rng, width, height, scale)
    _pipe(draw, cx, cy, width, scale)
    _dial(draw, rng, (cx, cy), scale)
    turned = photo.rotate(float(rng.uniform(-9, 9)), Image.Resampling.BILINEAR, center=(cx, cy), fillcolor=wall).filter(
        ImageFilter.GaussianBlur(0.5 * scale)
    )
    return _lit(np.asarray(turned), rng)


def _tiles(draw: ImageDraw.ImageDraw, rng: np.random.Generator, width: int, height: int, scale: float) -> None:
    step = int(rng.integers(90, 140) * scale)
    for x in range(int(step * rng.random()), width, step):
        draw.line([(x, 0), (x, height)], fill=(108, 102, 92), width=max(1, int(3 * scale)))
    for y in range(int(step * rng.random()), height, step):
        draw.line([(0, y), (width, y)], fill=(112, 106, 96), width=max(1, int(3 * scale)))


def _pipe(draw: ImageDraw.ImageDraw, cx: float, cy: float, width: int, scale: float) -> None:
    for band in range(22):
        shade = int(50 + 120 * math.sin(math.pi * (band + 0.5) / 22))
        top = cy + (band - 11) * 6 * scale
        draw.rectangle((0, top, width, top + 6.5 * scale), fill=(shade, int(shade * 0.86), int(shade * 0.55)))
    for side in (-1, 1):
        x = cx + side * 172 * scale
        draw.rectangle(
            (x - 26 * scale, cy - 84 * scale, x + 26 * scale, cy + 84 * scale), fill=(120, 96, 44), outline=(60, 48, 20)
        )


def _dial(draw: ImageDraw.ImageDraw, rng: np.random.Generator, centre: tuple[float, float], scale: float) -> None:
    (cx, cy), radius = centre, 150 * scale
    rim = (34, 58, 132) if rng.random() < 0.5 else (150, 36, 34)  # cold water is blue, hot is red
    for grow, fill in ((1.14, (52, 52, 56)), (1.06, rim), (0.94, (238, 238, 230))):
        r = radius * grow
        draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=fill, outline=(24, 24, 26), width=int(2 * scale))
    for tick in range(100):
        angle = 2 * math.pi * tick / 100
        inner = 0.84 if tick % 10 == 0 else 0.885
        draw.line(
            [(cx + radius * f * math.cos(angle), cy + radius * f * math.sin(angle)) for f in (inner, 0.92)],
            fill=(40, 40, 40), width=max(1, int(1.4 * scale)),
        )  # fmt: skip
    _rollers(draw, rng, cx, cy - 34 * scale, scale)
    small = ImageFont.load_default(size=15 * scale)
    draw.text((cx, cy - 92 * scale), "m³   Qn 1,5", fill=(30, 30, 30), font=small, anchor="mm")
    draw.text((cx, cy + 112 * scale), f"No {rng.integers(10**7, 10**8)}", fill=(30, 30, 30), font=small, anchor="mm")
    for place in (-1, 0, 1):
        hx, hy, r = cx + 66 * scale * place, cy + 48 * scale + 16 * scale * abs(place), 25 * scale
        draw.ellipse((hx - r, hy - r, hx + r, hy + r), outline=(180, 40, 36), width=max(1, int(2 * scale)))
        angle = rng.uniform(0, 2 * math.pi)
        tip = (hx + r * 0.85 * math.cos(angle), hy + r * 0.85 * math.sin(angle))
        draw.line([(hx, hy), tip], fill=(190, 30, 28), width=max(2, int(4 * scale)))


def _rollers(draw: ImageDraw.ImageDraw, rng: np.random.Generator, cx: float, cy: float, scale: float) -> None:
    font = ImageFont.load_default(size=34 * scale)
    digits = f"{rng.integers(0, 10**8):08d}"
    for place, digit in enumerate(digits):
        x = cx + (place - 3.5) * 27 * scale
        drum = (26, 26, 28) if place < 5 else (168, 32, 30)
        box = (x - 12.5 * scale, cy - 22 * scale, x + 12.5 * scale, cy + 22 * scale)
        draw.rectangle(box, fill=drum, outline=(90, 90, 90))
        lift = rng.uniform(-5, 5) * scale if place == 7 else 0.0
        draw.text((x, cy + lift), digit, fill=(244, 244, 240), font=font, anchor="mm")


def _lit(photo: Picture, rng: np.random.Generator) -> Picture:
    height, width = photo.shape[:2]
    # Light changes slowly over a photo: computed coarsely, then stretched.
    y, x = np.mgrid[0:1:60j, 0:1:60j].astype(np.float32)
    lamp_x, lamp_y = rng.uniform(0.1, 0.9, 2)
    light = 1.22 - 0.75 * np.hypot(x - lamp_x, y - lamp_y)
    glare = 90 * np.exp(-(((x - lamp_x) / 0.06) ** 2) - ((y - lamp_y) / 0.035) ** 2)
    noise = rng.standard_normal((height, width), np.float32) * 7 + _stretched(glare, width, height)
    lit = photo * _stretched(light, width, height)[:, :, np.newaxis] + noise[:, :, np.newaxis]
    return np.clip(lit, 0, 255).astype(np.uint8)


def _stretched(coarse: npt.NDArray[np.float32], width: int, height: int) -> npt.NDArray[np.float32]:
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR))
