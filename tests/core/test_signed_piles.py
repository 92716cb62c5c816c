"""Piles of paper on a station that asks for signatures: what doesn't verify is a held boundary, and nothing else is.

Words are those of `piles.py`; a sheet is signed with the current key unless the test says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrynka.core.follow_ups import FollowUpSheet
from skrynka.core.model import Code, Engine, RoutingCode, SheetKind, StackPage, Standing, Symbology
from skrynka.core.page_roles import page_roles
from skrynka.core.planning import plan
from skrynka.core.signing import Signing, SigningKey, SigningMode
from skrynka.core.stacking import Assemble, segments
from tests.core.piles import KNOWN, dispositions, linear, pile, qr, reading, told
from tests.core.test_planning import WORDS
from tests.support.routing_text import closed, routing_text, short_text, signed

TODAY = date(2026, 11, 25)
KEY = SigningKey("2", bytes(range(32)), date(2026, 6, 1))
ENDED = SigningKey("1", bytes(range(40, 72)), date(2026, 1, 1), date(2026, 11, 24))
ELSEWHERE = SigningKey("9", bytes(range(80, 112)), date(2026, 1, 1))
KEYS = (KEY, ENDED)

Write = Callable[[str], str]
"""Makes of a text without signature the text that is on the sheet."""


def by(key: SigningKey, *, secret: bytes | None = None) -> Write:
    """Sign with a key; with another's secret where that is said."""
    return lambda text: closed(signed(text.rpartition("/Z:")[0], key.id, secret or key.secret))


def written(pages: Sequence[StackPage], write: Write, *, places: Sequence[int] = ()) -> list[StackPage]:
    """The pile with the codes on all pages, or on those at 1-based places, written anew."""
    return [
        replace(page, reading=replace(page.reading, codes=tuple(rewritten(code, write) for code in page.reading.codes)))
        if not places or place in places
        else page
        for place, page in enumerate(pages, 1)
    ]


def rewritten(code: Code, write: Write) -> Code:
    text = code.text or ""
    # A code that is damaged stays damaged.
    return code if text != closed(text.rpartition("/Z:")[0]) else replace(code, text=write(text))


REQUIRED = replace(KNOWN, signatures=Signing(SigningMode.REQUIRED, KEYS).on(TODAY))
ACCEPTED = replace(KNOWN, signatures=Signing(SigningMode.ACCEPTED, KEYS).on(TODAY))

BAD: dict[str, tuple[Write, str]] = {
    "unsigned": (lambda text: text, "signature_missing"),
    "forged": (by(KEY, secret=b"a guess of sixteen"), "signature_wrong"),
    "of an ended key": (by(ENDED), "key_expired"),
    "of a key from elsewhere": (by(ELSEWHERE), "key_unknown"),
}
bad = pytest.mark.parametrize(("write", "reason"), BAD.values(), ids=list(BAD))


def with_one_bad(words: str, write: Write) -> list[str]:
    """Tell a pile `C1 x W x C2 x`, all signed but W."""
    pages = written(written(pile(words), by(KEY), places=(1, 5)), write, places=(3,))
    return told(plan(pages, REQUIRED))


@bad
@pytest.mark.parametrize("word", ["C3", "P", "B", "E", "R", "D:CERT"])
def test_a_sheet_of_any_kind_that_does_not_verify_ends_the_case_before_it_and_opens_nothing(
    word: str, write: Write, reason: str
) -> None:
    assert with_one_bad(f"C1 x {word} x C2 x", write) == [
        "1: COVER 1, UNSORTED 2",
        f"held: COVER 3, UNSORTED 4 [{reason}]",
        "2: COVER 5, UNSORTED 6",
    ]


@bad
@pytest.mark.parametrize("word", ["K3", "K:CERT"])
def test_a_sticker_that_does_not_verify_is_held_with_its_page(word: str, write: Write, reason: str) -> None:
    assert with_one_bad(f"C1 x {word} x C2 x", write) == [
        "1: COVER 1, UNSORTED 2",
        f"held: COVER 3, UNSORTED 4 [{reason}]",
        "2: COVER 5, UNSORTED 6",
    ]


@pytest.mark.parametrize("write", [write for write, _ in BAD.values()], ids=list(BAD))
@pytest.mark.parametrize("word", ["B", "R", "E"])
def test_a_sheet_that_does_not_verify_breaks_no_stack_apart(word: str, write: Write) -> None:
    readings = [page.reading for page in written(pile(f"x {word} x"), write)]
    runs = segments(page_roles(readings, {}, signatures=REQUIRED.signatures), Assemble.STACK, None)
    assert [(run.first_page, run.last_page, run.ended, run.collection_serial) for run in runs] == [(1, 3, False, None)]


@bad
def test_an_unsigned_separator_does_not_change_how_the_whole_stack_is_read(write: Write, reason: str) -> None:
    """With separators, the papers before a case sheet would be its own."""
    pages = written(written(pile("P x C1 x"), write, places=(1,)), by(KEY), places=(3,))
    assert told(plan(pages, REQUIRED)) == [f"held: COVER 1, UNSORTED 2 [{reason}]", "1: COVER 3, UNSORTED 4"]


@given(st.lists(WORDS, max_size=30).map(" ".join))
def test_where_every_sheet_is_signed_a_pile_is_planned_as_if_signatures_were_off(words: str) -> None:
    assert plan(written(pile(words), by(KEY)), REQUIRED) == plan(pile(words), KNOWN)


@given(st.lists(WORDS, max_size=30).map(" ".join))
def test_where_no_sheet_is_signed_a_pile_is_planned_as_before_while_signatures_are_only_accepted(words: str) -> None:
    assert plan(pile(words), ACCEPTED) == plan(pile(words), KNOWN)


@given(st.lists(WORDS, max_size=30).map(" ".join), st.sampled_from(list(BAD.values())))
def test_where_no_sheet_verifies_nothing_that_they_say_routes_and_no_page_is_lost(
    words: str, forgery: tuple[Write, str]
) -> None:
    pages = written(pile(words), forgery[0])
    made = plan(pages, REQUIRED)
    assert [page.ref for page in made.pages] == [page.ref for page in pages]
    assert {case.serial for case in made.cases} | {case.case_type for case in made.cases} <= {None}
    assert (made.collection_serial, made.emptied_on, made.counted) == (None, None, None)
    said = {kind for case in made.cases for paper in case.documents for kind in paper.kinds}
    assert said <= {"COVER", "UNSORTED"}


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from([None, *BAD])), min_size=1, max_size=8))
def test_papers_behind_a_sheet_that_does_not_verify_never_join_another_case(
    envelopes: list[tuple[int, str | None]],
) -> None:
    """Each envelope is a case sheet and one paper; what came in one envelope lies alone."""
    pages = written(pile(" ".join(f"C{number} x" for number, _ in envelopes)), lambda text: text)
    for place, (_, how) in enumerate(envelopes):
        write = BAD[how][0] if how else by(KEY)
        pages = written(pages, write, places=(2 * place + 1,))
    made = plan(pages, REQUIRED)
    assert [[ref.number for paper in case.documents for ref in paper.pages] for case in made.cases] == [
        [2 * place + 1, 2 * place + 2] for place in range(len(envelopes))
    ]
    assert [case.held for case in made.cases] == [how is not None for _, how in envelopes]


@bad
def test_the_back_of_a_held_sheet_lies_with_it(write: Write, reason: str) -> None:
    made = plan(written(pile("C1 c1 x"), write), REQUIRED)
    assert told(made) == [f"held: COVER 1 2, UNSORTED 3 [{reason}]"]
    assert dispositions(made) == "SSD"


def test_the_back_of_a_held_sheet_that_comes_first_never_goes_to_the_case_before() -> None:
    pages = written(written(pile("C1 x c2 C2 x"), by(KEY), places=(1,)), by(ENDED), places=(3, 4))
    assert told(plan(pages, REQUIRED)) == [
        "1: COVER 1, UNSORTED 2",
        "held: COVER 3 [sheet_unreadable]",
        "held: COVER 4, UNSORTED 5 [key_expired]",
    ]


SHORT = linear(short_text("C", "A000001"))
PRINTED = RoutingCode(SheetKind.CASE, "A000001", "OBL-03", "VER", account="0012345")


def test_a_short_code_alone_bears_no_signature_so_somebody_elses_sheet_cannot_be_claimed_by_its_serial() -> None:
    printed = {"A000001": PRINTED}
    pages = [*written(pile("C2 x"), by(KEY)), *numbered(3, SHORT)]
    claimed = plan(pages, replace(REQUIRED, printed=printed))
    assert told(claimed) == ["2: COVER 1, UNSORTED 2", "held: COVER 3, UNSORTED 4 [signature_missing]"]
    assert plan(pages, replace(ACCEPTED, printed=printed)).cases[1].account == "0012345"


def test_a_short_code_beside_the_signed_one_is_no_reason_to_hold() -> None:
    page = written(pile("C1 x"), by(KEY))
    both = replace(page[0], reading=replace(page[0].reading, codes=(*page[0].reading.codes, SHORT)))
    assert told(plan([both, page[1]], REQUIRED)) == ["1: COVER 1, UNSORTED 2"]


def test_a_page_with_a_signed_code_and_an_unsigned_one_is_held() -> None:
    text = routing_text("C", serial="A000001", box="OBL-03", case_type="VER")
    page = replace(pile("C1 x")[0], reading=reading(1, qr(text), qr(by(KEY)(text)), marked=True))
    for rules in (REQUIRED, ACCEPTED):
        assert told(plan([page, pile("C1 x")[1]], rules)) == ["held: COVER 1, UNSORTED 2 [codes_disagree]"]


def test_the_back_of_a_signed_sheet_with_the_short_code_alone_is_its_back() -> None:
    pages = [*written(pile("C1"), by(KEY)), *numbered(2, SHORT)]
    assert told(plan(pages, REQUIRED)) == ["1: COVER 1 2, UNSORTED 3"]


def test_a_configured_separator_from_elsewhere_stays_allowed() -> None:
    patch = Code(Symbology.CODE_128, (Engine.ZXING,), "PATCHT", Standing.SEPARATOR)
    pages = written(pile("x x C1 x"), by(KEY))
    pages[0] = replace(pages[0], reading=reading(1, patch))
    assert told(plan(pages, REQUIRED)) == ["1: COVER 3, UNSORTED 2, UNSORTED 4"]


def test_accepted_is_not_blind() -> None:
    pages = written(pile("C1 x C2 x"), by(KEY, secret=b"a guess of sixteen"), places=(1,))
    assert told(plan(pages, ACCEPTED)) == [
        "held: COVER 1, UNSORTED 2 [signature_wrong]",
        "2: COVER 3, UNSORTED 4",
    ]


CLAIM = "OBL-03-2026-000007"
SHEET = FollowUpSheet(CLAIM, "OBL-03/2026/000007", date(2026, 11, 25), used=False)


GENUINE = by(KEY)


def following(write: Write = GENUINE, *, claim: str = CLAIM, copies: int = 1) -> list[StackPage]:
    text = write(routing_text("C", serial="A000001", box="OBL-03", case_type="VER", follow_up=claim))
    pages = pile(" ".join(["C1 x"] * copies))
    return [replace(page, reading=reading(page.ref.number, qr(text))) if page.reading.codes else page for page in pages]


@pytest.mark.parametrize("mode", [SigningMode.REQUIRED, SigningMode.ACCEPTED])
def test_a_signed_follow_up_is_honoured_until_its_last_day(mode: SigningMode) -> None:
    rules = replace(KNOWN, signatures=Signing(mode, KEYS).on(TODAY), follow_ups={"A000001": SHEET})
    (case,) = plan(following(), rules).cases
    assert (case.follows, case.reviews) == ("OBL-03/2026/000007", ())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"follow_ups": {}}, "follow_up_unverified"),
        ({"follow_ups": {"A000001": replace(SHEET, claim="OBL-03-2026-000008")}}, "follow_up_unverified"),
        ({"follow_ups": {"A000001": replace(SHEET, used=True)}}, "follow_up_repeated"),
        ({"seen_serials": frozenset({"A000001"})}, "follow_up_repeated serial_repeated"),
        ({"follow_ups": {"A000001": replace(SHEET, expires_on=date(2026, 11, 24))}}, "follow_up_expired"),
        ({"follow_ups": {"A000001": replace(SHEET, follows=None)}}, "follow_up_case_unknown"),
        ({"signatures": Signing(SigningMode.OFF, KEYS).on(TODAY)}, "follow_up_unverified"),
    ],
    ids=["not printed here", "for another case", "used", "seen", "late", "no such case", "signatures off"],
)
def test_a_follow_up_that_is_not_honoured_is_a_case_of_its_own_with_the_reason(
    change: dict[str, object], reason: str
) -> None:
    rules = replace(REQUIRED, **({"follow_ups": {"A000001": SHEET}} | change))  # type: ignore[arg-type] - a table
    made = plan(following(), rules)
    assert told(made) == [f"1: COVER 1, UNSORTED 2 [{reason}]"]
    assert made.cases[0].follows is None


def test_an_unsigned_follow_up_is_not_honoured_where_signatures_are_only_accepted() -> None:
    rules = replace(ACCEPTED, follow_ups={"A000001": SHEET})
    assert told(plan(following(lambda text: text), rules)) == ["1: COVER 1, UNSORTED 2 [follow_up_unverified]"]


def test_a_follow_up_known_by_its_short_code_alone_is_not_honoured() -> None:
    printed = {"A000001": replace(PRINTED, follow_up=CLAIM)}
    rules = replace(ACCEPTED, follow_ups={"A000001": SHEET}, printed=printed)
    assert told(plan(numbered(1, SHORT), rules)) == ["1: COVER 1, UNSORTED 2 [follow_up_unverified]"]


def test_of_two_copies_in_one_stack_the_first_is_honoured() -> None:
    made = plan(following(copies=2), replace(REQUIRED, follow_ups={"A000001": SHEET}))
    assert [case.follows for case in made.cases] == ["OBL-03/2026/000007", None]
    assert told(made)[1] == "1: COVER 3, UNSORTED 4 [follow_up_repeated serial_repeated]"


def numbered(first: int, code: Code) -> list[StackPage]:
    """A page with a code and a page of paper."""
    pages = pile(" ".join(["x"] * (first + 1)))[first - 1 :]
    return [replace(pages[0], reading=reading(first, code)), pages[1]]
