"""What comes out of a box: sheets that can't be read, are forged or disagree are held, and nobody is merged.

A hold ends at the next collection sheet, case sheet, separator or end sheet, and never at a document sheet.
"""

from __future__ import annotations

import pytest

from tests.journey.drawn_piles import DPI, Page, Pile, case_fields, draw_pile
from tests.journey.mailroom import Mailroom
from tests.support.drawn_sheets import Harm, SheetFields, back_of_sheet, full_sheet, plain_sheet, unreadable_sheet
from tests.support.routing_text import closed, damaged
from tests.support.stacks import Role
from tests.support.stations import make_station
from tests.support.typeset import Picture

ONE, OTHER = case_fields(0, 61), case_fields(0, 62)
RETYPED = SheetFields(serial=ONE.serial, box=ONE.box, case_type="NUM")


def sheet(fields: SheetFields = ONE, text: str | None = None, second_text: str | None = None) -> Page:
    def draw(page_id: int, _: object) -> Picture:
        return full_sheet(fields, page_id, DPI, text=text, second_text=second_text)

    return Page(draw, Role.COVER)


def plain(text: str) -> Page:
    return Page(lambda page_id, _: plain_sheet(text, page_id, DPI), Role.COVER)


def harmed(harm: Harm) -> Page:
    return Page(lambda page_id, rng: unreadable_sheet(ONE, page_id, DPI, rng, harm=harm), Role.COVER)


ODD = {
    "scribbled": harmed("scribbled"),
    "stained": harmed("stained"),
    "torn": harmed("torn"),
    # The short linear code beneath still verifies: it must not outvote the forged one.
    "forged": sheet(text=damaged(ONE.text())),
    "half_forged": sheet(second_text=damaged(ONE.text())),
    "out_of_order": plain(closed("SKR1/C/S:A000061/T:VER/B:OBL-01")),
    "with_an_unknown_tag": plain(closed("SKR1/C/S:A000061/B:OBL-01/Q:1")),
    "without_a_serial": plain(closed("SKR1/C/B:OBL-01/T:VER")),
    "in_small_letters": plain(ONE.text().lower()),
    "of_version_2": plain(closed("SKR2/C/S:A000061/B:OBL-01/T:VER")),
    "with_two_serials": sheet(second_text=OTHER.text()),
    "with_two_types": sheet(second_text=RETYPED.text()),
    "with_another_linear_code": sheet(fields=OTHER, text=ONE.text()),
}
LONE = {
    "h": Page(lambda _, rng: back_of_sheet(unreadable_sheet(ONE, 0, DPI, rng)), Role.BLANK, numbered=False),
    "D_alone": sheet(SheetFields("D", serial="D000001", document_kinds=("CERT",))),
}
"""The back of a sheet that can't be read; a document sheet whose image is kept, as nobody's case is open."""
REASONS = {
    "scribbled": "sheet_unreadable",
    "stained": "sheet_unreadable",
    "torn": "sheet_unreadable",
    "forged": "code_invalid",
    "half_forged": "code_invalid",
    "out_of_order": "code_invalid",
    "with_an_unknown_tag": "code_invalid",
    "without_a_serial": "code_invalid",
    "in_small_letters": "code_invalid",
    "of_version_2": "version_unknown",
    "with_two_serials": "codes_disagree",
    "with_two_types": "codes_disagree",
    "with_another_linear_code": "codes_disagree",
}

# As on the table; what must come of each is worked out by hand. `H` is a sheet with its codes scribbled over.
ENDS = {
    "a collection sheet ends a hold": (
        "C1 x H x B x",
        ["1: COVER 1, UNSORTED 2", "held: COVER 3, UNSORTED 4 [sheet_unreadable]", "-: UNSORTED 6 [no_sheet]"],
        "sdSDsd",
    ),
    "a case sheet ends a hold": (
        "C1 x H x x C2 x",
        ["1: COVER 1, UNSORTED 2", "held: COVER 3, UNSORTED 4 5 [sheet_unreadable]", "2: COVER 6, UNSORTED 7"],
        "sdSDDsd",
    ),
    "a case sticker ends a hold": (
        "C1 x H x K2 x",
        ["1: COVER 1, UNSORTED 2", "held: COVER 3, UNSORTED 4 [sheet_unreadable]", "2: UNSORTED 5 6"],
        "sdSDdd",
    ),
    "a separator ends a hold": (
        "C1 x H x P x",
        ["1: COVER 1, UNSORTED 2", "held: COVER 3, UNSORTED 4 [sheet_unreadable]", "-: UNSORTED 6 [no_sheet]"],
        "sdSDsd",
    ),
    "an end sheet ends a hold": (
        "C1 x H x E x",
        ["1: COVER 1, UNSORTED 2", "held: COVER 3, UNSORTED 4 [sheet_unreadable]", "-: UNSORTED 6 [no_sheet]"],
        "sdSDsd",
    ),
    "a document sheet never ends a hold": (
        "C1 x H x D:CERT x:CERT C2 x",
        ["1: COVER 1, UNSORTED 2", "held: COVER 3, UNSORTED 4, CERT 6 [sheet_unreadable]", "2: COVER 7, UNSORTED 8"],
        "sdSDsDsd",
    ),
    "a document sticker never ends a hold": (
        "H x K:CERT x C1 x",
        ["held: COVER 1, UNSORTED 2, CERT 3 4 [sheet_unreadable]", "1: COVER 5, UNSORTED 6"],
        "SDDDsd",
    ),
    "a blank page never ends a hold": (
        "H x _ x C1 x",
        ["held: COVER 1, UNSORTED 2 4 [sheet_unreadable]", "1: COVER 5, UNSORTED 6"],
        "SDbDsd",
    ),
    "each held boundary is a case of its own": (
        "H x H x",
        ["held: COVER 1, UNSORTED 2 [sheet_unreadable]", "held: COVER 3, UNSORTED 4 [sheet_unreadable]"],
        "SDSD",
    ),
    "a document sheet without an open case is held": (
        "B D_alone x C1 x",
        ["held: COVER 2, UNSORTED 3 [document_sheet_without_case]", "1: COVER 4, UNSORTED 5"],
        "sSDsd",
    ),
    "a held boundary in a separated envelope parts it": (
        "P C1 x H x P C2 x",
        ["1: COVER 2, UNSORTED 3", "held: COVER 4, UNSORTED 5 [sheet_unreadable]", "2: COVER 7, UNSORTED 8"],
        "ssdSDssd",
    ),
    "the back of a sheet that can't be read is no second boundary": (
        "C1 c1 x _ H h x _ C2 c2 x _",
        ["1: COVER 1 ~, UNSORTED 3", "held: COVER 5, UNSORTED 7 [sheet_unreadable]", "2: COVER 9 ~, UNSORTED 11"],
        "ssdbSbDbssdb",
    ),
    "a sheet of which nothing but its back was scanned is held": (
        "C1 x c2 x C3 x",
        ["1: COVER 1, UNSORTED 2", "held: COVER ~, UNSORTED 4 [sheet_unreadable]", "3: COVER 5, UNSORTED 6"],
        "sdSDsd",
    ),
}


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mailroom, dict[str, Pile]]:
    mailroom = Mailroom(make_station(tmp_path_factory.mktemp("held")))
    piles = {name: draw_pile(number, words, LONE) for number, (name, (words, _, _)) in enumerate(ENDS.items(), start=1)}
    for number, name in enumerate(ODD, start=50):
        piles[name] = draw_pile(number, f"C1 x {name} x", ODD)
    mailroom.drop_all(piles.values())
    mailroom.once()
    return mailroom, piles


@pytest.mark.parametrize("row", ENDS)
def test_a_hold_ends_as_its_row_says(filed: tuple[Mailroom, dict[str, Pile]], row: str) -> None:
    mailroom, piles = filed
    _, cases, account = ENDS[row]
    assert mailroom.told(piles[row]) == cases
    assert mailroom.account(piles[row]) == account


@pytest.mark.parametrize("name", ODD)
def test_a_sheet_that_does_not_verify_is_never_merged_into_the_case_before(
    filed: tuple[Mailroom, dict[str, Pile]], name: str
) -> None:
    mailroom, piles = filed
    assert mailroom.told(piles[name]) == [
        "1: COVER 1, UNSORTED 2",
        f"held: COVER 3, UNSORTED 4 [{REASONS[name]}]",
    ]
    assert mailroom.account(piles[name]) == "sdSD"


def test_every_page_is_where_it_belongs(filed: tuple[Mailroom, dict[str, Pile]]) -> None:
    assert filed[0].misfits() == []


def test_held_cases_are_normal_work_in_the_log(filed: tuple[Mailroom, dict[str, Pile]]) -> None:
    mailroom, _ = filed
    assert {line["level"] for line in mailroom.lines} <= {"info", "debug"}
    told = [reason for line in mailroom.said("case_created") for reason in line["reasons"]]
    assert told.count("codes_disagree") == list(REASONS.values()).count("codes_disagree")
