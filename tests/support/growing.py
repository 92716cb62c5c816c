"""Files that grow by pages, as some scanners write them: whole after each, and nothing in them says that more come."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

from tests.support.scanner import EncodedPage
from tests.support.scans import tiff_of


def growing_pdf(pages: Sequence[EncodedPage]) -> list[bytes]:
    """Give what a PDF is after each page: page by page an incremental update (ISO 32000-1, 7.5.6). JPEG pages only.

    Objects: 1 the catalogue, 2 the page tree, then three for each page: itself, what it paints, its image.
    """
    states, whole, previous = [], b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", None
    for count, page in enumerate(pages, start=1):
        first = 3 * count
        width, height = (side * 72 / page.dpi for side in (page.width, page.height))
        kids = " ".join(f"{3 * number} 0 R" for number in range(1, count + 1))
        content = f"q {width:.3f} 0 0 {height:.3f} 0 0 cm /Im Do Q".encode()
        with Image.open(io.BytesIO(page.data)) as image:
            space = {"L": "DeviceGray", "RGB": "DeviceRGB"}[image.mode]
        objects = {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: f"<< /Type /Pages /Count {count} /Kids [ {kids} ] >>".encode(),
            first: f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width:.3f} {height:.3f}] /Contents {first + 1} 0 R"
            f" /Resources << /XObject << /Im {first + 2} 0 R >> >> >>".encode(),
            first + 1: _stream(f"/Length {len(content)}", content),
            first + 2: _stream(
                f"/Type /XObject /Subtype /Image /Width {page.width} /Height {page.height} /BitsPerComponent 8"
                f" /ColorSpace /{space} /Filter /DCTDecode /Length {len(page.data)}",
                page.data,
            ),
        }
        if count > 1:
            del objects[1]
        whole, previous = _updated(whole, objects, 3 * count + 3, previous)
        states.append(whole)
    return states


def growing_tiff(pages: Sequence[EncodedPage]) -> list[bytes]:
    """Give what a TIFF is after each page: a page is appended, and the pointer of the one before is set to it."""
    return [tiff_of(pages[:count], compression="jpeg") for count in range(1, len(pages) + 1)]


def _stream(entries: str, data: bytes) -> bytes:
    return b"<< " + entries.encode() + b" >>\nstream\n" + data + b"\nendstream"


def _updated(whole: bytes, objects: dict[int, bytes], size: int, previous: int | None) -> tuple[bytes, int]:
    places = {}
    for number, body in objects.items():
        places[number] = len(whole)
        whole += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = len(whole)
    lines = ["xref"] if previous is not None else ["xref", "0 1", "0000000000 65535 f "]
    for number, place in places.items():
        lines += [f"{number} 1", f"{place:010d} 00000 n "]
    before = "" if previous is None else f" /Prev {previous}"
    lines += ["trailer", f"<< /Size {size} /Root 1 0 R{before} >>", "startxref", str(table), "%%EOF", ""]
    return whole + "\n".join(lines).encode(), table
