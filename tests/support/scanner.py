"""What a document scanner makes of a paper: skew, noise, shadows, punch holes, a feeder's turns, backs, encoding.

`Scanning` says it all; the same scanning with the same generator gives the same bytes. Encoded pages are small, so a
stack of hundreds of pages is kept encoded, never as pixels.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from tests.support.typeset import WHITE, Picture, grey, pixels

_SHADOW_MM = 4.0
"""Within so much the shadow at an edge falls to a third."""
_TILE_DEVIATION = 28


class Encoding(StrEnum):
    """How a scanner compresses a page."""

    JPEG = "jpeg"
    """Grey or colour, as the picture is."""
    G4 = "g4"
    """Black and white, CCITT group 4."""
    DEFLATE = "deflate"
    """Lossless, as PNG."""


@dataclass(frozen=True, slots=True)
class Scanning:
    """How a page was scanned; the default is a clean, straight scan in grey JPEG."""

    encoding: Encoding = Encoding.JPEG
    quality: int = 75
    """Of JPEG, 1 to 95."""
    threshold: int = 150
    """Of G4: lighter becomes white."""
    skew: float = 0.0
    """Degrees, anticlockwise."""
    turn: int = 0
    """The paper as it lay in the feeder: 0, 90, 180 or 270 degrees, anticlockwise."""
    noise: float = 0.0
    """Standard deviation, in levels of 256."""
    brightness: float = 1.0
    contrast: float = 1.0
    blur: float = 0.0
    """Radius in pixels."""
    edge_shadow: float = 0.0
    """Darkness of the shadow along the left and upper edges, 0 to 1."""
    punch_holes: bool = False
    grime: float = 0.0
    """Share of pixels that are dark specks."""


CLEAN = Scanning()
OFFICE = Scanning(skew=0.5, noise=5, brightness=0.97, edge_shadow=0.25)
"""A fair scanner and ordinary care."""


@dataclass(frozen=True, slots=True)
class EncodedPage:
    """One page as a scanner's file holds it: a whole JPEG, TIFF (G4) or PNG file."""

    data: bytes
    encoding: Encoding
    dpi: int
    width: int
    """Pixels."""
    height: int
    """Pixels."""

    def picture(self) -> Picture:
        """Decode it: grey or RGB."""
        with Image.open(io.BytesIO(self.data)) as opened:
            return np.asarray(opened.convert("RGB" if opened.mode == "RGB" else "L"))


def scan(picture: Picture, dpi: int, scanning: Scanning, rng: np.random.Generator) -> EncodedPage:
    """Scan a drawn paper and encode it."""
    return encode(degrade(picture, dpi, scanning, rng), dpi, scanning)


def degrade(picture: Picture, dpi: int, scanning: Scanning, rng: np.random.Generator) -> Picture:
    """Give the pixels that the scanner's glass sees, before encoding."""
    if scanning.encoding is Encoding.G4:
        picture = grey(picture)
    image = Image.fromarray(picture)
    if scanning.punch_holes:
        image = _punched(image, dpi)
    if scanning.skew:
        # What shows beside a crooked paper is the scanner's white background, a little grey.
        background = 250 if picture.ndim == 2 else (250, 250, 248)
        image = image.rotate(scanning.skew, Image.Resampling.BILINEAR, fillcolor=background)
    if scanning.blur:
        image = image.filter(ImageFilter.BoxBlur(scanning.blur))
    if scanning.turn:
        image = image.rotate(scanning.turn, expand=True)
    return _lit(np.asarray(image), dpi, scanning, rng)


def encode(picture: Picture, dpi: int, scanning: Scanning) -> EncodedPage:
    """Encode pixels as the scanner does."""
    buffer = io.BytesIO()
    image = Image.fromarray(picture)
    options: dict[str, Any] = {"dpi": (dpi, dpi)}
    match scanning.encoding:
        case Encoding.JPEG:
            image.save(buffer, "JPEG", quality=scanning.quality, **options)
        case Encoding.G4:
            bilevel = Image.fromarray(np.where(grey(picture) > scanning.threshold, WHITE, 0).astype(np.uint8))
            bilevel.convert("1", dither=Image.Dither.NONE).save(buffer, "TIFF", compression="group4", **options)
        case Encoding.DEFLATE:
            image.save(buffer, "PNG", compress_level=1, **options)
    return EncodedPage(buffer.getvalue(), scanning.encoding, dpi, *image.size)


def blank_back(picture: Picture) -> Picture:
    """Give the empty back of a paper of this size; the scanning adds its noise."""
    return np.full_like(picture, WHITE)


def show_through(front: Picture, strength: float = 0.1) -> Picture:
    """Give the back of a printed paper: the front mirrored, pale and diffuse; `strength` is its share of contrast."""
    mirrored = Image.fromarray(np.ascontiguousarray(front[:, ::-1])).filter(ImageFilter.GaussianBlur(1.2))
    return np.asarray(WHITE - (WHITE - np.asarray(mirrored, np.float32)) * strength, np.float32).astype(np.uint8)


def on_larger_paper(picture: Picture, dpi: int, size: tuple[float, float], rng: np.random.Generator) -> Picture:
    """Give a scan in which a small paper lies somewhere on a larger format, which the scanner didn't crop."""
    height, width = pixels(size[1], dpi), pixels(size[0], dpi)
    canvas = np.full((height, width, *picture.shape[2:]), 247, np.uint8)
    top = int(rng.integers(0, max(1, height - picture.shape[0])))
    left = (width - picture.shape[1]) // 2
    canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return canvas


def _punched(image: Image.Image, dpi: int) -> Image.Image:
    punched = np.array(image)
    height = punched.shape[0]
    radius, x = pixels(3, dpi), pixels(11, dpi)
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    hole = np.hypot(rows, columns) <= radius
    for y in (height // 2 - pixels(40, dpi), height // 2 + pixels(40, dpi)):  # ISO 838: 80 mm apart
        place = punched[y - radius : y + radius + 1, x - radius : x + radius + 1]
        place[hole] = 48
    return Image.fromarray(punched)


def _lit(picture: Picture, dpi: int, scanning: Scanning, rng: np.random.Generator) -> Picture:
    height, width = picture.shape[:2]
    lit = picture.copy()
    if not scanning.brightness == scanning.contrast == 1.0:
        levels = ((np.arange(256) - 128) * scanning.contrast + 128) * scanning.brightness
        lit = np.clip(levels, 0, WHITE).astype(np.uint8)[lit]
    if scanning.edge_shadow:
        reach = pixels(4 * _SHADOW_MM, dpi)
        shade = 1 - scanning.edge_shadow * np.exp(-np.arange(reach) * 25.4 / dpi / _SHADOW_MM)
        # Colour axes last: transposing lets one line serve both edges.
        for edge in (lit.swapaxes(0, 1)[:reach], lit[:reach]):
            edge[...] = edge * shade[: len(edge)].reshape(-1, *(1,) * (edge.ndim - 1))
    if scanning.noise:
        grain = _grain(rng, height, width, scanning.noise)
        noisy = lit.astype(np.int16)
        noisy += grain if picture.ndim == 2 else grain[:, :, np.newaxis]
        lit = np.clip(noisy, 0, WHITE, out=noisy).astype(np.uint8)
    if scanning.grime:
        specks = int(scanning.grime * height * width / 4)
        y, x = rng.integers(0, height - 1, specks), rng.integers(0, width - 1, specks)
        for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
            lit[y + down, x + right] = 70
    return lit


def _grain(rng: np.random.Generator, height: int, width: int, deviation: float) -> npt.NDArray[np.int16]:
    # Drawing millions of normal numbers for each page is slow: a page takes its own piece of one tile.
    tile = _tile()
    down, right = rng.integers(0, 200, 2)
    repeats = (-(-(height + 200) // tile.shape[0]), -(-(width + 200) // tile.shape[1]))
    piece = (np.tile(tile, repeats) if repeats != (1, 1) else tile)[down : down + height, right : right + width]
    return np.asarray(piece * np.int16(round(deviation * 256 / _TILE_DEVIATION)) >> 8)


@lru_cache(maxsize=1)
def _tile() -> npt.NDArray[np.int16]:
    normal = np.random.default_rng(1848).standard_normal((3800, 3800), np.float32)
    return np.clip(normal * _TILE_DEVIATION, -127, 127).astype(np.int16)
