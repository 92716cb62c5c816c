"""Contact sheets: images of an axis side by side as they look at 40 dpi, for setting its end by eye."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from tests.benchmarks.reading.images import Image, Key

LOOKED_AT_DPI = 40
_GAP = 10
_LABEL = 18


def shrunk(image: Image) -> Picture.Image:
    """Give an image as it is seen at 40 dpi: each pixel the mean of what it covers."""
    leaf = image.leaf
    height, width = leaf.pixels.shape
    size = round(width * LOOKED_AT_DPI / leaf.dpi[0]), round(height * LOOKED_AT_DPI / leaf.dpi[1])
    return Picture.fromarray(leaf.pixels).resize(size, Picture.Resampling.BOX)


def write(rows: Sequence[Sequence[tuple[Key, Image]]], path: Path) -> None:
    """Write a PNG: a row for each number, a column for each severity, each under its name."""
    small = [[(key, shrunk(image)) for key, image in row] for row in rows]
    columns = max(map(len, small))
    widths = [max(row[place][1].width for row in small if place < len(row)) for place in range(columns)]
    heights = [max(picture.height for _, picture in row) for row in small]
    size = (sum(widths) + _GAP * (columns + 1), sum(heights) + (_GAP + _LABEL) * len(rows) + _GAP)
    sheet = Picture.new("L", size, 96)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=13)
    top = _GAP
    for row, height in zip(small, heights, strict=True):
        left = _GAP
        for (key, picture), width in zip(row, widths, strict=False):
            draw.text((left, top), f"{key.axis} {key.severity} · {key.number}", fill=255, font=font)
            sheet.paste(picture, (left, top + _LABEL))
            left += width + _GAP
        top += height + _LABEL + _GAP
    path.parent.mkdir(parents=True, exist_ok=True)
    Picture.fromarray(np.asarray(sheet)).save(path)
