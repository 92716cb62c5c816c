"""Blank is what has nothing on it: whatever lies on an empty paper, and never what somebody wrote."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from PIL import Image

from skrynka.steps.blankness import measure
from tests.support import leftovers, papers
from tests.support.drawn_sheets import SheetFields, back_of_sheet, full_sheet
from tests.support.meter_photos import meter_photo
from tests.support.scanner import Encoding, Scanning, degrade, scan, show_through
from tests.support.typeset import grey

DPI = 150
CASES = 204
MOST_KEPT = 0.15
"""Share of dirty, folded, crooked blanks that may be kept as if something were on them; 11 % of 240 were."""


@pytest.mark.parametrize("write", leftovers.CONTENT, ids=lambda write: write.__name__)
def test_content_is_never_blank_on_however_poor_a_paper(write: leftovers.Leave) -> None:
    lost = []
    for case in range(CASES // len(leftovers.CONTENT)):
        rng = np.random.default_rng([2, case])
        page = leftovers.with_leftovers(leftovers.bare_paper(rng, DPI), rng, DPI)
        write(page, rng, DPI)
        if measure(leftovers.scanned(page, rng, DPI), DPI).blank:
            lost.append(case)

    assert lost == []


def test_papers_on_which_nobody_wrote_are_blank_but_for_a_few() -> None:
    kept = []
    for case in range(CASES):
        rng = np.random.default_rng([1, case])
        page = leftovers.with_leftovers(leftovers.bare_paper(rng, DPI), rng, DPI)
        if not measure(leftovers.scanned(page, rng, DPI), DPI).blank:
            kept.append(case)

    assert len(kept) <= CASES * MOST_KEPT, kept


@pytest.mark.parametrize("leave", leftovers.LEFTOVERS, ids=lambda leave: leave.__name__)
def test_each_leftover_alone_on_good_paper_is_blank(leave: leftovers.Leave) -> None:
    outcomes: Counter[bool] = Counter()
    for case in range(10):
        rng = np.random.default_rng([6, case])
        page = papers.blank_paper(DPI, (148.0, 210.0))
        leave(page, rng, DPI)
        outcomes[measure(grey(scan(page, DPI, Scanning(noise=4), rng).picture()), DPI).blank] += 1

    assert outcomes[True] >= 8, outcomes


@pytest.mark.parametrize("kind", papers.KINDS)
def test_no_paper_of_a_drop_box_is_blank(kind: str) -> None:
    rng = np.random.default_rng(11)
    page = papers.paper(kind, 1, rng, DPI)
    for scanning in (Scanning(noise=8, quality=40), Scanning(contrast=0.4, brightness=1.2), Scanning(blur=2)):
        measured = measure(grey(degrade(page, DPI, scanning, rng)), DPI)
        assert not measured.blank, scanning


@pytest.mark.parametrize("encoding", list(Encoding))
@pytest.mark.parametrize("tone", [255, 235, 190])
def test_a_clean_paper_of_any_tone_is_blank(encoding: Encoding, tone: int) -> None:
    rng = np.random.default_rng(tone)
    page = np.full((1754, 1240), tone, np.uint8)
    scanned = scan(page, DPI, Scanning(encoding=encoding, noise=6, quality=50, punch_holes=True), rng).picture()

    assert measure(scanned, DPI).blank


def test_grey_paper_that_lies_crooked_before_white_or_black_is_blank() -> None:
    page = Image.fromarray(np.full((1754, 1240), 165, np.uint8))
    for behind in (0, 255):
        for angle in (-1.5, 1.5):
            turned = np.asarray(page.rotate(angle, Image.Resampling.BILINEAR, fillcolor=behind))
            assert measure(turned, DPI).blank, (behind, angle)


def test_a_photo_over_the_whole_page_has_ink() -> None:
    page = papers.blank_paper(DPI)
    page[...] = np.resize(
        meter_photo(np.random.default_rng(3), 620, 877)[:, :, 0].repeat(2, 0).repeat(2, 1), page.shape
    )

    measured = measure(page, DPI)

    assert measured.ink > 0.05
    assert not measured.blank


def test_the_back_of_a_printed_paper_is_blank() -> None:
    rng = np.random.default_rng(3)
    fronts = [papers.paper(kind, 1, rng, DPI) for kind in papers.KINDS if kind != "PHOTO"]
    fronts.append(full_sheet(SheetFields("C", serial="A000123", box="OBL-03"), 1, DPI))
    for front in fronts:
        scanned = scan(show_through(front, 0.12), DPI, Scanning(noise=5, punch_holes=True), rng).picture()
        assert measure(scanned, DPI).blank


def test_a_sheets_back_with_a_signature_on_it_is_not_blank() -> None:
    rng = np.random.default_rng(3)
    back = back_of_sheet(full_sheet(SheetFields("C", serial="A000123", box="OBL-03"), 1, DPI)).copy()
    leftovers.pencil_signature(back, rng, DPI)

    assert not measure(back, DPI).blank


@pytest.mark.parametrize("dpi", [75, 100, 200, 300])
def test_a_pencil_line_is_seen_at_any_resolution(dpi: int) -> None:
    page = papers.blank_paper(dpi)
    assert measure(page, dpi).blank
    leftovers.pencil_line(page, np.random.default_rng(5), dpi)

    assert not measure(page, dpi).blank


@pytest.mark.parametrize("level", [0, 60, 110])
def test_a_dark_page_is_not_blank(level: int) -> None:
    assert not measure(np.full((1754, 1240), level, np.uint8), DPI).blank


def test_a_washed_out_photo_over_the_whole_page_is_not_blank() -> None:
    y, x = np.mgrid[0:1:1754j, 0:1:1240j]
    clouds = 225 + 22 * np.sin(9 * x + 2 * np.sin(7 * y)) * np.sin(8 * y)

    assert not measure(clouds.astype(np.uint8), DPI).blank


def test_ink_is_the_share_of_dark_pixels() -> None:
    page = papers.blank_paper(DPI)
    assert measure(page, DPI).ink == 0
    for row in range(200, 1500, 20):
        page[row : row + 6, 200:1000] = 0

    inked = measure(page, DPI)
    assert inked.ink == pytest.approx((page == 0).mean(), rel=0.25)
    assert not inked.blank


def test_a_scrap_of_paper_can_be_measured() -> None:
    assert measure(np.full((40, 30), 255, np.uint8), DPI).blank
    assert not measure(np.asarray(Image.linear_gradient("L").resize((30, 40))), DPI).blank


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (3, 3), (1, 300), (300, 1), (9, 2000), (10, 10), (13, 11)])
def test_a_page_of_hardly_any_pixels_can_be_measured(shape: tuple[int, int], level: int) -> None:
    for dpi in (0.5, 75, 300):
        assert 0 <= measure(np.full(shape, level, np.uint8), dpi).ink <= 1
