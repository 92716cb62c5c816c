"""Something like a QR code beside a mark is told from everything else, though no engine could read it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from skrynka.core.mark import Mark, Marked, weigh
from skrynka.sheets import symbols
from skrynka.steps.marks import find_marks
from skrynka.steps.marks.finders import DPI, SIDE_MM, _surrounding, code_about, codes_beside
from skrynka.steps.marks.fourier import smooth_number
from tests.support import papers
from tests.support.drawn_sheets import blank_paper, mark, paste, qr
from tests.support.typeset import A4, Picture, pixels

DRAWN_DPI = 150
ONE, ANYWHERE, BOTH = 0.37, 0.47, 0.8
"""What makes something of one beside a mark in its corner, and of one anywhere; see `core.mark`. And more than papers
come to of both."""
PAPERS = 8
SHORT, LONG = "SKR1/R/S:RK425103/Z:04", "SKR1/C/S:A000123/B:OBL-03/T:VER/P:KTE+KVK/A:001624896306/Z:35"
QUIET_MODULES = 4


@pytest.fixture(
    scope="module", params=["SKR1/R/S:RK425103/Z:04", "SKR1/C/S:A000123/B:OBL-03/T:VER/P:KTE+KVK/A:001624896306/Z:35"]
)
def sheet(request: pytest.FixtureRequest) -> Picture:
    """Draw both marks and both QR codes as they are printed, of few modules and of many."""
    return reduced(drawn(request.param))


def drawn(text: str) -> Picture:
    page = blank_paper(DRAWN_DPI)
    modules = qr(text, 254, 1.0).shape[0] / 10 - 2 * QUIET_MODULES
    module = SIDE_MM / modules
    code = qr(text, DRAWN_DPI, module)
    edge = 15.0 - QUIET_MODULES * module
    side = SIDE_MM + 2 * QUIET_MODULES * module
    # The corner without a finder lies outwards.
    paste(page, np.rot90(code), A4[0] - edge - side, edge, DRAWN_DPI)
    paste(page, np.rot90(code, -1), edge, A4[1] - edge - side, DRAWN_DPI)
    paste(page, mark(DRAWN_DPI), 15.0, 15.0, DRAWN_DPI)
    paste(page, mark(DRAWN_DPI), A4[0] - 57.0, A4[1] - 57.0, DRAWN_DPI)
    return page


def reduced(picture: Picture) -> Picture:
    return np.asarray(Image.fromarray(picture).reduce(round(DRAWN_DPI / DPI)))


def seen_at(x: float = 36.0, y: float = 36.0, likeness: float = 0.3, page: tuple[float, float] = A4) -> Mark:
    return Mark(x, y, 1.0, likeness, 0.8, page)


def beside(picture: Picture, like: Mark | None = None) -> tuple[float, float]:
    return codes_beside(picture.astype(np.float32), DPI, like or seen_at())


def worn(picture: Picture, share: float) -> Picture:
    missing = np.random.default_rng(8).random(picture.shape) < share
    return np.where(missing, 255, picture).astype(np.uint8)


def test_a_code_is_as_wide_as_it_is_printed() -> None:
    assert SIDE_MM == symbols.QR_SIDE_MM


@pytest.mark.parametrize("place", [(36.0, 36.0), (174.0, 261.0)])
def test_both_codes_of_a_sheet_are_seen_from_either_mark(sheet: Picture, place: tuple[float, float]) -> None:
    both, liker = beside(sheet, seen_at(*place))

    assert both > 1.5
    assert liker > 0.75


@pytest.mark.parametrize("turns", range(4))
def test_codes_are_seen_however_the_page_is_turned(sheet: Picture, turns: int) -> None:
    page = A4 if turns % 2 == 0 else A4[::-1]
    x, y = [(36.0, 36.0), (36.0, 174.0), (174.0, 261.0), (261.0, 36.0)][turns]

    assert beside(np.rot90(sheet, turns), seen_at(x, y, page=page))[0] > 1.5


def test_codes_without_four_fifths_of_their_toner_are_seen() -> None:
    assert beside(reduced(worn(drawn(SHORT), 0.8)))[0] > BOTH


def test_codes_are_seen_on_a_negative(sheet: Picture) -> None:
    assert beside(255 - sheet, seen_at(likeness=-0.3))[0] > 1.5
    assert beside(255 - sheet, seen_at(likeness=0.3))[0] < BOTH


def test_one_code_says_less_than_both(sheet: Picture) -> None:
    without = sheet.copy()
    without[: pixels(60, 75) // 2, pixels(150, 75) // 2 :] = 255
    both, liker = beside(without)

    assert liker > 0.75
    assert both < 1.1


def test_of_a_page_that_is_cut_off_only_what_is_there_is_seen(sheet: Picture) -> None:
    width = pixels(110, 75) // 2
    both, liker = beside(sheet[:, -width:], seen_at(110.0 - 36.0, 261.0, page=(110.0, 297.0)))

    assert liker > 0.75
    assert both == pytest.approx(liker, abs=0.1)


def test_a_code_that_lies_the_other_way_round_is_none_of_ours(sheet: Picture) -> None:
    """Its corner without a finder lies towards the middle."""
    other = sheet.copy()
    quarter = pixels(72, 75) // 2
    other[:quarter, -quarter:] = np.rot90(sheet[:quarter, -quarter:], 2)
    other[-quarter:, :quarter] = np.rot90(sheet[-quarter:, :quarter], 2)

    assert beside(other)[0] < beside(sheet)[0] - 0.3


@pytest.mark.parametrize(
    ("degrees", "least"),
    [(0, 0.75), (6, 0.75), (9, 0.6), (30, 0.75), (51, 0.6), (78, 0.75), (141, 0.6), (200, 0.7), (300, 0.75)],
)
def test_a_code_as_far_from_a_mark_as_on_the_sheet_is_seen_at_any_angle(degrees: int, least: float) -> None:
    sheet = reduced(drawn(SHORT))
    turned = Image.fromarray(sheet).rotate(degrees, Image.Resampling.BILINEAR, expand=True, fillcolor=255)
    around = np.exp(-1j * np.radians(degrees)) * complex(36.0 - 105.0, 36.0 - 148.5)
    middle = complex(turned.width, turned.height) / 2 / DPI * 25.4 + around
    seen = np.asarray(turned, np.float32)

    assert code_about(seen, DPI, seen_at(middle.real, middle.imag), 1.0) > least
    assert code_about(seen, DPI, seen_at(middle.real - 55, middle.imag + 10), 1.0) < ANYWHERE


def test_no_paper_of_a_drop_box_has_anything_like_it() -> None:
    found = []
    for case in range(PAPERS):
        kind = papers.KINDS[case % len(papers.KINDS)]
        page = papers.paper(kind, case, np.random.default_rng([9, case]), 75)
        page = np.asarray(Image.fromarray(page).convert("L").reduce(2))
        both, liker = beside(page)
        about = code_about(page.astype(np.float32), DPI, seen_at(90.0, 90.0), 1.0)
        if both >= BOTH or liker >= ONE or about >= ANYWHERE:
            found.append((kind, case, both, liker, about))

    assert found == []


@pytest.mark.parametrize("level", [0, 255])
def test_an_even_page_has_nothing_like_it(level: int) -> None:
    even = np.full((438, 310), level, np.uint8)

    assert beside(even) == pytest.approx((0.0, 0.0), abs=0.01)
    assert code_about(even.astype(np.float32), DPI, seen_at(90.0, 90.0), 1.0) == pytest.approx(0.0, abs=0.01)


def test_on_a_page_of_any_size_only_what_is_near_is_looked_at(sheet: Picture) -> None:
    large = np.full((4000, 4000), 255, np.float32)
    large[2000 : 2000 + len(sheet), 1500 : 1500 + sheet.shape[1]] = sheet
    x, y = (along / DPI * 25.4 + 36.0 for along in (1500, 2000))

    assert code_about(large, DPI, seen_at(x, y), 1.0) == pytest.approx(
        code_about(sheet.astype(np.float32), DPI, seen_at(), 1.0), abs=0.05
    )
    assert _surrounding(large, DPI, seen_at(x, y))[0].size < 1_000_000


@pytest.mark.parametrize("side", [40.0, 42.0, 46.0])
def test_a_foreign_code_beside_something_round_makes_no_sheet(side: float) -> None:
    """It stands upright: its corner without a finder isn't the one that lies outwards."""
    page = blank_paper(DRAWN_DPI)
    modules = 29
    code = qr(LONG, DRAWN_DPI, side / modules)
    paste(page, code, 174.0 - code.shape[1] / DRAWN_DPI * 12.7, 36.0 - code.shape[0] / DRAWN_DPI * 12.7, DRAWN_DPI)

    assert beside(reduced(page))[1] < ONE


def test_what_is_hardly_a_mark_makes_a_sheet_of_a_page_with_a_code_that_none_can_read() -> None:
    """One mark's rim, in its corner, and one code without half its toner; the rest of the sheet is missing."""
    whole = np.asarray(Image.fromarray(drawn(SHORT)).reduce(2))
    near, far = slice(pixels(14, 75), pixels(58, 75)), slice(-pixels(58, 75), -pixels(14, 75))
    without = np.full_like(whole, 255)
    rim = near, slice(pixels(15, 75), pixels(27, 75))
    without[rim] = whole[rim]
    page = without.copy()
    page[far, near] = worn(whole[far, near], 0.5)

    assert weigh(*find_marks(page, 75)) is Marked.YES
    assert weigh(*find_marks(without, 75)) is not Marked.YES


def test_numbers_that_fourier_transforms_are_quick_at_have_small_factors() -> None:
    assert [smooth_number(least) for least in (1, 7, 11, 97, 101, 1025)] == [1, 8, 12, 100, 108, 1080]
