"""The log: one stream of events from a closed catalogue, in the rendering that suits whoever reads it.

Set up by the command line and the service only; everything else asks structlog for a logger and names an event.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from typing import TextIO

import structlog

from skrynka.logs.catalogue import EVENTS, CatalogueRow, Event, Level, describe_catalogue
from skrynka.logs.entries import EntryMaker, NotInCatalogue
from skrynka.logs.journal import SOCKET, JournalOutlet, is_journal
from skrynka.logs.rendering import StreamOutlet, as_json, for_people
from skrynka.logs.voices import hear_failures, hear_libraries

__all__ = [
    "EVENTS",
    "CatalogueRow",
    "Event",
    "Level",
    "Mode",
    "NotInCatalogue",
    "configure",
    "describe_catalogue",
    "hear_failures",
]


class Mode(StrEnum):
    """The renderings."""

    AUTO = "auto"
    """JOURNAL under systemd, CONSOLE on a terminal, else JSON."""
    CONSOLE = "console"
    JSON = "json"
    JOURNAL = "journal"


def configure(
    stream: TextIO | None = None,
    mode: Mode = Mode.AUTO,
    *,
    level: Level = Level.INFO,
    strict: bool = False,
    zone: tzinfo | None = None,
    clock: Callable[[], datetime] | None = None,
    journal_socket: str = SOCKET,
) -> Mode:
    """Set the log up, and give the rendering that was chosen. May be called again.

    `stream` is standard error when None. `strict` is for tests: an event or field that the catalogue doesn't have
    raises NotInCatalogue, where it is else logged as an error without its fields. `zone` is the clock in sentences and
    on a terminal, the machine's when None; `clock` gives the time, with its zone. What libraries log or warn about
    goes the same way; see `hear_failures` for exceptions that nobody catches.
    """
    out = sys.stderr if stream is None else stream
    chosen = _chosen(out) if mode is Mode.AUTO else mode
    outlet: StreamOutlet | JournalOutlet
    if chosen is Mode.JOURNAL:
        outlet = JournalOutlet(out, journal_socket)
    elif chosen is Mode.CONSOLE:
        outlet = StreamOutlet(out, for_people(colour=out.isatty() and not os.environ.get("NO_COLOR"), zone=zone))
    else:
        outlet = StreamOutlet(out, as_json)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, EntryMaker(level, clock or _now, zone, strict=strict)],
        wrapper_class=structlog.make_filtering_bound_logger(0),
        logger_factory=lambda *_: outlet,
        cache_logger_on_first_use=False,
    )
    hear_libraries()
    return chosen


def _now() -> datetime:
    return datetime.now(UTC)


def _chosen(stream: TextIO) -> Mode:
    if is_journal(stream, os.environ.get("JOURNAL_STREAM")):
        return Mode.JOURNAL
    return Mode.CONSOLE if stream.isatty() else Mode.JSON
