"""Bars where a sheet's linear code lies are told from everything else that is there."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from skrynka.steps.marks.bars import bars_at_foot
from tests.steps.ring_targets import target
from tests.support import papers
from tests.support.drawn_sheets import SheetFields, full_sheet
from tests.support.typeset import Picture, pixels

DPI = 75
ENOUGH = 0.42
"""What makes it something like a code; see `core.mark`."""
PAPERS = 24


@pytest.fixture(scope="module")
def sheet() -> Picture:
    return full_sheet(SheetFields(serial="A000123", box="OBL-03", case_type="VER"), 1, DPI)


@pytest.mark.parametrize("turn", range(4))
def test_bars_are_found_however_the_page_is_turned(sheet: Picture, turn: int) -> None:
    assert bars_at_foot(np.rot90(sheet, turn), DPI) > 0.8


@pytest.mark.parametrize("shift", [-6, -4, 4, 6])
def test_bars_are_found_where_the_feeder_shifted_the_paper(sheet: Picture, shift: int) -> None:
    assert bars_at_foot(np.roll(sheet, pixels(abs(shift), DPI) * shift // abs(shift), axis=0), DPI) > 0.8


def test_bars_are_found_where_most_of_the_toner_is_missing(sheet: Picture) -> None:
    rng = np.random.default_rng(7)
    worn = np.where(rng.random(sheet.shape) < 0.85, 255, sheet).astype(np.uint8)
    worn[:, : sheet.shape[1] // 2] = 255

    assert bars_at_foot(worn, DPI) > ENOUGH


def test_marks_and_qr_codes_alone_have_none(sheet: Picture) -> None:
    without = sheet.copy()
    without[pixels(57, DPI) : -pixels(57, DPI)] = 255

    assert bars_at_foot(without, DPI) < ENOUGH


def test_a_targets_rings_are_no_bars() -> None:
    page = target([2, 4, 6, 8, 10, 12, 14, 16, 18, 20], (165, 225), (210.0, 297.0), DPI)

    assert bars_at_foot(page, DPI) < ENOUGH


def test_lines_that_run_on_above_and_below_are_no_code(sheet: Picture) -> None:
    row = sheet[-pixels(72, DPI)]

    assert bars_at_foot(np.tile(row, (len(sheet), 1)), DPI) < ENOUGH


def test_ordinary_papers_have_none() -> None:
    kinds = ["CERT", "BILL", "PROTOCOL", "APPLICATION", "PASSPORT", "PHOTO"]
    pages = [papers.paper(kinds[number % 6], number, np.random.default_rng(number), DPI) for number in range(PAPERS)]

    assert [number for number, page in enumerate(pages) if bars_at_foot(page, DPI) >= ENOUGH] == []


def test_grain_has_none_though_it_is_everywhere() -> None:
    page = np.random.default_rng(3).integers(0, 256, (877, 620)).astype(np.uint8)

    assert bars_at_foot(page, DPI) < ENOUGH


@pytest.mark.parametrize("shape", [(1, 1), (40, 620), (620, 40), (300, 20), (200, 200), (260, 260)])
def test_a_page_that_is_too_small_for_a_sheet_has_none(sheet: Picture, shape: tuple[int, int]) -> None:
    foot = sheet[-pixels(64, DPI) - shape[0] :, : shape[1]][: shape[0]]

    assert bars_at_foot(foot, DPI) == 0.0


@pytest.mark.parametrize("lines", [1, 2, 6])
def test_a_frame_or_a_row_of_a_table_is_no_code(lines: int) -> None:
    page = np.full((877, 620), 255, np.uint8)
    for place in range(lines):
        left = 80 + place * 80
        page[-pixels(80, DPI) : -pixels(63, DPI), left : left + 2] = 0

    assert bars_at_foot(page, DPI) == 0.0


@pytest.mark.parametrize("seed", range(60))
def test_a_form_of_thick_slanting_lines_is_no_code(seed: int) -> None:
    rng = np.random.default_rng(seed)
    form = Image.new("L", (620, 877), 255)
    pen = ImageDraw.Draw(form)
    for x in rng.integers(40, 580, 10):
        pen.line([int(x), 60, int(x), 820], fill=0, width=int(rng.integers(2, 11)))
    for y in rng.integers(60, 820, 24):
        pen.line([40, int(y), 580, int(y)], fill=0, width=int(rng.integers(1, 12)))
    slanting = form.rotate(float(rng.uniform(-5, 5)), Image.Resampling.BILINEAR, fillcolor=255)

    assert bars_at_foot(np.asarray(slanting), DPI) < ENOUGH


def test_a_shape_as_high_as_a_code_is_none() -> None:
    page = np.full((877, 620), 255, np.uint8)
    page[-pixels(80, DPI) : -pixels(63, DPI), 200:420] = 60

    assert bars_at_foot(page, DPI) < ENOUGH


def test_pixels_that_are_too_coarse_for_bars_show_none(sheet: Picture) -> None:
    assert bars_at_foot(sheet, 50) == 0.0
