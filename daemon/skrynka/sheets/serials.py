"""Serials of printed sheets: letters of a series, then six digits, such as A000123."""

from __future__ import annotations

import re

from skrynka.core.errors import ConfigurationError, SkrynkaError

DIGITS = 6
LAST = 10**DIGITS - 1
_SERIES = re.compile(r"[A-Z]{1,3}")


class SeriesExhausted(SkrynkaError):
    """A series has no serials left for so many copies."""

    def __init__(self, left: int) -> None:
        """`left` is how many serials the series still has."""
        self.left = left
        super().__init__(f"The series has {left} serials left: print fewer copies or begin a new series.")


def serials(series: str, after: int, copies: int) -> list[str]:
    """Give the next `copies` serials of a series, `after` being the last number used (0 where there is none).

    Pure: the caller keeps what was printed. Raises ConfigurationError for a series that isn't one to three capital
    letters A-Z, SeriesExhausted where six digits don't suffice, ValueError for negative counts.
    """
    if _SERIES.fullmatch(series) is None:
        raise ConfigurationError("A series is one to three capital letters A-Z.", "Write, for instance, A or OB.")
    if after < 0 or copies < 0:
        raise ValueError("counts of serials can't be negative")
    if after + copies > LAST:
        raise SeriesExhausted(left=max(LAST - after, 0))
    return [f"{series}{number:0{DIGITS}d}" for number in range(after + 1, after + copies + 1)]
