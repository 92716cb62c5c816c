"""Voices that aren't ours: libraries that log or warn, and exceptions that nobody caught.

What they say goes through the catalogue: who spoke and where, never the words, which may quote a scan.
"""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from pathlib import Path
from types import TracebackType
from typing import TextIO

import structlog

OUTSPOKEN = ("alembic.runtime.migration",)
"""The libraries whose words are shown: they speak of revisions only."""
_DEED = "Running "
"""How their news begin; what else they tell at that level is how they feel."""


class LibraryHandler(logging.Handler):
    """Turns a record of the standard library's logging into `library_said`."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log who spoke and where, and the words of the outspoken."""
        if record.levelno < logging.WARNING and not str(record.msg).startswith(_DEED):
            return
        said = record.getMessage() if record.name in OUTSPOKEN else None
        structlog.get_logger().info(
            "library_said",
            logger=record.name,
            severity=record.levelname.lower(),
            module=record.module,
            line=record.lineno,
            said=said,
            exc_info=record.exc_info,
        )


def hear_libraries() -> None:
    """Listen to what libraries log (warnings and worse) and to Python's warnings. Safe to call again."""
    root = logging.getLogger()
    root.handlers = [handler for handler in root.handlers if not isinstance(handler, LibraryHandler)]
    root.addHandler(LibraryHandler())
    root.setLevel(logging.WARNING)
    for name in OUTSPOKEN:
        logging.getLogger(name).setLevel(logging.INFO)
    warnings.showwarning = _warned


def hear_failures() -> None:
    """Log exceptions that nobody caught, in any thread, as `work_failed` with type and place, and print no traceback.

    For the daemon's own process: called once, by the composition root.
    """
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable


def _warned(
    message: Warning | str,  # noqa: ARG001 - its words are what is left out
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001 - asked for by nobody but tests of the standard library
    line: str | None = None,  # noqa: ARG001 - the source line quotes values
) -> None:
    structlog.get_logger().info(
        "library_said", logger="warnings", severity=category.__name__, module=Path(filename).stem, line=lineno
    )


def _uncaught(kind: type[BaseException], exception: BaseException, _traceback: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        structlog.get_logger().error("work_failed", work="program", exc_info=exception)


def _uncaught_in_thread(what: threading.ExceptHookArgs) -> None:
    if what.exc_value is not None and not issubclass(what.exc_type, SystemExit):
        structlog.get_logger().error("work_failed", work="thread", exc_info=what.exc_value)


def _unraisable(what: sys.UnraisableHookArgs) -> None:
    structlog.get_logger().error("work_failed", work="cleanup", exc_info=what.exc_value)
