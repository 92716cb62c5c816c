"""The renderings for a stream: JSON lines for programs, and lines for people at a terminal."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from datetime import date, tzinfo
from typing import Final, TextIO

from skrynka.logs.catalogue import EVENTS, Level
from skrynka.logs.entries import Entry
from skrynka.logs.fields import as_text
from skrynka.logs.sentences import named_in

_RESET, _DIM = "\x1b[0m", "\x1b[2m"
_COLOURS: Final[Mapping[Level, str]] = {
    Level.DEBUG: "\x1b[2m",
    Level.INFO: "\x1b[32m",
    Level.WARNING: "\x1b[33;1m",
    Level.ERROR: "\x1b[31;1m",
}


class StreamOutlet:
    """Writes entries to a stream, a line at a time, from any thread. A stream that is gone takes nothing down."""

    def __init__(self, stream: TextIO, render: Callable[[Entry], str]) -> None:
        """`render` gives the line without its end."""
        self._stream = stream
        self._render = render
        self._lock = threading.RLock()

    def write(self, entry: Entry) -> None:
        """Write one entry."""
        line = self._render(entry) + "\n"
        try:
            with self._lock:
                self._stream.write(line)
                self._stream.flush()
        except (OSError, ValueError, RuntimeError):
            # A closed pipe, a closed file (ValueError), a signal's handler that logs while the same thread is in the
            # middle of a line (RuntimeError): a line is lost, and the papers still have to be filed.
            return

    # structlog calls the outlet by the method that the caller used; the catalogue has decided the level already.
    debug = info = warning = warn = error = critical = fatal = exception = msg = write


def as_json(entry: Entry) -> str:
    """Render for programs: `time` (UTC), `level`, `event`, `message`, then the fields."""
    fields = {
        name: as_text(value) if isinstance(value, date) else list(value) if isinstance(value, tuple) else value
        for name, value in entry.fields.items()
    }
    head = {"time": as_text(entry.time), "level": entry.level.value, "event": entry.event, "message": entry.message}
    return json.dumps(head | fields)


def for_people(*, colour: bool, zone: tzinfo | None) -> Callable[[Entry], str]:
    """Give the rendering for a terminal: the time there, the sentence, then the event and what the sentence left out.

    An id isn't shown beside the number that people use: every command takes the number.

    A warning or error is followed by a line with what to do about it.
    """

    def paint(code: str, text: str) -> str:
        return f"{code}{text}{_RESET}" if colour and text else text

    def render(entry: Entry) -> str:
        event = EVENTS.get(entry.event)
        said = named_in(event.sentence) if event else frozenset()
        rest = [
            f"{name}={as_text(value)}"
            for name, value in entry.fields.items()
            if name not in said and not (name.endswith("_id") and f"{name[:-3]}_number" in entry.fields)
        ]
        time = f"{entry.time.astimezone(zone):%H:%M:%S}"
        level = paint(_COLOURS[entry.level], f"{entry.level.value:<7}")
        sentence = paint(_COLOURS[entry.level], entry.message) if entry.level.rank > Level.INFO.rank else entry.message
        line = f"{paint(_DIM, time)} {level} {sentence}  {paint(_DIM, ' '.join([entry.event, *rest]))}"
        if entry.remedy and entry.level.rank > Level.INFO.rank:
            line += f"\n{' ' * 17}{paint(_DIM, entry.remedy)}"
        return line

    return render
