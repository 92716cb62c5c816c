"""PDFs whose structure makes trouble for whatever follows it: loops, lies, depths, multitudes, odd sizes."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable

import pikepdf
from pikepdf import Array, Dictionary, Name

from tests.support.hostile import good_page, saved
from tests.support.pdf_pages import A4, add_image_page, jpeg, jpeg_image

_PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>/Contents 4 0 R>>"
_INK = b"0 0 200 200 re f"
_CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"


def pdf_of_objects(*objects: bytes, trailer: bytes = b"") -> bytes:
    """Write a PDF of these objects, numbered from 1, the first its catalogue; nothing in them is looked at."""
    parts = [b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"]
    parts += [b"%d 0 obj\n%b\nendobj\n" % (number, body) for number, body in enumerate(objects, start=1)]
    *offsets, end = itertools.accumulate(map(len, parts))
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, table))
    parts.append(b"trailer <</Root 1 0 R/Size %d%b>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, end))
    return b"".join(parts)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """Write a stream object's body."""
    return b"<</Length %d%b>>\nstream\n%b\nendstream" % (len(content), entries, content)


def one_page(page: bytes = _PAGE, *more: bytes, content: bytes = _INK) -> bytes:
    """Write a PDF of one page, object 3, with its content, object 4, and further objects from 5 on."""
    return pdf_of_objects(_CATALOG, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, stream(content), *more)


def of_box(box: bytes, entries: bytes = b"") -> bytes:
    """Write a PDF of one page with a box written like this."""
    return one_page(_PAGE.replace(b"[0 0 595 842]", box + entries))


def page_tree(kids: bytes, count: int, *more: bytes) -> bytes:
    """Write a PDF whose page tree is this; object 3 is a page, 4 its content, further ones from 5 on."""
    return pdf_of_objects(_CATALOG, b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, count), _PAGE, stream(_INK), *more)


def page_times(times: int) -> bytes:
    """Write a PDF that names one page ten million times or so, in a few kilobytes: the list is packed."""
    kids = b"<</Type/Pages/Count %d/Kids[%b]>>" % (times, b"3 0 R " * times)
    packed = zlib.compress(b"2 0 " + kids, 9)
    bodies = {
        1: _CATALOG,
        3: _PAGE,
        4: stream(_INK),
        5: stream(packed, b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode"),
    }
    data = b"%PDF-1.7\n"
    rows = {0: b"\0" + bytes(4) + b"\xff\xff", 2: b"\2" + (5).to_bytes(4, "big") + bytes(2)}
    for number, body in bodies.items():
        rows[number] = b"\1" + len(data).to_bytes(4, "big") + bytes(2)
        data += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    rows[6] = b"\1" + len(data).to_bytes(4, "big") + bytes(2)
    table = b"".join(rows[number] for number in sorted(rows))
    about = b"/Type/XRef/Size 7/W[1 4 2]/Root 1 0 R"
    return data + b"6 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (stream(table, about), len(data))


def nested_page_tree(deep: int) -> bytes:
    """Write a PDF whose page lies under this many nodes of the tree, each with one child."""
    nodes = [b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % (number + 1) for number in range(5, 5 + deep)]
    return page_tree(b"5 0 R", 1, *nodes, _PAGE)


def painting_itself() -> bytes:
    """Make a PDF with a form that paints itself."""
    with pikepdf.new() as pdf:
        size = Array([0, 0, *A4])
        form = pdf.make_stream(b"0 0 50 50 re f /F Do", Type=Name.XObject, Subtype=Name.Form, BBox=size)
        form.Resources = Dictionary(XObject=Dictionary(F=form))
        page = Dictionary(
            Type=Name.Page, MediaBox=size, Resources=Dictionary(XObject=Dictionary(F=form)),
            Contents=pdf.make_stream(b"/F Do"),
        )  # fmt: skip
        pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))
        return saved(pdf)


def forms_in_forms(deep: int) -> bytes:
    """Make a PDF with forms in forms: each paints the next."""
    size = b"/BBox[0 0 595 842]/Type/XObject/Subtype/Form"
    forms = [
        stream(b"/F Do", size + b"/Resources<</XObject<</F %d 0 R>>>>" % (number + 1)) for number in range(5, 5 + deep)
    ]
    page = _PAGE.replace(b"<<>>", b"<</XObject<</F 5 0 R>>>>")
    return one_page(page, *forms, stream(_INK, size), content=b"/F Do")


def with_a_page_that(make: Callable[[pikepdf.Pdf], object]) -> bytes:
    """Make a PDF of a good page and another."""
    with pikepdf.new() as pdf:
        good_page(pdf, 1)
        make(pdf)
        return saved(pdf)


def image_page(pdf: pikepdf.Pdf, **keys: object) -> None:
    """Add a page that is a good image, with these entries."""
    add_image_page(pdf, jpeg_image(pdf, jpeg(1)), **keys)
