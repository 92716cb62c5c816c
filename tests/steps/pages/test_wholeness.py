"""Pages of which a renderer would show less than there is, without a word: perhaps a blank page."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import Image

from skrynka.core.reasons import QuarantineReason
from tests.support.pdf_pages import (
    A4,
    add_image_page,
    encoded,
    flate_image,
    group_4,
    image_object,
    jbig2,
    picture,
    shows,
)
from tests.support.pdf_scans import rejected, the_page

SIZE = (496, 702)
Harm = Callable[[bytes], bytes]


def saved(path: Path, make: Callable[[pikepdf.Pdf], None], harm: Harm = lambda data: data) -> Path:
    """Save a PDF that something then happens to."""
    with pikepdf.new() as pdf:
        make(pdf)
        buffer = io.BytesIO()
        pdf.save(
            buffer,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
        )
    path.write_bytes(harm(buffer.getvalue()))
    return path


def drawing(pdf: pikepdf.Pdf, content: bytes = b"BT /F1 40 Tf 60 500 Td (Paid) Tj ET", **resources: object) -> None:
    """Add a page of text, its content packed."""
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    fonts = Dictionary(F1=pdf.make_indirect(font))
    page = Dictionary(
        Type=Name.Page,
        MediaBox=Array([0, 0, *A4]),
        Resources=Dictionary(Font=fonts, **resources),
        Contents=pdf.make_stream(zlib.compress(content), Filter=Name.FlateDecode),
    )
    pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))


def layers(pdf: pikepdf.Pdf) -> None:
    """Add a page of white paper with a picture as a mask of ink above it."""
    ink = np.packbits(np.asarray(picture(1)) > 128, axis=1).tobytes()
    mask = flate_image(pdf, ink, SIZE, None, 1, ImageMask=True)
    below = flate_image(pdf, b"\xff" * 4, (2, 2), Name.DeviceGray)
    place = f"q {A4[0]} 0 0 {A4[1]} 0 0 cm"
    page = add_image_page(pdf, below, f"{place} /Im0 Do Q 0 g {place} /Ink Do Q")
    page.Resources.XObject["/Ink"] = mask


def with_text_in_a_form(pdf: pikepdf.Pdf) -> None:
    """Add a page whose text is in a form."""
    form = pdf.make_stream(
        zlib.compress(b"BT /F1 40 Tf 60 500 Td (Paid) Tj ET"),
        Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, *A4]), Filter=Name.FlateDecode,
    )  # fmt: skip
    drawing(pdf, b"/Fm Do", XObject=Dictionary(Fm=form))


def stained(pdf: pikepdf.Pdf, data: bytes, filter_: pikepdf.Name, **parameters: object) -> None:
    """Add a page of paper that isn't all white, with a picture as a mask of ink above it."""
    layers(pdf)
    paper = np.full((SIZE[1], SIZE[0]), 255, np.uint8)
    paper[100:110, 100:110] = 0
    objects = pdf.pages[0].Resources.XObject
    objects["/Im0"] = flate_image(pdf, paper.tobytes(), SIZE, Name.DeviceGray)
    keys = {"DecodeParms": Dictionary(**parameters)} if parameters else {}
    objects["/Ink"] = image_object(pdf, data, SIZE, None, 1, ImageMask=True, Filter=filter_, **keys)


def one_jbig2(pdf: pikepdf.Pdf, data: bytes) -> None:
    """Add a page that is a JBIG2 image."""
    add_image_page(pdf, image_object(pdf, data, SIZE, Name.DeviceGray, 1, Filter=Name.JBIG2Decode))


def lose(marked: bytes) -> Harm:
    """Give a harm: the offset of the object that has these words in it is wrong."""

    def harm(data: bytes) -> bytes:
        entry = entry_of(data, marked)
        return data.replace(entry, b"%010d 00000 n" % (int(entry.split()[0]) + 3))

    return harm


def entry_of(data: bytes, marked: bytes) -> bytes:
    """Give the table's entry of the one object that has these words in it."""
    (found,) = (found for found in re.finditer(rb"\d+ 0 obj.*?endobj", data, re.DOTALL) if marked in found[0])
    entry = b"%010d 00000 n" % found.start()
    assert data.count(entry) == 1
    return entry


def make_another_generation_of(marked: bytes) -> Harm:
    """Give a harm: the table says that the object with these words is of a generation that nobody refers to."""

    def harm(data: bytes) -> bytes:
        entry = entry_of(data, marked)
        return data.replace(entry, entry.replace(b" 00000 n", b" 07548 n"))

    return harm


def break_packed(data: bytes) -> bytes:
    """Break the last stream that is deflated text, a little behind its beginning."""
    place = max(found.end() for found in re.finditer(rb"/FlateDecode[^>]*>>\s*stream\n", data)) + 4
    return data[:place] + bytes(byte ^ 0xFF for byte in data[place : place + 8]) + data[place + 8 :]


def unreadable(path: Path) -> str:
    """See that the only page is refused; give the detail."""
    refused = rejected(path, path.parent)
    assert (refused.reason, refused.page) == (QuarantineReason.PAGE_UNREADABLE, 1)
    return refused.detail


def test_layers_and_texts_and_forms_that_are_whole_are_drawn(tmp_path: Path) -> None:
    for make in (layers, drawing, with_text_in_a_form):
        _, pixels = the_page(saved(tmp_path / "scan.pdf", make), tmp_path)
        assert pixels.min() < 100
    _, pixels = the_page(saved(tmp_path / "scan.pdf", layers), tmp_path)
    assert shows(pixels, 1)


@pytest.mark.parametrize(
    ("make", "harm"),
    [(layers, lose(b"/ImageMask")), (drawing, lose(b"/Helvetica")), (with_text_in_a_form, lose(b"/Form"))],
)
def test_a_page_from_which_an_object_is_lost_is_unreadable_rather_than_blank(
    make: Callable[[pikepdf.Pdf], None], harm: Harm, tmp_path: Path
) -> None:
    assert "in the file" in unreadable(saved(tmp_path / "scan.pdf", make, harm))


@pytest.mark.parametrize(
    ("make", "marked"),
    [(layers, b"/ImageMask"), (drawing, b"/Helvetica"), (with_text_in_a_form, b"/Form"), (drawing, b"/Filter")],
)
def test_a_file_whose_table_has_an_object_of_another_generation_is_corrupt_rather_than_a_blank_page(
    make: Callable[[pikepdf.Pdf], None], marked: bytes, tmp_path: Path
) -> None:
    path = saved(tmp_path / "scan.pdf", make, make_another_generation_of(marked))
    assert rejected(path, tmp_path).reason is QuarantineReason.CORRUPT


def test_a_page_without_anything_to_show_is_blank(tmp_path: Path) -> None:
    def make(pdf: pikepdf.Pdf) -> None:
        pdf.add_blank_page(page_size=A4)

    _, pixels = the_page(saved(tmp_path / "scan.pdf", make), tmp_path)
    assert pixels.min() == 255


@pytest.mark.parametrize("make", [layers, drawing, with_text_in_a_form])
def test_a_page_whose_content_cant_be_unpacked_is_unreadable_rather_than_blank(
    make: Callable[[pikepdf.Pdf], None], tmp_path: Path
) -> None:
    assert unreadable(saved(tmp_path / "scan.pdf", make, break_packed)) == "something on it can't be unpacked"


def test_an_image_among_others_that_ends_too_early_makes_its_page_unreadable(tmp_path: Path) -> None:
    def make(pdf: pikepdf.Pdf) -> None:
        layers(pdf)
        pdf.pages[0].Resources.XObject["/Ink"].Height = SIZE[1] + 1

    assert unreadable(saved(tmp_path / "scan.pdf", make)) == "an image on it ends too early"


@pytest.mark.parametrize("side", ["/Width", "/Height"])
def test_an_image_among_others_that_says_it_is_a_bomb_is_refused_before_it_is_drawn(side: str, tmp_path: Path) -> None:
    def make(pdf: pikepdf.Pdf) -> None:
        layers(pdf)
        pdf.pages[0].Resources.XObject["/Ink"][side] = 2**31 - 1

    refused = rejected(saved(tmp_path / "scan.pdf", make), tmp_path)
    assert (refused.reason, refused.page) == (QuarantineReason.PAGE_TOO_LARGE, 1)


def test_a_jbig2_image_is_drawn_and_one_that_is_blank_is_blank(tmp_path: Path) -> None:
    whole = jbig2(picture(1).convert("1", dither=Image.Dither.NONE))
    _, pixels = the_page(saved(tmp_path / "scan.pdf", lambda pdf: one_jbig2(pdf, whole)), tmp_path)
    assert 0.3 < (pixels < 128).mean() < 0.7
    blank = jbig2(Image.new("1", SIZE, "white"))
    _, pixels = the_page(saved(tmp_path / "scan.pdf", lambda pdf: one_jbig2(pdf, blank)), tmp_path)
    assert pixels.min() == 255


@pytest.mark.parametrize("data", [b"", b"\0" * 40, b"\x97JB2\r\n\x1a\n" + bytes(range(200))])
def test_a_jbig2_image_that_cant_be_decoded_makes_its_page_unreadable_rather_than_blank(
    data: bytes, tmp_path: Path
) -> None:
    unreadable(saved(tmp_path / "scan.pdf", lambda pdf: one_jbig2(pdf, data)))


INK = picture(1).convert("1", dither=Image.Dither.NONE)
GROUP_4 = {"K": -1, "Columns": SIZE[0], "Rows": SIZE[1]}


def jpeg_2000(share: float) -> Callable[[pikepdf.Pdf], None]:
    """Give what adds a page with so much of a JPEG 2000 on it, and a line of text."""
    data = encoded(picture(1), "JPEG2000")

    def make(pdf: pikepdf.Pdf) -> None:
        drawing(pdf, b"/Im0 Do BT /F1 40 Tf 60 500 Td (Paid) Tj ET")
        data_of_it = data[: int(len(data) * share)]
        image = image_object(pdf, data_of_it, SIZE, Name.DeviceGray, 8, Filter=Name.JPXDecode)
        pdf.pages[0].Resources.XObject = Dictionary(Im0=image)

    return make


def test_ink_above_a_stained_paper_is_drawn_however_it_is_coded(tmp_path: Path) -> None:
    for make in (
        lambda pdf: stained(pdf, group_4(INK), Name.CCITTFaxDecode, **GROUP_4),
        lambda pdf: stained(pdf, jbig2(INK), Name.JBIG2Decode),
    ):
        _, pixels = the_page(saved(tmp_path / "scan.pdf", make), tmp_path)
        assert 0.1 < (pixels < 128).mean() < 0.9


@pytest.mark.parametrize("data", [group_4(INK)[:3], group_4(INK)[: len(group_4(INK)) // 8], bytes(2000)])
def test_a_group_4_image_that_ends_too_early_makes_its_page_unreadable_whatever_else_it_shows(
    data: bytes, tmp_path: Path
) -> None:
    unreadable(saved(tmp_path / "scan.pdf", lambda pdf: stained(pdf, data, Name.CCITTFaxDecode, **GROUP_4)))


@pytest.mark.parametrize("data", [b"\0", b"\0" * 40, jbig2(INK)[:60], bytes(range(256)) * 4])
def test_a_jbig2_image_that_cant_be_decoded_makes_its_page_unreadable_whatever_else_it_shows(
    data: bytes, tmp_path: Path
) -> None:
    unreadable(saved(tmp_path / "scan.pdf", lambda pdf: stained(pdf, data, Name.JBIG2Decode)))


def test_a_jpeg_2000_image_beside_a_text_is_drawn(tmp_path: Path) -> None:
    _, pixels = the_page(saved(tmp_path / "scan.pdf", jpeg_2000(1.0)), tmp_path)
    assert (pixels < 128).any()


@pytest.mark.parametrize("share", [0.01, 0.5])
def test_a_jpeg_2000_image_that_ends_too_early_makes_its_page_unreadable_whatever_else_it_shows(
    share: float, tmp_path: Path
) -> None:
    unreadable(saved(tmp_path / "scan.pdf", jpeg_2000(share)))


def test_what_else_poppler_finds_wrong_on_a_page_does_not_spoil_a_good_jbig2_image(tmp_path: Path) -> None:
    def make(pdf: pikepdf.Pdf) -> None:
        stained(pdf, jbig2(INK), Name.JBIG2Decode)
        odd = Dictionary(Type=Name.Font, Subtype=Name.TrueType, BaseFont=Name("/Nobodys"), FontDescriptor=Dictionary())
        pdf.pages[0].Resources.Font = Dictionary(F1=pdf.make_indirect(odd))
        pdf.pages[0].contents_add(b"BT /F1 40 Tf 60 500 Td (Paid) Tj ET")

    _, pixels = the_page(saved(tmp_path / "scan.pdf", make), tmp_path)
    assert 0.1 < (pixels < 128).mean() < 0.9
