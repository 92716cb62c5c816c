"""What the colours of an image mean in grey: colour spaces (ISO 32000-1, 8.6), palettes, /Decode, ink.

Grey stands for DeviceGray, CalGray, and ICCBased of one component; the like for RGB and CMYK. Profiles are ignored:
the pixels are for finding codes and ink. /Decode may be the default or its reverse; anything else is declined.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pikepdf
from PIL import Image

Grey = npt.NDArray[np.uint8]
"""Pixels, (height, width); 0 is black, 255 white."""

_COMPONENTS = {
    "/DeviceGray": 1, "/CalGray": 1, "/G": 1, "/DeviceRGB": 3, "/CalRGB": 3, "/RGB": 3, "/DeviceCMYK": 4, "/CMYK": 4,
}  # fmt: skip
MODES = {1: "L", 3: "RGB", 4: "CMYK"}


class NotUnderstood(Exception):
    """The image has something that isn't decoded here: draw the page."""


def grey_palette(stream: pikepdf.Stream) -> Grey | None:
    """Give the grey of each index; None when the colours aren't indexed."""
    space = stream.get("/ColorSpace")
    if not isinstance(space, pikepdf.Array) or space[0] not in ("/Indexed", "/I"):
        return None
    components = _components_of(space[1])
    table = space[3]
    entries = bytes(table.read_bytes()) if isinstance(table, pikepdf.Stream) else bytes(table)
    count = min(int(space[2]) + 1, 256, len(entries) // components)
    if count < 1:
        raise NotUnderstood
    colours = np.frombuffer(entries, np.uint8, count * components).reshape(1, count, components)
    if components == 1:
        greys = colours.reshape(count)
    elif components == 3:  # noqa: PLR2004 -- red, green, blue
        greys = np.asarray(Image.fromarray(colours).convert("L")).reshape(count)
    else:
        greys = np.asarray(ink_to_grey(colours, inverted=False)).reshape(count)
    # An index beyond the table takes its last colour (ISO 32000-1, 8.6.6.3).
    return np.concatenate([greys, np.full(256 - count, greys[-1], np.uint8)])


def count_components(stream: pikepdf.Stream) -> int:
    """Count the components of an image's colour space: 1 grey, 3 RGB, 4 CMYK. Raises NotUnderstood for others."""
    space = stream.get("/ColorSpace")
    if space is None:
        raise NotUnderstood
    return _components_of(space)


def _components_of(space: pikepdf.Object) -> int:
    """Count the components of grey, RGB and CMYK, by device, calibrated or by profile."""
    if isinstance(space, pikepdf.Array) and len(space) == 2 and space[0] == "/ICCBased":  # noqa: PLR2004 -- a pair
        components = int(space[1].get("/N", 0))
        if components in MODES:
            return components
        raise NotUnderstood
    name = space[0] if isinstance(space, pikepdf.Array) and len(space) else space
    components = _COMPONENTS.get(str(name), 0) if isinstance(name, pikepdf.Name) else 0
    if not components:
        raise NotUnderstood
    return components


def is_inverted(stream: pikepdf.Stream, components: int, *, indexed: bool = False) -> bool:
    """Tell whether /Decode reverses every component; raises for any but the default and its reverse."""
    decode = stream.get("/Decode")
    if decode is None:
        return False
    values = [float(value) for value in decode]
    if indexed:
        if values == [0, (1 << int(stream["/BitsPerComponent"])) - 1]:
            return False
    elif values == [0, 1] * components:
        return False
    elif values == [1, 0] * components:
        return True
    raise NotUnderstood


def ink_to_grey(inks: Grey, *, inverted: bool) -> Image.Image:
    """Turn CMYK, (h, w, 4), into grey (ISO 32000-1, 10.3.4)."""
    ink = (~inks if inverted else inks).astype(np.uint32)
    dark = (ink[..., 0] * 77 + ink[..., 1] * 151 + ink[..., 2] * 28 >> 8) + ink[..., 3]
    return Image.fromarray((255 - np.minimum(dark, 255)).astype(np.uint8))
