"""An audit: the whole account counted anew, the archive held against the database, and what was left lying.

Nothing is changed, and the daemon may go on meanwhile: what is found while it works is looked at once more a moment
later, so that what was only on its way isn't told.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Protocol

from skrynka.core.auditing import Report, gaps, spans
from skrynka.core.errors import DatabaseDamaged, DatabaseRefused
from skrynka.core.flaws import Flaw, FoundFlaw
from skrynka.journey.auditing_archive import ArchiveAudit
from skrynka.journey.auditing_remains import AuditedStation, RemainsAudit
from skrynka.steps.archive.walk import ArchiveWalk
from skrynka.steps.scan_numbers import ScanNumbers
from skrynka.store.archived import hash_ranges, scan_numbers, serials
from skrynka.store.auditing import account_flaws
from skrynka.store.database import Database

GRACE = timedelta(days=1)
"""What nobody knows may be on its way for so long, and what waits may wait for so long."""
KEPT = 1000
"""So many of each flaw are told in full; a disk that lost its papers would fill the memory else."""
_MOMENT_SECONDS = 2.0
"""Longer than a daemon takes between two steps that belong together."""


class _Part(Protocol):
    """A part of the audit."""

    def __call__(self, *, quick: bool) -> Iterator[FoundFlaw]:
        """Look; `quick`: believe that bytes are what they were."""


BYTES = frozenset({Flaw.ORIGINAL_CHANGED, Flaw.DOCUMENT_CHANGED, Flaw.NAME_WRONG})
"""Flaws of bytes: they never change on their way, and nothing is gained by reading them twice."""
Look = Callable[[str, int, int, int], None]
"""Is told how far it is: what is looked at, which part of how many that is, and how many bytes were hashed so far."""


def nobody_looks(_part: str, _done: int, _parts: int, _size_bytes: int) -> None:
    """Tell nobody how far it is."""


class Audit:
    """One look at one station."""

    def __init__(
        self,
        database: Database,
        archive: ArchiveWalk,
        station: AuditedStation,
        require: Callable[[], None],
        *,
        quick: bool = False,
        most: int | None = KEPT,
        progress: Look = nobody_looks,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take what is to be looked at; `require` raises EnvironmentUnfit where the archive isn't the station's.

        `quick` hashes nothing: files are looked for and measured. `most` of each flaw are kept (None: all).
        """
        self._database = database
        self._station = station
        self._require = require
        self._quick = quick
        self._most = most
        self._progress = progress
        self._wait = wait
        self._hashed = 0
        self._place = ("", 0)
        since = database.now() - GRACE
        self._since = since
        self._remains = RemainsAudit(database, station, since)
        self._archive = ArchiveAudit(database, archive, station, since, self._read)
        self._parts: list[tuple[str, _Part]] = []

    def look(self) -> Report:
        """Look at everything. Raises DatabaseAway, and EnvironmentUnfit where the archive or a folder can't be read."""
        self._require()
        ranges = hash_ranges(self._database)
        self._parts = [("account", self._account), ("spool", self._lying)]
        self._parts += [("originals", partial(self._archive.originals, beginning)) for beginning in ranges]
        self._parts += [("documents", partial(self._archive.documents, beginning)) for beginning in ranges]
        self._parts += [("archive", self._beside), ("numbers", self._numbers)]
        report = Report(self._most)
        parts: set[int] = set()
        for number, (name, part) in enumerate(self._parts):
            self._place = (name, number)
            self._tell()
            for found in _told(part, quick=self._quick):
                if report.add(found) and found.flaw not in BYTES:
                    parts.add(number)
        if parts and (self._station.runs or self._database.shared):
            self._wait(_MOMENT_SECONDS)
            self._confirm(report, parts)
        self._require()  # it may have gone meanwhile, and then nothing is known to be missing
        return report

    def _confirm(self, report: Report, parts: set[int]) -> None:
        """Leave of what was found what still is so."""
        still: set[tuple[Flaw, str]] = set()
        for number in sorted(parts):
            name, part = self._parts[number]
            self._place = (name, number)
            self._tell()
            still |= {(found.flaw, found.about) for found in _told(part, quick=True)}
        report.leave(lambda found: found.flaw in BYTES or (found.flaw, found.about) in still)

    def _account(self, *, quick: bool) -> Iterator[FoundFlaw]:
        yield from account_flaws(self._database, self._since, quick=quick)

    def _lying(self, *, quick: bool) -> Iterator[FoundFlaw]:  # noqa: ARG002 - nothing in it takes long
        yield from self._remains.flaws()

    def _beside(self, *, quick: bool) -> Iterator[FoundFlaw]:  # noqa: ARG002 - nothing in it takes long
        yield from self._archive.beside()

    def _numbers(self, *, quick: bool) -> Iterator[FoundFlaw]:  # noqa: ARG002 - nothing in it takes long
        """Look at what must never be given twice: the running scan number, and the serials of sheets."""
        code = self._station.code
        given = ScanNumbers(self._station.state).last
        claimed = {claim.number for claim in self._remains.claims().values() if claim.station == code}
        unregistered = self._archive.unregistered
        highest = max(max(scan_numbers(self._database, code), default=0), *claimed, *unregistered, 0)
        if given < highest:
            detail = f"it says {given}, and {highest} was given"
            yield FoundFlaw(Flaw.SCAN_NUMBER_BEHIND, code, detail, code, (str(highest),))
        known = heapq.merge(scan_numbers(self._database, code), sorted(claimed | unregistered))
        missing = spans(gaps(known, max(given, highest)))
        if missing:
            yield FoundFlaw(Flaw.SCAN_NUMBERS_MISSING, code, missing, code)
        printed, seen = serials(self._database, self._station.series)
        if seen > printed:
            detail = f"the last one given is {printed}, and {seen} came in"
            yield FoundFlaw(Flaw.SERIALS_BEHIND, self._station.series, detail)

    def _read(self, size_bytes: int) -> None:
        self._hashed += size_bytes
        self._tell()

    def _tell(self) -> None:
        self._progress(self._place[0], self._place[1], len(self._parts), self._hashed)


def look_again(audit: Audit, before: Report) -> Report:
    """Look once more, quickly: what was hashed for the report before is what it was. Raises as `Audit.look` does."""
    report = audit.look()
    wrong = [found for found in before.found if found.flaw in BYTES]
    # Unhashed, a document under a wrong name looks like one that nobody has.
    unhashed = {(Flaw.DOCUMENT_ORPHANED, found.about) for found in wrong if found.flaw is Flaw.NAME_WRONG}
    report.leave(lambda found: found.flaw not in BYTES and (found.flaw, found.about) not in unhashed)
    for found in wrong:
        report.add(found)
    return report


def _told(part: _Part, *, quick: bool) -> Iterator[FoundFlaw]:
    """Give what a part finds, up to where the database can't answer any more: that is a flaw too."""
    try:
        yield from part(quick=quick)
    except DatabaseDamaged as damaged:
        yield FoundFlaw(Flaw.DATABASE_DAMAGED, "database", damaged.code)
    except DatabaseRefused as refused:
        yield FoundFlaw(Flaw.DATABASE_DAMAGED, "database", refused.constraint)
