"""When a page is one image, and which way up it is shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from skrynka.core.model import PageSource
from tests.support.pdf_pages import (
    A4,
    add_image_page,
    drawn,
    encoded,
    far_apart,
    jpeg_image,
    picture,
    shows,
)
from tests.support.pdf_scans import grey_jpeg, saved, the_page

PLACEMENTS = [
    f"q {matrix} cm /Im0 Do Q"
    for matrix in (
        "595 0 0 842 0 0",
        "-595 0 0 842 595 0",
        "595 0 0 -842 0 842",
        "-595 0 0 -842 595 842",
        "0 842 595 0 0 0",
        "0 842 -595 0 595 0",
        "0 -842 595 0 0 842",
        "0 -842 -595 0 595 842",
    )
]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270, -90])
@pytest.mark.parametrize("content", PLACEMENTS)
def test_an_image_is_shown_the_way_up_that_its_matrix_and_the_page_say(
    content: str, rotation: int, tmp_path: Path
) -> None:
    path = saved(tmp_path / "scan.pdf", grey_jpeg, content, Rotate=rotation)
    page, pixels = the_page(path, tmp_path)
    assert page.source is PageSource.IMAGE
    assert page.rotation == rotation % 360
    assert (page.width_pt, page.height_pt) == (A4 if rotation % 180 == 0 else A4[::-1])
    assert (pixels.shape[0] > pixels.shape[1]) == (page.height_pt > page.width_pt)
    assert far_apart(pixels, drawn(path, 1, pixels.shape)) < 8


ONE_IMAGE = {
    "plain": "q 595 0 0 842 0 0 cm /Im0 Do Q",
    "without q": "595 0 0 842 0 0 cm /Im0 Do",
    "matrices multiplied": "q 0.24 0 0 0.24 0 0 cm q 2479.2 0 0 3508.3 0 0 cm /Im0 Do Q Q",
    "a white edge of less than 1 %": "q 590 0 0 836 3 3 cm /Im0 Do Q",
    "reaching over by less than 1 %": "q 600 0 0 848 -3 -3 cm /Im0 Do Q",
    "a clip as large as the page": "q 0 0 595 842 re W n 595 0 0 842 0 0 cm /Im0 Do Q",
    "colours set and not used": "q 1 0 0 rg 0 G 2 w 595 0 0 842 0 0 cm /Im0 Do Q",
    "a layer of invisible text": "q 595 0 0 842 0 0 cm /Im0 Do Q BT 3 Tr /F1 12 Tf 50 50 Td (account) Tj ET",
    "marked content": "/Artifact BMC q 595 0 0 842 0 0 cm /Im0 Do Q EMC",
    "an opaque graphics state": "q /Opaque gs 595 0 0 842 0 0 cm /Im0 Do Q",
}


NOT_ONE_IMAGE = {
    "text in view": "q 595 0 0 842 0 0 cm /Im0 Do Q BT /F1 12 Tf 50 50 Td (account) Tj ET",
    "text in view after invisible text": "q 595 0 0 842 0 0 cm /Im0 Do Q q BT 3 Tr ET Q BT /F1 9 Tf (stamp) Tj ET",
    "Type 3 text, which is never invisible": "595 0 0 842 0 0 cm /Im0 Do BT 3 Tr /F3 12 Tf (a) Tj ET",
    "a line over it": "q 595 0 0 842 0 0 cm /Im0 Do Q 0 0 m 100 100 l S",
    "a rectangle under it": "0 0 100 100 re f q 595 0 0 842 0 0 cm /Im0 Do Q",
    "painted twice": "q 595 0 0 842 0 0 cm /Im0 Do /Im0 Do Q",
    "nothing": "q Q",
    "half the page": "q 595 0 0 421 0 0 cm /Im0 Do Q",
    "reaching over by more than 1 %": "q 640 0 0 842 0 0 cm /Im0 Do Q",
    "askew": "q 595 20 -20 842 0 0 cm /Im0 Do Q",
    "a clip that hides a part": "q 0 0 595 400 re W n 595 0 0 842 0 0 cm /Im0 Do Q",
    "two clips": "q 0 0 595 842 re 0 0 10 10 re W* n 595 0 0 842 0 0 cm /Im0 Do Q",
    "a clip that isn't a rectangle": "q 0 0 m 595 0 l 595 842 l h W n 595 0 0 842 0 0 cm /Im0 Do Q",
    "a form": "/Fm0 Do",
    "transparency": "q /Clear gs 595 0 0 842 0 0 cm /Im0 Do Q",
    "a blend mode": "q /Blend gs 595 0 0 842 0 0 cm /Im0 Do Q",
    "a soft mask": "q /Soft gs 595 0 0 842 0 0 cm /Im0 Do Q",
    "a layer": "/OC /Layer BDC q 595 0 0 842 0 0 cm /Im0 Do Q EMC",
    "a shading": "q 595 0 0 842 0 0 cm /Im0 Do Q /Sh0 sh",
    "an inline image": "q 595 0 0 842 0 0 cm /Im0 Do Q BI /W 1 /H 1 /CS /G /BPC 8 ID x EI",
    "an unknown operator": "q 595 0 0 842 0 0 cm /Im0 Do Q 1 2 frobnicate",
    "one Q too many": "q 595 0 0 842 0 0 cm /Im0 Do Q Q",
}


def page_of_content(path: Path, content: str) -> Path:
    with pikepdf.new() as pdf:
        image = grey_jpeg(pdf)
        page = add_image_page(pdf, image, content)
        form = pdf.make_stream(b"q 595 0 0 842 0 0 cm /Im0 Do Q")
        form["/Type"], form["/Subtype"], form["/BBox"] = Name.XObject, Name.Form, Array([0, 0, *A4])
        form["/Resources"] = Dictionary(XObject=Dictionary(Im0=image))
        page.Resources.XObject["/Fm0"] = form
        page.Resources["/ExtGState"] = Dictionary(
            Opaque=Dictionary(Type=Name.ExtGState, ca=1, CA=1, BM=Name.Normal, SMask=Name("/None"), SA=True),
            Clear=Dictionary(ca=0.5),
            Blend=Dictionary(BM=Name.Multiply),
            Soft=Dictionary(SMask=Dictionary(S=Name.Luminosity, G=form)),
        )
        glyph = pdf.make_stream(b"1000 0 0 0 750 750 d1 0 0 750 750 re f")
        page.Resources["/Font"] = Dictionary(
            F1=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica),
            F3=Dictionary(
                Type=Name.Font,
                Subtype=Name.Type3,
                FontBBox=Array([0, 0, 750, 750]),
                FontMatrix=Array([0.001, 0, 0, 0.001, 0, 0]),
                CharProcs=Dictionary(a=glyph),
                Encoding=Dictionary(Type=Name.Encoding, Differences=Array([97, Name("/a")])),
                FirstChar=97,
                LastChar=97,
                Widths=Array([1000]),
            ),
        )
        page.Resources["/Properties"] = Dictionary(Layer=Dictionary(Type=Name.OCG, Name="layer"))
        pdf.save(path)
    return path


@pytest.mark.parametrize("name", ONE_IMAGE)
def test_a_page_is_one_image_when_nothing_else_is_to_be_seen(name: str, tmp_path: Path) -> None:
    page, pixels = the_page(page_of_content(tmp_path / "scan.pdf", ONE_IMAGE[name]), tmp_path)
    assert page.source is PageSource.IMAGE
    assert shows(pixels, 1)


@pytest.mark.parametrize("name", NOT_ONE_IMAGE)
def test_a_page_with_anything_else_is_drawn(name: str, tmp_path: Path) -> None:
    path = page_of_content(tmp_path / "scan.pdf", NOT_ONE_IMAGE[name])
    page, pixels = the_page(path, tmp_path)
    assert page.source is PageSource.RASTER
    assert pixels.shape == (702, 496)
    assert far_apart(pixels, drawn(path, 1, (702, 496))) < 1


def test_a_page_with_an_annotation_is_drawn_with_it(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        page = add_image_page(pdf, grey_jpeg(pdf))
        page.Annots = Array([black_stamp(pdf, (0, 0, 300, 842))])
        pdf.save(tmp_path / "scan.pdf")
    opened, pixels = the_page(tmp_path / "scan.pdf", tmp_path)
    assert opened.source is PageSource.RASTER
    assert pixels[:, :240].max() == 0


def black_stamp(pdf: pikepdf.Pdf, rectangle: tuple[int, int, int, int]) -> pikepdf.Object:
    form = pdf.make_stream(b"0 g 0 0 100 100 re f")
    form["/Type"], form["/Subtype"], form["/BBox"] = Name.XObject, Name.Form, Array([0, 0, 100, 100])
    return pdf.make_indirect(
        Dictionary(Type=Name.Annot, Subtype=Name.Stamp, Rect=Array(rectangle), F=4, AP=Dictionary(N=form))
    )


def test_only_the_crop_box_counts(tmp_path: Path) -> None:
    content = "q 400 0 0 600 50 100 cm /Im0 Do Q"
    path = saved(tmp_path / "scan.pdf", grey_jpeg, content, CropBox=Array([50, 100, 450, 700]))
    page, pixels = the_page(path, tmp_path)
    assert (page.source, page.width_pt, page.height_pt) == (PageSource.IMAGE, 400, 600)
    assert shows(pixels, 1)


def test_an_image_that_the_crop_box_hides_half_of_is_drawn(tmp_path: Path) -> None:
    path = saved(tmp_path / "scan.pdf", grey_jpeg, CropBox=Array([0, 421, 595, 842]))
    page, pixels = the_page(path, tmp_path)
    assert (page.source, page.height_pt) == (PageSource.RASTER, 421)
    assert pixels.shape == (351, 496)


def test_a_crop_box_counts_only_within_the_media_box(tmp_path: Path) -> None:
    path = saved(tmp_path / "scan.pdf", grey_jpeg, CropBox=Array([-100, -100, 1000, 1000]))
    page, _ = the_page(path, tmp_path)
    assert (page.source, page.width_pt, page.height_pt) == (PageSource.IMAGE, *A4)


@pytest.mark.parametrize("content", [None, "q 595 0 0 842 0 0 cm /Im0 Do Q 0 0 1 1 re f"])
def test_user_unit_makes_the_page_larger_and_the_resolution_lower(content: str | None, tmp_path: Path) -> None:
    path = saved(tmp_path / "scan.pdf", grey_jpeg, content, UserUnit=2)
    page, pixels = the_page(path, tmp_path, max_dpi=30)
    assert (page.width_pt, page.height_pt) == (1190, 1684)
    assert page.source is (PageSource.IMAGE if content is None else PageSource.RASTER)
    assert shows(pixels, 1)
    assert abs(pixels.shape[0] - 702) <= 1


def test_boxes_rotation_and_resources_are_inherited_from_the_page_tree(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        page = add_image_page(pdf, grey_jpeg(pdf))
        for key in ("/MediaBox", "/Resources"):
            pdf.Root.Pages[key] = page[key]
            del page[key]
        pdf.Root.Pages["/Rotate"] = 180
        pdf.save(tmp_path / "scan.pdf")
    opened, pixels = the_page(tmp_path / "scan.pdf", tmp_path)
    assert (opened.source, opened.rotation) == (PageSource.IMAGE, 180)
    assert shows(np.rot90(pixels, 2), 1)


def test_a_content_stream_in_pieces_is_one_content(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        page = add_image_page(pdf, grey_jpeg(pdf))
        page.Contents = Array([pdf.make_stream(b"q 595 0 0 842 0 0"), pdf.make_stream(b"cm /Im0 Do Q")])
        pdf.save(tmp_path / "scan.pdf", compress_streams=True, recompress_flate=True)
    assert the_page(tmp_path / "scan.pdf", tmp_path)[0].source is PageSource.IMAGE


def test_several_images_that_tile_the_page_are_drawn_as_one_page(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        whole = picture(1)
        strips = [whole.crop((0, top, 496, top + 234)) for top in (0, 234, 468)]
        content = " ".join(f"q 595 0 0 280.667 0 {842 - (row + 1) * 280.667} cm /Im{row} Do Q" for row in range(3))
        page = add_image_page(pdf, jpeg_image(pdf, encoded(strips[0], "JPEG")), content)
        for row, strip in enumerate(strips):
            page.Resources.XObject[f"/Im{row}"] = jpeg_image(pdf, encoded(strip, "JPEG"))
        pdf.save(tmp_path / "scan.pdf")
    opened, pixels = the_page(tmp_path / "scan.pdf", tmp_path)
    assert opened.source is PageSource.RASTER
    assert shows(pixels, 1)
