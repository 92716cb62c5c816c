"""Cutting documents out of open scans."""

from __future__ import annotations

import hashlib
import zlib
from contextlib import ExitStack
from pathlib import Path

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name

from skrynka.core.errors import ScanRejected
from skrynka.core.formats import FileType
from skrynka.core.model import PageRef
from skrynka.core.reasons import QuarantineReason
from skrynka.steps import cutting
from skrynka.steps.pages import Limits, open_scan
from tests.support.pdf_pages import (
    A4,
    add_image_page,
    drawn,
    encoded,
    far_apart,
    flate_image,
    jpeg,
    jpeg_image,
    numbered_pdf,
    picture,
    shows,
)

SHA256 = "00" * 32
LIMITS = Limits(scan_bytes=50_000_000)
ANOTHERS = "Шевченко-0501234567"
"""What a page of another applicant says; in UTF-16 and UTF-8 it must not be found in a document."""


def cut(scans: dict[str, Path], pages: list[PageRef], target: Path) -> Path:
    with ExitStack() as stack:
        opened = {
            scan_id: cutting.Source(
                stack.enter_context(open_scan(path, FileType.PDF, target.parent, LIMITS)).pdf, SHA256
            )
            for scan_id, path in scans.items()
        }
        cutting.cut(pages, opened, target)
    return target


def refs(scan_id: str, numbers: list[int]) -> list[PageRef]:
    return [PageRef(scan_id, number) for number in numbers]


def raw_images(path: Path) -> list[bytes]:
    with pikepdf.open(path) as pdf:
        return [page.Resources.XObject["/Im0"].read_raw_bytes() for page in pdf.pages]


def everything_in(path: Path) -> bytes:
    """Give the bytes of a PDF, with every stream and object written plainly too: nothing can hide in it."""
    with pikepdf.open(path) as pdf:
        parts = [path.read_bytes(), *(item.unparse(resolved=True) for item in pdf.objects)]
        for item in pdf.objects:
            if isinstance(item, pikepdf.Stream):
                parts.append(item.read_raw_bytes())
                if item.get("/Filter") in (None, Name.FlateDecode):
                    parts.append(item.read_bytes())
    return b"\n".join(parts)


def tells(path: Path, said: str) -> bool:
    held = everything_in(path)
    return any(
        form in held for form in (said.encode(), said.encode("utf-16-be"), said.encode("utf-16-be").hex().encode())
    )


def test_image_streams_are_the_originals_byte_for_byte_and_in_order(tmp_path: Path) -> None:
    first = numbered_pdf([1, 2, 3], tmp_path / "first.pdf")
    second = numbered_pdf([4, 5], tmp_path / "second.pdf")
    pages = [*refs("first", [2, 3]), *refs("second", [1])]
    document = cut({"first": first, "second": second}, pages, tmp_path / "document.pdf")
    assert raw_images(document) == [jpeg(2), jpeg(3), jpeg(4)]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(order=st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(1, 4)), min_size=1, max_size=6, unique=True))
def test_any_pages_of_any_scans_in_any_order_are_those_pages_and_no_others(
    order: list[tuple[str, int]], tmp_path: Path
) -> None:
    scans = {
        "a": numbered_pdf([1, 2, 3, 4], tmp_path / "a.pdf"),
        "b": numbered_pdf([5, 6, 7, 8], tmp_path / "b.pdf", object_stream_mode=pikepdf.ObjectStreamMode.generate),
    }
    numbers = [page + (4 if scan_id == "b" else 0) for scan_id, page in order]
    document = cut(scans, [PageRef(*ref) for ref in order], tmp_path / "document.pdf")
    assert raw_images(document) == [jpeg(number) for number in numbers]
    held = document.read_bytes()
    assert [number for number in range(1, 9) if jpeg(number) in held] == sorted(numbers)


def test_flate_streams_keep_their_bytes_too(tmp_path: Path) -> None:
    packed = zlib.compress(picture(1).tobytes(), 1)
    with pikepdf.new() as pdf:
        image = flate_image(pdf, b"", picture(1).size, Name.DeviceGray)
        image.write(packed, filter=Name.FlateDecode)
        add_image_page(pdf, image)
        pdf.save(tmp_path / "scan.pdf", compress_streams=False)
    document = cut({"scan": tmp_path / "scan.pdf"}, refs("scan", [1]), tmp_path / "document.pdf")
    assert raw_images(document) == [packed]


def test_each_page_keeps_its_size_its_rotation_and_its_crop(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        add_image_page(pdf, jpeg_image(pdf, jpeg(1)), Rotate=90)
        add_image_page(pdf, jpeg_image(pdf, jpeg(2)), size=(420, 595), UserUnit=2)
        add_image_page(pdf, jpeg_image(pdf, jpeg(3)), CropBox=Array([10, 10, 500, 800]))
        pdf.save(tmp_path / "scan.pdf")
    document = cut({"scan": tmp_path / "scan.pdf"}, refs("scan", [1, 2, 3]), tmp_path / "document.pdf")
    with pikepdf.open(document) as pdf:
        one, two, three = pdf.pages
        assert one.obj.Rotate == 90
        assert [float(side) for side in two.mediabox] == [0, 0, 420, 595]
        assert two.obj.UserUnit == 2
        assert [float(side) for side in three.cropbox] == [10, 10, 500, 800]


def test_what_pages_inherit_goes_with_them(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        page = add_image_page(pdf, jpeg_image(pdf, jpeg(1)))
        for key in ("/MediaBox", "/Resources"):
            pdf.Root.Pages[key] = page[key]
            del page[key]
        pdf.Root.Pages["/Rotate"] = 270
        pdf.save(tmp_path / "scan.pdf")
    document = cut({"scan": tmp_path / "scan.pdf"}, refs("scan", [1]), tmp_path / "document.pdf")
    with pikepdf.open(document) as pdf:
        assert pdf.pages[0].obj.Rotate == 270
        assert [float(side) for side in pdf.pages[0].mediabox] == [0, 0, *A4]
    assert raw_images(document) == [jpeg(1)]


def test_the_same_pages_give_the_same_bytes_every_time(tmp_path: Path) -> None:
    path = crowded(tmp_path / "scan.pdf")
    with open_scan(path, FileType.PDF, tmp_path, LIMITS) as scan:
        for numbers, name in (([2], "another.pdf"), ([1, 3], "after-another.pdf"), ([1, 3], "again.pdf")):
            cutting.cut(refs("scan", numbers), {"scan": cutting.Source(scan.pdf, SHA256)}, tmp_path / name)
        scan.open_anew()
        cutting.cut(refs("scan", [1, 3]), {"scan": cutting.Source(scan.pdf, SHA256)}, tmp_path / "anew.pdf")
    cut({"scan": path}, refs("scan", [1, 3]), tmp_path / "alone.pdf")
    names = ("after-another.pdf", "again.pdf", "anew.pdf", "alone.pdf")
    assert len({hashlib.sha256((tmp_path / name).read_bytes()).digest() for name in names}) == 1


def test_what_pages_share_stands_in_the_document_once(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        image = jpeg_image(pdf, jpeg(1))
        for _ in range(5):
            add_image_page(pdf, image)
        pdf.save(tmp_path / "scan.pdf")
    document = cut({"scan": tmp_path / "scan.pdf"}, refs("scan", [1, 2, 3, 4, 5]), tmp_path / "document.pdf")
    assert document.read_bytes().count(jpeg(1)) == 1


# Nothing of another applicant's page


def crowded(path: Path) -> Path:
    """Save three pages, the second another applicant's, tied together in every way that PDF has."""
    with pikepdf.new() as pdf:
        pages = [add_image_page(pdf, jpeg_image(pdf, jpeg(number))) for number in (1, 2, 3)]
        anothers_form = form(pdf, f"BT /F1 9 Tf ({ANOTHERS}) Tj ET")
        share_resources(pdf, pages, anothers_form)
        for page in pages:
            page["/PieceInfo"] = Dictionary(Maker=Dictionary(Private=ANOTHERS, Other=pages[1]))
            page["/Metadata"] = pdf.make_stream(f"<x:xmpmeta>{ANOTHERS}</x:xmpmeta>".encode())
            page["/Thumb"] = jpeg_image(pdf, jpeg(2))
            page["/AA"] = Dictionary(O=Dictionary(S=Name.JavaScript, JS=ANOTHERS))
            page["/Dur"] = 1
            page["/StructParents"] = 0
        bead = pdf.make_indirect(Dictionary(Type=Name.Bead, P=pages[1], R=Array([0, 0, 1, 1])))
        pages[0]["/B"] = Array([bead])
        field = pdf.make_indirect(Dictionary(FT=Name.Tx, T=ANOTHERS, V=ANOTHERS))
        widget = pdf.make_indirect(
            Dictionary(
                Type=Name.Annot,
                Subtype=Name.Widget,
                Parent=field,
                Rect=Array([0, 0, 50, 50]),
                F=4,
                P=pages[1],
                Contents=ANOTHERS,
                AP=Dictionary(N=form(pdf, "0 g 0 0 50 50 re f")),
            )
        )
        link = Dictionary(
            Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), Dest=Array([pages[1], Name.Fit])
        )
        reply = Dictionary(
            Type=Name.Annot, Subtype=Name.Popup, Rect=Array([0, 0, 9, 9]), Contents=ANOTHERS, Parent=widget
        )
        pages[0]["/Annots"] = Array([widget, pdf.make_indirect(link), pdf.make_indirect(reply)])
        field["/Kids"] = Array([widget])
        tie_document(pdf, pages, field)
        pdf.save(path)
    return path


def share_resources(pdf: pikepdf.Pdf, pages: list[pikepdf.Object], anothers_form: pikepdf.Object) -> None:
    """Give all pages one dictionary of resources, as many scanners do, with forms that hold the same one again."""
    shared = pdf.make_indirect(Dictionary(XObject=Dictionary(), Font=Dictionary(), ExtGState=Dictionary()))
    frame = form(pdf, "/G0 gs 0 0 5 5 re f")
    frame["/Resources"] = shared
    frame["/PieceInfo"] = Dictionary(Maker=Dictionary(Private=ANOTHERS))
    mask = form(pdf, "0 0 5 5 re f")
    mask["/Resources"] = shared
    shared.ExtGState["/G0"] = Dictionary(SMask=Dictionary(S=Name.Luminosity, G=mask))
    shared.Font["/F1"] = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    for number, page in enumerate(pages, 1):
        image = page.Resources.XObject["/Im0"]
        image["/Metadata"] = pdf.make_stream(ANOTHERS.encode())
        shared.XObject[f"/Im{number}"] = image
        content = f"q {A4[0]} 0 0 {A4[1]} 0 0 cm /Im#3{number} Do Q /Frame Do".encode()
        page["/Contents"] = Array([pdf.make_stream(content)])
        page["/Resources"] = shared
    shared.XObject["/Frame"], shared.XObject["/Anothers"] = frame, anothers_form
    shared["/Properties"] = Dictionary(Layer=Dictionary(Type=Name.OCG, Name=ANOTHERS))


def tie_document(pdf: pikepdf.Pdf, pages: list[pikepdf.Object], field: pikepdf.Object) -> None:
    """Add what a catalog has: each ties the pages together or says something of the whole."""
    pdf.docinfo["/Title"] = ANOTHERS
    pdf.docinfo["/CreationDate"] = "D:20260101000000Z"
    root = pdf.Root
    root["/AcroForm"] = Dictionary(Fields=Array([field]))
    root["/Metadata"] = pdf.make_stream(ANOTHERS.encode())
    root["/PageLabels"] = Dictionary(Nums=Array([0, Dictionary(P=ANOTHERS)]))
    root["/Names"] = Dictionary(Dests=Dictionary(Names=Array([ANOTHERS, Array([pages[1], Name.Fit])])))
    item = pdf.make_indirect(Dictionary(Title=ANOTHERS, Dest=Array([pages[1], Name.Fit])))
    root["/Outlines"] = pdf.make_indirect(Dictionary(Type=Name.Outlines, First=item, Last=item, Count=1))
    element = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.P, Pg=pages[1], ActualText=ANOTHERS))
    root["/StructTreeRoot"] = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot, K=element))
    root["/OpenAction"] = Array([pages[1], Name.Fit])


def form(pdf: pikepdf.Pdf, content: str) -> pikepdf.Object:
    stream = pdf.make_stream(content.encode())
    stream["/Type"], stream["/Subtype"], stream["/BBox"] = Name.XObject, Name.Form, Array([0, 0, 50, 50])
    return stream


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return crowded(tmp_path_factory.mktemp("crowd") / "scan.pdf")


def test_nothing_of_another_page_or_of_the_whole_stays_in_a_document(crowd: Path, tmp_path: Path) -> None:
    document = cut({"scan": crowd}, refs("scan", [1, 3]), tmp_path / "document.pdf")
    assert tells(crowd, ANOTHERS)
    assert not tells(document, ANOTHERS)
    held = document.read_bytes()
    assert [jpeg(number) in held for number in (1, 2, 3)] == [True, False, True]
    with pikepdf.open(document) as pdf:
        assert set(pdf.Root.keys()) == {"/Type", "/Pages"}
        assert "/Info" not in pdf.trailer
        of_type = [item for item in pdf.objects if isinstance(item, Dictionary) and item.get("/Type") == "/Page"]
        assert len(of_type) == 2
        allowed = {"/Type", "/Parent", "/MediaBox", "/Resources", "/Contents", "/Annots"}
        assert set(of_type[0].keys()) | set(of_type[1].keys()) == allowed


def test_what_a_page_shows_is_the_same_after_cutting(crowd: Path, tmp_path: Path) -> None:
    document = cut({"scan": crowd}, refs("scan", [1, 3]), tmp_path / "document.pdf")
    for place, number in ((1, 1), (2, 3)):
        after, before = drawn(document, place, (702, 496)), drawn(crowd, number, (702, 496))
        assert far_apart(after, before) < 0.01
    # The form field's appearance is still to be seen, though the field is gone.
    assert drawn(document, 1, (702, 496))[-30, 10] < 10


def test_annotations_that_show_nothing_are_left_behind(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        page = add_image_page(pdf, jpeg_image(pdf, jpeg(1)))
        box = Array([0, 0, 50, 50])
        states = Dictionary(Yes=form(pdf, "0 g 0 0 50 50 re f"), Off=form(pdf, f"({ANOTHERS}) pop"))
        page["/Annots"] = Array(
            [
                Dictionary(Subtype=Name.Stamp, Rect=box, F=2, AP=Dictionary(N=form(pdf, f"% {ANOTHERS}"))),
                Dictionary(Subtype=Name.Text, Rect=box, Contents=ANOTHERS),
                Dictionary(Subtype=Name.FreeText, Rect=box, AS=Name.Yes, AP=Dictionary(N=states)),
                Dictionary(Subtype=Name.FreeText, Rect=box, AS=Name.No, AP=Dictionary(N=states)),
            ]
        )
        pdf.save(tmp_path / "scan.pdf")
    document = cut({"scan": tmp_path / "scan.pdf"}, refs("scan", [1]), tmp_path / "document.pdf")
    assert not tells(document, ANOTHERS)
    with pikepdf.open(document) as pdf:
        (stamp,) = pdf.pages[0].obj.Annots
        assert (stamp.Subtype, stamp.AP.N.read_bytes()) == (Name.Stamp, b"0 g 0 0 50 50 re f")


def test_forms_patterns_and_fonts_that_lean_on_the_pages_resources_find_them(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        page = add_image_page(pdf, jpeg_image(pdf, jpeg(1)), "/Outer Do /F3 9 Tf /Pattern cs /P0 scn 0 0 9 9 re f")
        page.Resources.XObject["/Outer"] = form(pdf, "/Inner Do")
        page.Resources.XObject["/Inner"] = form(pdf, "/Im0 Do")
        page.Resources.XObject["/Glyph"] = form(pdf, "0 0 1 1 re f")
        page.Resources.XObject["/Unused"] = form(pdf, ANOTHERS)
        page.Resources["/Font"] = Dictionary(
            F3=Dictionary(Type=Name.Font, Subtype=Name.Type3, CharProcs=Dictionary(a=pdf.make_stream(b"/Glyph Do"))),
            F4=Dictionary(Type=Name.Font, BaseFont=Name.Unused),
        )
        tile = pdf.make_stream(b"/Tile Do")
        tile["/PatternType"] = 1
        tile["/Resources"] = Dictionary(XObject=Dictionary(Tile=form(pdf, "f"), Other=form(pdf, ANOTHERS)))
        page.Resources["/Pattern"] = Dictionary(P0=tile)
        pdf.save(tmp_path / "scan.pdf")
    document = cut({"scan": tmp_path / "scan.pdf"}, refs("scan", [1]), tmp_path / "document.pdf")
    assert not tells(document, ANOTHERS)
    with pikepdf.open(document) as pdf:
        resources = pdf.pages[0].obj.Resources
        assert set(resources.XObject.keys()) == {"/Outer", "/Inner", "/Im0", "/Glyph"}
        assert set(resources.Font.keys()) == {"/F3"}
        assert set(resources.Pattern["/P0"].Resources.XObject.keys()) == {"/Tile"}


def test_a_page_without_contents_is_cut_as_a_page_without_contents(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=A4)
        pdf.save(tmp_path / "scan.pdf")
    document = cut({"scan": tmp_path / "scan.pdf"}, refs("scan", [1]), tmp_path / "document.pdf")
    with pikepdf.open(document) as pdf:
        assert len(pdf.pages) == 1


def test_a_page_whose_contents_cannot_be_unpacked_fails_the_cut(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        page = add_image_page(pdf, jpeg_image(pdf, jpeg(1)))
        page.Contents = pdf.make_stream(b"not deflated at all", Filter=Name.FlateDecode)
        pdf.save(tmp_path / "scan.pdf", compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    with pytest.raises(ScanRejected) as caught:
        cut({"scan": tmp_path / "scan.pdf"}, refs("scan", [1]), tmp_path / "document.pdf")
    assert (caught.value.reason, caught.value.page) == (QuarantineReason.CUT_FAILED, 1)


def test_a_document_can_be_read_as_a_scan(tmp_path: Path) -> None:
    path = numbered_pdf([1, 2], tmp_path / "scan.pdf", linearize=True)
    document = cut({"scan": path}, refs("scan", [2]), tmp_path / "document.pdf")
    with open_scan(document, FileType.PDF, tmp_path, LIMITS) as scan:
        assert scan.count == 1
        assert shows(scan.page(1).pixels(60), 2)


def test_pictures_are_cut_from_the_same_pdf_each_time(tmp_path: Path) -> None:
    first, *rest = [picture(number).convert("1", dither=0) for number in (1, 2, 3)]
    (tmp_path / "scan.tif").write_bytes(
        encoded(first, "TIFF", save_all=True, append_images=rest, compression="group4", dpi=(60, 60))
    )
    # Whether all of them are open, or no more than are wanted.
    for name, first in (("one.pdf", 1), ("two.pdf", 2)):
        with open_scan(tmp_path / "scan.tif", FileType.TIFF, tmp_path, LIMITS, first=first) as scan:
            cutting.cut(refs("scan", [2, 3]), {"scan": cutting.Source(scan.pdf, SHA256, first)}, tmp_path / name)
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()
    with open_scan(tmp_path / "one.pdf", FileType.PDF, tmp_path, LIMITS) as scan:
        assert [shows(scan.page(place).pixels(60), number) for place, number in ((1, 2), (2, 3))] == [True, True]
