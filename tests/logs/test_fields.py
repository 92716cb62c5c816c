from __future__ import annotations

import json
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from skrynka.logs import Mode
from skrynka.logs.fields import FIELDS, Shape, admit, as_text, escape
from skrynka.logs.rendering import as_json
from tests.support.log_lines import KYIV_IN_WINTER, entry, lines, listening


def test_a_field_that_is_not_on_the_list_is_dropped_and_counted() -> None:
    stream = listening()
    structlog.get_logger().info("service_stopped", account="0099887766", original_name="letter.pdf", pid=7)
    (line,) = lines(stream)
    assert (line["pid"], line["dropped_fields"]) == (7, 2)
    assert not {"account", "original_name"} & set(line)


@given(st.text())
def test_no_field_carries_words_but_those_for_phrases(text: str) -> None:
    for name, shape in FIELDS.items():
        admitted = admit(name, text)
        if shape is not Shape.PHRASE:
            assert admitted is None or (admitted == text and text.isascii() and len(text.split()) == 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("box", "two words"),
        ("box", "Скринька"),
        ("box", "a\nb"),
        ("box", "x" * 101),
        ("box", 7),
        ("box", ["good", "not good"]),
        ("kinds", ["a"] * 51),
        ("pages", True),
        ("pages", "7"),
        ("pages", 7.5),
        ("seconds", True),
        ("seconds", float("nan")),
        ("seconds", "7"),
        ("claimed_at", datetime(2025, 11, 21)),  # noqa: DTZ001 - that it has no zone is the point
        ("claimed_at", "2025-11-21"),
        ("unfinished", 1),
        ("detail", 7),
        ("surname", "x"),
    ],
)
def test_a_value_without_its_fields_shape_is_not_admitted(name: str, value: object) -> None:
    assert admit(name, value) is None


class Kind(StrEnum):
    """As the fields of core are."""

    ONE = "one"


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("box", "OBL-03", "OBL-03"),
        ("kind", Kind.ONE, "one"),
        ("scan_id", UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ("kinds", ("CERT", "PHOTO"), "CERT,PHOTO"),
        ("kinds", frozenset({"PHOTO", "CERT"}), "CERT,PHOTO"),
        ("kinds", [], ""),
        ("pages", 0, "0"),
        ("seconds", 1.23456, "1.235"),
        ("seconds", 3, "3"),
        ("unfinished", True, "true"),
        ("emptied_on", date(2025, 11, 21), "2025-11-21"),
        ("claimed_at", datetime(2025, 11, 21, 10, tzinfo=KYIV_IN_WINTER), "2025-11-21T08:00:00.000Z"),
        ("detail", "pdfinfo exit 1", "pdfinfo exit 1"),
    ],
)
def test_a_value_of_its_fields_shape_is_admitted_and_written(name: str, value: object, written: str) -> None:
    admitted = admit(name, value)
    assert admitted is not None
    assert as_text(admitted) == written


@given(st.text())
def test_an_escaped_text_is_one_line_of_printable_letters(text: str) -> None:
    escaped = escape(text)
    assert escaped.isascii()
    assert escaped.isprintable()
    assert len(escaped) <= 200


def test_phrases_are_escaped_in_every_rendering() -> None:
    stream = listening(Mode.CONSOLE)
    structlog.get_logger().info("service_stopped", detail="one\n14:00:31 error forged \x1b[2J")
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


def test_json_shows_several_codes_as_a_list_and_a_day_as_a_text() -> None:
    line = json.loads(as_json(entry(kinds=("CERT", "PHOTO"), emptied_on=date(2025, 11, 21))))
    assert (line["kinds"], line["emptied_on"]) == (["CERT", "PHOTO"], "2025-11-21")


def test_ids_that_were_bound_early_stand_in_every_line() -> None:
    stream = listening()
    with structlog.contextvars.bound_contextvars(station="A"):
        structlog.get_logger().info("service_stopped")
    structlog.get_logger().info("service_stopped")
    assert ["station" in line for line in lines(stream)] == [True, False]
