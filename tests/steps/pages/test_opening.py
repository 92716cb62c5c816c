"""Opening scans that are PDFs: what is refused, and what is left behind."""

from __future__ import annotations

import re
from itertools import permutations
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import Image

from skrynka.core.errors import EnvironmentUnfit
from skrynka.core.formats import FileType
from skrynka.core.reasons import QuarantineReason
from skrynka.steps.pages import Limits, open_scan
from skrynka.steps.pages.drawing import NotDrawn, draw
from skrynka.steps.pages.page_box import page_box
from tests.support.pdf_pages import (
    A4,
    add_image_page,
    flate_image,
    numbered_pdf,
    shows,
)
from tests.support.pdf_scans import LIMITS, grey_jpeg, read_all, rejected, saved, the_page


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


def test_a_table_that_leads_to_any_other_object_than_it_says_is_corrupt(tmp_path: Path) -> None:
    data = numbered_pdf([1, 2], tmp_path / "scan.pdf", object_stream_mode=pikepdf.ObjectStreamMode.disable).read_bytes()
    objects = list(re.finditer(rb"^(\d) 0 obj", data, re.MULTILINE))
    assert len(objects) == len(re.findall(rb"\bendobj", data)) > 7
    for there, said in permutations(objects, 2):
        (tmp_path / "scan.pdf").write_bytes(data[: there.start()] + said[1] + data[there.end(1) :])
        assert rejected(tmp_path / "scan.pdf", tmp_path).reason is QuarantineReason.CORRUPT


def test_a_font_that_stands_where_its_own_part_should_be_kills_no_reader(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        part = pdf.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.CIDFontType0))
        font = pdf.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type0, DescendantFonts=Array([part])))
        page = Dictionary(
            Type=Name.Page,
            MediaBox=Array([0, 0, *A4]),
            Resources=Dictionary(Font=Dictionary(F1=font)),
            Contents=pdf.make_stream(b"BT /F1 40 Tf 60 500 Td (Paid) Tj ET"),
        )
        pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))
        pdf.save(tmp_path / "scan.pdf", object_stream_mode=pikepdf.ObjectStreamMode.disable)
    data = (tmp_path / "scan.pdf").read_bytes()
    (numbers,) = re.findall(rb"(\d) 0 obj\s*<< /DescendantFonts \[ (\d) 0 R", data)
    (tmp_path / "scan.pdf").write_bytes(data.replace(b"\n%b 0 obj" % numbers[1], b"\n%b 0 obj" % numbers[0]))
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


@pytest.mark.parametrize("size", [(8, 842), (595, 1), (5, 5)])
@pytest.mark.parametrize("content", [None, "0 0 1 1 re f"])
def test_a_page_narrower_than_any_paper_is_unreadable(
    size: tuple[float, float], content: str | None, tmp_path: Path
) -> None:
    path = saved(tmp_path / "scan.pdf", grey_jpeg, content, size=size)
    assert rejected(path, tmp_path).reason is QuarantineReason.PAGE_UNREADABLE


def test_a_page_longer_than_any_picture_is_too_large(tmp_path: Path) -> None:
    path = saved(tmp_path / "scan.pdf", grey_jpeg, size=(595, 50_000))
    assert rejected(path, tmp_path).reason is QuarantineReason.PAGE_TOO_LARGE


@pytest.mark.parametrize("size", [(47_000, 10), (10, 47_000), (5_000, 5_000)])
def test_a_little_of_an_image_over_a_large_page_isnt_blown_up(size: tuple[float, float], tmp_path: Path) -> None:
    limits = Limits(scan_bytes=50_000_000, page_pixels=50_000_000)
    _, pixels = the_page(saved(tmp_path / "scan.pdf", grey_jpeg, size=size), tmp_path, 600, limits)
    assert max(pixels.shape) <= 65_535
    assert pixels.size <= limits.page_pixels


def test_a_bomb_of_an_image_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = saved(tmp_path / "scan.pdf", lambda pdf: flate_image(pdf, b"\0" * 1000, (60_000, 60_000), Name.DeviceGray))
    assert rejected(path, tmp_path).reason is QuarantineReason.PAGE_TOO_LARGE


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


def test_a_picture_of_another_size_than_asked_for_is_not_believed(tmp_path: Path) -> None:
    # pdftoppm can't allocate this one, ends with 0 all the same, and gives a picture of nothing.
    path = saved(tmp_path / "scan.pdf", grey_jpeg, "0 0 1 1 re f", size=(14400, 14400))
    with pikepdf.open(path) as pdf, pytest.raises(NotDrawn, match="another size"):
        draw(pdf, pdf.pages[0], page_box(pdf.pages[0]), 300, tmp_path, seconds=30, most_pixels=10**9)
    assert list(tmp_path.iterdir()) == [path]


def test_a_page_that_must_be_drawn_asks_for_poppler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "scan.pdf", grey_jpeg, "0 0 1 1 re f")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentUnfit) as caught:
        read_all(path, tmp_path)
    assert "poppler-utils" in caught.value.remedy


def test_nothing_is_left_in_the_work_folder(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    the_page(saved(tmp_path / "scan.pdf", grey_jpeg, "0 0 1 1 re f"), work)
    assert list(work.iterdir()) == []


def test_limits_on_libraries_hold_only_while_a_scan_is_open(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS, pikepdf.settings.get_qpdf_limits()
    with open_scan(numbered_pdf([1], tmp_path / "scan.pdf"), FileType.PDF, tmp_path, LIMITS):
        assert (Image.MAX_IMAGE_PIXELS, pikepdf.settings.get_qpdf_limits()) != before
    assert (Image.MAX_IMAGE_PIXELS, pikepdf.settings.get_qpdf_limits()) == before
