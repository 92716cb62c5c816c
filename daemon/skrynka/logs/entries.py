"""From a call of the logger to one checked entry, ready to be written in any rendering."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog

import skrynka
from skrynka.logs.catalogue import EVENTS, Event, Level
from skrynka.logs.fields import Value, admit
from skrynka.logs.sentences import say

_SNAKE_CASE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_FOREIGN_TO_A_PATH = re.compile(r"[^A-Za-z0-9_./-]")
_PACKAGE = Path(skrynka.__file__).parent
_NO_FIELDS = frozenset({"event", "exc_info", "stack_info", "level", "positional_args"})
"""What structlog itself puts into a call."""


class NotInCatalogue(Exception):
    """In strict mode only: an event or a field that the catalogue doesn't have, or a value that hasn't its shape."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log, before it is rendered."""

    time: datetime
    """With its zone."""
    level: Level
    event: str
    message: str
    fields: Mapping[str, Value]
    remedy: str = ""


class EntryMaker:
    """The last processor of structlog's chain: checks a call against the catalogue and makes the entry."""

    def __init__(self, level: Level, clock: Callable[[], datetime], zone: tzinfo | None, *, strict: bool) -> None:
        """Entries below `level` are dropped; `zone` is the clock that sentences show, None for the machine's."""
        self._level = level
        self._clock = clock
        self._zone = zone
        self._strict = strict

    def __call__(
        self, _logger: object, _method: str, call: MutableMapping[str, Any]
    ) -> tuple[tuple[Entry], dict[str, Any]]:
        """Give the entry as the outlet's only argument. Raises DropEvent below the level, NotInCatalogue if strict."""
        name = str(call.get("event"))
        event = EVENTS.get(name)
        if event is not None and event.level.rank < self._level.rank:
            raise structlog.DropEvent
        given = {key: value for key, value in call.items() if key not in _NO_FIELDS and value is not None}
        given |= failure(call.get("exc_info"))
        fields = {key: admitted for key, value in given.items() if (admitted := admit(key, value)) is not None}
        dropped = [key for key in given if key not in fields]
        if self._strict and (event is None or dropped):
            raise NotInCatalogue(f"{name}: {', '.join(dropped) or 'no such event'}")
        if dropped:
            fields["dropped_fields"] = len(dropped)
        if event is None:
            # What isn't a plain name may be a text with anything in it.
            name = name if _SNAKE_CASE.fullmatch(name) else "event_unnamed"
            fields["uncatalogued"] = True
            event = Event(Level.ERROR, name.replace("_", " "), "")
        message = say(event.sentence, fields, self._zone)
        return (Entry(self._clock(), event.level, name, message, fields, event.remedy),), {}


def failure(exc_info: object) -> dict[str, str]:
    """Give an exception's `error` (its type), `location`, and `cause` (the type at the root of it).

    Never its message and never a traceback: messages echo what was read, and tracebacks quote values.
    """
    if isinstance(exc_info, tuple):
        exception = exc_info[1]
    elif isinstance(exc_info, BaseException):
        exception = exc_info
    else:
        exception = sys.exc_info()[1] if exc_info else None
    if not isinstance(exception, BaseException):
        return {}
    told = {"error": type_name(type(exception)), "location": location(exception.__traceback__)}
    root, passed = exception, {id(exception)}
    while (below := root.__cause__ or root.__context__) is not None and id(below) not in passed:
        passed.add(id(below))
        root = below
    return told if root is exception else told | {"cause": type_name(type(root))}


def type_name(kind: type[BaseException]) -> str:
    """Name a type of exception: `sqlalchemy.exc.OperationalError`, `OSError`."""
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def location(traceback: TracebackType | None) -> str:
    """Name the deepest line of ours that an exception passed, else the deepest of all: `skrynka/core/model.py:12`."""
    deepest, ours = "unknown", None
    while traceback is not None:
        path = Path(traceback.tb_frame.f_code.co_filename)
        if path.is_relative_to(_PACKAGE):
            ours = f"{path.relative_to(_PACKAGE.parent)}:{traceback.tb_lineno}"
        else:
            deepest = f"{_FOREIGN_TO_A_PATH.sub('_', '/'.join(path.parts[-2:])).lstrip('/.-')}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return ours or deepest
