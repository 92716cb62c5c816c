from __future__ import annotations

from tests.support.routing_text import check_digits, damaged, routing_text, short_text


def test_the_example_of_the_full_text_is_written_as_published() -> None:
    body = "SKR1/C/S:A000123/B:OBL-03/T:VER/R:DIS/P:KTE+KVK/V:2/K:ABCD2345EF"

    assert check_digits(body) == "66"


def test_the_example_of_the_short_text_is_written_as_published() -> None:
    assert short_text("C", "A000123") == "SKR1/C/S:A000123/Z:13"


def test_a_signature_has_ten_characters_of_base32_and_stands_before_the_check() -> None:
    text = routing_text("C", serial="A000123", box="OBL-03", key=("2", b"a key for tests"))

    before, _, signature = text.partition("/K:")
    assert before == "SKR1/C/S:A000123/B:OBL-03/V:2"
    assert len(signature) == 10 + len("/Z:00")
    assert set(signature[:10]) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def test_tags_come_in_the_order_of_the_definition() -> None:
    text = routing_text(
        "C", counted=7, emptied="20220223", sticker=True, follow_up="F1", meters=["M1", "M2"], address_code="ADR",
        account="0012345", document_kinds=["CERT"], providers=["KTE", "KVK"], branch="DIS", case_type="VER",
        box="OBL-03", serial="A000001",
    )  # fmt: skip

    assert text[:-5] == (
        "SKR1/C/S:A000001/B:OBL-03/T:VER/R:DIS/P:KTE+KVK/D:CERT/A:0012345/M:ADR/X:M1+M2/F:F1/L:K/G:20220223/N:7"
    )


def test_a_damaged_text_has_other_check_digits() -> None:
    text = short_text("C", "A000123")

    assert damaged(text) != text
    assert damaged(text)[:-2] == text[:-2]
