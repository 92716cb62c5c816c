"""Of a page under an open lid the paper alone is left, its sides along the picture's."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from skrynka.core.mark import Marked, weigh
from skrynka.steps.marks import find_marks, judge
from skrynka.steps.marks.straightening import straightened
from skrynka.steps.marks.surroundings import surroundings
from tests.support.drawn_sheets import SheetFields, full_sheet, mark
from tests.support.typeset import A4, Picture, pixels

DPI = 75
BLACK = 12
WIDTH, HEIGHT = (pixels(side, DPI) for side in A4)


def under_the_lid(paper: Picture, turn: float, off: tuple[int, int] = (0, 0)) -> Picture:
    """Lay a paper under an open lid that is 40 mm wider and higher, turned, and off its middle by so many pixels."""
    room = pixels(40, DPI)
    page = Image.new("L", (paper.shape[1] + room, paper.shape[0] + room), BLACK)
    page.paste(Image.fromarray(paper), (room // 2 + off[0], room // 2 + off[1]))
    return np.asarray(page.rotate(turn, Image.Resampling.BILINEAR, fillcolor=BLACK))


def paper_of(seen: Picture) -> Picture:
    around = surroundings(seen, DPI)
    assert around is not None
    paper = straightened(seen, around, DPI)
    assert paper is not None
    return paper


@pytest.mark.parametrize("turn", [0, 1.5, -4, 9, -12])
def test_the_paper_lies_straight_and_fills_the_picture(turn: float) -> None:
    sheet = full_sheet(SheetFields(serial="A000123", box="OBL-03", case_type="VER"), 1, DPI)

    paper = paper_of(under_the_lid(sheet, turn, (10, -6)))

    assert paper.shape == pytest.approx((HEIGHT, WIDTH), abs=pixels(4, DPI))
    likest = find_marks(paper, DPI)[0][:2]
    assert all(found.likeness > 0.8 and found.in_its_corner for found in likest)


def test_a_bent_corner_makes_no_difference() -> None:
    sheet = np.full((HEIGHT, WIDTH), 240, np.uint8)
    bent = pixels(50, DPI)
    for row in range(bent):
        sheet[row, : bent - row] = BLACK

    assert paper_of(under_the_lid(sheet, 6)).shape == pytest.approx((HEIGHT, WIDTH), abs=pixels(6, DPI))


def test_a_strip_is_no_page() -> None:
    strip = np.full((HEIGHT, pixels(30, DPI)), 240, np.uint8)
    seen = np.full((HEIGHT, WIDTH), BLACK, np.uint8)
    seen[:, WIDTH // 2 : WIDTH // 2 + strip.shape[1]] = strip
    around = seen == BLACK

    assert straightened(seen, around, DPI) is None


def test_where_nothing_is_paper_there_is_none() -> None:
    seen = np.full((HEIGHT, WIDTH), BLACK, np.uint8)

    assert straightened(seen, np.ones_like(seen, np.bool_), DPI) is None


def test_a_worn_mark_is_known_by_its_corner_of_the_paper_under_an_open_lid() -> None:
    """A seventh of one mark, which isn't enough where nobody knows where the paper's corners are."""
    paper = np.full((HEIGHT, WIDTH), 240, np.uint8)
    worn = mark(DPI).copy()
    worn[np.random.default_rng(4).random(worn.shape) < 0.85] = 240
    edge = pixels(15, DPI)
    paper[edge : edge + worn.shape[0], edge : edge + worn.shape[1]] = worn
    seen = under_the_lid(paper, 7, (14, 9))

    assert weigh(*find_marks(seen, DPI)) is not Marked.YES
    assert judge(seen, DPI) is Marked.YES


def test_an_empty_paper_under_an_open_lid_is_no_sheet() -> None:
    assert judge(under_the_lid(np.full((HEIGHT, WIDTH), 240, np.uint8), 7), DPI) is Marked.NO
