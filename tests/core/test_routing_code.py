from __future__ import annotations

import dataclasses
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_97_10

from skrynka.core.model import RoutingCode, SheetKind
from skrynka.core.reasons import ReviewReason
from skrynka.core.routing_code import (
    ALPHANUMERIC,
    GRAMMAR,
    CodeRejected,
    check_digits,
    compose,
    compose_short,
    is_short,
    looks_own,
    parse,
    signed_text,
    verifies,
)

VECTORS: dict[str, list[dict[str, Any]]] = tomllib.loads(
    (Path(__file__).parent / "routing_vectors.toml").read_text(encoding="utf-8")
)
VALID = [pytest.param(vector, id=vector["about"]) for vector in VECTORS["valid"]]
SIGNED = [pytest.param(vector, id=vector["about"]) for vector in VECTORS["valid"] if "signed" in vector]
INVALID = [pytest.param(vector["text"], id=vector["about"]) for vector in VECTORS["invalid"]]
UNKNOWN = [pytest.param(vector["text"], id=vector["about"]) for vector in VECTORS["unknown_version"]]
TEXTS = [vector["text"] for vector in VECTORS["valid"]]


def expected(says: dict[str, Any]) -> RoutingCode:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in says.items()}
    return RoutingCode(SheetKind(values.pop("kind")), **values)


@pytest.mark.parametrize("vector", VALID)
def test_a_valid_code_says_what_was_written_down_for_it(vector: dict[str, Any]) -> None:
    code = parse(vector["text"])
    assert code == expected(vector["says"])
    assert verifies(vector["text"])
    assert is_short(code) is vector["short"]


@pytest.mark.parametrize("vector", VALID)
def test_a_code_is_written_as_it_was_written_down(vector: dict[str, Any]) -> None:
    assert compose(expected(vector["says"])) == vector["text"]


@pytest.mark.parametrize("text", INVALID)
def test_an_invalid_code_is_rejected_as_a_whole(text: str) -> None:
    assert looks_own(text), "it must be held, and never pass for a foreign code"
    assert not verifies(text)
    with pytest.raises(CodeRejected) as caught:
        parse(text)
    assert caught.value.reason is ReviewReason.CODE_INVALID


@pytest.mark.parametrize("text", UNKNOWN)
def test_another_version_is_held_and_never_guessed(text: str) -> None:
    assert looks_own(text)
    with pytest.raises(CodeRejected) as caught:
        parse(text)
    assert caught.value.reason is ReviewReason.VERSION_UNKNOWN


def test_a_rejection_does_not_repeat_the_text() -> None:
    with pytest.raises(CodeRejected) as caught:
        parse("SKR1/C/S:A1/A:0099887766/Z:00")
    assert "0099887766" not in f"{caught.value!s} {caught.value!r} {caught.value.__cause__!r}"


@pytest.mark.parametrize("text", ["SKR1/C/S:A1/Z:33", "  \tskr1/c", "SKR/", "SKR9", "Skr1", "\nSKR1 SOMETHING"])
def test_what_claims_to_be_ours_looks_own(text: str) -> None:
    assert looks_own(text)


@pytest.mark.parametrize("text", ["", "SKR", "SKRYNKA", "XSKR1/C", "https://skr1/c", "ſKR1/C", "SKR٣", "PATCHT"])
def test_what_does_not_claim_to_be_ours_does_not_look_own(text: str) -> None:
    assert not looks_own(text)


@given(st.text(ALPHANUMERIC, max_size=120))
def test_check_digits_agree_with_a_library_that_shares_nothing_with_them(text: str) -> None:
    decimal = "".join(f"{ALPHANUMERIC.index(character):02d}" for character in text)
    assert check_digits(text) == mod_97_10.calc_check_digits(decimal or "0")


def test_check_digits_are_only_for_the_alphanumeric_set() -> None:
    with pytest.raises(ValueError, match="substring not found"):
        check_digits("skr1")


def values_of(tag: str) -> st.SearchStrategy[Any]:
    """Values within the grammar of one tag."""
    row = next(row for row in GRAMMAR if row.tag == tag)
    item = st.from_regex(re.compile(row.pattern, re.ASCII), fullmatch=True).map(lambda value: value[: row.longest])
    item = item.filter(lambda value: re.fullmatch(row.pattern, value) is not None)
    if row.most == 1:
        return item
    return st.lists(item, min_size=1, max_size=row.most, unique=True).map(tuple)


FIELDS = {
    "S": "serial",
    "B": "box",
    "T": "case_type",
    "R": "branch",
    "P": "providers",
    "D": "document_kinds",
    "A": "account",
    "M": "address_code",
    "X": "meter_serials",
    "F": "follow_up",
}


@st.composite
def codes(draw: st.DrawFn) -> RoutingCode:
    """Any code that the grammar allows."""
    kind = draw(st.sampled_from(SheetKind))
    says: dict[str, Any] = {}
    for row in GRAMMAR:
        needed = row.tag == "S" and kind in {SheetKind.COLLECTION, SheetKind.CASE, SheetKind.DOCUMENT}
        if row.tag in FIELDS and kind in row.kinds and (needed or draw(st.booleans())):
            says[FIELDS[row.tag]] = draw(values_of(row.tag))
    if kind in {SheetKind.CASE, SheetKind.DOCUMENT}:
        says["sticker"] = draw(st.booleans())
    if kind in {SheetKind.COLLECTION, SheetKind.END}:
        says["emptied_on"] = draw(st.none() | st.dates())
        says["counted"] = draw(st.none() | st.integers(0, 9999))
    if draw(st.booleans()):
        says |= {"key_id": draw(values_of("V")), "signature": draw(values_of("K"))}
    return RoutingCode(kind, **says)


@given(codes())
def test_what_is_written_is_read_back(code: RoutingCode) -> None:
    text = compose(code)
    assert set(text) <= set(ALPHANUMERIC)
    assert looks_own(text)
    assert parse(text) == code


@given(codes())
def test_the_short_code_agrees_with_the_full_one(code: RoutingCode) -> None:
    short = parse(compose_short(code))
    assert is_short(short)
    assert (short.kind, short.serial) == (code.kind, code.serial)


@given(codes(), st.data())
def test_one_wrong_character_never_goes_unnoticed(code: RoutingCode, data: st.DataObject) -> None:
    text = compose(code)
    place = data.draw(st.integers(0, len(text) - 1))
    wrong = data.draw(st.sampled_from(ALPHANUMERIC) | st.characters())
    if wrong != text[place]:
        with pytest.raises(CodeRejected):
            parse(text[:place] + wrong + text[place + 1 :])


@given(codes(), st.data())
def test_two_neighbours_that_change_places_never_go_unnoticed(code: RoutingCode, data: st.DataObject) -> None:
    text = compose(code)
    place = data.draw(st.integers(0, len(text) - 2))
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    if swapped != text:
        with pytest.raises(CodeRejected):
            parse(swapped)


@given(st.text() | st.text(ALPHANUMERIC).map(lambda rest: "SKR1/" + rest) | st.sampled_from(TEXTS).map(str.lower))
def test_reading_any_text_gives_a_code_or_a_rejection_and_nothing_else(text: str) -> None:
    try:
        code = parse(text)
    except CodeRejected:
        return
    assert compose(code) == text


@given(st.text(ALPHANUMERIC, max_size=40).map(lambda rest: "SKR1/" + rest))
def test_right_check_digits_alone_make_no_code(body: str) -> None:
    text = f"{body}/Z:{check_digits(body)}"
    try:
        code = parse(text)
    except CodeRejected:
        return
    assert compose(code) == text


@pytest.mark.parametrize(
    "code",
    [
        RoutingCode(SheetKind.CASE),
        RoutingCode(SheetKind.CASE, serial="a1"),
        RoutingCode(SheetKind.CASE, serial="A1/B:OBL"),
        RoutingCode(SheetKind.CASE, serial="A1", box=""),
        RoutingCode(SheetKind.CASE, serial="A1", providers=("KTE", "KTE")),
        RoutingCode(SheetKind.CASE, serial="A1", providers=("KTE+KVK",)),
        RoutingCode(SheetKind.CASE, serial="A1", key_id="2"),
        RoutingCode(SheetKind.SEPARATOR, case_type="VER"),
        RoutingCode(SheetKind.END, counted=10000),
        RoutingCode(SheetKind.END, counted=-1),
    ],
)
def test_what_the_grammar_forbids_is_never_written(code: RoutingCode) -> None:
    with pytest.raises(ValueError, match="routing code"):
        compose(code)


@pytest.mark.parametrize("vector", SIGNED)
def test_a_signature_covers_what_stands_before_it(vector: dict[str, Any]) -> None:
    assert signed_text(vector["text"]) == vector["signed"]


def test_a_sheet_is_signed_by_composing_it_twice() -> None:
    code = RoutingCode(SheetKind.CASE, serial="A1", key_id="2", signature="AAAAAAAAAA")
    signed = dataclasses.replace(code, signature="ABCDEFGHIJ")
    assert signed_text(compose(code)) == signed_text(compose(signed)) == "SKR1/C/S:A1/V:2"


def test_a_code_without_a_signature_has_no_signed_text() -> None:
    with pytest.raises(ValueError, match="no signature"):
        signed_text("SKR1/C/S:A1/Z:33")


def test_the_grammar_is_a_table_without_doubles() -> None:
    tags = [row.tag for row in GRAMMAR]
    assert tags == list("SBTRPDAMXFLGNVK")
    assert all(row.meaning and row.longest > 0 and row.kinds for row in GRAMMAR)


def test_the_longest_signed_personalised_case_sheet_still_fits_its_qr_code() -> None:
    code = RoutingCode(
        SheetKind.CASE,
        serial="ABCD0000000001",
        box="B" * 20,
        case_type="T" * 16,
        branch="R" * 16,
        providers=tuple(f"P{number:015d}" for number in range(8)),
        account="1" * 20,
        address_code="M" * 32,
        meter_serials=tuple(f"X{number:023d}" for number in range(8)),
        follow_up="F" * 40,
        sticker=True,
        key_id="K" * 8,
        signature="A" * 10,
    )
    assert len(compose(code)) <= 1000


def test_the_earliest_day_keeps_its_zeros() -> None:
    assert "/G:00010101/" in compose(RoutingCode(SheetKind.END, emptied_on=date(1, 1, 1)))
