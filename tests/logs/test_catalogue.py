from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

import skrynka
from skrynka.logs import EVENTS, Level, NotInCatalogue, describe_catalogue
from skrynka.logs.fields import FIELDS
from skrynka.logs.sentences import named_in, say
from tests.support.log_lines import PRIVATE, lines, listening


def test_the_catalogue_decides_the_level_and_not_the_caller() -> None:
    stream = listening()
    structlog.get_logger().debug("scan_overwritten", inbox="a")
    structlog.get_logger().critical("service_stopped")
    assert [line["level"] for line in lines(stream)] == ["error", "info"]


def test_what_is_below_the_level_is_left_out() -> None:
    stream = listening()
    structlog.get_logger().error("reader_started")
    assert lines(stream) == []
    stream = listening(level=Level.DEBUG)
    structlog.get_logger().info("reader_started")
    assert [line["message"] for line in lines(stream)] == ["reader started"]


def test_an_event_that_is_not_in_the_catalogue_is_logged_as_an_error() -> None:
    stream = listening(level=Level.ERROR)
    structlog.get_logger().info("box_exploded", box="OBL-03")
    (line,) = lines(stream)
    assert line == {
        "time": "2025-11-21T12:00:30.250Z",
        "level": "error",
        "event": "box_exploded",
        "message": "box exploded",
        "box": "OBL-03",
        "uncatalogued": True,
    }


def test_a_text_in_the_place_of_an_event_is_not_repeated() -> None:
    stream = listening()
    structlog.get_logger().info("letter of %s", PRIVATE)
    (line,) = lines(stream)
    assert (line["event"], line["uncatalogued"]) == ("event_unnamed", True)
    assert "0099887766" not in stream.getvalue()


@pytest.mark.parametrize(
    ("event", "fields"),
    [("box_exploded", {}), ("service_ready", {"surname": "x"}), ("service_ready", {"box": PRIVATE})],
)
def test_in_strict_mode_what_is_not_in_the_catalogue_is_a_defect(event: str, fields: dict[str, str]) -> None:
    listening(strict=True)
    with pytest.raises(NotInCatalogue, match=event):
        structlog.get_logger().info(event, **fields)


def test_strict_mode_lets_what_is_in_the_catalogue_pass() -> None:
    stream = listening(strict=True)
    structlog.get_logger().info("service_ready", inboxes=2, scan_number=None)
    assert [line["message"] for line in lines(stream)] == ["ready: watching 2 inboxes"]


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_is_fit_for_the_catalogue(name: str) -> None:
    event = EVENTS[name]
    assert name == name.lower()
    assert name.isidentifier()
    assert event.meaning
    assert named_in(event.sentence) <= set(FIELDS), "a sentence may only show fields that a line may carry"
    assert bool(event.remedy) is (event.level.rank > Level.INFO.rank or name == "library_said")
    assert "{" not in say(event.sentence, {}, None), "and it is in the language of sentences"
    assert "[" not in say(event.sentence, {}, None)


def logged() -> Iterator[tuple[str, ast.Call]]:
    """Give every call of a logger in the program, with the place where it stands."""
    package = Path(skrynka.__file__).parent
    for path in sorted(package.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "structlog" in text else ():
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"bind", "debug", "info", "warning", "error", "critical", "exception"}
            ):
                yield f"{path.relative_to(package)}:{node.lineno}", node


def test_every_call_in_the_program_names_an_event_and_fields_of_the_catalogue() -> None:
    calls = list(logged())
    assert calls
    strange = [
        f"{place}: {said.value!r}"
        for place, call in calls
        for said in call.args
        if isinstance(said, ast.Constant) and said.value not in EVENTS
    ]
    unlisted = [
        f"{place}: {field.arg}"
        for place, call in calls
        for field in call.keywords
        if field.arg not in {None, "exc_info", *FIELDS}
    ]
    assert strange + unlisted == []


def test_every_event_of_the_catalogue_is_logged_somewhere() -> None:
    package = Path(skrynka.__file__).parent
    texts = {path: path.read_text(encoding="utf-8") for path in package.rglob("*.py") if path.parent.name != "logs"}
    said = {
        node.value
        for text in texts.values()
        if "structlog" in text
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant)
    }
    outages = {f"{what}_{change}" for what in ("database", "archive") for change in ("lost", "returned")}
    assert set(EVENTS) - said - outages - {"library_said"} == set()


def test_the_catalogue_can_be_printed_for_the_handbook() -> None:
    rows = describe_catalogue()
    assert [row.name for row in rows] == list(EVENTS)
    (row,) = [row for row in rows if row.name == "inbox_vanished"]
    assert row.level == "warning"
    assert row.meaning.startswith("An inbox's folder")
    assert "share" in row.remedy
