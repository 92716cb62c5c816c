"""The files that scanners save: PDF, TIFF, JPEG, PNG, and those that went wrong on the way."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import img2pdf
import pikepdf
from PIL import Image

from tests.support.page_ids import cells_of
from tests.support.scanner import EncodedPage, Encoding
from tests.support.typeset import Picture, typeset_pdf


def pdf_of(pages: Sequence[EncodedPage], *, rotations: Sequence[int] = ()) -> bytes:
    """Make a PDF as scanners do, an image per page, its stream as encoded; `rotations` is each page's /Rotate."""
    # Its own writer, since pikepdf's would linearise, and scanners don't: they write one page after the other.
    engine = img2pdf.Engine.internal
    made = bytes(img2pdf.convert([page.data for page in pages], rotation=img2pdf.Rotation.none, engine=engine))
    if not any(rotations):
        return made
    with pikepdf.open(io.BytesIO(made)) as pdf:
        for page, rotation in zip(pdf.pages, rotations, strict=True):
            page.rotation = rotation
        return _saved(pdf)


def tiff_of(pages: Sequence[EncodedPage], *, compression: str | None = None) -> bytes:
    """Make a multi-page TIFF; `compression` is Pillow's name, by default G4 for black and white and JPEG otherwise."""
    images: list[Image.Image] = [Image.open(io.BytesIO(page.data)) for page in pages]
    if compression is None:
        compression = "group4" if all(page.encoding is Encoding.G4 for page in pages) else "jpeg"
    if compression != "group4":
        images = [image.convert("L") if image.mode == "1" else image for image in images]
    return _with_frames(images, compression, pages[0].dpi)


def jpeg_with_exif_rotation(picture: Picture, dpi: int, orientation: int, quality: int = 82) -> bytes:
    """Make a JPEG as a phone does: the pixels lie as the sensor saw them, EXIF `orientation` (1 to 8) rights them."""
    image = Image.fromarray(picture)
    # Pillow's transposition undoes EXIF's, so the inverse of each is what the sensor saw.
    inverse = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    if orientation in inverse:
        image = image.transpose(inverse[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, dpi=(dpi, dpi), exif=exif)
    return buffer.getvalue()


def png_of(picture: Picture, dpi: int) -> bytes:
    """Make a PNG."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=1, dpi=(dpi, dpi))
    return buffer.getvalue()


def truncated(data: bytes, share: float = 0.6) -> bytes:
    """Cut a file off, as a scanner does that lost its network."""
    return data[: int(len(data) * share)]


def encrypted(pdf_bytes: bytes) -> bytes:
    """Encrypt a PDF so that it opens with a password only."""
    password = "таємниця"  # noqa: S105 - guards nothing: what matters is that the program doesn't have it
    with pikepdf.open(io.BytesIO(pdf_bytes)) as pdf:
        buffer = io.BytesIO()
        pdf.save(buffer, encryption=pikepdf.Encryption(user=password, owner=password, R=6))
        return buffer.getvalue()


def pdf_without_pages() -> bytes:
    """Make a PDF that is whole and has no pages."""
    with pikepdf.new() as pdf:
        return _saved(pdf)


def program_bytes() -> bytes:
    """Give the beginning of a Windows program: not a scan, whatever its name says."""
    return (
        b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + b"\x00" * 44 + b"\x80\x00\x00\x00" + bytes(900)
    )


def zip_bytes() -> bytes:
    """Give a zip archive, as an office document is one."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>")
    return buffer.getvalue()


def vector_pdf(page_ids: Iterable[int], body: Callable[[int], str] | None = None) -> bytes:
    """Make a PDF of text and vectors, no images: a page per id. `body` gives a page's Typst markup, by its place."""
    pages = []
    for place, page_id in enumerate(page_ids):
        text = body(place) if body else f"= Виписка № {page_id}\n#lorem(180)"
        pages.append(f"{id_markup(page_id)}\n{text}")
    return typeset_pdf('#set text(font: "Libertinus Serif", lang: "uk")\n' + "\n#pagebreak()\n".join(pages))


def id_markup(page_id: int) -> str:
    """Give the row of cells of a page's id as Typst markup: the same geometry as the drawn one, on A4."""
    cells = cells_of(page_id)
    left = (210 - 1.4 * len(cells)) / 2
    return "\n".join(
        f"#place(top + left, dx: {left + 1.4 * place - 20:.3f}mm, dy: {297 - 9.5 - 20}mm, "
        "rect(width: 1.41mm, height: 3mm, fill: black))"
        for place, cell in enumerate(cells)
        if cell
    )


def joined(pdfs: Iterable[bytes]) -> bytes:
    """Join PDFs into one, page objects as they are."""
    with pikepdf.new() as whole:
        for data in pdfs:
            with pikepdf.open(io.BytesIO(data)) as part:
                whole.pages.extend(part.pages)
        return _saved(whole)


def write_slowly(
    path: Path,
    data: bytes,
    wait: Callable[[float], object],
    *,
    chunk: int = 4096,
    pause: float = 0.5,
    reopen_every: int = 4,
) -> None:
    """Write a file as a slow scanner does: piece by piece, closed and reopened after every `reopen_every` pieces.

    `wait` is called with `pause` seconds between pieces: `time.sleep`, an event's `wait`, or a test's own clock.
    """
    pieces = [data[begin : begin + chunk] for begin in range(0, len(data), chunk)]
    path.touch()
    for begin in range(0, len(pieces), reopen_every):
        with path.open("ab") as file:
            for piece in pieces[begin : begin + reopen_every]:
                file.write(piece)
                file.flush()
                wait(pause)


def _with_frames(images: Sequence[Image.Image], compression: str, dpi: int) -> bytes:
    buffer = io.BytesIO()
    options: dict[str, Any] = {"compression": compression, "dpi": (dpi, dpi)}
    images[0].save(buffer, "TIFF", save_all=True, append_images=images[1:], **options)
    return buffer.getvalue()


def _saved(pdf: pikepdf.Pdf) -> bytes:
    buffer = io.BytesIO()
    pdf.save(buffer, deterministic_id=True)
    return buffer.getvalue()
