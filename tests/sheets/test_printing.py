"""Every kind of sheet is drawn, rasterised as a scanner would see it, and read back by both engines."""

from __future__ import annotations

import io
import itertools
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pikepdf
import pytest

from skrynka.core import mark
from skrynka.core.catalogue import Names
from skrynka.core.checklist import Checklist, ChecklistEntry, ChecklistItem
from skrynka.core.errors import ConfigurationError
from skrynka.core.routing_code import compose, compose_short, parse
from skrynka.sheets.printing import TEMPLATES, render
from tests.sheets.examples import CODES, ORDERS
from tests.sheets.pixels import LINEAR, QR, Pixels, Seen, rasterised, read_by_zbar, read_by_zxing, runs, scaled_in_page

DPI = 300
MM = DPI / 25.4
SLACK = 3
"""Pixels, a quarter of a millimetre: edges fall between pixels."""

every_kind = pytest.mark.parametrize("name", list(ORDERS))


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return render(list(ORDERS.values()))


@pytest.fixture(scope="module")
def pages(pdf: bytes) -> dict[str, Pixels]:
    return dict(zip(ORDERS, rasterised(pdf, DPI), strict=True))


@pytest.fixture(scope="module")
def small_pages(pdf: bytes) -> dict[str, Pixels]:
    drawn = rasterised(pdf, 150)
    return {name: scaled_in_page(page, 0.9) for name, page in zip(ORDERS, drawn, strict=True)}


@pytest.fixture(scope="module")
def texts(pdf: bytes) -> dict[str, str]:
    run = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True)
    drawn = run.stdout.decode().split("\f")
    return {name: " ".join(text.split()) for name, text in zip(ORDERS, drawn, strict=False)}


def _expected(name: str) -> list[tuple[str, str]]:
    code = CODES[name]
    return sorted([(QR, compose(code)), (QR, compose(code)), (LINEAR, compose_short(code))])


def _told(seen: list[Seen]) -> list[tuple[str, str]]:
    return sorted((code.symbology, code.text) for code in seen)


@every_kind
def test_both_engines_read_two_qr_codes_and_the_linear_one(pages: dict[str, Pixels], name: str) -> None:
    assert _told(read_by_zxing(pages[name])) == _expected(name)
    assert _told(read_by_zbar(pages[name])) == _expected(name)
    assert parse(compose(CODES[name])) == CODES[name]


@every_kind
def test_a_sheet_printed_at_ninety_percent_reads_at_150_dpi(small_pages: dict[str, Pixels], name: str) -> None:
    assert _told(read_by_zxing(small_pages[name])) == _expected(name)
    assert set(_told(read_by_zbar(small_pages[name]))) == set(_expected(name))


@every_kind
def test_an_upside_down_sheet_reads(small_pages: dict[str, Pixels], name: str) -> None:
    turned = np.ascontiguousarray(np.rot90(small_pages[name], 2))
    assert _told(read_by_zxing(turned)) == _expected(name)


@every_kind
def test_a_sheet_whose_corners_are_torn_off_reads(pages: dict[str, Pixels], name: str) -> None:
    torn = pages[name].copy()
    side = round((15 + 11) * MM)  # of the paper's margin, and of a QR code
    torn[:side, -side:] = torn[-side:, :side] = 255

    assert _told(read_by_zxing(torn)) == _expected(name)


@every_kind
def test_nothing_is_printed_in_the_margins(pages: dict[str, Pixels], name: str) -> None:
    ink = pages[name] < 128
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    height, width = ink.shape
    # Codes are measured below, to the pixel; strokes of frames and boxes lie half outside them.
    edge = 14.6 * MM
    assert rows[0] >= edge
    assert columns[0] >= edge
    assert rows[-1] <= height - edge
    assert columns[-1] <= width - edge


@every_kind
def test_qr_codes_stand_in_their_corners_with_large_modules_and_white_around(
    pages: dict[str, Pixels], name: str
) -> None:
    page = pages[name]
    height, width = page.shape
    upper, lower = sorted((code.box for code in read_by_zxing(page) if code.symbology == QR), key=lambda box: box[1])
    assert upper[2] == pytest.approx(width - 15 * MM, abs=SLACK)
    assert upper[1] == pytest.approx(15 * MM, abs=SLACK)
    assert lower[0] == pytest.approx(15 * MM, abs=SLACK)
    assert lower[3] == pytest.approx(height - 15 * MM, abs=SLACK)
    for left, top, right, bottom in (upper, lower):
        finder = runs(page[top + SLACK, left - SLACK : right + SLACK] < 128)
        module = next(length for dark, length in finder if dark) / 7
        assert module >= 0.8 * MM * 0.97
        assert _white_around(page, (left, top, right, bottom), round(4 * module) - SLACK)


@every_kind
def test_the_linear_code_is_high_wide_and_quiet(pages: dict[str, Pixels], name: str) -> None:
    page = pages[name]
    (linear,) = (code.box for code in read_by_zxing(page) if code.symbology == LINEAR)
    middle = (linear[1] + linear[3]) // 2
    left, right = linear[0] - SLACK, linear[2] + SLACK
    # Start, three symbols at least, check and stop: the narrowest of their bars is a module.
    narrowest = min(length for _, length in runs(page[middle, linear[0] : linear[2]] < 128)[1:-1])
    assert narrowest >= 0.4 * MM - 1.5
    quiet = round(10 * 0.4 * MM)
    assert (page[middle, left - quiet : left] > 128).all()
    assert (page[middle, right : right + quiet] > 128).all()
    # The first bar of Code 128's start symbol, two modules wide, shows the height.
    bar = [length for dark, length in runs(page[:, linear[0] + 3] < 128) if dark]
    assert any(length >= 12 * MM for length in bar)


@every_kind
def test_the_mark_lies_in_two_corners_and_keeps_its_radii(pages: dict[str, Pixels], name: str) -> None:
    page = pages[name]
    height, width = page.shape
    for x, y in ((36 * MM, 36 * MM), (width - 36 * MM, height - 36 * MM)):
        column, row, reach = round(x), round(y), round(26 * MM)
        up, down = page[row - reach : row + 1, column][::-1], page[row : row + reach + 1, column]
        left, right = page[row, column - reach : column + 1][::-1], page[row, column : column + reach + 1]
        for line in (up, down, left, right):
            edges = np.flatnonzero(np.diff(line < 128)) + 1
            assert edges.tolist() == pytest.approx([radius * MM for radius in mark.RADII_MM], abs=SLACK)


def test_a_sheet_says_what_its_reader_needs_in_ukrainian(texts: dict[str, str]) -> None:
    case = texts["case"]
    for phrase in (
        "ЗВЕРНЕННЯ",
        "A000123",
        "Актуалізація інформації після повірки",
        "КП «Київтеплоенерго», ПрАТ АК «Київводоканал»",
        "Покладіть цей",
        "аркуш зверху.",
        "одне звернення.",
        "скріпок.",
        "Адреса",
        "Особовий рахунок",
        "Телефон",
        "Дата",
        "Скільки сторінок",
        "фото лічильника (з показаннями на поточну дату)",
        "або акт виконаних робіт",
        "Повірено з демонтажем",
        "акт розпломбування",
        "Скринька OBL-03",
        "Сервісний центр «Оболонь»",
        "(044) 000-00-01",
    ):
        assert phrase in case, phrase
    assert "Які папери додаєте?" in texts["bare_case"]
    assert "Папір зім’яло? Покладіть аркуш ПОВТОР зверху і відскануйте весь стос знову." in texts["collection"]
    assert "2 3 0 2 2 0 2 2" in texts["filled_collection"]
    assert "акт демонтажу акт монтажу" in texts["document"]
    assert "РОЗДІЛЮВАЧ" in texts["separator"]
    assert "між конвертами" in texts["separator"]
    assert "відскановано знову" in texts["repeat"]
    assert "КІНЕЦЬ" in texts["end"]
    assert "Порахували конвертів" in texts["end"]


def test_personal_values_stand_on_personalised_sheets_only(texts: dict[str, str]) -> None:
    code = CODES["personal_case"]
    for value in (code.account, code.address_code, code.follow_up, *code.meter_serials):
        assert value is not None
        assert value in texts["personal_case"]
        assert not any(value in text for name, text in texts.items() if name != "personal_case")


def test_the_last_day_of_a_follow_up_stands_on_it() -> None:
    drawn = render([replace(ORDERS["personal_case"], expires_on=date(2026, 12, 31))])
    run = subprocess.run(["pdftotext", "-layout", "-", "-"], input=drawn, capture_output=True, check=True)
    assert "OBL-03-2022-000123, дійсне до 31.12.2026 включно" in " ".join(run.stdout.decode().split())


def test_the_serial_is_printed_large_beside_the_codes(pdf: bytes) -> None:
    run = subprocess.run(
        ["pdftotext", "-bbox", "-f", "1", "-l", "1", "-", "-"], input=pdf, capture_output=True, check=True
    )
    (line,) = (line for line in run.stdout.decode().splitlines() if ">A000123<" in line)
    bottom, top = float(line.split('yMax="')[1].split('"')[0]), float(line.split('yMin="')[1].split('"')[0])
    assert bottom - top >= 20  # points


def test_only_fonts_that_come_along_are_used(pdf: bytes) -> None:
    listed = subprocess.run(["pdffonts", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    fonts = [line.split()[0].partition("+")[2] for line in listed.splitlines()[2:]]
    assert fonts
    assert all(font.startswith(("LibertinusSerif", "DejaVuSansMono")) for font in fonts)


def test_each_order_is_a_page_of_a4_and_the_same_orders_give_the_same_bytes(pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert len(opened.pages) == len(ORDERS)
        for page in opened.pages:
            assert [float(side) for side in page.mediabox] == pytest.approx([0, 0, 595.28, 841.89], abs=0.1)
    assert render(list(ORDERS.values())) == pdf


def test_no_orders_are_no_pdf() -> None:
    with pytest.raises(ValueError, match="no sheets"):
        render([])


def test_a_code_against_its_grammar_is_not_printed() -> None:
    with pytest.raises(ValueError, match="routing code"):
        render([replace(ORDERS["case"], code=replace(CODES["case"], box="скринька"))])


def test_a_folder_of_ones_own_replaces_single_templates(tmp_path: Path) -> None:
    changed = (TEMPLATES / "repeat.typ").read_text(encoding="utf-8").replace("ПОВТОР", "ЩЕ РАЗ")
    (tmp_path / "repeat.typ").write_text(changed, encoding="utf-8")
    drawn = render([ORDERS["repeat"], ORDERS["end"]], tmp_path)
    told = subprocess.run(["pdftotext", "-", "-"], input=drawn, capture_output=True, check=True).stdout.decode()
    assert "ЩЕ РАЗ" in told
    assert "ПОВТОР" not in told
    assert "КІНЕЦЬ" in told


def test_a_broken_template_is_named_with_its_line_and_nothing_personal(tmp_path: Path) -> None:
    broken = (
        (TEMPLATES / "case.typ")
        .read_text(encoding="utf-8")
        .replace("#let case-sheet(sheet) = (", "#let case-sheet(sheet) = (panic(sheet.account),", 1)
    )
    (tmp_path / "case.typ").write_text(broken, encoding="utf-8")
    line = 1 + broken[: broken.index("panic")].count("\n")
    with pytest.raises(ConfigurationError) as caught:
        render([ORDERS["personal_case"]], tmp_path)
    assert f"case.typ, line {line}" in str(caught.value)
    assert str(CODES["personal_case"].account) not in str(caught.value)
    assert caught.value.__suppress_context__


def test_more_papers_than_a_page_holds_is_an_error_and_no_second_page() -> None:
    items = [ChecklistItem(f"K{place}", Names(f"папір {place}", ""), "") for place in range(90)]
    entries = tuple(ChecklistEntry(((one,), (other,))) for one, other in itertools.pairwise(items))
    with pytest.raises(ConfigurationError, match="can't be drawn"):
        render([replace(ORDERS["case"], checklist=Checklist(entries, ()))])


def test_a_long_checklist_is_set_smaller_on_the_one_page() -> None:
    items = [ChecklistItem(f"K{place}", Names(f"папір {place}", ""), "") for place in range(24)]
    entries = tuple(ChecklistEntry(((item,),)) for item in items)
    with pikepdf.open(io.BytesIO(render([replace(ORDERS["case"], checklist=Checklist(entries, ()))]))) as opened:
        assert len(opened.pages) == 1


def test_the_longest_names_leave_codes_readable() -> None:
    long = "дуже довга назва " * 5
    crowded = replace(ORDERS["personal_case"], case_type_name=long, branch_name=long, box_name=long, centre_name=long)
    (page,) = rasterised(render([crowded]), 150)
    assert _told(read_by_zxing(page)) == _expected("personal_case")


def _white_around(page: Pixels, box: tuple[int, int, int, int], quiet: int) -> bool:
    left, top, right, bottom = box
    ring = page[top - quiet : bottom + quiet + 1, left - quiet : right + quiet + 1] < 128
    ring[quiet - SLACK : -quiet + SLACK, quiet - SLACK : -quiet + SLACK] = False
    return not ring.any()
