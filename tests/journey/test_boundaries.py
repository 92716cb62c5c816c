"""What comes out of a box: where one case ends and the next begins."""

from __future__ import annotations

import pytest

from tests.journey.drawn_piles import Pile, draw_pile
from tests.journey.mailroom import Mailroom
from tests.support.stations import make_station

# As on the table; what must come of each is worked out by hand.
ROWS = {
    "no sheet at all is one case for review": ("x x _ x", ["-: UNSORTED 1 2 4 [no_sheet]"], "ddbd"),
    "pages before the first sheet are a case of their own": (
        "x x C1 x",
        ["-: UNSORTED 1 2 [pages_before_first_sheet]", "1: COVER 3, UNSORTED 4"],
        "ddsd",
    ),
    "the sheet put last with separators belongs to the case it lies in": (
        "P x x C1 P x C2 P",
        ["1: COVER 4, UNSORTED 2 3", "2: COVER 7, UNSORTED 6"],
        "sddssdss",
    ),
    "the sheet in the middle with separators belongs to the case it lies in": (
        "P x C1 x P C2 x",
        ["1: COVER 3, UNSORTED 2, UNSORTED 4", "2: COVER 6, UNSORTED 7"],
        "sdsdssd",
    ),
    "the sheet put last without separators is empty and its neighbour doubtful": (
        "x x C1",
        ["-: UNSORTED 1 2 [boundary_doubtful pages_before_first_sheet]", "1: COVER 3 [empty_submission]"],
        "dds",
    ),
    "a sheet with nothing after it makes both neighbours doubtful": (
        "C1 x C2 C3 x",
        [
            "1: COVER 1, UNSORTED 2 [boundary_doubtful]",
            "2: COVER 3 [empty_submission]",
            "3: COVER 4, UNSORTED 5 [boundary_doubtful]",
        ],
        "sdssd",
    ),
    "an empty envelope between separators leaves its neighbours alone": (
        "P C1 x P C2 P C3 x",
        ["1: COVER 2, UNSORTED 3", "2: COVER 5 [empty_submission]", "3: COVER 7, UNSORTED 8"],
        "ssdssssd",
    ),
    "a separator followed by a case sheet is one boundary": (
        "C1 x P C2 x",
        ["1: COVER 1, UNSORTED 2", "2: COVER 4, UNSORTED 5"],
        "sdssd",
    ),
    "a document sheet tells papers apart, and is kept nowhere": (
        "C1 x D:CERT x:CERT x:CERT D:PHOTO x:PHOTO",
        ["1: COVER 1, UNSORTED 2, CERT 4 5, PHOTO 7"],
        "sdsddsd",
    ),
    "two envelopes stuck together are over the page limit": (
        "C1 x x x x x C2 x",
        ["1: COVER 1, UNSORTED 2 3 4 5 6 [page_limit_exceeded]", "2: COVER 7, UNSORTED 8"],
        "sdddddsd",
    ),
}


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mailroom, dict[str, Pile]]:
    station = make_station(tmp_path_factory.mktemp("boundaries"), options={"FILING__PAGE_LIMIT": "4"})
    mailroom = Mailroom(station)
    piles = {name: draw_pile(number, words) for number, (name, (words, _, _)) in enumerate(ROWS.items(), start=1)}
    mailroom.drop_all(piles.values())
    mailroom.once()
    return mailroom, piles


@pytest.mark.parametrize("row", ROWS)
def test_a_drawn_pile_is_filed_as_its_row_says(filed: tuple[Mailroom, dict[str, Pile]], row: str) -> None:
    mailroom, piles = filed
    _, cases, account = ROWS[row]
    assert mailroom.told(piles[row]) == cases
    assert mailroom.account(piles[row]) == account


def test_every_page_is_where_its_row_says(filed: tuple[Mailroom, dict[str, Pile]]) -> None:
    assert filed[0].misfits() == []
