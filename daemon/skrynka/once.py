"""When a service that only takes what is there has done so: `run --once`."""

from __future__ import annotations

import time

from skrynka.core.errors import EnvironmentUnfit
from skrynka.journey.assembling import Assembling
from skrynka.journey.intake import Intake
from skrynka.store.database import Database
from skrynka.store.listings import work_left

_STUCK_SECONDS = 180.0
"""Longer than any wait between two units of work: a file settles in seconds, a retry comes in five."""


class Once:
    """Looks whether everything that was there is finished. Called from one thread."""

    def __init__(self, database: Database, station: str, intake: Intake, assembling: Assembling) -> None:
        self._database = database
        self._station = station
        self._intake = intake
        self._assembling = assembling
        self._idle_looks = 0
        self._progress = -1
        self._progressed_at = time.monotonic()

    def is_done(self, progress: int, in_hand_seconds: float) -> bool:
        """Say whether all is done. `progress` moves whenever a unit of work is done, not when one fails again.

        `in_hand_seconds` is how long the one that takes longest has been in hand: an hour, for a large scan. Raises
        EnvironmentUnfit when nothing moves any more, or when inboxes are away at the end: whoever runs this from a
        timetable must hear of it. Raises DatabaseAway.
        """
        # Twice in a row: between two stages a scan is nowhere for a moment.
        self._idle_looks = self._idle_looks + 1 if self._nothing_left() else 0
        if self._idle_looks > 1:
            if self._intake.away:
                raise EnvironmentUnfit(f"Inboxes are away: {', '.join(self._intake.away)}.", "See `skrynka check`.")
            return True
        now = time.monotonic()
        if progress != self._progress:
            self._progress, self._progressed_at = progress, now
        elif now - self._progressed_at > _STUCK_SECONDS and in_hand_seconds < _STUCK_SECONDS:
            raise EnvironmentUnfit("`--once` can't finish what is there.", "See the log and `skrynka status`.")
        return False

    def _nothing_left(self) -> bool:
        """Say whether everything that was there is finished; closes what only waits for more to come."""
        if not self._intake.looked or self._intake.settling or self._intake.waiting:
            return False
        left = work_left(self._database, self._station)
        if left.scans == 0 and left.stacks == 0 and left.open_stacks:
            self._assembling.close_all()
            return False
        return left.scans == 0 and left.stacks == 0
