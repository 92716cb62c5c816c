"""What no fault excuses: a daemon that says something outside its log, or that what failed was foreseen by nobody."""

from __future__ import annotations

from collections.abc import Iterable

from tests.support.stations import Daemon


def outcries(daemons: Iterable[Daemon]) -> list[str]:
    """Say what these daemons have said that none should, a sentence each, but the same only once."""
    told: list[str] = []
    for daemon in daemons:
        told += [f"the daemon says {line}" for line in list(daemon.strange)]
        # What would be a traceback is this line in the log of a daemon that still has one.
        failures = [line for line in list(daemon.lines) if line["event"] == "work_failed"]
        told += [f"the log says {line['event']}: {line['message']}" for line in failures]
    return list(dict.fromkeys(told))
