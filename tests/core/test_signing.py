from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrynka.core.errors import SkrynkaError
from skrynka.core.model import RoutingCode
from skrynka.core.reasons import ReviewReason
from skrynka.core.routing_code import CodeRejected, check_digits, compose
from skrynka.core.signing import Signing, SigningKey, SigningMode, Verdict, key_to_sign_with, sign, verify
from tests.core.test_routing_code import FIELDS, codes, values_of
from tests.support.routing_text import closed, signed

VECTORS = tomllib.loads((Path(__file__).parent / "signing_vectors.toml").read_text(encoding="utf-8"))
TODAY = date(2026, 11, 25)
KEYS = tuple(
    SigningKey(key_id, bytes.fromhex(secret), date(2026, 1, 1), ends)
    for (key_id, secret), ends in zip(VECTORS["secrets"].items(), (None, date(2026, 11, 24)), strict=True)
)
NEW, OLD = KEYS

unsigned_codes = codes().map(lambda code: replace(code, key_id=None, signature=None))
days = st.dates(date(2026, 1, 1), date(2026, 1, 20))
ids = st.integers(1, 99).map(str)


@st.composite
def key_rings(draw: st.DrawFn) -> tuple[SigningKey, ...]:
    """Keys with ids and first days of their own, as a key file may hold them."""
    ring = draw(st.lists(st.tuples(ids, days), max_size=5, unique_by=(lambda key: key[0], lambda key: key[1])))
    lasting = st.none() | st.integers(0, 20)
    return tuple(
        SigningKey(
            key_id,
            draw(st.binary(min_size=16, max_size=40)),
            starts,
            None if (length := draw(lasting)) is None else starts + timedelta(days=length),
        )
        for key_id, starts in ring
    )


@pytest.mark.parametrize("vector", VECTORS["vector"], ids=lambda vector: vector["about"])
def test_signatures_made_elsewhere_are_judged_as_they_were_meant(vector: dict[str, Any]) -> None:
    assert verify(vector["text"], KEYS, TODAY) == vector["verdict"]


@pytest.mark.parametrize("vector", VECTORS["vector"], ids=lambda vector: vector["about"])
def test_a_key_that_is_not_here_verifies_nothing(vector: dict[str, Any]) -> None:
    expected = Verdict.UNSIGNED if vector["verdict"] == "unsigned" else Verdict.KEY_UNKNOWN
    assert verify(vector["text"], (), TODAY) == expected


def test_a_keys_last_day_is_still_its_own() -> None:
    text = next(vector["text"] for vector in VECTORS["vector"] if vector["verdict"] == "key_expired")
    assert verify(text, KEYS, date(2026, 11, 24)) is Verdict.VERIFIED
    assert verify(text, KEYS, date(2026, 11, 25)) is Verdict.KEY_EXPIRED


@given(unsigned_codes, st.sampled_from(KEYS))
def test_what_is_signed_here_is_what_another_program_would_have_signed(code: RoutingCode, key: SigningKey) -> None:
    body = compose(code).rpartition("/Z:")[0]
    assert compose(sign(code, key)) == closed(signed(body, key.id, key.secret))


@given(unsigned_codes, st.sampled_from(KEYS))
def test_what_is_signed_verifies_until_the_keys_end(code: RoutingCode, key: SigningKey) -> None:
    assert verify(compose(sign(code, key)), KEYS, date(2026, 11, 1)) is Verdict.VERIFIED


@given(unsigned_codes, st.data())
def test_a_signature_on_anything_else_than_what_was_signed_is_wrong(code: RoutingCode, data: st.DataObject) -> None:
    """Whatever field is changed, and the check digits made right again: the serial, the box, anything."""
    genuine = sign(code, NEW)
    said = [field for tag, field in FIELDS.items() if getattr(code, field) and tag != "S"]
    field = data.draw(st.sampled_from([*said, "serial"] if code.serial else [*said, "sticker", "key_id"]))
    tag = next((tag for tag, name in FIELDS.items() if name == field), "")
    value = data.draw(values_of(tag)) if tag else "OLD" if field == "key_id" else not code.sticker
    forged = replace(genuine, **{field: value})
    try:
        text = compose(forged)
    except ValueError:
        # Not every kind of sheet has stickers.
        return
    if forged != genuine:
        assert verify(text, KEYS, date(2026, 11, 1)) is Verdict.WRONG


@given(unsigned_codes, values_of("K"))
def test_a_guessed_signature_is_wrong(code: RoutingCode, guess: str) -> None:
    genuine = sign(code, NEW)
    if guess != genuine.signature:
        assert verify(compose(replace(genuine, signature=guess)), KEYS, TODAY) is Verdict.WRONG


@given(unsigned_codes)
def test_another_keys_signature_under_this_keys_id_is_wrong_though_that_key_has_ended(code: RoutingCode) -> None:
    lent = sign(code, replace(NEW, id=OLD.id))
    assert verify(compose(lent), KEYS, TODAY) is Verdict.WRONG


def test_what_is_no_code_is_rejected_before_its_signature_is_looked_at() -> None:
    text = "SKR1/P/V:2/K:QPDBHRUULH/Z:62"
    with pytest.raises(CodeRejected):
        verify(text, KEYS, TODAY)
    assert check_digits("SKR1/P/V:2/K:QPDBHRUULH") != text[-2:]


@given(key_rings(), days)
def test_the_newest_key_that_has_begun_and_not_ended_signs(keys: Sequence[SigningKey], on: date) -> None:
    chosen = key_to_sign_with(keys, on)
    current = [key for key in keys if key.signs_from <= on and (key.verifies_until or on) >= on]
    assert (chosen is None) == (not current)
    if chosen is not None:
        assert chosen in current
        assert all(key.signs_from <= chosen.signs_from for key in current)


@given(key_rings(), days, st.integers(0, 15), unsigned_codes)
def test_a_sheet_goes_on_counting_until_its_own_keys_end_whatever_keys_come_after_it(
    keys: Sequence[SigningKey], printed: date, later: int, code: RoutingCode
) -> None:
    key = key_to_sign_with(keys, printed)
    if key is None:
        return
    scanned = printed + timedelta(days=later)
    ended = key.verifies_until is not None and scanned > key.verifies_until
    assert verify(compose(sign(code, key)), keys, scanned) is (Verdict.KEY_EXPIRED if ended else Verdict.VERIFIED)


@pytest.mark.parametrize(
    ("verdict", "accepted", "required"),
    [
        (Verdict.VERIFIED, None, None),
        (Verdict.UNSIGNED, None, ReviewReason.SIGNATURE_MISSING),
        (Verdict.WRONG, ReviewReason.SIGNATURE_WRONG, ReviewReason.SIGNATURE_WRONG),
        (Verdict.KEY_UNKNOWN, ReviewReason.KEY_UNKNOWN, ReviewReason.KEY_UNKNOWN),
        (Verdict.KEY_EXPIRED, ReviewReason.KEY_EXPIRED, ReviewReason.KEY_EXPIRED),
    ],
)
def test_what_each_mode_has_against_each_verdict(
    verdict: Verdict, accepted: ReviewReason | None, required: ReviewReason | None
) -> None:
    for mode, objection in ((SigningMode.ACCEPTED, accepted), (SigningMode.REQUIRED, required)):
        assert Signing(mode, KEYS).on(TODAY).objection(verdict) == objection


@pytest.mark.parametrize("vector", VECTORS["vector"], ids=lambda vector: vector["about"])
def test_switched_off_nothing_is_looked_at(vector: dict[str, Any]) -> None:
    signatures = Signing(SigningMode.OFF, KEYS).on(TODAY)
    assert signatures.judge(vector["text"]) is None
    assert signatures.objection(None) is None


def test_a_secret_is_never_shown() -> None:
    shown = repr(Signing(SigningMode.REQUIRED, KEYS).on(TODAY)) + str(KEYS)
    assert all(form not in shown for key in KEYS for form in (key.secret.hex(), repr(key.secret)[2:-1]))
    error: SkrynkaError = CodeRejected(ReviewReason.CODE_INVALID)
    assert "SKR1" not in str(error)
