"""Housekeeping: what crashes left in the archive goes, long after anybody could still want it.

A document that was cut and never recorded is cut again from its original, so that nothing is lost with it. A day of
grace lies between: whoever stores a document again makes its file young again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog

from skrynka.steps.archive import Archive
from skrynka.store.database import Database
from skrynka.store.records import recorded_documents

_LOG = structlog.get_logger(__name__)
_GRACE_SECONDS = 86_400.0
_FIRST_SECONDS = 600.0
"""After a start there is better to do."""
_EVERY_SECONDS = 86_400.0


@dataclass(slots=True)
class _Round:
    prefixes: Iterator[str]
    removed: int = 0


class Housekeeping:
    """The stage; called from the thread that files, where no document is on its way meanwhile."""

    def __init__(
        self,
        database: Database,
        archive: Archive,
        station: str,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`clock` gives monotonic seconds, `wall` seconds since 1970, as files' times are."""
        self._database = database
        self._archive = archive
        self._station = station
        self._clock = clock
        self._wall = wall
        self._due = clock() + _FIRST_SECONDS
        self._round: _Round | None = None

    def do_a_little(self) -> bool:
        """Tidy one of the archive's 256 folders if a round is due, once a day; say whether there is more to do now.

        Raises DatabaseAway, ArchiveAway; the round goes on at the next call.
        """
        if self._round is None:
            if self._clock() < self._due:
                return False
            self._due = self._clock() + _EVERY_SECONDS
            # Documents of somebody else's database would all look like orphans.
            if not (self._database.shared or self._archive.identity.founder == self._station):
                return False
            self._round = _Round(iter([f"{number:02x}" for number in range(256)]))
        before = self._wall() - _GRACE_SECONDS
        prefix = next(self._round.prefixes, None)
        if prefix is not None:
            old = self._archive.old_documents(prefix, before)
            for sha256 in old - recorded_documents(self._database, old):
                self._archive.remove_document(sha256)
                self._round.removed += 1
            return True
        removed = self._round.removed + self._archive.sweep_incoming(before)
        self._round = None
        if removed:
            _LOG.info("orphans_removed", orphans=removed)
        return False
