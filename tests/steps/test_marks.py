"""The mark is found on every sheet, however it was scanned, and on nothing else."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from PIL import Image, ImageFilter

from skrynka.core.mark import Marked, weigh
from skrynka.steps.marks import find_marks
from tests.steps.ring_targets import target
from tests.support import papers
from tests.support.drawn_sheets import SheetFields, back_of_sheet, full_sheet, mark
from tests.support.patterns import PATTERNS
from tests.support.typeset import A4, Picture, pixels

SHEETS = 300
PATTERN_PAGES = 511
PAPER_PAGES = 120
FIELDS = SheetFields("C", serial="A000123", box="OBL-03", case_type="VER", branch="DIS", providers=("KTE", "KVK"))


def marked(picture: Picture, dpi: float) -> bool:
    return weigh(*find_marks(picture, dpi)) is Marked.YES


def test_the_mark_is_found_on_every_sheet_however_it_was_printed_and_scanned() -> None:
    missed = [case for case in range(SHEETS) if not marked(*_scanned_sheet(np.random.default_rng([4, case])))]

    assert missed == []


@pytest.mark.parametrize("dpi", [40, 50, 72, 100, 150, 200, 300, 600])
def test_the_mark_is_found_at_any_resolution_and_rotation(dpi: int) -> None:
    sheet = _sheet(dpi)
    # Large pictures are slow to turn, and are all reduced to the same one: a few angles do.
    for angle in range(0, 360, 15 if dpi <= 100 else 73):
        assert marked(_turned(sheet, angle), dpi), angle


@pytest.mark.parametrize("dpi", [40, 60, 150])
def test_the_mark_is_found_in_black_and_white(dpi: int) -> None:
    sheet = _sheet(dpi)
    for angle in range(0, 360, 15):
        turned = _turned(sheet, angle)
        assert marked(np.where(turned > 140, 255, 0).astype(np.uint8), dpi), angle


def test_the_mark_is_found_on_a_negative() -> None:
    assert marked(255 - _sheet(75), 75)


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_one_mark_is_enough_when_an_edge_is_cut_off(side: str) -> None:
    sheet = _sheet(150)
    cut = pixels(60, 150)
    rest = {"left": sheet[:, cut:], "right": sheet[:, :-cut], "top": sheet[cut:], "bottom": sheet[:-cut]}[side]

    assert marked(rest, 150)


def test_parts_of_both_marks_are_enough_where_they_lie_as_a_sheets_marks_do() -> None:
    sheet = _sheet(150).copy()
    sheet[:, : pixels(28, 150)] = 255
    sheet[:, -pixels(28, 150) :] = 255

    assert marked(sheet, 150)


@pytest.mark.parametrize("turn", [-18, -26, -34, -42])
def test_the_mark_is_found_on_a_sheet_that_lay_askew_and_was_cut_to_its_format(turn: int) -> None:
    sheet = Image.fromarray(_sheet(150)).rotate(turn, Image.Resampling.BILINEAR, fillcolor=200)

    assert marked(np.asarray(sheet), 150)


def test_bars_are_looked_for_only_where_all_else_does_not_say_enough() -> None:
    assert all(mark.bars == 0 for mark in find_marks(_sheet(75), 75)[0])
    assert any(mark.bars > 0 for mark in find_marks(_worn_to(0.3), 75)[0])


def test_what_is_left_of_a_mark_is_enough_where_the_linear_codes_bars_can_still_be_seen() -> None:
    worn = _worn_to(0.3)
    without_bars = worn.copy()
    without_bars[-pixels(82, 75) : -pixels(60, 75)] = 255

    assert weigh(*find_marks(worn, 75)) is Marked.YES
    assert weigh(*find_marks(without_bars, 75)) is not Marked.YES


def test_hardly_a_trace_of_both_marks_is_enough_where_the_linear_codes_bars_can_still_be_seen() -> None:
    sheet, foot = _sheet(75), slice(-pixels(81, 75), -pixels(62, 75))
    missing = np.full(sheet.shape, 0.99)
    missing[foot] = 0.8
    worn = np.where(np.random.default_rng(1).random(sheet.shape) < missing, 255, sheet).astype(np.uint8)
    without_bars = worn.copy()
    without_bars[foot] = 255

    assert weigh(*find_marks(worn, 75)) is Marked.YES
    assert weigh(*find_marks(without_bars, 75)) is not Marked.YES


def test_noise_is_no_code_beside_a_target() -> None:
    page = target([6, 10, 13, 17, 20], (36, 36), A4, 75)
    (seen,) = (mark for mark in find_marks(_noisy(page, 60), 75)[0] if mark.in_its_corner and mark.likeness > 0.3)

    assert seen.codes < 1.0


def test_a_worn_sheet_that_lay_off_its_place_is_found_in_noise() -> None:
    rng = np.random.default_rng(3)
    worn = np.where(rng.random(_sheet(75).shape) < 0.8, 255, _sheet(75)).astype(np.uint8)

    assert marked(_noisy(np.roll(worn, pixels(20, 75), axis=(0, 1)), 15), 75)


def test_a_worn_sheet_that_shines_through_its_back_is_none() -> None:
    for share in (0.5, 0.35):
        assert not marked(back_of_sheet(_worn_to(share), 0.2), 75)


def _worn_to(share: float) -> Picture:
    """Leave so much of one mark's left half, hardly a trace of its codes, and a third of the linear one's bars."""
    rng = np.random.default_rng(6)
    sheet = _sheet(75)
    worn = np.full_like(sheet, 255)
    upper, left = (slice(pixels(15, 75), pixels(57, 75)) for _ in range(2))
    middle = pixels(36 + 21 * (2 * share - 1), 75)
    worn[upper, left.start : middle] = sheet[upper, left.start : middle]
    foot = slice(len(sheet) - pixels(81, 75), len(sheet) - pixels(62, 75))
    worn[foot, pixels(60, 75) : pixels(120, 75)] = sheet[foot, pixels(60, 75) : pixels(120, 75)]
    return np.where(rng.random(sheet.shape) < 0.5, 255, worn).astype(np.uint8)


@pytest.mark.parametrize("share", [0.7, 0.77, 0.9, 1.0, 1.1])
def test_a_mark_printed_smaller_or_larger_is_found(share: float) -> None:
    assert marked(_alone(share), 150)


@pytest.mark.parametrize(
    ("radii", "at"),
    [
        ([4.2, 8.4, 12.6, 16.8, 21], (36, 36)),  # as like the mark as a worn one in its corner is
        ([6, 10, 13, 17, 20], (36, 36)),
        ([3.5, 9.5, 14, 18, 21], (100, 150)),  # as like it as one anywhere must be
    ],
)
def test_a_target_is_not_the_mark(radii: list[float], at: tuple[float, float]) -> None:
    assert not marked(target(radii, at, A4, 150), 150)


@pytest.mark.parametrize("share", [0.25, 0.4, 1.7, 2.5])
def test_the_same_rings_in_another_size_are_not_the_mark(share: float) -> None:
    assert not marked(_alone(share), 150)


def test_pale_toner_is_found_and_what_shines_through_is_only_looked_at() -> None:
    sheet = _sheet(150)
    for strength in (0.07, 0.2, 0.6):
        assert marked(_paler(sheet, strength), 150), strength
    for strength in (0.08, 0.12, 0.2, 0.3):
        back = back_of_sheet(sheet, strength)
        for turns in range(4):
            assert weigh(*find_marks(np.rot90(back, turns), 150)) is Marked.PERHAPS, (strength, turns)


def test_a_sheet_whose_other_side_is_another_sheet_is_found() -> None:
    other = back_of_sheet(_sheet(150), 0.6).astype(np.float32) / 255

    assert marked((_sheet(150) * other).astype(np.uint8), 150)


def test_no_pattern_of_other_things_is_taken_for_the_mark() -> None:
    found = [
        (PATTERNS[case % len(PATTERNS)].__name__, case)
        for case in range(PATTERN_PAGES)
        if marked(PATTERNS[case % len(PATTERNS)](np.random.default_rng([3, case]), 50), 50)
    ]

    assert found == []


def test_no_paper_of_a_drop_box_is_taken_for_a_sheet() -> None:
    found = []
    for case in range(PAPER_PAGES):
        rng = np.random.default_rng([5, case])
        kind = papers.KINDS[case % len(papers.KINDS)]
        page = _resized(papers.paper(kind, case, rng, 100), 100, 50)
        if marked(_turned(page, float(rng.uniform(0, 360))), 50):
            found.append((kind, case))

    assert found == []


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_even_page_bears_no_mark(level: int) -> None:
    assert find_marks(np.full((585, 413), level, np.uint8), 50) == ((), ())


@pytest.mark.parametrize("shape", [(1, 1), (5, 5), (3, 800), (800, 3)])
def test_a_scrap_smaller_than_the_mark_bears_none(shape: tuple[int, int]) -> None:
    page = np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)

    assert weigh(*find_marks(page, 150)) is Marked.NO


@pytest.mark.parametrize("dpi", [0.0015, 3, 8, 39])
def test_on_pixels_too_coarse_for_it_no_mark_is_found(dpi: float) -> None:
    page = np.random.default_rng(3).integers(0, 256, (round(11.7 * 39), round(8.3 * 39))).astype(np.uint8)

    assert find_marks(page, dpi) == ((), ())


@pytest.mark.parametrize("covered", ["upper", "lower"])
def test_a_back_through_which_one_mark_alone_shines_is_only_looked_at(covered: str) -> None:
    for strength in (0.08, 0.12, 0.2):
        back = back_of_sheet(_sheet(150), strength).copy()
        corner = pixels(60, 150)
        if covered == "upper":
            back[:corner, -corner:] = 255
        else:
            back[-corner:, :corner] = 255
        assert weigh(*find_marks(back, 150)) is Marked.PERHAPS, strength


def test_where_a_mark_lies_and_how_large_it_is_is_told() -> None:
    marks, pairs = find_marks(_sheet(75), 75)

    (first, second), (pair,) = marks[:2], pairs
    upper, lower = sorted((first, second), key=lambda one: one.y)
    assert (upper.x, upper.y) == pytest.approx((36, 36), abs=1.5)
    assert (lower.x, lower.y) == pytest.approx((174, 261), abs=1.5)
    assert upper.size == pytest.approx(1, abs=0.06)
    assert upper.likeness > 0.9
    assert upper.contrast > 0.8
    assert {pair.one, pair.other} == {upper, lower}
    assert not pair.from_behind


@lru_cache
def _sheet(dpi: int) -> Picture:
    return _resized(full_sheet(FIELDS, 1, 150), 150, dpi)


def _scanned_sheet(rng: np.random.Generator) -> tuple[Picture, float]:
    """Print a sheet badly and scan it badly; gives the picture and its dpi."""
    dpi = int(rng.choice([40, 40, 50, 50, 60, 75, 100, 150], p=[0.14] * 6 + [0.1, 0.06]))
    image = Image.fromarray(_sheet(dpi))
    if rng.random() < 0.3:
        share = rng.uniform(0.9, 1)
        small = image.resize((round(image.width * share), round(image.height * share)), Image.Resampling.BILINEAR)
        image = Image.new("L", image.size, 255)
        image.paste(small, (dpi // 10, dpi // 10))
    if rng.random() < 0.3:
        image = Image.fromarray(_paler(np.asarray(image), rng.uniform(0.45, 0.9)))
    if dpi >= 100 and rng.random() < 0.5:
        image = image.filter(ImageFilter.MinFilter(3) if rng.random() < 0.5 else ImageFilter.MaxFilter(3))
    angle = rng.uniform(0, 360) if rng.random() < 0.6 else rng.choice([0, 90, 180, 270]) + rng.uniform(-3, 3)
    image = image.rotate(angle, Image.Resampling.BILINEAR, expand=True, fillcolor=int(rng.choice([250, 0, 128])))
    if rng.random() < 0.4:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.2) * dpi / 100))
    brightness = rng.uniform(0.75, 1)
    grain = rng.standard_normal((image.height, image.width), np.float32) * np.float32(rng.uniform(0, 8))
    picture = np.clip(np.asarray(image, np.float32) * brightness + grain, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        picture = np.where(picture > 255 * brightness * rng.uniform(0.6, 0.85), 255, 0).astype(np.uint8)
    return picture, dpi


def _alone(share: float) -> Picture:
    """Draw a page with one mark only, so large a share of its size."""
    drawn = mark(150, share)
    page = np.full((pixels(297, 150), pixels(210, 150)), 255, np.uint8)
    page[300 : 300 + drawn.shape[0], 200 : 200 + drawn.shape[1]] = drawn
    return page


def _resized(picture: Picture, dpi: float, new_dpi: float) -> Picture:
    size = round(picture.shape[1] * new_dpi / dpi), round(picture.shape[0] * new_dpi / dpi)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))


def _turned(picture: Picture, angle: float) -> Picture:
    return np.asarray(Image.fromarray(picture).rotate(angle, Image.Resampling.BILINEAR, expand=True, fillcolor=250))


def _noisy(picture: Picture, deviation: float) -> Picture:
    noise = np.random.default_rng(5).normal(0, deviation, picture.shape)
    return np.clip(0.9 * picture + noise, 0, 255).astype(np.uint8)


def _paler(picture: Picture, strength: float) -> Picture:
    return (255 - (255 - picture.astype(np.float32)) * strength).astype(np.uint8)
