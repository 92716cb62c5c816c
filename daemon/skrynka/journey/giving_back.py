"""Work that broke off goes back to the queue, even if the database is what broke off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from skrynka.core.errors import DatabaseAway, EnvironmentUnfit, LeaseLost
from skrynka.readers.processes import ReaderStopped
from skrynka.steps.archive import ArchiveDamaged


class GivingBack:
    """Remembers what could not be given back yet; one per thread that takes work."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], None]] = []

    @contextmanager
    def if_broken_off(self, release: Callable[[bool], None]) -> Iterator[None]:
        """Call `release(counted)` if what is done inside raises; what it raises goes on.

        Not counted as an attempt: the service stops, or a disk, the archive or the database fails. Counted: anything
        else, so that work which breaks off whenever it is tried ends in quarantine. LeaseLost: somebody else has it.
        """
        try:
            yield
        except LeaseLost:
            raise
        except ArchiveDamaged:
            # What is wrong is this work's own original: it must not stand before all others for ever.
            self._later(release, counted=True)
            raise
        except (ReaderStopped, OSError, EnvironmentUnfit):
            self._later(release, counted=False)
            raise
        except Exception:
            self._later(release, counted=True)
            raise

    def retry(self) -> None:
        """Give back what waits. Raises DatabaseAway; then it goes on waiting."""
        while self._waiting:
            with suppress(LeaseLost):
                self._waiting[0]()
            self._waiting.pop(0)

    def _later(self, release: Callable[[bool], None], *, counted: bool) -> None:
        self._waiting.append(lambda: release(counted))
        try:
            self.retry()
        except DatabaseAway:
            return
