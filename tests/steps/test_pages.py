"""Opening scans that are PDFs, and giving their pages as pixels."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import img2pdf
import numpy as np
import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name
from PIL import Image

from skrynka.core.errors import ScanRejected
from skrynka.core.formats import FileType
from skrynka.core.model import PageSource
from skrynka.core.reasons import QuarantineReason
from skrynka.steps.pages import Limits, OpenPage, open_scan
from tests.support.pdf_pages import (
    A4,
    Pixels,
    add_image_page,
    drawn,
    encoded,
    far_apart,
    flate_image,
    group_4,
    image_object,
    jpeg,
    jpeg_image,
    numbered_pdf,
    picture,
    shows,
)

LIMITS = Limits(scan_bytes=50_000_000)
ImageMaker = Callable[[pikepdf.Pdf], pikepdf.Object]


def the_page(path: Path, work: Path, max_dpi: int = 60, limits: Limits = LIMITS) -> tuple[OpenPage, Pixels]:
    with open_scan(path, FileType.PDF, work, limits) as scan:
        assert scan.count == 1
        page = scan.page(1)
        return page, page.pixels(max_dpi)


def rejected(path: Path, work: Path, limits: Limits = LIMITS) -> ScanRejected:
    """Read all pages of a scan, which must not work."""
    with pytest.raises(ScanRejected) as caught:
        read_all(path, work, limits)
    return caught.value


def read_all(path: Path, work: Path, limits: Limits = LIMITS) -> list[Pixels]:
    with open_scan(path, FileType.PDF, work, limits) as scan:
        return [scan.page(number).pixels(60) for number in range(1, scan.count + 1)]


def outcome(path: Path, work: Path) -> list[Pixels] | QuarantineReason:
    try:
        return read_all(path, work)
    except ScanRejected as refusal:
        return refusal.reason


def saved(path: Path, make: ImageMaker, content: str | None = None, **keys: object) -> Path:
    with pikepdf.new() as pdf:
        add_image_page(pdf, make(pdf), content, **keys)
        pdf.save(path)
    return path


def grey_jpeg(pdf: pikepdf.Pdf) -> pikepdf.Object:
    return jpeg_image(pdf, jpeg(1))


def rgb() -> Image.Image:
    """A picture whose channels differ, so that they can't be mixed up."""
    grey = picture(1)
    return Image.merge("RGB", (grey, grey.point(lambda value: value // 2), grey.point(lambda value: 255 - value // 3)))


def in_ink(*, inverted: bool) -> bytes:
    cmyk = np.asarray(rgb().convert("CMYK"))
    return (255 - cmyk if inverted else cmyk).tobytes()


def of_depth(bits: int) -> bytes:
    """Give the samples of the grey picture at a depth, each row filled up to a byte."""
    samples = np.asarray(picture(1))
    if bits == 16:
        return (samples.astype(">u2") * 257).tobytes()
    spread = ((samples >> (8 - bits))[:, :, np.newaxis] >> np.arange(bits - 1, -1, -1)) & 1
    return np.packbits(spread.reshape(samples.shape[0], -1), axis=1).tobytes()


SIZE = picture(1).size
LOOKUP = bytes(range(255, -1, -1))
PROFILED = Dictionary(N=3, Alternate=Name.DeviceRGB)


def profiled(pdf: pikepdf.Pdf, components: int) -> Array:
    space = {1: Name.DeviceGray, 3: Name.DeviceRGB, 4: Name.DeviceCMYK}[components]
    profile = pdf.make_stream(b"not a profile at all")
    profile["/N"], profile["/Alternate"] = components, space
    return Array([Name.ICCBased, profile])


ENCODINGS: dict[str, ImageMaker] = {
    "grey JPEG": grey_jpeg,
    "grey JPEG, /Decode reversed": lambda pdf: jpeg_image(pdf, jpeg(1), Decode=Array([1, 0])),
    "progressive JPEG": lambda pdf: jpeg_image(pdf, encoded(rgb(), "JPEG", progressive=True)),
    "colour JPEG": lambda pdf: jpeg_image(pdf, encoded(rgb(), "JPEG", quality=90)),
    "colour JPEG without JFIF, stored as RGB": lambda pdf: jpeg_image(pdf, encoded(rgb(), "JPEG", keep_rgb=True)),
    "colour JPEG, /Decode reversed": lambda pdf: jpeg_image(
        pdf, encoded(rgb(), "JPEG", quality=90), Decode=Array([1, 0] * 3)
    ),
    "CMYK JPEG with Adobe's marker": lambda pdf: jpeg_image(pdf, encoded(rgb().convert("CMYK"), "JPEG")),
    "CMYK JPEG with Adobe's marker, /Decode reversed": lambda pdf: jpeg_image(
        pdf, encoded(rgb().convert("CMYK"), "JPEG"), Decode=Array([1, 0] * 4)
    ),
    "CMYK JPEG without Adobe's marker": lambda pdf: jpeg_image(
        pdf, without_adobe(encoded(rgb().convert("CMYK"), "JPEG"))
    ),
    "Flate, grey": lambda pdf: flate_image(pdf, picture(1).tobytes(), SIZE, Name.DeviceGray),
    "Flate, grey by calibration": lambda pdf: flate_image(
        pdf, picture(1).tobytes(), SIZE, Array([Name.CalGray, Dictionary(WhitePoint=Array([0.95, 1, 1.09]), Gamma=2.2)])
    ),
    "Flate, colour by profile": lambda pdf: flate_image(pdf, rgb().tobytes(), SIZE, profiled(pdf, 3)),
    "Flate, CMYK": lambda pdf: flate_image(pdf, in_ink(inverted=False), SIZE, Name.DeviceCMYK),
    "Flate, CMYK, /Decode reversed": lambda pdf: flate_image(
        pdf, in_ink(inverted=True), SIZE, Name.DeviceCMYK, Decode=Array([1, 0] * 4)
    ),
    "Flate, 1 bit": lambda pdf: flate_image(pdf, of_depth(1), SIZE, Name.DeviceGray, 1),
    "Flate, 1 bit, /Decode reversed": lambda pdf: flate_image(
        pdf, of_depth(1), SIZE, Name.DeviceGray, 1, Decode=Array([1, 0])
    ),
    "Flate, 2 bits": lambda pdf: flate_image(pdf, of_depth(2), SIZE, Name.DeviceGray, 2),
    "Flate, 4 bits": lambda pdf: flate_image(pdf, of_depth(4), SIZE, Name.DeviceGray, 4),
    "Flate, 16 bits": lambda pdf: flate_image(pdf, of_depth(16), SIZE, Name.DeviceGray, 16),
    "Flate, indexed grey": lambda pdf: flate_image(
        pdf, picture(1).tobytes(), SIZE, Array([Name.Indexed, Name.DeviceGray, 255, pikepdf.String(LOOKUP)])
    ),
    "Flate, indexed colour of 1 bit": lambda pdf: flate_image(
        pdf, of_depth(1), SIZE, Array([Name.Indexed, Name.DeviceRGB, 1, pikepdf.String(b"\xff\xf0\xf0\x00\x00\x60")]), 1
    ),
    "no filter": lambda pdf: image_object(pdf, picture(1).tobytes(), SIZE, Name.DeviceGray, 8),
    "ASCII over Flate": lambda pdf: image_object(
        pdf, ascii_hex(of_depth(1)), SIZE, Name.DeviceGray, 1, Filter=Array([Name.ASCIIHexDecode])
    ),
    "Group 4": lambda pdf: ccitt_image(pdf, BlackIs1=False),
    "Group 4, black is 1": lambda pdf: ccitt_image(pdf, BlackIs1=True),
    "Group 4, black is 1, /Decode reversed": lambda pdf: ccitt_image(pdf, decode=Array([1, 0]), BlackIs1=True),
    "JPEG 2000, grey": lambda pdf: image_object(
        pdf, encoded(picture(1), "JPEG2000"), SIZE, Name.DeviceGray, 8, Filter=Name.JPXDecode
    ),
    "JPEG 2000, colour by itself": lambda pdf: image_object(
        pdf, encoded(rgb(), "JPEG2000"), SIZE, None, 8, Filter=Name.JPXDecode
    ),
}


def without_adobe(data: bytes) -> bytes:
    """Take the APP14 segment out of a JPEG."""
    at = data.index(b"\xff\xee")
    return data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]


def ascii_hex(data: bytes) -> bytes:
    return data.hex().encode() + b">"


def ccitt_image(pdf: pikepdf.Pdf, data: bytes | None = None, decode: object = None, **more: object) -> pikepdf.Object:
    bits = picture(1).convert("1", dither=Image.Dither.NONE)
    parameters = Dictionary(K=-1, Columns=SIZE[0], Rows=SIZE[1])
    for key, value in more.items():
        parameters["/" + key] = value
    return image_object(
        pdf,
        data or group_4(bits),
        SIZE,
        Name.DeviceGray,
        1,
        Filter=Name.CCITTFaxDecode,
        DecodeParms=parameters,
        Decode=decode,
    )


@pytest.mark.parametrize("name", ENCODINGS)
def test_an_image_is_decoded_to_what_a_renderer_shows(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path / "scan.pdf", ENCODINGS[name])
    page, pixels = the_page(path, tmp_path)
    assert page.source is PageSource.IMAGE
    assert far_apart(pixels, drawn(path, 1, pixels.shape)) < 8


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


def masked(key: str, value: Callable[[pikepdf.Pdf], Any]) -> ImageMaker:
    def make(pdf: pikepdf.Pdf) -> pikepdf.Object:
        image = flate_image(pdf, of_depth(1), SIZE, Name.DeviceGray, 1)
        image[key] = value(pdf)
        return image

    return make


UNSURE: dict[str, ImageMaker] = {
    "a soft mask": masked("/SMask", lambda pdf: flate_image(pdf, picture(2).tobytes(), SIZE, Name.DeviceGray)),
    "a colour that is left out": masked("/Mask", lambda _: Array([0, 0])),
    "optional content": masked("/OC", lambda _: Dictionary(Type=Name.OCG, Name="layer")),
    "half a range in /Decode": lambda pdf: jpeg_image(pdf, jpeg(1), Decode=Array([0, 0.5])),
    "a spot colour": lambda pdf: flate_image(
        pdf,
        picture(1).tobytes(),
        SIZE,
        Array(
            [
                Name.Separation,
                Name.Black,
                Name.DeviceGray,
                Dictionary(FunctionType=2, Domain=Array([0, 1]), C0=Array([1]), C1=Array([0]), N=1),
            ]
        ),
    ),
    "a JPEG of another size": lambda pdf: image_object(
        pdf, jpeg(1), (SIZE[0] // 2, SIZE[1] // 2), Name.DeviceGray, 8, Filter=Name.DCTDecode
    ),
    "a filter over a JPEG": lambda pdf: image_object(
        pdf, ascii_hex(jpeg(1)), SIZE, Name.DeviceGray, 8, Filter=Array([Name.ASCIIHexDecode, Name.DCTDecode])
    ),
    "Group 3": lambda pdf: image_object(
        pdf,
        group_4(picture(1).convert("1")),
        SIZE,
        Name.DeviceGray,
        1,
        Filter=Name.CCITTFaxDecode,
        DecodeParms=Dictionary(K=0, Columns=SIZE[0]),
    ),
    "JBIG2": lambda pdf: image_object(pdf, b"\0" * 40, SIZE, Name.DeviceGray, 1, Filter=Name.JBIG2Decode),
}


@pytest.mark.parametrize("name", UNSURE)
def test_an_image_that_is_not_understood_is_drawn(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path / "scan.pdf", UNSURE[name])
    page, pixels = the_page(path, tmp_path)
    assert page.source is PageSource.RASTER
    assert far_apart(pixels, drawn(path, 1, pixels.shape)) < 1


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


def test_an_image_is_never_enlarged_and_reduced_as_asked(tmp_path: Path) -> None:
    large = picture(1, 2480, 3508)
    for image in (large, large.convert("1", dither=Image.Dither.NONE)):
        data = encoded(image, "JPEG" if image.mode == "L" else "PNG", dpi=(300, 300))
        (tmp_path / "scan.pdf").write_bytes(img2pdf.convert(data))
        with open_scan(tmp_path / "scan.pdf", FileType.PDF, tmp_path, LIMITS) as scan:
            page = scan.page(1)
            assert page.dpi == pytest.approx(300, rel=0.001)
            shapes = {dpi: page.pixels(dpi).shape for dpi in (75, 100, 150, 200, 300, 600)}
            assert shows(page.pixels(150), 1)
        assert shapes[600] == shapes[300] == (3508, 2480)
        assert shapes[150] == (1754, 1240)
        assert shapes[75] == (877, 620)
        assert shapes[200] == pytest.approx((2339, 1653), abs=1)
        assert shapes[100] == pytest.approx((1170, 827), abs=1)


def test_pixels_that_are_not_square_are_made_so(tmp_path: Path) -> None:
    fax = picture(1).resize((1728, 1145))
    (tmp_path / "scan.pdf").write_bytes(img2pdf.convert(encoded(fax, "PNG", dpi=(204, 98))))
    page, pixels = the_page(tmp_path / "scan.pdf", tmp_path, max_dpi=300)
    assert page.source is PageSource.IMAGE
    assert pixels.shape[0] / pixels.shape[1] == pytest.approx(page.height_pt / page.width_pt, rel=0.01)
    assert pixels.shape[1] == 1728


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


# What is refused


def test_a_file_without_bytes_is_empty(tmp_path: Path) -> None:
    (tmp_path / "scan.pdf").touch()
    assert rejected(tmp_path / "scan.pdf", tmp_path).reason is QuarantineReason.EMPTY


def test_a_file_over_the_limit_is_too_large(tmp_path: Path) -> None:
    path = numbered_pdf([1], tmp_path / "scan.pdf")
    limits = Limits(scan_bytes=path.stat().st_size - 1)
    assert rejected(path, tmp_path, limits).reason is QuarantineReason.TOO_LARGE


@pytest.mark.parametrize(("user", "owner"), [("", "owner"), ("user", "owner")])
def test_a_pdf_with_any_password_is_encrypted(user: str, owner: str, tmp_path: Path) -> None:
    path = numbered_pdf([1], tmp_path / "scan.pdf", encryption=pikepdf.Encryption(user=user, owner=owner))
    assert rejected(path, tmp_path).reason is QuarantineReason.ENCRYPTED


def test_a_pdf_without_pages_has_no_pages(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        pdf.save(tmp_path / "scan.pdf")
    assert rejected(tmp_path / "scan.pdf", tmp_path).reason is QuarantineReason.NO_PAGES


def test_a_page_tree_that_promises_more_pages_is_corrupt(tmp_path: Path) -> None:
    data = numbered_pdf([1, 2], tmp_path / "scan.pdf", object_stream_mode=pikepdf.ObjectStreamMode.disable).read_bytes()
    assert b"/Count 2" in data
    (tmp_path / "scan.pdf").write_bytes(data.replace(b"/Count 2", b"/Count 3"))
    assert rejected(tmp_path / "scan.pdf", tmp_path).reason is QuarantineReason.CORRUPT


def test_a_page_tree_that_promises_fewer_pages_loses_none(tmp_path: Path) -> None:
    data = numbered_pdf([1, 2], tmp_path / "scan.pdf", object_stream_mode=pikepdf.ObjectStreamMode.disable).read_bytes()
    (tmp_path / "scan.pdf").write_bytes(data.replace(b"/Count 2", b"/Count 1"))
    with open_scan(tmp_path / "scan.pdf", FileType.PDF, tmp_path, LIMITS) as scan:
        assert scan.count == 2


def test_a_page_that_is_not_in_the_file_is_corrupt(tmp_path: Path) -> None:
    data = numbered_pdf([1, 2], tmp_path / "scan.pdf", object_stream_mode=pikepdf.ObjectStreamMode.disable).read_bytes()
    (page,) = re.findall(rb"/Kids \[ \d+ 0 R (\d+) 0 R \]", data)
    data = data.replace(b" " + page + b" 0 R ]", b" " + b"9" * len(page) + b" 0 R ]")
    (tmp_path / "scan.pdf").write_bytes(data)
    assert rejected(tmp_path / "scan.pdf", tmp_path).reason is QuarantineReason.CORRUPT


def test_an_image_that_is_not_in_the_file_makes_its_page_unreadable(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        del add_image_page(pdf, grey_jpeg(pdf)).Resources.XObject["/Im0"]
        pdf.save(tmp_path / "scan.pdf")
    problem = rejected(tmp_path / "scan.pdf", tmp_path)
    assert (problem.reason, problem.page) == (QuarantineReason.PAGE_UNREADABLE, 1)


@pytest.mark.parametrize("keys", [{"MediaBox": [0, 0, 0, 842]}, {"CropBox": [600, 0, 700, 842]}, {"UserUnit": 0}])
def test_a_page_without_an_area_is_unreadable(keys: dict[str, Any], tmp_path: Path) -> None:
    path = saved(tmp_path / "scan.pdf", grey_jpeg, **keys)
    assert rejected(path, tmp_path).reason is QuarantineReason.PAGE_UNREADABLE


def test_junk_around_a_pdf_does_no_harm(tmp_path: Path) -> None:
    data = numbered_pdf([1, 2], tmp_path / "scan.pdf").read_bytes()
    (tmp_path / "scan.pdf").write_bytes(b"\r\nHTTP/1.1 200 OK\r\n\r\n" + data + b"\0" * 500)
    with open_scan(tmp_path / "scan.pdf", FileType.PDF, tmp_path, LIMITS) as scan:
        assert [shows(scan.page(number).pixels(60), number) for number in (1, 2)] == [True, True]


def test_a_page_over_the_limit_on_pixels_is_too_large_whatever_it_holds(tmp_path: Path) -> None:
    few = Limits(scan_bytes=50_000_000, page_pixels=300_000)
    image = saved(tmp_path / "image.pdf", grey_jpeg)
    drawing = saved(tmp_path / "drawing.pdf", grey_jpeg, "0 0 1 1 re f")
    for path in (image, drawing):
        problem = rejected(path, tmp_path, few)
        assert (problem.reason, problem.page) == (QuarantineReason.PAGE_TOO_LARGE, 1)


def test_a_giant_page_is_refused_before_it_is_drawn(tmp_path: Path) -> None:
    path = saved(tmp_path / "scan.pdf", grey_jpeg, "0 0 1 1 re f", size=(14400, 14400), UserUnit=100)
    assert rejected(path, tmp_path).reason is QuarantineReason.PAGE_TOO_LARGE


def test_a_large_page_is_drawn_more_coarsely(tmp_path: Path) -> None:
    limits = Limits(scan_bytes=50_000_000, page_pixels=1_500_000)
    path = saved(tmp_path / "scan.pdf", grey_jpeg, "q 595 0 0 842 0 0 cm /Im0 Do Q 0 0 1 1 re f")
    page, pixels = the_page(path, tmp_path, 300, limits)
    assert 100 < page.dpi < 150
    assert 1_400_000 < pixels.size <= 1_505_000
    assert shows(pixels, 1)


def test_a_page_as_thin_as_a_hair_is_too_large(tmp_path: Path) -> None:
    path = saved(tmp_path / "scan.pdf", grey_jpeg, "0 0 1 1 re f", size=(0.00001, 14400), UserUnit=10_000)
    assert rejected(path, tmp_path).reason is QuarantineReason.PAGE_TOO_LARGE


def test_a_bomb_of_an_image_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = saved(tmp_path / "scan.pdf", lambda pdf: flate_image(pdf, b"\0" * 1000, (60_000, 60_000), Name.DeviceGray))
    assert rejected(path, tmp_path).reason is QuarantineReason.PAGE_TOO_LARGE


def test_an_image_stream_that_unpacks_to_far_more_than_its_size_is_refused(tmp_path: Path) -> None:
    limits = Limits(scan_bytes=50_000_000, page_pixels=1_000_000)
    path = saved(tmp_path / "scan.pdf", lambda pdf: flate_image(pdf, b"\0" * 50_000_000, (100, 100), Name.DeviceGray))
    assert rejected(path, tmp_path, limits).reason is QuarantineReason.PAGE_UNREADABLE


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("max_dpi", [30, 60])
@pytest.mark.parametrize("content", [None, "q 595 0 0 842 0 0 cm /Im0 Do Q 0 0 1 1 re f"])
def test_a_jpeg_that_ends_too_early_is_never_taken_for_a_page_with_a_grey_half(
    content: str | None, max_dpi: int, share: float, tmp_path: Path
) -> None:
    whole = jpeg(1)

    def cut_off(pdf: pikepdf.Pdf) -> pikepdf.Object:
        return image_object(pdf, whole[: int(len(whole) * share)], SIZE, Name.DeviceGray, 8, Filter=Name.DCTDecode)

    path = saved(tmp_path / "scan.pdf", cut_off, content)
    with open_scan(path, FileType.PDF, tmp_path, LIMITS) as scan, pytest.raises(ScanRejected) as caught:
        scan.page(1).pixels(max_dpi)
    assert (caught.value.reason, caught.value.page) == (QuarantineReason.PAGE_UNREADABLE, 1)


@pytest.mark.parametrize("name", ["Flate, grey", "Group 4", "JPEG 2000, grey", "no filter"])
def test_any_image_that_ends_too_early_makes_its_page_unreadable(name: str, tmp_path: Path) -> None:
    def cut_off(pdf: pikepdf.Pdf) -> pikepdf.Object:
        image = ENCODINGS[name](pdf)
        data = image.read_raw_bytes()
        image.write(data[: len(data) // 2], filter=image.get("/Filter"), decode_parms=image.get("/DecodeParms"))
        return image

    path = saved(tmp_path / "scan.pdf", cut_off)
    assert rejected(path, tmp_path).reason is QuarantineReason.PAGE_UNREADABLE


def test_a_group_4_stream_without_end_marker_is_taken_when_all_its_rows_are_there(tmp_path: Path) -> None:
    data = group_4(picture(1).convert("1", dither=Image.Dither.NONE))
    bits = "".join(f"{byte:08b}" for byte in data)
    bits = bits[: bits.rindex("000000000001" * 2)]
    bare = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    path = saved(tmp_path / "scan.pdf", lambda pdf: ccitt_image(pdf, bare, BlackIs1=False))
    page, pixels = the_page(path, tmp_path)
    assert page.source is PageSource.IMAGE
    assert shows(pixels, 1)


def test_a_page_that_takes_too_long_to_draw_is_unreadable(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        form = pdf.make_stream(b"0 0 m 500 500 l S")
        for _ in range(10):
            form["/Type"], form["/Subtype"], form["/BBox"] = Name.XObject, Name.Form, Array([0, 0, *A4])
            outer = pdf.make_stream(b"/Fm Do " * 10)
            outer["/Resources"] = Dictionary(XObject=Dictionary(Fm=form))
            form = outer
        form["/Type"], form["/Subtype"], form["/BBox"] = Name.XObject, Name.Form, Array([0, 0, *A4])
        add_image_page(pdf, form, "/Im0 Do")
        pdf.save(tmp_path / "scan.pdf")
    limits = Limits(scan_bytes=50_000_000, raster_seconds=1)
    assert rejected(tmp_path / "scan.pdf", tmp_path, limits).reason is QuarantineReason.PAGE_UNREADABLE


def test_nothing_is_left_in_the_work_folder(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    the_page(page_of_content(tmp_path / "scan.pdf", NOT_ONE_IMAGE["a form"]), work)
    assert list(work.iterdir()) == []


def test_limits_on_libraries_hold_only_while_a_scan_is_open(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS, pikepdf.settings.get_qpdf_limits()
    with open_scan(numbered_pdf([1], tmp_path / "scan.pdf"), FileType.PDF, tmp_path, LIMITS):
        assert (Image.MAX_IMAGE_PIXELS, pikepdf.settings.get_qpdf_limits()) != before
    assert (Image.MAX_IMAGE_PIXELS, pikepdf.settings.get_qpdf_limits()) == before


# Files that were cut off


def by_pikepdf(folder: Path, **options: object) -> bytes:
    return numbered_pdf([1, 2, 3], folder / "made.pdf", **options).read_bytes()


def by_pillow(_: Path) -> bytes:
    first, *rest = [picture(number) for number in (1, 2, 3)]
    return encoded(first, "PDF", save_all=True, append_images=rest)


def by_img2pdf(_: Path) -> bytes:
    data = [jpeg(number) for number in (1, 2, 3)]
    return bytes(img2pdf.convert(data, engine=img2pdf.Engine.internal, nodate=True))


def by_cairo(folder: Path) -> bytes:
    source = numbered_pdf([1, 2, 3], folder / "source.pdf")
    subprocess.run(["pdftocairo", "-pdf", source, folder / "made.pdf"], check=True)
    return (folder / "made.pdf").read_bytes()


PRODUCERS: dict[str, Callable[[Path], bytes]] = {
    "pikepdf": by_pikepdf,
    "pikepdf with object streams": lambda folder: by_pikepdf(
        folder, object_stream_mode=pikepdf.ObjectStreamMode.generate
    ),
    "pikepdf, linearised": lambda folder: by_pikepdf(folder, linearize=True),
    "Pillow": by_pillow,
    "img2pdf": by_img2pdf,
    "cairo": by_cairo,
}


@pytest.mark.parametrize("producer", PRODUCERS)
def test_a_pdf_cut_off_anywhere_is_refused_or_loses_no_page(producer: str, tmp_path: Path) -> None:
    data = PRODUCERS[producer](tmp_path)
    path = tmp_path / "scan.pdf"
    path.write_bytes(data)
    with open_scan(path, FileType.PDF, tmp_path, LIMITS) as scan:
        assert scan.count == 3
    ends = {len(data) * share // 100 for share in range(1, 100)} | set(range(len(data) - 60, len(data)))
    passed = []
    for end in sorted(ends):
        path.write_bytes(data[:end])
        result = outcome(path, tmp_path)
        if isinstance(result, list):
            assert [shows(pixels, number) for number, pixels in enumerate(result, 1)] == [True, True, True]
            passed.append(end)
        else:
            assert result is QuarantineReason.CORRUPT
    # What passes lacks no more than the end-of-file marker.
    assert all(len(data) - end < 10 for end in passed)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, 1 << 30), st.integers(1, 255)), min_size=1, max_size=20))
def test_a_damaged_pdf_is_refused_with_a_reason_or_read_and_nothing_else(
    changes: list[tuple[int, int]], tmp_path: Path
) -> None:
    data = bytearray(by_pikepdf(tmp_path))
    for place, flipped in changes:
        data[place % len(data)] ^= flipped
    path = tmp_path / "scan.pdf"
    path.write_bytes(data)
    result = outcome(path, tmp_path)
    assert isinstance(result, QuarantineReason) or all(pixels.ndim == 2 for pixels in result)


def test_a_picture_in_a_pdf_by_cairo_is_read_as_drawn(tmp_path: Path) -> None:
    (tmp_path / "scan.pdf").write_bytes(by_cairo(tmp_path))
    with open_scan(tmp_path / "scan.pdf", FileType.PDF, tmp_path, LIMITS) as scan:
        pixels = scan.page(2).pixels(60)
    assert shows(pixels, 2)
    assert Image.open(io.BytesIO(encoded(Image.fromarray(pixels), "PNG"))).mode == "L"
