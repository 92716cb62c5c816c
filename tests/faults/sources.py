"""Small scans of every kind that a station takes, to be mutated: drawn once, each page with an id of its own.

Some 20 kB each, at 100 dpi, so that thousands of them can be read; `Source.numbered` makes each copy another file,
so that none is told for a duplicate.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pikepdf
from pikepdf import Array, Dictionary, Name
from PIL import Image

from tests.support import scans
from tests.support.papers import paper
from tests.support.pdf_pages import group_4
from tests.support.scanner import CLEAN, EncodedPage, Encoding, Scanning, encode, scan
from tests.support.stacks import Role, TruePage
from tests.support.typeset import Picture, grey

DPI = 100
_KINDS = ("SEAL", "WORKS", "APPLICATION", "PROTOCOL", "DISMANTLE", "UNFIT")
_TAG = b"copy-00000000"
_Maker = Callable[[str, int, np.random.Generator], "Source"]
_G4, _DEFLATE = Scanning(encoding=Encoding.G4), Scanning(encoding=Encoding.DEFLATE)


@dataclass(frozen=True, slots=True)
class Source:
    """A scan before anything happened to it."""

    kind: str
    """What it is, in a word or two."""
    data: bytes = field(repr=False)
    page_ids: tuple[int, ...]

    @property
    def is_pdf(self) -> bool:
        """Tell whether it has a PDF's structure."""
        return self.data.startswith(b"%PDF")

    @property
    def pages(self) -> tuple[TruePage, ...]:
        """Give the truth about it."""
        return tuple(TruePage(Role.PAPER, page_id, None) for page_id in self.page_ids)

    def numbered(self, number: int) -> bytes:
        """Give its bytes with a number in a place that means nothing, and nothing moved."""
        tag = b"copy-%08d" % number
        if self.data.startswith(b"%PDF"):
            # The comment behind the header, whose bytes say only that there are bytes above 127 in the file.
            begin = self.data.index(b"\n%") + 2
            mark = bytes(0x80 | number >> 7 * place & 0x7F for place in range(4))
            return self.data[:begin] + mark + self.data[begin + 4 :]
        if self.data.startswith(b"\x89PNG"):
            # Its chunk has a checksum.
            begin = self.data.index(b"tEXt")
            text = b"tEXt" + self.data[begin + 4 :].split(_TAG)[0] + tag
            end = begin + len(text)
            return self.data[:begin] + text + struct.pack(">I", zlib.crc32(text)) + self.data[end + 4 :]
        return self.data.replace(_TAG, tag, 1)


def draw_sources(first_id: int = 1000) -> list[Source]:
    """Draw them: a dozen kinds, two of most."""
    drawn: list[Source] = []
    for round_ in range(2):
        for kind, make in _MAKERS.items():
            begin = first_id + 10 * len(drawn)
            drawn.append(make(kind, begin, np.random.default_rng([round_, begin])))
    return drawn


def _pages(begin: int, count: int, rng: np.random.Generator) -> list[Picture]:
    return [paper(_KINDS[(begin + at) % len(_KINDS)], begin + at, rng, DPI) for at in range(count)]


def _scanned(begin: int, count: int, rng: np.random.Generator, how: Sequence[Scanning]) -> list[EncodedPage]:
    pages = _pages(begin, count, rng)
    return [scan(page, DPI, how[at % len(how)], rng) for at, page in enumerate(pages)]


def _pdf(*how: Scanning, count: int = 2) -> _Maker:
    def make(kind: str, begin: int, rng: np.random.Generator) -> Source:
        return Source(kind, scans.pdf_of(_scanned(begin, count, rng, how)), tuple(range(begin, begin + count)))

    return make


def _in_object_streams(kind: str, begin: int, rng: np.random.Generator) -> Source:
    made = _pdf(CLEAN, _G4, count=3)(kind, begin, rng)
    with pikepdf.open(io.BytesIO(made.data)) as pdf:
        buffer = io.BytesIO()
        pdf.save(buffer, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return Source(kind, buffer.getvalue(), made.page_ids)


def _vectors(kind: str, begin: int, _rng: np.random.Generator) -> Source:
    return Source(kind, scans.vector_pdf([begin], lambda _: "= Виписка\n#lorem(60)"), (begin,))


def _in_layers(kind: str, begin: int, rng: np.random.Generator) -> Source:
    """Paper and ink apart, as scanners with "high compression" do: a coarse JPEG below, a sharp mask above."""
    (page,) = _pages(begin, 1, rng)
    size = (595.0, 595.0 * page.shape[0] / page.shape[1])
    below = encode(np.full((60, 42), 245, np.uint8), 8, Scanning(quality=40))
    ink = Image.fromarray(grey(page)).point(lambda value: 255 if value > 150 else 0).convert("1")
    with pikepdf.new() as pdf:
        images = Dictionary(
            Below=pdf.make_stream(
                below.data, Type=Name.XObject, Subtype=Name.Image, Width=below.width, Height=below.height,
                ColorSpace=Name.DeviceGray, BitsPerComponent=8, Filter=Name.DCTDecode,
            ),
            Ink=pdf.make_stream(
                group_4(ink), Type=Name.XObject, Subtype=Name.Image, Width=ink.width, Height=ink.height,
                ImageMask=True, BitsPerComponent=1, Filter=Name.CCITTFaxDecode,
                DecodeParms=Dictionary(K=-1, Columns=ink.width, Rows=ink.height),
            ),
        )  # fmt: skip
        place = f"q {size[0]:.2f} 0 0 {size[1]:.2f} 0 0 cm".encode()
        contents = place + b" /Below Do Q 0 g " + place + b" /Ink Do Q"
        pdf.pages.append(
            pikepdf.Page(
                pdf.make_indirect(
                    Dictionary(
                        Type=Name.Page,
                        MediaBox=Array([0, 0, *(round(side, 2) for side in size)]),
                        Resources=Dictionary(XObject=images),
                        Contents=pdf.make_stream(contents),
                    )
                )
            )
        )
        buffer = io.BytesIO()
        pdf.save(buffer, object_stream_mode=pikepdf.ObjectStreamMode.disable, deterministic_id=True)
    return Source(kind, buffer.getvalue(), (begin,))


def _tiff(compression: str, *how: Scanning, count: int) -> _Maker:
    def make(kind: str, begin: int, rng: np.random.Generator) -> Source:
        images = [Image.open(io.BytesIO(page.data)) for page in _scanned(begin, count, rng, how)]
        if compression != "group4":
            images = [image.convert("L") for image in images]
        buffer = io.BytesIO()
        images[0].save(
            buffer, "TIFF", save_all=True, append_images=images[1:], compression=compression, dpi=(DPI, DPI),
            tiffinfo={270: _TAG.decode()},
        )  # fmt: skip
        return Source(kind, buffer.getvalue(), tuple(range(begin, begin + count)))

    return make


def _jpeg(kind: str, begin: int, rng: np.random.Generator) -> Source:
    (page,) = _scanned(begin, 1, rng, [CLEAN])
    return Source(kind, page.data[:2] + b"\xff\xfe\x00\x0f" + _TAG + page.data[2:], (begin,))


def _png(kind: str, begin: int, rng: np.random.Generator) -> Source:
    (page,) = _scanned(begin, 1, rng, [_DEFLATE])
    text = b"tEXtComment\0" + _TAG
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    behind_head = page.data.index(b"IHDR") + 4 + 13 + 4
    return Source(kind, page.data[:behind_head] + chunk + page.data[behind_head:], (begin,))


_MAKERS = {
    "JPEG in PDF": _pdf(CLEAN),
    "G4 in PDF": _pdf(_G4, count=3),
    "Flate in PDF": _pdf(_DEFLATE, count=1),
    "mixed PDF": _pdf(CLEAN, _G4, count=3),
    "PDF with object streams": _in_object_streams,
    "vectors in PDF": _vectors,
    "layers in PDF": _in_layers,
    "G4 in TIFF": _tiff("group4", _G4, count=3),
    "JPEG in TIFF": _tiff("jpeg", CLEAN, count=2),
    "LZW in TIFF": _tiff("tiff_lzw", _DEFLATE, count=2),
    "JPEG": _jpeg,
    "PNG": _png,
}
