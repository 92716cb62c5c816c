"""Housekeeping: what crashes left in the archive goes, long after anybody could still want it.

A document that was cut and never recorded is cut again from its original, so nothing is lost with it. Yet nothing goes
while anybody may still have it: a day of grace lies between, no scan may be on its way, and the database must know
every scan that the archive holds. One that doesn't was brought back from an old backup, or is another's: then each of
its documents would look like an orphan, and a person must hear of it, however busy the station is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog

from skrynka.core.sidecars import is_earlier, told_scan
from skrynka.steps.archive import Archive, ArchiveDamaged
from skrynka.steps.archive.identity import away_if_failing
from skrynka.steps.archive.mending import ArchiveMending
from skrynka.store.archived import known_originals, told_scans, unfinished
from skrynka.store.database import Database
from skrynka.store.mending import has_document
from skrynka.store.records import recorded_documents

_LOG = structlog.get_logger(__name__)
_GRACE_SECONDS = 86_400.0
_FIRST_SECONDS = 600.0
"""After a start there is better to do."""
_EVERY_SECONDS = 86_400.0
_STEP_SECONDS = 0.2
"""Nothing is filed meanwhile."""
_BUSY_SECONDS = 3_600.0
"""When it is looked again whether nothing is on its way."""
_PREFIXES = [f"{number:02x}" for number in range(256)]


class Housekeeping:
    """The stage; called from the thread that files, where no document is on its way meanwhile."""

    def __init__(
        self,
        database: Database,
        archive: Archive,
        root: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Tidy the archive in the folder `root`. `clock` gives monotonic seconds."""
        self._database = database
        self._archive = archive
        self._mending = ArchiveMending(root)
        self._clock = clock
        self._due = clock() + _FIRST_SECONDS
        self._compare_by = self._due
        """When the archive is compared with the database even though something is on its way."""
        self._round: Iterator[None] | None = None
        self._step_began = self._clock()

    def begin_now(self) -> None:
        """Have the archive compared at once: beside a database that knows no scan, one that holds some says much."""
        self._due = self._compare_by = self._clock()

    def do_a_little(self) -> bool:
        """Look through one of the archive's folders that has anything old in it, if a round is due, once a day.

        Says whether there is more to do now.

        Raises DatabaseAway, ArchiveAway: the round is begun anew an hour later.
        """
        if self._round is None:
            if self._clock() < self._due:
                return False
            self._due = self._clock() + _EVERY_SECONDS
            self._round = self._tidy()
        self._step_began = self._clock()
        try:
            next(self._round)
        except StopIteration:
            self._round = None
            return False
        except BaseException:
            self._round = None
            self._put_off()
            raise
        return True

    def _put_off(self) -> None:
        self._due = self._clock() + _BUSY_SECONDS

    def _tidy(self) -> Iterator[None]:
        """Do a round, at each step a folder that has anything old in it.

        Comparing removes nothing, and a station in steady work is never found idle: it is done once a day whatever is
        on its way. Removing waits until nothing is, and for a comparison just before it.
        """
        if unfinished(self._database) and self._clock() < self._compare_by:
            self._put_off()
            return
        begun = self._clock()
        # By the archive's own clock: with the station's, which may be days off, what is being stored could look old.
        before = self._archive.now() - _GRACE_SECONDS
        for prefix in _PREFIXES:
            old = self._archive.old_originals(prefix, before)
            if self._goes_on(old):
                continue
            unknown = old - known_originals(self._database, old)
            if strange := sum(not self._is_known_otherwise(sha256) for sha256 in unknown):
                _LOG.warning("scans_unregistered", scans=strange)
                return
            yield
        self._compare_by = begun + _EVERY_SECONDS
        if unfinished(self._database):
            self._put_off()
            return
        removed = 0
        for prefix in _PREFIXES:
            old = self._archive.old_documents(prefix, before)
            if self._goes_on(old):
                continue
            for sha256 in old - recorded_documents(self._database, old):
                removed += self._remove(sha256)
            yield
        removed += self._archive.sweep_incoming(before)
        if removed:
            _LOG.info("orphans_removed", orphans=removed)

    def _goes_on(self, old: set[str]) -> bool:
        """Say whether a step goes on to the next folder: nothing old is in this one, and it was looked at quickly."""
        return not old and self._clock() - self._step_began < _STEP_SECONDS

    def _is_known_otherwise(self, sha256: str) -> bool:
        """Say whether an original is but what was stored of scans before their files changed and were registered.

        Then the database knows these scans, and the archive has them as it knows them.
        """
        with away_if_failing():
            ids = self._mending.sidecars(sha256)
            rows = told_scans(self._database, ids)
            if not ids or ids != rows.keys():
                return False
            try:
                for scan_id, row in rows.items():
                    told = told_scan(self._mending.sidecar(sha256, scan_id))
                    if told.sha256 != sha256 or not is_earlier(told, row):
                        return False
                    self._archive.verify_original(row.sha256)
            except (ValueError, ArchiveDamaged):
                return False
        return True

    def _remove(self, sha256: str) -> bool:
        """Remove a document that nobody has; out of sight first, and looked for afterwards, as an audit's repair does.

        Whoever saw it there before has its stack in work still, or its case on record already.
        """
        with away_if_failing():
            aside = self._mending.set_document_aside(sha256)
            wanted = True
            try:
                wanted = unfinished(self._database) > 0 or has_document(self._database, sha256)
            finally:
                if wanted:
                    self._mending.put_back(aside)
            if not wanted:
                self._mending.remove(aside)
        return not wanted
