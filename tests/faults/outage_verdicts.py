"""What a station must make of an outage beyond losing nothing: go on by itself, soon, and without asking anybody."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from tests.faults.stream import Stream
from tests.support.stations import Daemon

BACK_WITHIN_SECONDS = 30.0
"""So soon after the repair everything that waited is processed."""
_GIVE_UP_SECONDS = 120.0
_LOOK_SECONDS = 0.25
"""Each look is a new connection, which a server forks for: it takes from the time that is measured."""


def said(daemon: Daemon, event: str, since: int = 0) -> int:
    """Count the lines of an event in the log, from the line of number `since` on."""
    return sum(line["event"] == event for line in list(daemon.lines)[since:])


def end_after_repair(stream: Stream, within: float = BACK_WITHIN_SECONDS) -> Iterator[str]:
    """Wait until all is finished, right after the repair; say where it isn't, or too late."""
    began = time.monotonic()
    try:
        stream.await_end(_GIVE_UP_SECONDS, _LOOK_SECONDS)
    except AssertionError as error:
        yield str(error).splitlines()[0]
        return
    took = time.monotonic() - began
    if took > within:
        yield f"all was processed {took:.0f} s after the repair, and not within {within:.0f} s"


def disturbing(daemon: Daemon, allowed: Sequence[str]) -> Iterator[str]:
    """Say what an admin would have to look at, beyond the warnings that tell of the outage itself."""
    bad = [line for line in daemon.lines if line["level"] in {"warning", "error"} and line["event"] not in allowed]
    yield from dict.fromkeys(f"the log says {line['event']}: {line['message']}" for line in bad)
    yield from dict.fromkeys(f"the daemon says {line}" for line in daemon.strange)
