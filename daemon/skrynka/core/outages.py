"""When people hear of something that is away: at once, now and then while it lasts, and when it is back.

An admin who reads the log in the morning must see that it still lasts, and a night of it mustn't fill the log: so
after the first line one every five minutes, and one an hour after the third of those.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

_SOON_SECONDS = 300.0
_SOON_TIMES = 3
_LATER_SECONDS = 3600.0


class Change(StrEnum):
    """What there is to say."""

    LOST = "lost"
    STILL_AWAY = "still away"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class Outage:
    """Something has been away since a moment, and people were told. Times are seconds of one monotonic clock."""

    since: float
    told_at: float
    reminders: int = 0

    @property
    def due_at(self) -> float:
        """Say when people are to be told again."""
        return self.told_at + (_SOON_SECONDS if self.reminders < _SOON_TIMES else _LATER_SECONDS)


@dataclass(frozen=True, slots=True)
class Telling:
    """What to say now."""

    change: Change
    seconds: float
    """How long it has been away, or was; 0 when it has just gone."""


def observe(outage: Outage | None, now: float, *, away: bool) -> tuple[Outage | None, Telling | None]:
    """Give the outage after one more look, None where nothing is away, and what to say of it, if anything."""
    if outage is None:
        return (Outage(now, now), Telling(Change.LOST, 0.0)) if away else (None, None)
    lasted = now - outage.since
    if not away:
        return None, Telling(Change.BACK, lasted)
    if now < outage.due_at:
        return outage, None
    return replace(outage, told_at=now, reminders=outage.reminders + 1), Telling(Change.STILL_AWAY, lasted)
