"""Whose turn it is among work that waits: what broke off, and may again, lets the others go first for a while.

Else the oldest, given back without an attempt counted, would be taken again at once, and stand before all others.
"""

from __future__ import annotations

from dataclasses import dataclass

_FIRST_SECONDS = 30.0
_LONGEST_SECONDS = 600.0
_MOST_REMEMBERED = 100
"""Pieces of work; the ones that have stood back longest are forgotten first: it is their turn."""


@dataclass(frozen=True, slots=True)
class _Stand:
    seconds: float
    until: float


class Turns:
    """What one worker remembers of the work that it gave back. Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._standing: dict[str, _Stand] = {}

    def stand_back(self, work: str, now: float) -> None:
        """Have work, by its id, stand behind the others: 30 seconds, and twice as long each further time."""
        before = self._standing.pop(work, None)
        seconds = min(before.seconds * 2, _LONGEST_SECONDS) if before else _FIRST_SECONDS
        self._standing[work] = _Stand(seconds, now + seconds)
        while len(self._standing) > _MOST_REMEMBERED:
            del self._standing[next(iter(self._standing))]

    def forget(self, work: str) -> None:
        """Have work that is done stand behind nobody."""
        self._standing.pop(work, None)

    def behind(self, now: float) -> tuple[str, ...]:
        """Give what stands behind the others now, the one first that was tried longest ago."""
        return tuple(work for work, stand in self._standing.items() if stand.until > now)
