"""What lies around a paper under an open lid is taken away, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from skrynka.core.mark import Marked
from skrynka.steps.marks import judge
from skrynka.steps.marks.surroundings import surroundings, without_surroundings
from tests.support import papers
from tests.support.drawn_sheets import SheetFields, full_sheet
from tests.support.typeset import Picture, pixels

DPI = 75
FIELDS = SheetFields(serial="A000123", box="OBL-03", case_type="VER")
BLACK = 12


def _under_the_lid(turn: float) -> Picture:
    """Lay a sheet askew under an open lid, and cut 10 mm off each side of what is seen."""
    sheet = Image.fromarray(full_sheet(FIELDS, 1, DPI))
    askew = np.asarray(sheet.rotate(turn, Image.Resampling.BILINEAR, fillcolor=BLACK)).copy()
    edge = pixels(10, DPI)
    for turns in range(4):
        np.rot90(askew, turns)[:edge] = BLACK
    return askew


@pytest.mark.parametrize("turn", [-22, -20, -18, 18])
def test_a_sheet_both_of_whose_marks_are_cut_by_black_is_known_by_them(turn: float) -> None:
    assert judge(_under_the_lid(turn), DPI) is Marked.YES


def test_black_around_a_paper_is_taken_away_and_the_papers_own_ink_stays() -> None:
    seen = _under_the_lid(20)

    around = surroundings(seen, DPI)
    assert around is not None
    paper = without_surroundings(seen, around)

    changed = paper != seen
    assert (seen[changed] < 48).all()
    assert (paper[changed] > 200).all()
    assert np.count_nonzero(paper[: pixels(9, DPI)] < 80) == 0
    # The QR codes and the text, well inside.
    inner = slice(pixels(60, DPI), -pixels(60, DPI)), slice(pixels(60, DPI), -pixels(60, DPI))
    assert (paper[inner] == seen[inner]).all()


@pytest.mark.parametrize("kind", ["CERT", "PHOTO", "BILL"])
def test_a_paper_without_black_around_is_left_as_it_is(kind: str) -> None:
    page = papers.paper(kind, 1, np.random.default_rng(1), DPI)

    assert surroundings(page, DPI) is None


def test_a_mark_beneath_a_stain_that_reaches_the_edge_is_still_seen() -> None:
    stained = full_sheet(FIELDS, 1, DPI)
    stained[: pixels(120, DPI)] = stained[: pixels(120, DPI)] * 0.3
    stained[-pixels(120, DPI) :] = stained[-pixels(120, DPI) :] * 0.3

    assert surroundings(stained, DPI) is None
    assert judge(stained, DPI) is Marked.YES


def test_a_negative_and_a_black_page_are_left_as_they_are() -> None:
    negative = 255 - full_sheet(FIELDS, 1, DPI)
    black = np.full((877, 620), BLACK, np.uint8)

    assert surroundings(negative, DPI) is None
    assert surroundings(black, DPI) is None
    assert judge(negative, DPI) is Marked.YES
