"""Pictures that lie about their size, unpack to gigabytes, or go round in circles: as files, and as images in PDFs."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache

import numpy as np
import pikepdf
from pikepdf import Dictionary, Name
from PIL import Image

from tests.support.pdf_pages import add_image_page, encoded, image_object, jbig2, jpeg, picture


@cache
def packed(size: int, byte: bytes = b"\0") -> bytes:
    """Deflate so many equal bytes: a thousandth of them comes out."""
    packing = zlib.compressobj(9)
    piece = byte * (1 << 20)
    return b"".join(packing.compress(piece) for _ in range(size >> 20)) + packing.flush()


def png(width: int, height: int, pixels: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """Write a grey PNG that says it has this size, with these deflated pixels and further chunks."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


def png_with_a_text(size: int) -> bytes:
    """Write a good PNG with a text beside it that unpacks to this size."""
    grey = np.asarray(picture(1))
    rows = b"".join(b"\0" + row.tobytes() for row in grey)
    text = b"Comment\0\1\0\0\0" + packed(size, b" ")
    return png(grey.shape[1], grey.shape[0], zlib.compress(rows), (b"iTXt", text))


def jpeg_of_size(width: int, height: int) -> bytes:
    """Give a good JPEG that says it has another size."""
    data = jpeg(1)
    frame = data.index(b"\xff\xc0") + 5
    return data[:frame] + struct.pack(">HH", height, width) + data[frame + 4 :]


def tiff(*directories: list[tuple[int, int, int, int]], following: int | None = None, tail: bytes = b"") -> bytes:
    """Write a TIFF of these directories (tag, type, count, value each); the last leads to `following`, or nowhere."""
    data = struct.pack("<2sHI", b"II", 42, 8)
    for place, entries in enumerate(directories):
        length = 2 + 12 * len(entries) + 4
        last = place == len(directories) - 1
        leads_to = (following or 0) if last else len(data) + length
        data += struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
        data += struct.pack("<I", leads_to)
    return data + tail


def tiff_directory(
    width: int, height: int, offset: int, length: int, compression: int
) -> list[tuple[int, int, int, int]]:
    """Write a directory of a black and white picture in one strip."""
    values = (
        (256, width),
        (257, height),
        (258, 1),
        (259, compression),
        (262, 1),
        (273, offset),
        (278, height),
        (279, length),
    )
    return [(tag, 4, 1, value) for tag, value in values]


def tiff_of_one_strip_many_times(times: int) -> bytes:
    """Write a TIFF whose pages are all the same few bytes."""
    strip = b"\xff" * 80 + b"\x00\x10\x01"
    size = 2 + 12 * 8 + 4
    directory = tiff_directory(600, 600, 8 + times * size, len(strip), 4)
    return tiff(*[directory] * times, tail=strip)


def tiff_of_size(side: int) -> bytes:
    """Write a TIFF of `side`² white pixels in one strip of group 4."""
    strip = b"\xff" * -(-side // 8) + b"\x00\x10\x01"
    return tiff(tiff_directory(side, side, 8 + 2 + 12 * 8 + 4, len(strip), 4), tail=strip)


def tiff_that_unpacks(size: int) -> bytes:
    """Write a TIFF of a small picture whose one deflated strip unpacks to this size."""
    strip = packed(size)
    return tiff(tiff_directory(600, 600, 8 + 2 + 12 * 8 + 4, len(strip), 8), tail=strip)


def jpx_of_size(width: int, height: int) -> bytes:
    """Give a JPEG 2000 that says it has this size."""
    data = encoded(picture(1), "JPEG2000")
    head = data.index(b"ihdr") + 4
    size = data.index(b"\xff\x51") + 6
    data = data[:head] + struct.pack(">II", height, width) + data[head + 8 :]
    return data[:size] + struct.pack(">II", width, height) + data[size + 8 :]


def jbig2_of_size(width: int, height: int) -> bytes:
    """Give a JBIG2 for a PDF that says it has this size."""
    data = jbig2(picture(1).convert("1", dither=Image.Dither.NONE))
    return data[:11] + struct.pack(">II", width, height) + data[19:]


def image_page(pdf: pikepdf.Pdf, data: bytes, name: str, bits: int = 8, size: tuple[int, int] = (496, 702)) -> None:
    """Add a page that is an image with this filter."""
    add_image_page(pdf, image_object(pdf, data, size, Name.DeviceGray, bits, Filter=Name(name)))


def content_page(pdf: pikepdf.Pdf, data: bytes, *filters: str) -> None:
    """Add a page whose content is packed like this."""
    page = Dictionary(
        Type=Name.Page,
        MediaBox=pikepdf.Array([0, 0, 595, 842]),
        Resources=Dictionary(),
        Contents=pdf.make_stream(data, Filter=pikepdf.Array([Name(each) for each in filters])),
    )
    pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))


def kept_packed(pdf: pikepdf.Pdf) -> bytes:
    """Give the file with its streams as they stand."""
    buffer = io.BytesIO()
    pdf.save(buffer, stream_decode_level=pikepdf.StreamDecodeLevel.none, compress_streams=False)
    return buffer.getvalue()
