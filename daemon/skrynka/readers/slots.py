"""How many reader processes work at a time: a scan has one of its own, and what others don't use is lent to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Slots:
    """Counts who reads. Safe to use from several threads at a time."""

    def __init__(self, count: int) -> None:
        """`count` is how many may read when every one is lent."""
        self._count = count
        self._taken = 0
        self._lock = threading.Lock()

    @contextmanager
    def own(self) -> Iterator[None]:
        """Have one for a scan: at once, for who has borrowed one gives it back after the portion that it is at."""
        self._add(1)
        try:
            yield
        finally:
            self._add(-1)

    def borrow(self) -> bool:
        """Take one that nobody uses, where there is one; it is given back with `give_back`."""
        with self._lock:
            if self._taken >= self._count:
                return False
            self._taken += 1
            return True

    def give_back(self) -> None:
        """Give back what was borrowed."""
        self._add(-1)

    @property
    def free(self) -> int:
        """How many nobody uses."""
        return max(self._count - self._taken, 0)

    @property
    def missed(self) -> bool:
        """Whether one that was borrowed should be given back: more work than may."""
        return self._taken > self._count

    def _add(self, change: int) -> None:
        with self._lock:
            self._taken += change
