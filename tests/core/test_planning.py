from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrynka.core.model import COVER, Code, Disposition, Engine, PageRef, RoutingCode, SheetKind, StackPage, Standing
from skrynka.core.planning import plan, with_reviews
from skrynka.core.reasons import ReviewReason
from tests.core.piles import KNOWN, dispositions, findings, linear, pile, planned, qr, reading, told
from tests.support.routing_text import routing_text, short_text

# By hand, from the rules in words. Never generated with the code under test.
VECTORS = {
    "a sheet opens its case, and its image is the first document": (
        "C1 x x",
        ["1: COVER 1, UNSORTED 2 3"],
        "sdd",
    ),
    "cases follow one another in the order of the pile": (
        "C1 x C2 x x C3 x",
        ["1: COVER 1, UNSORTED 2", "2: COVER 3, UNSORTED 4 5", "3: COVER 6, UNSORTED 7"],
        "sdsddsd",
    ),
    "no sheet at all is one case for review": ("x x _ x", ["-: UNSORTED 1 2 4 [no_sheet]"], "ddbd"),
    "pages before the first sheet are a case of their own": (
        "x x C1 x",
        ["-: UNSORTED 1 2 [pages_before_first_sheet]", "1: COVER 3, UNSORTED 4"],
        "ddsd",
    ),
    "a collection sheet is a sheet in no case": ("B C1 x", ["1: COVER 2, UNSORTED 3"], "ssd"),
    "pages between the collection sheet and the first case sheet are nobody's": (
        "B x C1 x",
        ["-: UNSORTED 2 [pages_before_first_sheet]", "1: COVER 3, UNSORTED 4"],
        "sdsd",
    ),
    "blank pages are set aside, and documents go on over them": ("C1 x _ x _", ["1: COVER 1, UNSORTED 2 4"], "sdbdb"),
    "a stack of blank pages makes no case": ("_ _ _", [], "bbb"),
    "document sheets tell papers apart": (
        "C1 x D:CERT x x D:PHOTO x",
        ["1: COVER 1, UNSORTED 2, CERT 4 5, PHOTO 7"],
        "sdsddsd",
    ),
    "a document has a set of kinds": ("C1 D:CERT+SEAL x", ["1: COVER 1, CERT+SEAL 3"], "ssd"),
    "a document sheet without pages is for review": (
        "C1 D:CERT D:PHOTO x D:SEAL",
        ["1: COVER 1, PHOTO 4 [document_without_pages]"],
        "sssds",
    ),
    "an unknown document kind is for review and sorts nothing": (
        "C1 D:OTHER x",
        ["1: COVER 1, UNSORTED 3 [document_kind_unknown]"],
        "ssd",
    ),
    "a document sticker begins a document and its page is kept": (
        "C1 x K:CERT x",
        ["1: COVER 1, UNSORTED 2, CERT 3 4"],
        "sddd",
    ),
    "a case sticker opens a case and its page is kept": (
        "C1 x K2 x",
        ["1: COVER 1, UNSORTED 2", "2: UNSORTED 3 4"],
        "sddd",
    ),
    "a separator followed by a case sheet is one boundary": (
        "C1 x P C2 x",
        ["1: COVER 1, UNSORTED 2", "2: COVER 4, UNSORTED 5"],
        "sdssd",
    ),
    "two separators are one boundary, and the last one opens nothing": (
        "P P C1 x P P",
        ["1: COVER 3, UNSORTED 4"],
        "sssdss",
    ),
    "between separators the sheet may lie last": (
        "P x x C1 P x C2 P",
        ["1: COVER 4, UNSORTED 2 3", "2: COVER 7, UNSORTED 6"],
        "sddssdss",
    ),
    "between separators the sheet may lie in the middle, and parts papers": (
        "P x C1 x P C2 x",
        ["1: COVER 3, UNSORTED 2, UNSORTED 4", "2: COVER 6, UNSORTED 7"],
        "sdsdssd",
    ),
    "the first envelope needs no separator before it": (
        "x C1 x P x C2",
        ["1: COVER 2, UNSORTED 1, UNSORTED 3", "2: COVER 6, UNSORTED 5"],
        "dsdsds",
    ),
    "an envelope without a sheet is for review": (
        "P x P C1 x",
        ["-: UNSORTED 2 [no_sheet]", "1: COVER 4, UNSORTED 5"],
        "sdssd",
    ),
    "two case sheets between two separators are two doubtful cases": (
        "P C1 x C2 x P C3 x",
        [
            "1: COVER 2, UNSORTED 3 [boundary_doubtful]",
            "2: COVER 4, UNSORTED 5 [boundary_doubtful]",
            "3: COVER 7, UNSORTED 8",
        ],
        "ssdsdssd",
    ),
    "a sheet with nothing after it is empty, and both neighbours are doubtful": (
        "C1 x C2 C3 x",
        [
            "1: COVER 1, UNSORTED 2 [boundary_doubtful]",
            "2: COVER 3 [empty_submission]",
            "3: COVER 4, UNSORTED 5 [boundary_doubtful]",
        ],
        "sdssd",
    ),
    "the sheet put last is empty, and the case before it doubtful": (
        "x x C1",
        ["-: UNSORTED 1 2 [pages_before_first_sheet boundary_doubtful]", "1: COVER 3 [empty_submission]"],
        "dds",
    ),
    "an empty envelope between separators leaves its neighbours alone": (
        "P C1 x P C2 P C3 x",
        ["1: COVER 2, UNSORTED 3", "2: COVER 5 [empty_submission]", "3: COVER 7, UNSORTED 8"],
        "ssdsssSd".replace("S", "s"),
    ),
    "a blank back doesn't fill an empty submission": (
        "C1 _ C2 x",
        ["1: COVER 1 [empty_submission]", "2: COVER 3, UNSORTED 4 [boundary_doubtful]"],
        "sbsd",
    ),
    "a sheet that can't be read is held and never merged into the case before": (
        "C1 x H x x C2 x",
        ["1: COVER 1, UNSORTED 2", "held: COVER 3, UNSORTED 4 5 [sheet_unreadable]", "2: COVER 6, UNSORTED 7"],
        "sdSDDsd",
    ),
    "a code that doesn't verify is held": (
        "C1 x ! x",
        ["1: COVER 1, UNSORTED 2", "held: COVER 3, UNSORTED 4 [code_invalid]"],
        "sdSD",
    ),
    "a collection sheet ends a hold": (
        "H x B x",
        ["held: COVER 1, UNSORTED 2 [sheet_unreadable]", "-: UNSORTED 4 [no_sheet]"],
        "SDsd",
    ),
    "a case sheet ends a hold": (
        "H x C1 x",
        ["held: COVER 1, UNSORTED 2 [sheet_unreadable]", "1: COVER 3, UNSORTED 4"],
        "SDsd",
    ),
    "a separator ends a hold": (
        "H x P x",
        ["held: COVER 1, UNSORTED 2 [sheet_unreadable]", "-: UNSORTED 4 [no_sheet]"],
        "SDsd",
    ),
    "an end sheet ends a hold": ("H x E", ["held: COVER 1, UNSORTED 2 [sheet_unreadable]"], "SDs"),
    "a document sheet never ends a hold": (
        "H x D:CERT x",
        ["held: COVER 1, UNSORTED 2, CERT 4 [sheet_unreadable]"],
        "SDsD",
    ),
    "each held boundary is a case of its own": (
        "H x H x",
        ["held: COVER 1, UNSORTED 2 [sheet_unreadable]", "held: COVER 3, UNSORTED 4 [sheet_unreadable]"],
        "SDSD",
    ),
    "a document sheet without a case is held": (
        "B D:CERT x C1 x",
        ["held: COVER 2, UNSORTED 3 [document_sheet_without_case]", "1: COVER 4, UNSORTED 5"],
        "sSDsd",
    ),
    "a held boundary in a separated envelope parts it": (
        "P C1 x H x P C2 x",
        ["1: COVER 2, UNSORTED 3", "held: COVER 4, UNSORTED 5 [sheet_unreadable]", "2: COVER 7, UNSORTED 8"],
        "ssdSDssd",
    ),
    "a case sheet after a hold in a separated envelope is a case of its own": (
        "P H x C1 x P C2 x",
        ["held: COVER 2, UNSORTED 3 [sheet_unreadable]", "1: COVER 4, UNSORTED 5", "2: COVER 7, UNSORTED 8"],
        "sSDsdssd",
    ),
    "a sheet's back is no second sheet, and lies with its cover": (
        "C1 c1 x C2 c2 x",
        ["1: COVER 1 2, UNSORTED 3", "2: COVER 4 5, UNSORTED 6"],
        "ssdssd",
    ),
    "a back that came before its front lies with its cover": (
        "C1 x c2 C2 x",
        ["1: COVER 1, UNSORTED 2", "2: COVER 4 3, UNSORTED 5"],
        "sdssd",
    ),
    "the back of an end sheet is set aside": ("C1 x E e", ["1: COVER 1, UNSORTED 2"], "sdss"),
    "a case sheet after a gap may lie in the middle of its envelope": (
        "P C1 x | C2 x P C3 x",
        [
            "1: COVER 2, UNSORTED 3 [boundary_doubtful]",
            "2: COVER 4, UNSORTED 5 [pages_after_gap]",
            "3: COVER 7, UNSORTED 8",
        ],
        "ssdsdssd",
    ),
    "what is written on a document sheet's back stays with the case": (
        "C1 D:CERT d* x",
        ["1: COVER 1 3, CERT 4"],
        "sssd",
    ),
    "the back of a paper with a sticker is a page like any other": (
        "C1 K:CERT k* K:CERT k",
        ["1: COVER 1, CERT 2 3, CERT 4"],
        "sdddb",
    ),
    "a sheet seen only through the paper is held": (
        "C1 x c2 x",
        ["1: COVER 1, UNSORTED 2", "held: COVER 3, UNSORTED 4 [sheet_unreadable]"],
        "sdSD",
    ),
    "more pages than a submission has are for review": (
        "C1 x x x x x x x",
        ["1: COVER 1, UNSORTED 2 3 4 5 6 7 8 [page_limit_exceeded]"],
        "sddddddd",
    ),
    "the same serial again is a case of its own for review": (
        "C1 x C1 x",
        ["1: COVER 1, UNSORTED 2", "1: COVER 3, UNSORTED 4 [serial_repeated]"],
        "sdsd",
    ),
    "a repeat sheet marks every case": ("R C1 x", ["1: COVER 2, UNSORTED 3 [repeat_declared]"], "ssd"),
    "paper after a gap is held, and the case before it doubtful": (
        "C1 x | x C2 x",
        [
            "1: COVER 1, UNSORTED 2 [boundary_doubtful]",
            "held: UNSORTED 3 [pages_after_gap]",
            "2: COVER 4, UNSORTED 5",
        ],
        "sdDsd",
    ),
    "a case sheet right after a gap is a good boundary": (
        "C1 x | C2 x",
        ["1: COVER 1, UNSORTED 2 [boundary_doubtful]", "2: COVER 3, UNSORTED 4"],
        "sdsd",
    ),
    "a gap after an end sheet makes no case doubtful": (
        "C1 x E | C2 x",
        ["1: COVER 1, UNSORTED 2", "2: COVER 4, UNSORTED 5"],
        "sdssd",
    ),
}


@pytest.mark.parametrize(("words", "cases", "account"), VECTORS.values(), ids=VECTORS.keys())
def test_a_pile_is_planned_as_its_rule_says(words: str, cases: list[str], account: str) -> None:
    made = planned(words)
    assert told(made) == cases
    assert dispositions(made) == account


def test_an_empty_stack_has_an_empty_plan() -> None:
    assert planned("").cases == ()


def test_a_written_back_of_a_sheet_without_a_case_is_told() -> None:
    assert findings(planned("C1 x E e*")) == ["back_written_on"]
    assert findings(planned("C1 x E e")) == []


def test_a_gap_at_the_end_makes_the_last_case_doubtful() -> None:
    made = planned("C1 x", gap_at_end=True)
    assert told(made) == ["1: COVER 1, UNSORTED 2 [boundary_doubtful]"]
    assert findings(made) == ["claim_gap"]
    assert findings(planned("E", gap_at_end=True)) == ["claim_gap"]


def sheet(words: str, **tags: object) -> list[StackPage]:
    """A pile whose page 1 is a sheet with these tags."""
    pages = pile(words)
    code = qr(routing_text(words[0], **tags))  # type: ignore[arg-type] - tags are spelt by the tests
    return [replace(pages[0], reading=reading(1, code, marked=True)), *pages[1:]]


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"box": "OBL-04", "case_type": "VER"}, "box_mismatched"),
        ({"box": "OBL-03"}, "case_type_missing"),
        ({"case_type": "XYZ"}, "case_type_unknown"),
        ({"case_type": "VER", "branch": "ABC"}, "branch_unknown"),
        ({"case_type": "VER", "providers": ["KTE", "XXX"]}, "provider_unknown"),
        ({"case_type": "VER", "follow_up": "OBL-03-2026-000001"}, "follow_up_unverified"),
    ],
)
def test_a_case_sheet_that_names_what_is_not_known_is_for_review(tags: dict[str, object], reason: str) -> None:
    made = plan(sheet("C1 x", serial="A000001", **tags), KNOWN)
    assert [review.reason for review in made.cases[0].reviews] == [reason]


def test_a_good_case_sheet_needs_no_review() -> None:
    tags = {"box": "OBL-03", "case_type": "VER", "branch": "DIS", "providers": ["KTE", "KVK"], "account": "0012345"}
    case = plan(sheet("C1 x", serial="A000001", **tags), KNOWN).cases[0]
    assert (case.reviews, case.case_type, case.branch) == ((), "VER", "DIS")
    assert (case.providers, case.account) == (("KTE", "KVK"), "0012345")


def test_without_a_box_to_compare_no_sheet_is_from_elsewhere() -> None:
    made = plan(sheet("C1 x", serial="A000001", box="OBL-99", case_type="VER"), replace(KNOWN, box=None))
    assert made.cases[0].reviews == ()


def test_a_collection_sheet_from_another_box_is_told() -> None:
    assert findings(plan(sheet("B C1 x", serial="B000001", box="OBL-04"), KNOWN)) == ["box_mismatched"]


def test_a_serial_that_an_earlier_stack_was_filed_by_is_for_review() -> None:
    made = planned("C1 x", replace(KNOWN, seen_serials=frozenset({"A000001"})))
    assert told(made) == ["1: COVER 1, UNSORTED 2 [serial_repeated]"]


@pytest.mark.parametrize(("counted", "expected"), [(1, []), (2, ["stack_count_mismatched"])])
def test_the_hand_count_is_compared_with_the_submissions_found(counted: int, expected: list[str]) -> None:
    made = plan(sheet("B C1 x", serial="B000001", box="OBL-03", counted=counted, emptied="20261120"), KNOWN)
    assert findings(made) == expected
    assert (made.counted, str(made.emptied_on), made.collection_serial) == (counted, "2026-11-20", "B000001")


def test_the_end_sheet_knows_the_count_better_than_the_collection_sheet() -> None:
    pages = sheet("B C1 x E", serial="B000001", box="OBL-03", counted=9, emptied="20261120")
    pages[-1] = replace(pages[-1], reading=reading(4, qr(routing_text("E", counted=1))))
    made = plan(pages, KNOWN)
    assert (made.counted, str(made.emptied_on), findings(made)) == (1, "2026-11-20", [])


def test_codes_that_say_different_things_are_held() -> None:
    first, second = (qr(routing_text("C", serial=f"A00000{n}", case_type="VER")) for n in (1, 2))
    same = qr(routing_text("C", serial="A000001", case_type="NUM"))
    for codes in ((first, second), (first, same)):
        pages = [StackPage(PageRef("s", 1), reading(1, *codes)), *pile("C1 x")[1:]]
        assert told(plan(pages, KNOWN)) == ["held: COVER 1, UNSORTED 2 [codes_disagree]"]


def test_a_code_of_an_unknown_version_is_held_and_never_guessed() -> None:
    pages = [StackPage(PageRef("s", 1), reading(1, qr("SKR2/C/S:A000001/Z:00"))), *pile("C1 x")[1:]]
    assert told(plan(pages, KNOWN)) == ["held: COVER 1, UNSORTED 2 [version_unknown]"]


def test_a_short_code_that_agrees_with_the_full_one_adds_nothing() -> None:
    full, short = qr(routing_text("C", serial="A000001", case_type="VER")), linear(short_text("C", "A000001"))
    pages = [StackPage(PageRef("s", 1), reading(1, full, short)), *pile("C1 x")[1:]]
    assert told(plan(pages, KNOWN)) == ["1: COVER 1, UNSORTED 2"]


def test_a_short_code_alone_takes_its_fields_from_the_printed_sheets() -> None:
    pages = [StackPage(PageRef("s", 1), reading(1, linear(short_text("C", "A000001")))), *pile("C1 x")[1:]]
    printed = {"A000001": RoutingCode(SheetKind.CASE, "A000001", "OBL-03", "NUM")}
    made = plan(pages, replace(KNOWN, printed=printed))
    assert (told(made), made.cases[0].case_type) == (["1: COVER 1, UNSORTED 2"], "NUM")


def test_a_sheet_that_says_something_else_than_was_printed_with_its_serial_is_for_review() -> None:
    printed = {"A000001": RoutingCode(SheetKind.CASE, "A000001", "OBL-03", "NUM")}
    assert told(planned("C1 x", replace(KNOWN, printed=printed))) == ["1: COVER 1, UNSORTED 2 [sheet_contradicted]"]
    printed = {"A000001": RoutingCode(SheetKind.CASE, "A000001", "OBL-03", "VER")}
    assert told(planned("C1 x", replace(KNOWN, printed=printed))) == ["1: COVER 1, UNSORTED 2"]


PERSONAL = RoutingCode(
    SheetKind.CASE,
    "A000001",
    "OBL-03",
    "VER",
    providers=("KTE", "KVK"),
    account="00123456",
    address_code="ADR-77",
    meter_serials=("M-1", "M-2"),
    follow_up="OBL-03-2026-000007",
)


def reviewed(printed: RoutingCode, code: RoutingCode) -> list[str]:
    """Say why the case of a sheet that reads `code` is for review, where `printed` was printed with its serial."""
    text = routing_text(
        "C",
        serial=code.serial,
        box=code.box,
        case_type=code.case_type,
        providers=code.providers,
        account=code.account,
        address_code=code.address_code,
        meters=code.meter_serials,
        follow_up=code.follow_up,
    )
    sheet = StackPage(PageRef("s", 1), reading(1, qr(text)))
    (case,) = plan([sheet, *pile("C1 x")[1:]], replace(KNOWN, printed={"A000001": printed})).cases
    # Nothing is known of what it follows up.
    return [review.reason.value for review in case.reviews if review.reason is not ReviewReason.FOLLOW_UP_UNVERIFIED]


@pytest.mark.parametrize(
    "change",
    [
        {"providers": ("KTE",)},
        {"account": "00123457"},
        {"account": None},
        {"address_code": "ADR-78"},
        {"meter_serials": ("M-1",)},
        {"follow_up": "OBL-03-2026-000008"},
        {"follow_up": None},
    ],
    ids=str,
)
def test_a_sheet_of_which_anything_was_changed_is_for_review_signed_or_not(change: dict[str, object]) -> None:
    changed = replace(PERSONAL, **change)  # type: ignore[arg-type] - a table
    assert reviewed(PERSONAL, changed) == ["sheet_contradicted"]
    assert reviewed(changed, PERSONAL) == ["sheet_contradicted"]


def test_a_sheet_that_says_what_was_printed_is_believed_in_whichever_order_it_names_providers_and_meters() -> None:
    assert reviewed(PERSONAL, PERSONAL) == []
    assert reviewed(PERSONAL, replace(PERSONAL, providers=("KVK", "KTE"), meter_serials=("M-2", "M-1"))) == []
    assert reviewed(replace(PERSONAL, key_id="1", signature="A" * 10), PERSONAL) == []


def test_a_short_code_alone_of_a_sheet_not_printed_here_is_a_boundary_for_review() -> None:
    pages = [StackPage(PageRef("s", 1), reading(1, linear(short_text("C", "A000001")))), *pile("C1 x")[1:]]
    assert told(plan(pages, KNOWN)) == ["1: COVER 1, UNSORTED 2 [sheet_unknown]"]
    document = StackPage(PageRef("s", 2), reading(2, linear(short_text("D", "D000001"))))
    made = plan([pile("C1 x")[0], document, StackPage(PageRef("s", 3), reading(3))], KNOWN)
    assert told(made) == ["1: COVER 1, UNSORTED 3 [sheet_unknown]"]


def test_a_linear_code_shining_through_makes_no_second_sheet() -> None:
    back = StackPage(PageRef("s", 2), reading(2, linear(short_text("C", "A000001"))))
    made = plan([pile("C1 x")[0], back, StackPage(PageRef("s", 3), reading(3))], KNOWN)
    assert told(made) == ["1: COVER 1 2, UNSORTED 3"]


RUNS_RIGHT = ((0.1, 0.7), (0.9, 0.7), (0.9, 0.75), (0.1, 0.75))
"""Corners of a code in a page's lower half that is read from left to right; the other way, it is that of a sheet behind
it, printed the same way up."""
RUNS_LEFT = RUNS_RIGHT[2:] + RUNS_RIGHT[:2]
IN_CORNERS = tuple(
    tuple((x + across, y + down) for across, down in ((0, 0), (0.2, 0), (0.2, 0.14), (0, 0.14)))
    for x, y in ((0.73, 0.05), (0.07, 0.81))
)
"""Where the QR codes of a sheet lie."""


def turned(corners: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    """Turn a page upside down."""
    return tuple((1 - x, 1 - y) for x, y in corners)


def beside_qr_codes(other: Code, texts: Sequence[str], places: Sequence[tuple[tuple[float, float], ...]]) -> list[str]:
    front = [
        replace(qr(routing_text("C", serial=serial, case_type="VER")), corners=place)
        for serial, place in zip(texts, places, strict=False)
    ]
    return told(plan([StackPage(PageRef("s", 1), reading(1, *front, other)), *pile("C1 x")[1:]], KNOWN))


TWICE = ("A000001", "A000001")


@pytest.mark.parametrize(
    ("texts", "engine", "corners", "holds"),
    [
        (TWICE, Engine.ZXING, RUNS_LEFT, False),
        (TWICE, Engine.ZXING, turned(RUNS_LEFT), False),  # the sheet behind it was printed the other way up
        (TWICE, Engine.ZXING, RUNS_RIGHT, True),  # it is on this side
        (TWICE, Engine.ZXING, turned(RUNS_RIGHT), True),
        (TWICE, Engine.ZXING, (), True),  # nobody knows which way it runs
        (TWICE, Engine.ZBAR, RUNS_LEFT, False),
        (("A000001",), Engine.ZXING, RUNS_LEFT, True),  # the other QR code may say what it says
        (("A000001", "A000002"), Engine.ZXING, RUNS_LEFT, True),
    ],
)
def test_a_linear_code_that_runs_as_no_fronts_does_is_that_of_the_other_side(
    texts: Sequence[str], engine: Engine, corners: tuple[tuple[float, float], ...], *, holds: bool
) -> None:
    other = replace(linear(short_text("C", "A000002")), engines=(engine,), corners=corners)

    for places in (IN_CORNERS, [turned(place) for place in IN_CORNERS]):
        assert (beside_qr_codes(other, texts, places) != ["1: COVER 1, UNSORTED 2"]) is holds


def test_a_linear_code_of_which_only_a_point_is_known_is_told_by_the_way_that_it_runs() -> None:
    point = tuple((0.85 + across, 0.725 + down) for across, down in ((0.001, 0.001), (0, 0.001), (0, 0), (0.001, 0)))
    other = replace(linear(short_text("C", "A000002")), engines=(Engine.ZBAR,), corners=point)

    assert beside_qr_codes(other, TWICE, IN_CORNERS) == ["1: COVER 1, UNSORTED 2"]
    assert beside_qr_codes(replace(other, corners=point[2:] + point[:2]), TWICE, IN_CORNERS) != [
        "1: COVER 1, UNSORTED 2"
    ]


@pytest.mark.parametrize("down", [0.05, 0.15, 0.35, 0.5, 0.95])
def test_a_linear_code_where_no_sheet_has_one_is_on_this_side_whichever_way_it_runs(down: float) -> None:
    for corners in (RUNS_LEFT, RUNS_RIGHT):
        elsewhere = tuple((x, y - 0.725 + down) for x, y in corners)
        other = replace(linear(short_text("C", "A000002")), corners=elsewhere)

        assert beside_qr_codes(other, TWICE, IN_CORNERS) != ["1: COVER 1, UNSORTED 2"]


def test_one_qr_code_that_was_read_twice_doesnt_say_where_a_sheets_middle_is() -> None:
    other = replace(linear(short_text("C", "A000002")), corners=RUNS_LEFT)

    assert beside_qr_codes(other, TWICE, [IN_CORNERS[0], IN_CORNERS[0]]) != ["1: COVER 1, UNSORTED 2"]


def test_a_linear_code_is_on_this_side_where_nobody_knows_where_the_qr_codes_lie() -> None:
    other = replace(linear(short_text("C", "A000002")), corners=RUNS_LEFT)

    assert beside_qr_codes(other, TWICE, [(), ()]) != ["1: COVER 1, UNSORTED 2"]


def filed_behind_its_sheet(code: Code, *, marked: bool) -> list[str]:
    """File a case sheet, a page with this code, and a paper."""
    second = StackPage(PageRef("s", 2), reading(2, code, marked=marked))
    return told(plan([pile("C1 x")[0], second, StackPage(PageRef("s", 3), reading(3))], KNOWN))


@pytest.mark.parametrize("corners", [RUNS_LEFT, turned(RUNS_LEFT)], ids=["upright", "upside down"])
def test_a_linear_code_alone_that_runs_as_no_fronts_does_holds_a_page_that_bears_the_mark(
    corners: tuple[tuple[float, float], ...],
) -> None:
    behind = replace(linear(short_text("C", "A000001")), corners=corners)

    assert filed_behind_its_sheet(behind, marked=True) == [
        "1: COVER 1 [empty_submission]",
        "held: COVER 2, UNSORTED 3 [sheet_unreadable boundary_doubtful]",
    ]
    assert filed_behind_its_sheet(behind, marked=False) == ["1: COVER 1 2, UNSORTED 3"]


@pytest.mark.parametrize("engine", [Engine.ZXING, Engine.ZBAR])
def test_a_page_that_bears_the_mark_and_the_linear_code_of_the_sheet_before_it_is_a_copy_and_no_back(
    engine: Engine,
) -> None:
    copy = replace(linear(short_text("C", "A000001")), corners=RUNS_RIGHT, engines=(engine,))

    assert filed_behind_its_sheet(copy, marked=True) == [
        "1: COVER 1 [empty_submission]",
        "1: COVER 2, UNSORTED 3 [sheet_unknown serial_repeated boundary_doubtful]",
    ]
    assert filed_behind_its_sheet(copy, marked=False) == ["1: COVER 1 2, UNSORTED 3"]


def test_a_mirrored_code_beside_a_plain_one_is_the_other_side() -> None:
    front = qr(routing_text("C", serial="A000001", case_type="VER"))
    behind = qr(routing_text("C", serial="A000002", case_type="VER"), mirrored=True)
    pages = [StackPage(PageRef("s", 1), reading(1, front, behind)), *pile("C1 x")[1:]]
    assert told(plan(pages, KNOWN)) == ["1: COVER 1, UNSORTED 2"]


def test_foreign_separators_separate() -> None:
    patch = replace(linear("PATCHT"), standing=Standing.SEPARATOR)
    made = plan(
        [*pile("C1 x"), StackPage(PageRef("s", 3), reading(3, patch)), StackPage(PageRef("s", 4), reading(4))], KNOWN
    )
    assert told(made) == ["1: COVER 1, UNSORTED 2", "-: UNSORTED 4 [no_sheet]"]
    assert dispositions(made) == "sdsd"


def test_a_foreign_code_never_routes() -> None:
    bill = replace(qr("bank payment"), standing=Standing.FOREIGN, text=None)
    made = plan([*pile("C1"), StackPage(PageRef("s", 2), reading(2, bill))], KNOWN)
    assert told(made) == ["1: COVER 1, UNSORTED 2"]


def test_further_reasons_are_added_once() -> None:
    case = planned("x").cases[0]
    more = with_reviews(case, [ReviewReason.NO_SHEET, ReviewReason.UNFIT_METER])
    assert [review.reason for review in more.reviews] == [ReviewReason.NO_SHEET, ReviewReason.UNFIT_METER]


WORDS = st.one_of(
    st.sampled_from(
        ["x", "x", "x", "_", "P", "H", "!", "D:CERT", "D:NONE", "K:SEAL", "B", "E", "R", "e", "| x", "| C7", "| _"]
    ),
    st.integers(1, 5).map(lambda n: f"C{n}"),
    st.integers(1, 5).map(lambda n: f"c{n}"),
    st.integers(1, 5).map(lambda n: f"K{n}"),
)


@given(st.lists(WORDS, max_size=40))
def test_every_page_of_any_pile_is_accounted_for_once(words: list[str]) -> None:
    made = planned(" ".join(words))
    assert [page.ref.number for page in made.pages] == list(range(1, len(made.pages) + 1))
    in_documents = [ref for case in made.cases for paper in case.documents for ref in paper.pages]
    assert len(in_documents) == len(set(in_documents))
    aside = {page.ref for page in made.pages if page.disposition in {Disposition.BLANK, Disposition.SHEET}}
    assert set(in_documents) | aside == {page.ref for page in made.pages}


@given(st.lists(WORDS, max_size=40))
def test_no_pile_ever_puts_two_case_sheets_into_one_case(words: list[str]) -> None:
    text = " ".join(words)
    made = planned(text)
    fronts = {
        ref.number
        for ref, word in zip((p.ref for p in pile(text)), text.replace("| ", "").split(), strict=True)
        if word[0] == "C"
    }
    for case in made.cases:
        covers = [ref.number for paper in case.documents if COVER in paper.kinds for ref in paper.pages]
        assert len(fronts.intersection(covers)) <= 1


@given(st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=12))
def test_submissions_under_good_sheets_come_out_one_by_one(submissions: list[tuple[int, bool]]) -> None:
    words = " ".join(
        " ".join([f"C{number}", *(["x", "_"] if duplex else ["x"]) * count])
        for number, (count, duplex) in enumerate(submissions, start=1)
    )
    made = planned(words, replace(KNOWN, page_limit=99))
    assert [case.serial for case in made.cases] == [f"A{n:06d}" for n in range(1, len(submissions) + 1)]
    assert [sum(len(paper.pages) for paper in case.documents[1:]) for case in made.cases] == [n for n, _ in submissions]
    assert all(case.reviews == () for case in made.cases)
