"""The kernel's watches of the local inboxes: what they say goes to the inboxes, and what befalls them is mended.

An inbox that is empty is listed seldom, while its watch lives and its folder's time of change is what it was: a glimpse
at that costs so little that a hundred inboxes can have it every few seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from skrynka.journey.taking import Taking
from skrynka.steps.watching import Hint, Watcher, WatchUnavailable

_LOG = structlog.get_logger(__name__)
_BURST_SECONDS = 60.0
"""Overflows of the kernel's queue that come closer together than this are one trouble."""


class Watches:
    """The watches of a station. `mend` and `may_rest` are called from each inbox's own thread, the rest from any."""

    def __init__(self, takings: Mapping[str, Taking], wake: Callable[[str], None]) -> None:
        """Take the local inboxes, by box; `wake` has one looked into soon."""
        self._takings = takings
        self._wake = wake
        self._watcher = Watcher(self._hint, self._overflowed)
        self._unwatched: set[str] = set()
        self._empty_since: dict[str, int] = {}
        """By box, of inboxes that are glimpsed at."""
        self._overflowed_at: float | None = None

    def watch(self, code: str, inbox: Path) -> None:
        """Begin to watch a box's inbox."""
        try:
            self._watcher.watch(code, inbox)
        except WatchUnavailable as unavailable:
            self._tell_unwatched(code, unavailable)
        else:
            _LOG.debug("inbox_watched", inbox=code)

    def mend(self, code: str) -> None:
        """Watch a local inbox again if nobody does, and have it looked into then; another box's is left alone."""
        if code not in self._takings or self._watcher.watches(code):
            return
        try:
            self._watcher.repair(code)
        except WatchUnavailable as unavailable:
            self._tell_unwatched(code, unavailable)
            return
        # Watched anew first, then looked at: what came in between is in the listing.
        self._takings[code].sweep()
        self._wake(code)
        self._unwatched.discard(code)
        _LOG.info("inbox_watched", inbox=code)

    def may_rest(self, code: str) -> bool:
        """Say whether a box's inbox needn't be listed for a while: it is empty, and `glimpse` looks after it."""
        since = self._takings[code].empty_since_ns if code in self._takings else None
        if since is None or not self._watcher.watches(code):
            self._empty_since.pop(code, None)
            return False
        self._empty_since[code] = since
        return True

    def glimpse(self) -> None:
        """Have those inboxes looked into to which something came unheard, or that nobody watches any more."""
        for code, since in list(self._empty_since.items()):
            if self._watcher.changed_ns(code) != since:
                self._empty_since.pop(code, None)
                self._takings[code].sweep()
                self._wake(code)

    def stop(self) -> None:
        """Watch nothing any more."""
        self._watcher.stop()

    def _hint(self, hint: Hint) -> None:
        self._takings[hint.inbox].hint(hint.name, hint.arrival)
        self._wake(hint.inbox)

    def _overflowed(self) -> None:
        """Look into every watched inbox, for the kernel has lost events; tell it once for a burst."""
        now, before = time.monotonic(), self._overflowed_at
        self._overflowed_at = now
        if before is None or now - before > _BURST_SECONDS:
            _LOG.warning("watch_overflowed")
        for code, taking in self._takings.items():
            taking.sweep()
            self._wake(code)

    def _tell_unwatched(self, code: str, unavailable: WatchUnavailable) -> None:
        """Say once that the kernel has no watch for an inbox; of a folder that isn't there its sweeps tell."""
        if unavailable.exhausted and code not in self._unwatched:
            self._unwatched.add(code)
            _LOG.warning("watch_failed", inbox=code)
