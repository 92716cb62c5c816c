"""Pages whose pictures can be told apart and told which way up they are, and PDFs built from them by hand."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pdf2image
import pikepdf
from pikepdf import Array, Dictionary, Name
from PIL import Image

Pixels = npt.NDArray[np.uint8]

_ACROSS, _DOWN = 6, 8
A4 = (595.0, 842.0)


def picture(number: int, width: int = 496, height: int = 702) -> Image.Image:
    """Draw the grey picture of a page: black and white cells, different for each number, none like another's turned."""
    cells = np.repeat(np.repeat(_cells(number), height // _DOWN + 1, 0), width // _ACROSS + 1, 1)
    return Image.fromarray(np.where(cells[:height, :width], 20, 235).astype(np.uint8))


def shows(pixels: Pixels, number: int) -> bool:
    """Tell whether pixels show the picture of this number, upright and whole."""
    height, width = pixels.shape
    cell_height, cell_width = 702 // _DOWN + 1, 496 // _ACROSS + 1
    rows = [int((row + 0.4) * cell_height / 702 * height) for row in range(_DOWN)]
    columns = [int((column + 0.4) * cell_width / 496 * width) for column in range(_ACROSS)]
    return bool(np.array_equal(pixels[np.ix_(rows, columns)] < 128, _cells(number)))


def encoded(image: Image.Image, file_type: str, **options: object) -> bytes:
    """Write an image as a file in memory."""
    file = io.BytesIO()
    image.save(file, file_type, **options)
    return file.getvalue()


def jpeg(number: int, **options: object) -> bytes:
    """Give the picture of a number as a grey JPEG of 60 dpi."""
    return encoded(picture(number), "JPEG", quality=90, dpi=(60, 60), **options)


def add_image_page(
    pdf: pikepdf.Pdf,
    image: pikepdf.Object,
    content: str | None = None,
    size: tuple[float, float] = A4,
    **keys: object,
) -> pikepdf.Object:
    """Add a page that paints `image`, named /Im0, over all of it unless `content` says otherwise; give its object."""
    if content is None:
        content = f"q {size[0]} 0 0 {size[1]} 0 0 cm /Im0 Do Q"
    page = Dictionary(
        Type=Name.Page,
        MediaBox=Array([0, 0, *size]),
        Resources=Dictionary(XObject=Dictionary(Im0=image)),
        Contents=pdf.make_stream(content.encode()),
    )
    for key, value in keys.items():
        page["/" + key] = value
    pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))
    return pdf.pages[-1].obj


def jpeg_image(pdf: pikepdf.Pdf, data: bytes, **keys: object) -> pikepdf.Object:
    """Make an image object of a JPEG."""
    with Image.open(io.BytesIO(data)) as image:
        spaces = {"L": Name.DeviceGray, "RGB": Name.DeviceRGB, "CMYK": Name.DeviceCMYK}
        return image_object(pdf, data, image.size, spaces[image.mode], 8, Filter=Name.DCTDecode, **keys)


def flate_image(
    pdf: pikepdf.Pdf, samples: bytes, size: tuple[int, int], space: object, bits: int = 8, **keys: object
) -> pikepdf.Object:
    """Make an image object of samples, deflated."""
    return image_object(pdf, zlib.compress(samples), size, space, bits, Filter=Name.FlateDecode, **keys)


def image_object(
    pdf: pikepdf.Pdf, data: bytes, size: tuple[int, int], space: object, bits: int, **keys: object
) -> pikepdf.Object:
    """Make an image object of a stream as it stands."""
    stream = pdf.make_stream(data)
    entries = {"Type": Name.XObject, "Subtype": Name.Image, "Width": size[0], "Height": size[1]}
    for key, value in {**entries, "ColorSpace": space, "BitsPerComponent": bits, **keys}.items():
        if value is not None:
            stream["/" + key] = value
    return stream


def group_4(image: Image.Image) -> bytes:
    """Encode a black and white image as a bare CCITT Group 4 stream (black is coded as black)."""
    inked = encoded(image, "TIFF", compression="group4", tiffinfo={262: 0}, strip_size=1 << 30)
    with Image.open(io.BytesIO(inked)) as tiff:
        tags = tiff.tag_v2  # type: ignore[attr-defined]  # a TIFF has them
        ((offset,), (length,)) = tags[273], tags[279]
    return inked[offset : offset + length]


def jbig2(image: Image.Image) -> bytes:
    """Encode a black and white image as JBIG2 for a PDF (ITU-T T.88): a region coded as group 4, if it isn't white."""
    width, height = image.size
    segments = [(0, 48, struct.pack(">IIIIBH", width, height, 0, 0, 0, 0))]
    if image.getextrema() != (255, 255):
        segments.append((1, 38, struct.pack(">IIIIBB", width, height, 0, 0, 0, 1) + group_4(image)))
    return b"".join(struct.pack(">IBBBI", number, kind, 0, 1, len(data)) + data for number, kind, data in segments)


def numbered_pdf(numbers: list[int], path: Path, **options: object) -> Path:
    """Save a PDF with a JPEG page for each number."""
    with pikepdf.new() as pdf:
        for number in numbers:
            add_image_page(pdf, jpeg_image(pdf, jpeg(number)))
        pdf.save(path, **options)
    return path


def drawn(path: Path, page: int, size: tuple[int, int]) -> Pixels:
    """Let poppler draw a page of a PDF and bring it to `size` (height, width): a second opinion on what it shows."""
    (image,) = pdf2image.convert_from_path(
        path, first_page=page, last_page=page, dpi=60, grayscale=True, use_cropbox=True
    )
    # pdftoppm's own scaling swaps the sides of turned pages.
    return np.asarray(image.convert("L").resize((size[1], size[0])))


def far_apart(one: Pixels, other: Pixels) -> float:
    """Give the mean difference of two pictures of the same size, 0 to 255."""
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def _cells(number: int) -> npt.NDArray[np.bool_]:
    cells = np.random.default_rng(number).integers(0, 2, (_DOWN, _ACROSS)).astype(bool)
    cells[0, 0], cells[-1, -1], cells[0, -1] = True, False, False
    return cells
