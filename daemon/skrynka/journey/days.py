"""Days as the station's people reckon them: by the calendar in Kyiv."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

_KYIV = ZoneInfo("Europe/Kyiv")


def day_in_kyiv(moment: datetime) -> date:
    """Give the day of a moment, which has a time zone."""
    return moment.astimezone(_KYIV).date()
