"""Setting the log up with a clock that stands still, and reading what it wrote."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from skrynka.logs import EVENTS, Mode, configure
from skrynka.logs.entries import Entry

KYIV_IN_WINTER = timezone(timedelta(hours=2))
NOON = datetime(2025, 11, 21, 12, 0, 30, 250_000, tzinfo=UTC)
PRIVATE = "Шевченко 0099887766"


def listening(mode: Mode = Mode.JSON, **how: Any) -> io.StringIO:  # noqa: ANN401 - handed on
    """Set the log up with a clock that stands still, and give what it writes to."""
    stream = io.StringIO()
    configure(stream, mode, clock=lambda: NOON, zone=KYIV_IN_WINTER, **how)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def entry(event: str = "service_ready", message: str = "ready", **fields: Any) -> Entry:  # noqa: ANN401 - handed on
    return Entry(NOON, EVENTS[event].level, event, message, fields, EVENTS[event].remedy)
