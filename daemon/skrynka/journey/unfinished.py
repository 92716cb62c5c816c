"""Work that broke off: what it came to is recorded later, or it goes back to the queue; the database may be what broke.

The answer to a commit may be lost, and then nobody knows whether it happened. So whatever writes a result down may be
called again, and changes nothing the second time: the worker asks again until it is told.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from skrynka.core.errors import DatabaseAway, EnvironmentUnfit, LeaseLost
from skrynka.core.turns import Turns
from skrynka.readers.processes import ReaderHindered, ReaderStopped
from skrynka.steps.archive import ArchiveAway, ArchiveDamaged

Record = Callable[[Callable[[], None]], None]
"""Calls what writes a result down, now; and again later where it raises DatabaseAway."""

_WHOLE_DISKS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE})
"""What a disk or the machine says that would fail any other work as well."""


class Unfinished:
    """What a worker still owes the database; one per thread that takes work."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives monotonic seconds."""
        self._clock = clock
        self._owed: list[Callable[[], None]] = []
        self._turns = Turns()

    @property
    def behind(self) -> tuple[str, ...]:
        """Name the work, by its id, that is to be taken when nothing else waits, the one tried longest ago first."""
        return self._turns.behind(self._clock())

    @contextmanager
    def work(self, name: str, release: Callable[[bool], None]) -> Iterator[Record]:
        """Give what records the result of the work with this id; call `release(counted)` if it breaks off before that.

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
                self._owed.append(lambda: self._again(name, write, release))
                raise

        try:
            yield record
        except LeaseLost:
            raise
        except Exception as error:
            if not owed:
                counted = self._is_counted(name, error)
                self._owed.append(lambda: release(counted))
                with suppress(DatabaseAway):
                    self.settle()
            raise
        self._turns.forget(name)

    def settle(self) -> bool:
        """Record and give back what is owed; say whether there was anything, for the next stage waits for it then.

        Raises DatabaseAway (it goes on being owed), and what recording raises.
        """
        owing = bool(self._owed)
        while self._owed:
            with suppress(LeaseLost):
                self._owed[0]()
            self._owed.pop(0)
        return owing

    def _again(self, name: str, write: Callable[[], None], release: Callable[[bool], None]) -> None:
        try:
            write()
        except (DatabaseAway, LeaseLost):
            raise
        except Exception as error:
            # It stands first until it is settled: what can't be recorded mustn't be tried for ever.
            counted = self._is_counted(name, error)
            self._owed[0] = lambda: release(counted)
            raise

    def _is_counted(self, name: str, error: Exception) -> bool:
        """Say whether this was an attempt; where it may be the work's own trouble, the others go before it."""
        match error:
            case ReaderStopped() | ArchiveAway() | DatabaseAway():
                return False
            case OSError(errno=int(number)) if number in _WHOLE_DISKS:
                return False
            case ArchiveDamaged():
                # What is wrong is this work's own original: it must not stand before all others for ever.
                counted = True
            case ReaderHindered():
                counted = error.counted
            case _:
                counted = not isinstance(error, OSError | EnvironmentUnfit)
        self._turns.stand_back(name, self._clock())
        return counted
