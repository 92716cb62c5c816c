"""A reader that leaves its core to filing while stacks wait: filed last, one by one, they would have one core."""

from __future__ import annotations

from collections.abc import Callable


class GivingWay:
    """Reads, unless others should go first. Called from one thread."""

    def __init__(self, read_next: Callable[[], bool], others_first: Callable[[], bool]) -> None:
        """`read_next` does one piece of work and says whether there was any."""
        self._read_next = read_next
        self._others_first = others_first
        self._owes = False

    def read_next(self) -> bool:
        """Do a piece of work; give False when none waits, or others go first. Raises what reading raises.

        Nobody goes before what it still owes: a result that couldn't be recorded, a scan that it has without knowing.
        """
        if self._others_first() and not self._owes:
            return False
        self._owes = True
        did = self._read_next()
        self._owes = False
        return did
