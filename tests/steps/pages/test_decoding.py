"""Decoding the image that a page is: what a renderer shows, or drawn, or refused; never a half."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import img2pdf
import numpy as np
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import Image

from skrynka.core.errors import ScanRejected
from skrynka.core.formats import FileType
from skrynka.core.model import PageSource
from skrynka.core.reasons import QuarantineReason
from skrynka.steps.pages import Limits, open_scan
from tests.support.pdf_pages import (
    drawn,
    encoded,
    far_apart,
    flate_image,
    group_4,
    image_object,
    jbig2,
    jpeg,
    jpeg_image,
    picture,
    shows,
)
from tests.support.pdf_scans import LIMITS, ImageMaker, grey_jpeg, rejected, saved, the_page


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
    "JBIG2": lambda pdf: image_object(
        pdf, jbig2(picture(1).convert("1")), SIZE, Name.DeviceGray, 1, Filter=Name.JBIG2Decode
    ),
}


@pytest.mark.parametrize("name", UNSURE)
def test_an_image_that_is_not_understood_is_drawn(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path / "scan.pdf", UNSURE[name])
    page, pixels = the_page(path, tmp_path)
    assert page.source is PageSource.RASTER
    assert far_apart(pixels, drawn(path, 1, pixels.shape)) < 1


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
