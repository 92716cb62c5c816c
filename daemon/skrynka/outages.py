"""Telling people what the service misses: its database, its archive."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from skrynka.core import outages

_LOG = structlog.get_logger(__name__)


class Outages:
    """What is away now. Called from one thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives monotonic seconds."""
        self._clock = clock
        self._known: dict[str, outages.Outage] = {}
        self._told: dict[str, set[str | None]] = {}
        """What was said of why each is away."""

    @property
    def away(self) -> list[str]:
        """Name what is away, in the order of the alphabet."""
        return sorted(self._known)

    def tell(self, what: str, *, away: bool, waiting: int, free_bytes: int | None, error: str | None = None) -> None:
        """Tell people when "database" or "archive" goes, now and then while it is away, and when it is back.

        Also when it is away for another reason than was told: each once, for reasons may take turns.

        `waiting` are the claimed scans that wait for it, `free_bytes` the room for more of them.
        """
        known, telling = outages.observe(self._known.get(what), self._clock(), away=away)
        if known is None:
            self._known.pop(what, None)
        else:
            self._known[what] = known
        told = self._told.setdefault(what, {None})
        if telling is None and known is not None and error not in told:
            # Told out of turn: what helps against the one doesn't help against the other.
            telling = outages.Telling(outages.Change.STILL_AWAY, self._clock() - known.since)
        if telling is None:
            return
        told.add(error)
        if telling.change is outages.Change.BACK:
            del self._told[what]
            _LOG.info(f"{what}_returned", seconds=telling.seconds, waiting=waiting)
        else:
            _LOG.warning(
                f"{what}_lost",
                seconds=telling.seconds or None,
                error=error,
                waiting=waiting,
                free_bytes=free_bytes,
            )
