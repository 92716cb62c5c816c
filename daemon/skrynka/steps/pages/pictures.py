"""Make a TIFF, JPEG or PNG into a PDF, a page for each picture, without loss, and the same bytes every time.

What is decided here, by what the file holds:

| it holds | it becomes |
|---|---|
| JPEG: grey, colour, CMYK, progressive | its own bytes; CMYK with Adobe's marker is shown inverted, as it is meant |
| JPEG with further pictures behind it (MPO, gain maps, previews) | the first one: one JPEG file is one page |
| PNG, 1 to 16 bits, palette | its own pixel data, as they are |
| PNG, interlaced | the same pixels, not interlaced; 16-bit colour keeps its high bytes |
| TIFF, one upright strip of CCITT Group 4 | that strip, as it is |
| TIFF, any other black and white | the same pixels as Group 4 |
| TIFF in strips, tiles, any other compression, JPEG inside it too | the same pixels as PNG data; CMYK as it is |
| TIFF of 16 bits | grey: all 16 bits; colour: the high bytes, which is all that Pillow gives |
| TIFF in Lab or YCbCr | RGB |
| a colour profile | kept where the pixel data is the file's own, else dropped |
| pixels of 32 bits | not a scan: `unsupported` |
| transparency (alpha, or a transparent colour) | laid on white paper, 8 bits |
| EXIF orientation 3, 6, 8 | JPEG, PNG: the page's /Rotate; TIFF: the pixels turned |
| EXIF orientation 2, 4, 5, 7 (mirrored) | JPEG, PNG: /Rotate, and a matrix that mirrors; TIFF: the pixels |
| several pages of different sizes and resolutions | each page keeps its own |
| no resolution, or one below 100 dpi | a picture of an A4 page (see `believable_dpi`) |
| anything that Pillow or img2pdf can't take | `corrupt` |
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import BinaryIO

import img2pdf
import numpy as np
import pikepdf
from PIL import ExifTags, Image

from skrynka.core.errors import ScanRejected
from skrynka.core.formats import FileType
from skrynka.core.reasons import QuarantineReason
from skrynka.saving import save_pdf
from skrynka.steps.pages import tiff_structure
from skrynka.steps.pages.page_box import POINTS_PER_INCH

_A4_INCHES = 297 / 25.4
_LEAST_BELIEVED, _MOST_BELIEVED, _LEAST_ASSUMED = 100, 4800, 72
_PAGES_IN_MEMORY = 16
"""Pages that are held in memory before they go to the work folder."""
_TURNS = {3: 180, 6: 90, 8: 270, 4: 180, 5: 270, 7: 90}
"""Degrees clockwise that right an EXIF orientation, after mirroring where it is mirrored (CIPA DC-008, 4.6.4)."""
_MIRRORED = frozenset({2, 4, 5, 7})
_PNG_DEPTH, _PNG_INTERLACED = 24, 28
"""Where in a PNG these bytes of its first chunk stand (ISO 15948, 11.2.2)."""


@dataclass(frozen=True, slots=True)
class MadePdf:
    """A PDF of some of a file's pictures."""

    path: Path
    pictures: int
    """How many the file has in all."""


@dataclass(frozen=True, slots=True)
class _Picture:
    """One page to be: a picture that img2pdf takes as it is."""

    data: bytes
    dpi: tuple[float, float]
    orientation: int


def make_pdf(
    source: Path,
    kind: FileType,
    work: Path,
    most_pages: int,
    progress: Callable[[], None],
    *,
    first: int = 1,
    last: int | None = None,
) -> MadePdf:
    """Make a PDF of the pictures in `source` in the folder `work`; `progress` is called after each.

    `first` and `last` (1-based; None: the file's last) are the pictures that are wanted. The caller limits Pillow's
    pixels. Raises ScanRejected: corrupt, unsupported, no_pages, or too_large for more than `most_pages`, and Pillow's
    DecompressionBombError or DecompressionBombWarning as it comes.
    """
    with source.open("rb") as file, ExitStack() as opened:
        directories = _directories(file, source.stat().st_size, most_pages) if kind is FileType.TIFF else []
        pictures = _pictures(file, kind, directories, slice(first - 1, last))
        count_of_all = len(directories) or 1
        parts: list[Path] = []
        for number in count(1):
            part = work / f"part-{number}.pdf"
            if not _write_part(_told(islice(pictures, _PAGES_IN_MEMORY), progress), part, progress):
                break
            parts.append(part)
        if not parts:
            raise ScanRejected(QuarantineReason.NO_PAGES)
        if len(parts) == 1:
            return MadePdf(parts[0], count_of_all)
        whole = pikepdf.new()
        for part in parts:
            whole.pages.extend(opened.enter_context(pikepdf.open(part)).pages)
        return MadePdf(_save(whole, work / "pictures.pdf"), count_of_all)


def believable_dpi(size: tuple[int, int], stated: object) -> tuple[float, float]:
    """Give the dots per inch, across and down, of a picture of `size` pixels whose file states `stated`.

    Scanners say 100 to 4800. What is less (72 and 96 are what cameras and screens write) or missing tells nothing
    of the paper: then the longer side is taken for that of an A4 page, but no pixel for more than 1/72 inch.
    """
    try:
        across, down = (float(value) for value in stated)  # type: ignore[attr-defined]  # what the except is for
    except (TypeError, ValueError, ZeroDivisionError):
        across = down = 0.0
    # A fax is 204 by 98 or 196: only one of the two needs to be a scanner's.
    believed = all(_LEAST_BELIEVED / 2 <= value <= _MOST_BELIEVED for value in (across, down))
    if believed and max(across, down) >= _LEAST_BELIEVED:
        return across, down
    assumed = max(max(size) / _A4_INCHES, _LEAST_ASSUMED)
    return assumed, assumed


def _pictures(
    file: BinaryIO, kind: FileType, directories: Sequence[tiff_structure.Directory], wanted: slice
) -> Iterator[_Picture]:
    """Give pictures of a file in order."""
    with _corrupt_where_it_fails():
        if kind is FileType.TIFF:
            yield from _tiff_pages(file, directories, wanted)
        else:
            yield _jpeg(file.read()) if kind is FileType.JPEG else _png(file.read())


@contextmanager
def _corrupt_where_it_fails() -> Iterator[None]:
    """Have whatever a damaged file makes the libraries raise be `corrupt`."""
    try:
        yield
    except (ScanRejected, MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's failure, not the file's: Pillow's own OSErrors bear no number
        raise ScanRejected(QuarantineReason.CORRUPT, detail="a picture can't be decoded") from error


def _jpeg(data: bytes) -> _Picture:
    image = Image.open(io.BytesIO(data), formats=["JPEG", "MPO"])
    if image.format == "MPO":
        data = _first_of_many(data)
        image = Image.open(io.BytesIO(data), formats=["JPEG"])
    return _Picture(data, believable_dpi(image.size, image.info.get("dpi")), _exif_orientation(image))


def _first_of_many(data: bytes) -> bytes:
    """Leave out of a JPEG the index of further pictures (APP2 "MPF"), so that nobody takes them for pages."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:  # noqa: PLR2004 -- markers, and SOS
        length = 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] == 0xE2 and data[at + 4 : at + 8] == b"MPF\0":  # noqa: PLR2004 -- APP2
            return data[:at] + data[at + length :]
        at += length
    return data


def _png(data: bytes) -> _Picture:
    # Checks every chunk and that the last one is there, without decoding; a verified image can't be used again.
    Image.open(io.BytesIO(data), formats=["PNG"]).verify()
    image = Image.open(io.BytesIO(data), formats=["PNG"])
    dpi, orientation = believable_dpi(image.size, image.info.get("dpi")), _exif_orientation(image)
    if data[_PNG_INTERLACED] or _has_transparency(image):
        image.load()
        data = _as_file(_on_paper(image))
    return _Picture(data, dpi, orientation)


def _directories(file: BinaryIO, size: int, most: int) -> list[tiff_structure.Directory]:
    with _corrupt_where_it_fails():
        try:
            directories = tiff_structure.read_directories(file, size, most)
        except tiff_structure.TiffBroken as error:
            raise ScanRejected(QuarantineReason.CORRUPT, detail="the TIFF is cut off") from error
    if not directories:
        raise ScanRejected(QuarantineReason.NO_PAGES)
    if len(directories) > most:
        raise ScanRejected(QuarantineReason.TOO_LARGE, detail="more pages than a scan may have")
    return list(directories)


def _tiff_pages(file: BinaryIO, directories: Sequence[tiff_structure.Directory], wanted: slice) -> Iterator[_Picture]:
    image = Image.open(file, formats=["TIFF"])
    for number, directory in list(enumerate(directories))[wanted]:
        if number != image.tell():
            image.info.clear()  # else Pillow says of a page that states no resolution what another one stated
            image.seek(number)
        dpi = believable_dpi(image.size, image.info.get("dpi"))
        if directory.is_one_group_4_strip:
            yield _Picture(_group_4_strip(file, directory), dpi, 1)
            continue
        # Pillow turns the pixels by the TIFF's orientation while loading.
        image.load()
        flat = _on_paper(image)
        if flat.mode == "I;16" and directory.first(tiff_structure.PHOTOMETRIC, 1) == 0:
            flat = Image.fromarray(~np.asarray(flat))  # zero is white, which Pillow heeds up to 8 bits only
        yield _Picture(_as_file(flat), dpi, 1)


def _group_4_strip(file: BinaryIO, directory: tiff_structure.Directory) -> bytes:
    ((offset, length),) = directory.pieces
    file.seek(offset)
    return tiff_structure.one_strip_tiff(
        directory.first(tiff_structure.IMAGE_WIDTH, 0),
        directory.first(tiff_structure.IMAGE_LENGTH, 0),
        directory.first(tiff_structure.PHOTOMETRIC, 0),
        file.read(length),
        directory.first(tiff_structure.FILL_ORDER, 1),
    )


def _exif_orientation(image: Image.Image) -> int:
    value = image.getexif().get(ExifTags.Base.Orientation, 1)
    return value if value in _TURNS or value in _MIRRORED else 1


def _has_transparency(image: Image.Image) -> bool:
    return image.mode in {"LA", "La", "PA", "RGBA", "RGBa"} or "transparency" in image.info


def _on_paper(image: Image.Image) -> Image.Image:
    """Give the pixels in a mode that a PDF holds, transparency laid on white."""
    if image.mode in {"I", "F"}:
        raise ScanRejected(QuarantineReason.UNSUPPORTED, detail="pixels of 32 bits")
    if _has_transparency(image):
        colours = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        paper.alpha_composite(colours)
        return paper.convert("L" if image.mode in {"LA", "La"} else "RGB")
    if image.mode.startswith("I;16"):
        return Image.fromarray(np.asarray(image).astype(np.uint16))
    return image if image.mode in {"1", "L", "P", "RGB", "CMYK"} else image.convert("RGB")


def _as_file(image: Image.Image) -> bytes:
    """Write the pixels as a file that img2pdf takes: black and white it makes Group 4 of, CMYK only a TIFF holds."""
    file = io.BytesIO()
    image.info.clear()
    image.save(file, "TIFF" if image.mode in {"1", "CMYK"} else "PNG")
    return file.getvalue()


def _write_part(pictures: list[_Picture], path: Path, progress: Callable[[], None]) -> bool:
    """Write some pages to the work folder; False when there are none."""
    if not pictures:
        return False
    part = pikepdf.new()
    for picture in pictures:
        part.pages.extend(pikepdf.open(io.BytesIO(_one_page(picture))).pages)
        if picture.orientation in _MIRRORED:
            page = part.pages[-1]
            _, _, width, height = (float(value) for value in page.mediabox)
            mirrored = f"q {-width:.4f} 0 0 {height:.4f} {width:.4f} 0 cm /Im0 Do Q"
            page.Contents = part.make_stream(mirrored.encode())
        progress()
    _save(part, path)
    return True


def _told(pictures: Iterable[_Picture], progress: Callable[[], None]) -> list[_Picture]:
    told = []
    for picture in pictures:
        told.append(picture)
        progress()
    return told


def _one_page(picture: _Picture) -> bytes:
    """Make the PDF of a picture, its page as large as its resolution says."""

    def lay_out(width: int, height: int, _: object) -> tuple[float, float, float, float]:
        size = width * POINTS_PER_INCH / picture.dpi[0], height * POINTS_PER_INCH / picture.dpi[1]
        return *size, *size

    turn = _TURNS.get(picture.orientation, 0)
    try:
        made = img2pdf.convert(
            picture.data,
            layout_fun=lay_out,
            rotation=img2pdf.Rotation[str(turn)],
            nodate=True,
            engine=img2pdf.Engine.internal,
        )
    except MemoryError:
        raise
    except Exception as error:
        raise ScanRejected(QuarantineReason.CORRUPT, detail="a picture doesn't fit a PDF") from error
    return bytes(made)


def _save(pdf: pikepdf.Pdf, path: Path) -> Path:
    save_pdf(
        pdf, path, deterministic_id=True, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none
    )
    return path
