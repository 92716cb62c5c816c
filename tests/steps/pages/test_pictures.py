"""Opening scans that are TIFF, JPEG or PNG: what becomes of them, and that nothing is lost on the way."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps, PngImagePlugin, TiffImagePlugin

from skrynka.core.errors import ScanRejected
from skrynka.core.formats import FileType
from skrynka.core.model import PageSource
from skrynka.core.reasons import QuarantineReason
from skrynka.steps.pages import Limits, open_scan
from skrynka.steps.pages.pictures import believable_dpi
from tests.support.pdf_pages import Pixels, drawn, encoded, far_apart, group_4, jpeg, picture, shows

LIMITS = Limits(scan_bytes=50_000_000)
DPI = (150, 150)


def opened(
    data: bytes, kind: FileType, work: Path, limits: Limits = LIMITS, dpi: int = 300
) -> list[tuple[Pixels, float, float, float]]:
    """Give each page's pixels, width and height in points, and dpi; each is read from its stream."""
    path = work / "scan"
    path.write_bytes(data)
    pages = []
    with open_scan(path, kind, work, limits) as scan:
        for number in range(1, scan.count + 1):
            page = scan.page(number)
            pages.append((page.pixels(dpi), page.width_pt, page.height_pt, page.dpi))
            assert page.source is PageSource.IMAGE
    assert list(work.iterdir()) == [path]
    return pages


def only(data: bytes, kind: FileType, work: Path) -> Pixels:
    ((pixels, *_),) = opened(data, kind, work)
    return pixels


def refusal(data: bytes, kind: FileType, work: Path, limits: Limits = LIMITS) -> QuarantineReason:
    with pytest.raises(ScanRejected) as caught:
        opened(data, kind, work, limits)
    assert list(work.iterdir()) == [work / "scan"]
    return caught.value.reason


@contextmanager
def stored(data: bytes, kind: FileType, work: Path) -> Iterator[pikepdf.Object]:
    """Give the image object of the one page of the PDF that the scan becomes."""
    (work / "scan").write_bytes(data)
    with open_scan(work / "scan", kind, work, LIMITS) as scan:
        yield scan.pdf.pages[0].obj.Resources.XObject["/Im0"]


def numbered_tiff(numbers: list[int], mode: str, **options: object) -> bytes:
    first, *rest = [picture(number).convert(mode, dither=Image.Dither.NONE) for number in numbers]
    return encoded(first, "TIFF", save_all=True, append_images=rest, dpi=DPI, **options)


# JPEG


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_goes_into_the_pdf_as_it_is(mode: str, progressive: bool, tmp_path: Path) -> None:  # noqa: FBT001 -- a parameter
    data = encoded(picture(1).convert(mode), "JPEG", dpi=DPI, progressive=progressive)
    assert shows(only(data, FileType.JPEG, tmp_path), 1)
    with stored(data, FileType.JPEG, tmp_path) as image:
        assert image.read_raw_bytes() == data


@pytest.mark.parametrize("orientation", range(1, 10))
@pytest.mark.parametrize("kind", list(FileType)[1:])
def test_exif_orientation_rights_the_page(orientation: int, kind: FileType, tmp_path: Path) -> None:
    seen = picture(1).crop((0, 0, 496, 650))
    exif = Image.Exif()
    exif[274] = orientation
    data = encoded(seen, kind.value, dpi=DPI, exif=exif)
    if kind is FileType.TIFF:
        data = encoded(seen, "TIFF", dpi=DPI, tiffinfo={274: min(orientation, 8)})
    righted = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    ((pixels, width, height, _),) = opened(data, kind, tmp_path)
    assert pixels.shape == righted.shape
    assert (height > width) == (righted.shape[0] > righted.shape[1])
    assert far_apart(pixels, righted) < 4
    if kind is not FileType.TIFF:
        # The matrix and /Rotate do it; what is stored stays as the camera wrote it.
        with stored(data, kind, tmp_path) as image:
            assert (image.Width, image.Height) == seen.size


def test_a_mirrored_photo_is_shown_by_others_as_we_read_it(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 5
    (tmp_path / "scan").write_bytes(encoded(picture(1), "JPEG", dpi=(60, 60), exif=exif))
    with open_scan(tmp_path / "scan", FileType.JPEG, tmp_path, LIMITS) as scan:
        pixels = scan.page(1).pixels(60)
        scan.pdf.save(tmp_path / "made.pdf")
    assert far_apart(pixels, drawn(tmp_path / "made.pdf", 1, pixels.shape)) < 8


def test_a_jpeg_with_further_pictures_behind_it_is_one_page(tmp_path: Path) -> None:
    data = encoded(picture(1), "MPO", save_all=True, append_images=[picture(2)], dpi=DPI)
    assert Image.open(io.BytesIO(data)).format == "MPO"
    assert shows(only(data, FileType.JPEG, tmp_path), 1)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
@pytest.mark.parametrize("kind", [FileType.JPEG, FileType.PNG])
def test_a_picture_that_ends_too_early_is_refused(kind: FileType, share: float, tmp_path: Path) -> None:
    data = encoded(picture(1), kind.value)
    reason = refusal(data[: int(len(data) * share)], kind, tmp_path)
    assert reason in {QuarantineReason.CORRUPT, QuarantineReason.PAGE_UNREADABLE}


@pytest.mark.parametrize("kind", list(FileType)[1:])
def test_a_picture_that_is_only_a_beginning_is_corrupt(kind: FileType, tmp_path: Path) -> None:
    data = encoded(picture(1), kind.value)
    assert refusal(data[:12], kind, tmp_path) is QuarantineReason.CORRUPT


# PNG


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_a_png_keeps_its_pixel_data(mode: str, tmp_path: Path) -> None:
    data = encoded(picture(1).convert(mode, dither=Image.Dither.NONE), "PNG", dpi=DPI)
    assert shows(only(data, FileType.PNG, tmp_path), 1)
    with stored(data, FileType.PNG, tmp_path) as image:
        assert image.read_raw_bytes() in data


def test_a_png_of_16_bits_keeps_all_of_them(tmp_path: Path) -> None:
    deep = Image.fromarray(np.asarray(picture(1)).astype(np.uint16) * 256 + 7)
    data = encoded(deep, "PNG", dpi=DPI)
    assert shows(only(data, FileType.PNG, tmp_path), 1)
    with stored(data, FileType.PNG, tmp_path) as image:
        assert image.BitsPerComponent == 16
        assert image.read_bytes() == np.asarray(deep).astype(">u2").tobytes()


@pytest.mark.parametrize("mode", ["LA", "RGBA", "PA"])
def test_alpha_lies_on_white_paper(mode: str, tmp_path: Path) -> None:
    clear = picture(1).convert("RGBA")
    alpha = Image.new("L", clear.size, 255)
    alpha.paste(0, (0, 351, 496, 702))
    clear.putalpha(alpha)
    pixels = only(encoded(clear.convert("LA" if mode == "LA" else "RGBA"), "PNG", dpi=DPI), FileType.PNG, tmp_path)
    assert far_apart(pixels[:351], np.asarray(picture(1))[:351]) < 1
    assert pixels[351:].min() == 255


@pytest.mark.parametrize("mode", ["L", "P", "RGB"])
def test_a_transparent_colour_lies_on_white_paper(mode: str, tmp_path: Path) -> None:
    drawing = Image.new("L", (496, 702), 0)
    drawing.paste(100, (0, 0, 496, 351))
    colour = {"L": 0, "P": 0, "RGB": (0, 0, 0)}[mode]
    data = encoded(drawing.convert(mode), "PNG", transparency=colour, dpi=DPI)
    pixels = only(data, FileType.PNG, tmp_path)
    assert set(np.unique(pixels[:351])) == {100}
    assert pixels[351:].min() == 255


def test_an_interlaced_png_keeps_its_pixels(tmp_path: Path) -> None:
    assert far_apart(only(interlaced(picture(1)), FileType.PNG, tmp_path), np.asarray(picture(1))) == 0


def interlaced(image: Image.Image) -> bytes:
    """Write a grey PNG in Adam7's seven passes (ISO 15948, 8.2), which Pillow reads and doesn't write."""
    pixels, file = np.asarray(image), io.BytesIO()
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    rows = [row for y, x, down, across in passes for row in pixels[y::down, x::across] if row.size]
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    file.write(b"\x89PNG\r\n\x1a\n")
    PngImagePlugin.putchunk(file, b"IHDR", struct.pack(">IIBBBBB", *image.size, 8, 0, 0, 0, 1))
    PngImagePlugin.putchunk(file, b"IDAT", packed)
    PngImagePlugin.putchunk(file, b"IEND", b"")
    return file.getvalue()


# TIFF


@pytest.mark.parametrize(
    ("mode", "compression"),
    [
        ("1", "group4"), ("1", "group3"), ("1", "raw"), ("1", "packbits"), ("1", "tiff_lzw"),
        ("L", "raw"), ("L", "tiff_lzw"), ("L", "tiff_adobe_deflate"), ("L", "jpeg"), ("L", "packbits"),
        ("RGB", "raw"), ("RGB", "jpeg"), ("RGB", "tiff_lzw"), ("CMYK", "raw"), ("CMYK", "tiff_lzw"), ("P", "tiff_lzw"),
        ("YCbCr", "raw"), ("LAB", "raw"), ("I;16", "tiff_lzw"), ("RGBA", "raw"), ("LA", "raw"),
    ],
)  # fmt: skip
def test_every_page_of_a_tiff_is_a_page_in_order(mode: str, compression: str, tmp_path: Path) -> None:
    images = [in_mode(picture(number), mode) for number in (1, 2, 3)]
    data = encoded(images[0], "TIFF", save_all=True, append_images=images[1:], dpi=DPI, compression=compression)
    pages = opened(data, FileType.TIFF, tmp_path)
    assert [shows(pixels, number) for number, (pixels, *_) in enumerate(pages, 1)] == [True, True, True]
    assert {round(dpi) for *_, dpi in pages} == {150}


def in_mode(image: Image.Image, mode: str) -> Image.Image:
    if mode == "LAB":
        middle = Image.new("L", image.size, 128)
        return Image.merge("LAB", (image, middle, middle))
    if mode == "I;16":
        return Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    return image.convert(mode, dither=Image.Dither.NONE)


def test_a_group_4_strip_goes_into_the_pdf_as_it_is(tmp_path: Path) -> None:
    bits = picture(1).convert("1", dither=Image.Dither.NONE)
    data = encoded(bits, "TIFF", compression="group4", tiffinfo={262: 0}, strip_size=1 << 30, dpi=DPI)
    with stored(data, FileType.TIFF, tmp_path) as image:
        assert image.read_raw_bytes() == group_4(bits)
    assert far_apart(only(data, FileType.TIFF, tmp_path), np.asarray(bits.convert("L"))) == 0


@pytest.mark.parametrize("photometric", [0, 1])
def test_black_stays_black_in_group_4(photometric: int, tmp_path: Path) -> None:
    data = numbered_tiff([1], "1", compression="group4", tiffinfo={262: photometric}, strip_size=1 << 30)
    assert shows(only(data, FileType.TIFF, tmp_path), 1)


def test_black_and_white_in_many_strips_becomes_one_group_4_stream(tmp_path: Path) -> None:
    data = numbered_tiff([1], "1", compression="group4", strip_size=2000)
    assert shows(only(data, FileType.TIFF, tmp_path), 1)
    with stored(data, FileType.TIFF, tmp_path) as image:
        assert image.Filter == pikepdf.Array([pikepdf.Name.CCITTFaxDecode])


def test_16_bits_in_a_tiff_are_kept_and_white_stays_white(tmp_path: Path) -> None:
    deep = np.asarray(picture(1)).astype(np.uint16) * 256 + 7
    for photometric, samples in ((1, deep), (0, ~deep)):
        data = encoded(Image.fromarray(samples), "TIFF", tiffinfo={262: photometric}, dpi=DPI)
        # Pillow writes its own: the tag is set by hand.
        at = data.index(struct.pack("<HHI", 262, 3, 1)) + 8
        data = data[:at] + struct.pack("<H", photometric) + data[at + 2 :]
        assert shows(only(data, FileType.TIFF, tmp_path), 1)
        with stored(data, FileType.TIFF, tmp_path) as image:
            assert image.read_bytes() == deep.astype(">u2").tobytes()


@pytest.mark.parametrize("mode", ["I", "F"])
def test_pixels_of_32_bits_are_no_scan(mode: str, tmp_path: Path) -> None:
    assert refusal(encoded(picture(1).convert(mode), "TIFF"), FileType.TIFF, tmp_path) is QuarantineReason.UNSUPPORTED


def test_a_big_tiff_is_a_tiff(tmp_path: Path) -> None:
    data = numbered_tiff([1, 2], "L", big_tiff=True)
    assert data.startswith(b"II+\0")
    assert [shows(pixels, number) for number, (pixels, *_) in enumerate(opened(data, FileType.TIFF, tmp_path), 1)] == [
        True,
        True,
    ]


def test_pages_of_a_tiff_keep_their_own_size_resolution_and_colours(tmp_path: Path) -> None:
    one, two, three = picture(1), picture(2, 620, 877).convert("RGB"), picture(3).convert("1", dither=0)
    file = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(file) as out:
        for image, dpi in ((one, 150), (two, 300), (three, 200)):
            image.save(out, "TIFF", dpi=(dpi, dpi))
            out.newFrame()
    pages = opened(file.getvalue(), FileType.TIFF, tmp_path)
    assert [shows(pixels, number) for number, (pixels, *_) in enumerate(pages, 1)] == [True, True, True]
    assert [round(dpi) for *_, dpi in pages] == [150, 300, 200]
    assert [round(width) for _, width, *_ in pages] == [238, 149, 179]


def test_some_pages_of_a_tiff_are_those_of_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "scan"
    path.write_bytes(numbered_tiff(list(range(1, 41)), "L"))
    with open_scan(path, FileType.TIFF, tmp_path, LIMITS, first=19, last=37) as some:
        assert (some.count, len(some.pdf.pages)) == (40, 19)
        assert [shows(some.page(number).pixels(300), number) for number in (19, 28, 37)] == [True] * 3
    with open_scan(path, FileType.TIFF, tmp_path, LIMITS, first=39, last=50) as rest:
        assert (rest.count, len(rest.pdf.pages)) == (40, 2)
        assert shows(rest.page(40).pixels(300), 40)


@pytest.mark.parametrize(("mode", "options"), [("L", {}), ("1", {"compression": "group4"})])
def test_a_page_that_states_no_resolution_has_no_other_pages(
    mode: str, options: dict[str, object], tmp_path: Path
) -> None:
    data = numbered_tiff([1, 2, 3], mode, **options)
    in_inches, in_nothing = (struct.pack("<HHIH", 296, 3, 1, unit) for unit in (2, 1))
    *before, after = data.split(in_inches)
    assert len(before) == 3
    (tmp_path / "scan").write_bytes(in_inches.join(before) + in_nothing + after)
    sizes = []
    for first in (1, 2, 3):
        with open_scan(tmp_path / "scan", FileType.TIFF, tmp_path, LIMITS, first=first) as scan:
            page = scan.page(3)
            sizes.append((page.width_pt, page.height_pt, page.dpi))
    assert sizes == [(496, 702, pytest.approx(72))] * 3


def test_more_pages_than_are_held_in_memory_stay_in_order(tmp_path: Path) -> None:
    numbers = list(range(1, 36))
    pages = opened(numbered_tiff(numbers, "1", compression="group4"), FileType.TIFF, tmp_path)
    assert [shows(pixels, number) for number, (pixels, *_) in zip(numbers, pages, strict=True)] == [True] * 35


@pytest.mark.parametrize("compression", ["group4", "raw", "jpeg"])
def test_a_tiff_cut_off_anywhere_is_refused_or_loses_no_page(compression: str, tmp_path: Path) -> None:
    data = numbered_tiff([1, 2, 3], "1" if compression == "group4" else "L", compression=compression)
    for end in sorted({len(data) * share // 100 for share in range(1, 100)} | set(range(len(data) - 20, len(data)))):
        (tmp_path / "scan").write_bytes(data[:end])
        try:
            pages = opened(data[:end], FileType.TIFF, tmp_path)
        except ScanRejected:
            continue
        assert [shows(pixels, number) for number, (pixels, *_) in enumerate(pages, 1)] == [True, True, True]


def test_a_tiff_whose_directories_go_round_is_corrupt(tmp_path: Path) -> None:
    data = bytearray(numbered_tiff([1], "L"))
    (first,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    struct.pack_into("<I", data, first + 2 + 12 * count, first)
    assert refusal(bytes(data), FileType.TIFF, tmp_path) is QuarantineReason.CORRUPT


def test_a_tiff_without_directories_has_no_pages(tmp_path: Path) -> None:
    assert refusal(b"II*\0\0\0\0\0", FileType.TIFF, tmp_path) is QuarantineReason.NO_PAGES


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    kind=st.sampled_from(list(FileType)[1:]),
    changes=st.lists(st.tuples(st.integers(0, 1 << 30), st.integers(1, 255)), min_size=1, max_size=12),
)
def test_a_damaged_picture_is_refused_with_a_reason_or_read(
    kind: FileType, changes: list[tuple[int, int]], tmp_path: Path
) -> None:
    data = bytearray(numbered_tiff([1, 2], "L") if kind is FileType.TIFF else encoded(picture(1), kind.value))
    for place, flipped in changes:
        # Most of a file is pixels, where little can go wrong: half of the damage goes to its head.
        data[place % (200 if place % 2 else len(data))] ^= flipped
    (tmp_path / "scan").write_bytes(data)
    try:
        with open_scan(tmp_path / "scan", kind, tmp_path, LIMITS) as scan:
            pages = [scan.page(number).pixels(60) for number in range(1, scan.count + 1)]
    except ScanRejected as refused:
        pages = []
        reason: QuarantineReason | None = refused.reason
    else:
        reason = None
    assert (reason is None) == bool(pages)


# Sizes


def test_a_picture_over_the_limit_on_pixels_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    few = Limits(scan_bytes=50_000_000, page_pixels=300_000)
    for kind in list(FileType)[1:]:
        data = encoded(picture(1), kind.value)
        assert refusal(data, kind, tmp_path, few) is QuarantineReason.PAGE_TOO_LARGE
    second_large = numbered_tiff([1], "L")
    assert refusal(second_large, FileType.TIFF, tmp_path, few) is QuarantineReason.PAGE_TOO_LARGE


@pytest.mark.parametrize(
    ("size", "stated", "dpi"),
    [
        ((2480, 3508), (300, 300), (300, 300)),
        ((1728, 1145), (204, 98), (204, 98)),
        ((4000, 3000), (72, 72), (342.1, 342.1)),
        ((4000, 3000), None, (342.1, 342.1)),
        ((1280, 960), (96, 96), (109.5, 109.5)),
        ((2480, 3508), (1, 1), (300, 300)),
        ((2480, 3508), (0, 0), (300, 300)),
        ((2480, 3508), (100_000, 100_000), (300, 300)),
        ((2480, 3508), (300, float("nan")), (300, 300)),
        ((2480, 3508), "300", (300, 300)),
        ((100, 50), None, (72, 72)),
    ],
)
def test_a_resolution_that_no_scanner_states_is_replaced_by_that_of_an_a4_page(
    size: tuple[int, int], stated: object, dpi: tuple[float, float]
) -> None:
    assert believable_dpi(size, stated) == pytest.approx(dpi, abs=0.1)


@given(
    size=st.tuples(st.integers(1, 60_000), st.integers(1, 60_000)),
    stated=st.one_of(st.none(), st.tuples(st.floats(), st.floats())),
)
def test_no_picture_becomes_a_page_larger_than_its_pixels_at_50_dpi(size: tuple[int, int], stated: object) -> None:
    across, down = believable_dpi(size, stated)
    assert 50 <= min(across, down) <= max(across, down) <= 6000


def test_a_phone_photo_without_resolution_is_as_large_as_a4(tmp_path: Path) -> None:
    ((_, width, height, _),) = opened(encoded(picture(1, 3000, 2000), "JPEG"), FileType.JPEG, tmp_path)
    assert (round(width), round(height)) == (842, 561)


def test_the_same_scan_becomes_the_same_pdf_every_time(tmp_path: Path) -> None:
    for data, kind in ((jpeg(1), FileType.JPEG), (numbered_tiff([1, 2], "RGB"), FileType.TIFF)):
        (tmp_path / "scan").write_bytes(data)
        made = []
        for _ in range(2):
            with open_scan(tmp_path / "scan", kind, tmp_path, LIMITS) as scan:
                made.append(Path(scan.pdf.filename).read_bytes())
        assert made[0] == made[1]
        assert b"CreationDate" not in made[0]
