"""Decode the stream of the image that a page is, to grey, at the size that is wanted and no larger.

What is understood, by filter (ISO 32000-1, 7.4) and colour space (8.6); the rest is declined, and its page drawn:

| filter | how | colour spaces |
|---|---|---|
| DCT | Pillow, scaled by 2, 4 or 8 while decoding | grey, RGB, CMYK: Adobe's marker and /Decode heeded |
| CCITT Group 4 | Pillow's libtiff | grey |
| none, Flate, LZW, RunLength, ASCII | qpdf | grey, RGB, CMYK of 1, 2, 4, 8, 16 bits; Indexed up to 8 |
| JPX | Pillow's OpenJPEG, scaled while decoding | grey, RGB; 8 bits |
| JBIG2, CCITT Group 3, several with DCT, CCITT or JPX among them | declined | |

What grey, RGB and CMYK stand for, `colours` says.

A stream that is damaged or ends too early is no reason to draw the page: a renderer would fill the missing part up
with grey or white, and pages would pass that a person never sees whole.
"""

from __future__ import annotations

import io
import math

import numpy as np
import pikepdf
from PIL import Image

from skrynka.steps.pages.colours import (
    MODES,
    Grey,
    NotUnderstood,
    count_components,
    grey_palette,
    ink_to_grey,
    is_inverted,
)
from skrynka.steps.pages.one_image import PlacedImage
from skrynka.steps.pages.tiff_structure import one_strip_tiff

_SNAP = 0.05
"""How far a resolution may be off for the sake of scaling by a whole number, which is quick and sharp."""
_BY_QPDF = frozenset({"/FlateDecode", "/LZWDecode", "/RunLengthDecode", "/ASCII85Decode", "/ASCIIHexDecode"})
_BYTE = 8


class ImageDamaged(Exception):
    """The image's stream is broken or ends too early."""


def decode(placed: PlacedImage, max_dpi: float) -> Grey:
    """Decode an image, in the orientation of its stream, with square pixels.

    The resolution is `max_dpi` within 5 %, or the image's own where that is less. Raises NotUnderstood and
    ImageDamaged. The caller has limited width x height.
    """
    target = _target(placed, max_dpi)
    image = placed.stream
    filters = _names(image.get("/Filter"))
    if filters == ["/DCTDecode"]:
        grey = _decode_dct(placed, target)
    elif filters == ["/CCITTFaxDecode"]:
        grey = _decode_group_4(placed)
    elif filters == ["/JPXDecode"]:
        grey = _decode_jpx(placed, target)
    elif _BY_QPDF.issuperset(filters):
        grey = _decode_samples(placed)
    else:
        raise NotUnderstood
    return np.asarray(_scaled(grey, target))


def require_whole_jpeg(stream: pikepdf.Stream) -> None:
    """Raise ImageDamaged when the data of a DCT stream ends too early, wherever the image is painted."""
    try:
        image = Image.open(io.BytesIO(stream.read_raw_bytes()), formats=["JPEG", "MPO"])
        image.draft("L", (1, 1))
        image.load()
    except (OSError, SyntaxError) as error:
        raise ImageDamaged from error


def require_whole_group_4(stream: pikepdf.Stream) -> None:
    """Raise ImageDamaged when the data of a Group 4 stream ends too early, wherever the image is painted.

    Raises NotUnderstood where that can't be told.
    """
    _whole_group_4(stream, (int(stream["/Width"]), int(stream["/Height"])))


def require_whole_jpx(stream: pikepdf.Stream) -> None:
    """Raise ImageDamaged when the data of a JPEG 2000 stream can't be decoded or ends too early.

    Raises NotUnderstood where that can't be told: Pillow opens fewer kinds of them than poppler draws.
    """
    _load(_open(stream.read_raw_bytes(), ["JPEG2000"]))


def _target(placed: PlacedImage, max_dpi: float) -> tuple[int, int]:
    """Choose the size, in pixels, that an image is wanted at."""
    across, down = placed.dpi
    best = max(across, down)
    wanted = min(max_dpi, best)
    divisor = round(best / wanted)
    if abs(across - down) <= _SNAP / 2 * best and abs(best / wanted / divisor - 1) <= _SNAP:
        return math.ceil(placed.width / divisor), math.ceil(placed.height / divisor)
    return max(1, round(placed.width * wanted / across)), max(1, round(placed.height * wanted / down))


def _scaled(grey: Image.Image, target: tuple[int, int]) -> Image.Image:
    """Bring a grey image to its size, taking the mean of the pixels that fall together."""
    if grey.size == target:
        return grey
    divisor = round(grey.width / target[0])
    if divisor > 1 and target == (math.ceil(grey.width / divisor), math.ceil(grey.height / divisor)):
        return grey.reduce(divisor)
    larger = target[0] > grey.width or target[1] > grey.height
    return grey.resize(target, Image.Resampling.BILINEAR if larger else Image.Resampling.BOX)


def _decode_dct(placed: PlacedImage, target: tuple[int, int]) -> Image.Image:
    stream = placed.stream
    parameters = _parameters(stream)
    if "/ColorTransform" in parameters:
        raise NotUnderstood
    image = _open(stream.read_raw_bytes(), ["JPEG", "MPO"])
    if image.size != (placed.width, placed.height) or MODES.get(count_components(stream)) != image.mode:
        raise NotUnderstood
    inverted = is_inverted(stream, count_components(stream))
    # Pillow scales to the least size that isn't below what it is asked for, and rounds the scale down.
    image.draft("CMYK" if image.mode == "CMYK" else "L", (max(1, target[0] - 1), max(1, target[1] - 1)))
    _load(image)
    if image.mode == "CMYK":
        # Pillow takes every CMYK JPEG for inverted, as Adobe's are, and rights it. A PDF says that in /Decode instead.
        return ink_to_grey(np.asarray(image), inverted=not inverted)
    return _grey(image, inverted=inverted)


def _decode_group_4(placed: PlacedImage) -> Image.Image:
    if count_components(placed.stream) != 1:
        raise NotUnderstood
    image = _whole_group_4(placed.stream, (placed.width, placed.height))
    return _grey(image.convert("L"), inverted=is_inverted(placed.stream, 1))


def _whole_group_4(stream: pikepdf.Stream, size: tuple[int, int]) -> Image.Image:
    parameters = _parameters(stream)
    if (
        int(parameters.get("/K", 0)) >= 0
        or parameters.get("/EncodedByteAlign", False)
        or int(parameters.get("/Columns", 1728)) != size[0]
    ):
        raise NotUnderstood
    data = stream.read_raw_bytes()
    # In both a PDF and a TIFF, black runs are what is coded; here they say which value shows them.
    photometric = 1 if parameters.get("/BlackIs1", False) else 0
    image = _open(one_strip_tiff(*size, photometric, data), ["TIFF"])
    _load(image)
    if parameters.get("/EndOfBlock", True) and not _has_end_of_block(data):
        _require_all_rows(size, photometric, data, image)
    return image


def _has_end_of_block(data: bytes) -> bool:
    """Tell whether a Group 4 stream ends with its end marker, 000000000001 twice, at any bit (ITU-T T.6, 2.4.1.1)."""
    bits = int.from_bytes(data.rstrip(b"\0")[-4:], "big")
    while bits and not bits & 1:
        bits >>= 1
    return bits & 0xFFFFFF == 0x001001  # noqa: PLR2004 -- the marker's 24 bits


def _require_all_rows(size: tuple[int, int], photometric: int, data: bytes, image: Image.Image) -> None:
    """Raise ImageDamaged when a Group 4 stream without end marker lacks rows.

    libtiff fills missing rows up with white and says nothing. If rows are missing, what is appended shows in them:
    here, codes for a black run in each row. Some encoders leave the marker out, so that alone proves nothing.
    """
    # Horizontal mode 001, no white 00110101, 64 black 0000001111, 0 black 0000110111, again and again.
    black_runs = int("001" + "00110101" + "0000001111" + "0000110111", 2)
    tail = b"".join(black_runs.to_bytes(4, "big") for _ in range(64))
    longer = _open(one_strip_tiff(*size, photometric, data + tail), ["TIFF"])
    _load(longer)
    if longer.tobytes() != image.tobytes():
        raise ImageDamaged


def _decode_jpx(placed: PlacedImage, target: tuple[int, int]) -> Image.Image:
    stream = placed.stream
    image = _open(stream.read_raw_bytes(), ["JPEG2000"])
    if image.size != (placed.width, placed.height) or image.mode not in {"L", "RGB"}:
        raise NotUnderstood
    if "/ColorSpace" in stream and MODES.get(count_components(stream)) != image.mode:
        raise NotUnderstood
    if "/Decode" in stream:
        raise NotUnderstood  # means something only for image masks, says the standard; readers differ
    # Read by the plugin while loading: how many times the image is halved.
    halvings = max(0, int(math.log2(max(1, min(placed.width // target[0], placed.height // target[1])))))
    image.reduce = halvings  # type: ignore[method-assign, assignment]  # Pillow's own way to say it, for JPEG 2000
    _load(image)
    return Image.fromarray(np.asarray(image.convert("L")))


def _decode_samples(placed: PlacedImage) -> Image.Image:
    stream = placed.stream
    width, height = placed.width, placed.height
    bits = int(stream.get("/BitsPerComponent", 0))
    palette = grey_palette(stream)
    components = 1 if palette is not None else count_components(stream)
    if bits not in (1, 2, 4, 8, 16) or (palette is not None and bits > _BYTE):
        raise NotUnderstood
    inverted = is_inverted(stream, components, indexed=palette is not None)
    row_bytes = (width * components * bits + 7) // 8
    try:
        data = stream.read_bytes(pikepdf.StreamDecodeLevel.specialized)
    except pikepdf.PdfError as error:
        raise ImageDamaged from error
    if len(data) < height * row_bytes:
        raise ImageDamaged
    if bits == 1 and components == 1 and palette is None:
        image = Image.frombuffer("1", (width, height), data[: height * row_bytes], "raw", "1", 0, 1)
        return _grey(image.convert("L"), inverted=inverted)
    samples = np.frombuffer(data, np.uint8, height * row_bytes).reshape(height, row_bytes)
    values = _unpacked(samples, bits, width * components)
    if palette is not None:
        return Image.fromarray(palette[values])
    if bits < _BYTE:
        values = values * np.uint8(255 // ((1 << bits) - 1))
    if components == 1:
        return _grey(Image.fromarray(np.ascontiguousarray(values)), inverted=inverted)
    pixels = np.ascontiguousarray(values).reshape(height, width, components)
    if components == 3:  # noqa: PLR2004 -- red, green, blue
        return _grey(Image.fromarray(pixels).convert("L"), inverted=inverted)
    return ink_to_grey(pixels, inverted=inverted)


def _unpacked(rows: Grey, bits: int, values: int) -> Grey:
    """Give each row's values, one a byte; of 16 bits the high byte."""
    if bits == _BYTE:
        return rows[:, :values]
    if bits > _BYTE:
        return rows[:, : values * 2 : 2]
    shifts = np.arange(_BYTE - bits, -1, -bits, dtype=np.uint8)
    spread = (rows[:, :, np.newaxis] >> shifts) & np.uint8((1 << bits) - 1)
    return spread.reshape(rows.shape[0], -1)[:, :values]


def _grey(image: Image.Image, *, inverted: bool) -> Image.Image:
    return Image.eval(image, lambda value: 255 - value) if inverted else image


def _open(data: bytes, formats: list[str]) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=formats)
    except (OSError, SyntaxError) as error:
        raise NotUnderstood from error


def _load(image: Image.Image) -> None:
    try:
        image.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageDamaged from error


def _names(filters: pikepdf.Object | None) -> list[str]:
    if filters is None:
        return []
    return [str(item) for item in filters] if isinstance(filters, pikepdf.Array) else [str(filters)]


def _parameters(stream: pikepdf.Stream) -> pikepdf.Dictionary:
    """Give the decode parameters of a stream with one filter."""
    parameters = stream.get("/DecodeParms")
    if isinstance(parameters, pikepdf.Array):
        parameters = parameters[0] if len(parameters) else None
    return parameters if isinstance(parameters, pikepdf.Dictionary) else pikepdf.Dictionary()
