"""Pages with rings that aren't our mark's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from tests.support.typeset import Picture

PAPER = 235
_FINE = 4


def target(radii: Sequence[float], at: tuple[float, float], page: tuple[float, float], dpi: float) -> Picture:
    """Draw a disc and rings, black from the middle, whose edges lie at these radii; all lengths are millimetres."""
    scale = dpi / 25.4 * _FINE
    width, height = (round(side * dpi / 25.4) * _FINE for side in page)
    image = Image.new("L", (width, height), PAPER)
    draw = ImageDraw.Draw(image)
    x, y = (along * scale for along in at)
    for place, radius in reversed(list(enumerate(radii))):
        reach = radius * scale
        draw.ellipse([x - reach, y - reach, x + reach, y + reach], fill=PAPER * (place % 2))
    return np.asarray(image.reduce(_FINE))
