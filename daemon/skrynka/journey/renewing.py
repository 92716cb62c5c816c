"""Long work shows that it goes on: to the supervisor at every step, to the database before its lease ends."""

from __future__ import annotations

import time
from collections.abc import Callable


class Renewal:
    """Keeps one piece of work; called with each step that is done."""

    def __init__(self, renew: Callable[[], None], lease_seconds: float, show_life: Callable[[], None]) -> None:
        """`renew` makes the lease last `lease_seconds` from now; it was taken for as long just now."""
        self._renew = renew
        self._lease_seconds = lease_seconds
        self._show_life = show_life
        self._renewed = time.monotonic()

    def step(self) -> None:
        """Say that a step is done. Raises what `renew` raises: LeaseLost, DatabaseAway."""
        self._show_life()
        if time.monotonic() - self._renewed > self._lease_seconds / 3:
            self._renew()
            self._renewed = time.monotonic()
