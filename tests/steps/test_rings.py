"""Our mark's rings are told from other rings, whatever has befallen the mark."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageFilter

from skrynka.steps.marks.rings import ring_likeness
from tests.steps.ring_targets import PAPER, target
from tests.support.drawn_sheets import mark
from tests.support.typeset import Picture

DPI = 75
MIDDLE_MM = 40.0
SIDE = round(2 * MIDDLE_MM / 25.4 * DPI)
OURS = 0.92
"""What one mark alone must have where it lies anywhere; see `core.mark`."""
Harm = Callable[[Picture, np.random.Generator], Picture]


def likeness(page: Picture, x: float = MIDDLE_MM, size: float = 1.0, *, negative: bool = False) -> float:
    return ring_likeness(page, DPI, (x, MIDDLE_MM), size, negative=negative)


def page_with(share: float = 1.0) -> Picture:
    page = np.full((SIDE, SIDE), PAPER, np.uint8)
    drawn = mark(DPI, share)
    corner = (SIDE - drawn.shape[0]) // 2
    page[corner : corner + drawn.shape[0], corner : corner + drawn.shape[1]] = np.minimum(drawn, PAPER)
    return page


def targets(radii: list[float]) -> Picture:
    return target(radii, (MIDDLE_MM, MIDDLE_MM), (2 * MIDDLE_MM, 2 * MIDDLE_MM), DPI)


def without_toner(page: Picture, rng: np.random.Generator) -> Picture:
    return np.where(rng.random(page.shape) < 0.5, PAPER, page).astype(np.uint8)


def streaked(page: Picture, rng: np.random.Generator) -> Picture:
    page = page.copy()
    page[:, rng.random(page.shape[1]) < 0.4] = PAPER
    return page


def stained(page: Picture, _rng: np.random.Generator) -> Picture:
    page = page.copy()
    page[SIDE // 5 : SIDE * 3 // 5, SIDE // 5 : SIDE // 2] = 60
    return page


def blurred(page: Picture, _rng: np.random.Generator) -> Picture:
    return np.asarray(Image.fromarray(page).filter(ImageFilter.GaussianBlur(1.0 / 25.4 * DPI)))


def bolder(page: Picture, _rng: np.random.Generator) -> Picture:
    return np.asarray(Image.fromarray(page).filter(ImageFilter.MinFilter(5)))


def thinner(page: Picture, _rng: np.random.Generator) -> Picture:
    return np.asarray(Image.fromarray(page).filter(ImageFilter.MaxFilter(5)))


def grainy(page: Picture, rng: np.random.Generator) -> Picture:
    return np.clip(page + rng.normal(0, 90, page.shape), 0, 255).astype(np.uint8)


def test_the_mark_itself_has_its_rings_in_any_size_that_is_proposed() -> None:
    for share in (0.72, 0.82, 0.91, 1.0, 1.1):
        assert likeness(page_with(share), size=share + 0.03) > 0.97, share


@pytest.mark.parametrize("harm", [without_toner, streaked, stained, blurred, bolder, thinner, grainy])
def test_a_mark_that_has_suffered_still_has_its_rings(harm: Harm) -> None:
    assert likeness(harm(page_with(), np.random.default_rng(5))) > OURS


def test_a_mark_that_the_page_cuts_off_is_known_by_what_is_left() -> None:
    cut = page_with()[:, SIDE // 2 - 5 :]

    assert likeness(np.ascontiguousarray(cut), x=5 / DPI * 25.4) > OURS


def test_where_nothing_of_a_place_lies_on_the_page_there_are_no_rings() -> None:
    assert likeness(page_with(), x=-60.0) < OURS


def test_a_negative_has_the_rings_of_a_negative() -> None:
    page = 255 - page_with()

    assert likeness(page, negative=True) > 0.97
    assert likeness(page) < OURS


@pytest.mark.parametrize("step", [2.5, 3, 3.5, 4.2, 5])
@pytest.mark.parametrize("size", [0.8, 1.0])
def test_the_rings_of_a_target_are_others(step: float, size: float) -> None:
    assert likeness(targets([step * place for place in range(1, 6)]), size=size) < OURS


@pytest.mark.parametrize("radii", [[21], [10.5, 21], [2, 4, 13, 14, 21], [12, 13, 20, 21], [7, 9.5, 14, 21]])
def test_a_disc_a_seal_and_a_dial_have_others_too(radii: list[float]) -> None:
    assert likeness(targets(radii)) < OURS


def test_even_paper_has_none() -> None:
    assert likeness(np.full((SIDE, SIDE), PAPER, np.uint8)) < 0.5
