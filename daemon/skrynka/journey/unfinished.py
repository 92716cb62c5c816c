"""Work that broke off: what it came to is recorded later, or it goes back to the queue; the database may be what broke.

The answer to a commit may be lost, and then nobody knows whether it happened. So whatever writes a result down may be
called again, and changes nothing the second time: the worker asks again until it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from skrynka.core.errors import DatabaseAway, EnvironmentUnfit, LeaseLost
from skrynka.readers.processes import ReaderStopped
from skrynka.steps.archive import ArchiveDamaged

Record = Callable[[Callable[[], None]], None]
"""Calls what writes a result down, now; and again later where it raises DatabaseAway."""


class Unfinished:
    """What a worker still owes the database; one per thread that takes work."""

    def __init__(self) -> None:
        self._owed: list[Callable[[], None]] = []

    @contextmanager
    def work(self, release: Callable[[bool], None]) -> Iterator[Record]:
        """Give what records the work's result; call `release(counted)` if the work breaks off before that.

        What is raised inside goes on. Not counted as an attempt: the service stops, or a disk, the archive or the
        database fails. Counted: anything else, so that work which breaks off whenever it is tried ends in quarantine.
        LeaseLost: somebody else has it. A result that couldn't be recorded isn't released: it is recorded later.
        """
        owed = False

        def record(write: Callable[[], None]) -> None:
            nonlocal owed
            try:
                write()
            except DatabaseAway:
                owed = True
                self._owed.append(lambda: self._again(write, release))
                raise

        try:
            yield record
        except LeaseLost:
            raise
        except ArchiveDamaged:
            # What is wrong is this work's own original: it must not stand before all others for ever.
            self._give_back(release, counted=True)
            raise
        except (ReaderStopped, OSError, EnvironmentUnfit):
            if not owed:
                self._give_back(release, counted=False)
            raise
        except Exception:
            self._give_back(release, counted=True)
            raise

    def settle(self) -> None:
        """Record and give back what is owed. Raises DatabaseAway (it goes on being owed), and what recording raises."""
        while self._owed:
            with suppress(LeaseLost):
                self._owed[0]()
            self._owed.pop(0)

    def _give_back(self, release: Callable[[bool], None], *, counted: bool) -> None:
        self._owed.append(lambda: release(counted))
        with suppress(DatabaseAway):
            self.settle()

    def _again(self, write: Callable[[], None], release: Callable[[bool], None]) -> None:
        try:
            write()
        except (DatabaseAway, LeaseLost):
            raise
        except Exception:
            # It stands first until it is settled: what can't be recorded mustn't be tried for ever.
            counted = True
            self._owed[0] = lambda: release(counted)
            raise
