"""Files that make trouble for whatever parses them: small on disk, endless to draw, or huge once unpacked."""

from __future__ import annotations

import io

import pikepdf
from pikepdf import Array, Dictionary, Name

from tests.support.pdf_pages import A4, add_image_page, image_object, jpeg, jpeg_image

_FORMS_DEEP = 14
_FORMS_SLOW = 5
"""So deep takes a second or two."""
_TIMES_EACH = 10


def endless_page(pdf: pikepdf.Pdf, deep: int = _FORMS_DEEP) -> None:
    """Add a page that takes a renderer years: a form paints another ten times, which paints another ten times, etc."""
    size = Array([0, 0, *A4])
    # The innermost paints a little each time, or a clever renderer would leave it out.
    form = pdf.make_stream(b"0 0 1 1 re f", Type=Name.XObject, Subtype=Name.Form, BBox=size)
    for _ in range(deep):
        resources = Dictionary(XObject=Dictionary(F=form))
        content = b"/F Do\n" * _TIMES_EACH
        form = pdf.make_stream(content, Type=Name.XObject, Subtype=Name.Form, BBox=size, Resources=resources)
    page = Dictionary(
        Type=Name.Page,
        MediaBox=size,
        Resources=Dictionary(XObject=Dictionary(F=form)),
        Contents=pdf.make_stream(b"/F Do"),
    )
    pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))


def bomb_page(pdf: pikepdf.Pdf, side: int = 60_000) -> None:
    """Add a page that is one white image of `side`² pixels: some kilobytes, gigabytes once unpacked.

    In CCITT group 4 a white line below a white line is a single bit, "V0": ITU-T T.6.
    """
    lines = b"\xff" * -(-side // 8) + b"\x00\x10\x01"
    parameters = Dictionary(K=-1, Columns=side, Rows=side)
    add_image_page(
        pdf,
        image_object(pdf, lines, (side, side), Name.DeviceGray, 1, Filter=Name.CCITTFaxDecode, DecodeParms=parameters),
    )


def good_page(pdf: pikepdf.Pdf, number: int = 1) -> None:
    """Add a page that is a JPEG and nothing else."""
    add_image_page(pdf, jpeg_image(pdf, jpeg(number)))


def saved(pdf: pikepdf.Pdf) -> bytes:
    """Give the file."""
    buffer = io.BytesIO()
    pdf.save(buffer, deterministic_id=True)
    return buffer.getvalue()


def endless_pdf(pages_before: int = 1, pages_behind: int = 0) -> bytes:
    """Make a PDF of good pages with one among them that a renderer never finishes."""
    with pikepdf.new() as pdf:
        for number in range(1, pages_before + 1):
            good_page(pdf, number)
        endless_page(pdf)
        for number in range(1, pages_behind + 1):
            good_page(pdf, number)
        return saved(pdf)


def slow_pdf(pages_before: int = 1, pages_behind: int = 0) -> bytes:
    """Make a PDF of good pages with one among them that a renderer finishes, though not in a moment."""
    with pikepdf.new() as pdf:
        for number in range(1, pages_before + 1):
            good_page(pdf, number)
        endless_page(pdf, _FORMS_SLOW)
        for number in range(1, pages_behind + 1):
            good_page(pdf, number)
        return saved(pdf)


def bomb_pdf(pages_before: int = 1, side: int = 60_000) -> bytes:
    """Make a PDF of good pages and one that is a bomb."""
    with pikepdf.new() as pdf:
        for number in range(1, pages_before + 1):
            good_page(pdf, number)
        bomb_page(pdf, side)
        return saved(pdf)
