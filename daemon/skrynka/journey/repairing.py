"""What an audit found and can safely be mended, one after the other; the rest is left for a person.

Only with the station's lock, so with its daemon ended. The order matters: scans that only the archive knows are
registered first, and documents that nobody has are removed only in a run that registered none, when none is on its
way: what the daemon files again is cut into the very same files.

Each mending is whole by itself: a repair that was killed is done again.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from skrynka.core.auditing import Report
from skrynka.core.errors import DatabaseAway, DatabaseRefused, EnvironmentUnfit, ScanRejected
from skrynka.core.flaws import Flaw, FoundFlaw
from skrynka.core.sidecars import ToldScan, is_earlier, sidecar_of, told_scan
from skrynka.journey.auditing_remains import AuditedStation
from skrynka.journey.quarantining import Spoilt, note
from skrynka.steps.archive import Archive
from skrynka.steps.archive.mending import ArchiveMending
from skrynka.steps.archive.walk import digest, digest_of_beginning
from skrynka.steps.remains import spool_folders
from skrynka.steps.scan_numbers import ScanNumbers
from skrynka.store.archived import known_originals, set_aside, told_scans, unfinished
from skrynka.store.boxes import Box, sync_boxes
from skrynka.store.database import Database
from skrynka.store.mending import has_document, record_mending, recount
from skrynka.store.registration import NewScan, Registered, register_scan

_UNKNOWN_SCANS = (Flaw.SCAN_UNREGISTERED, Flaw.SCAN_OF_UNKNOWN_BOX, Flaw.SCAN_NUMBER_TAKEN, Flaw.ORIGINAL_UNTOLD)

_NEEDED = "scans are on their way that may need it; repair again when they are filed"


@dataclass(frozen=True, slots=True)
class Mended:
    """What was tried about a flaw."""

    found: FoundFlaw
    done: bool
    said: str
    """What was done, or why not."""


class _Left(Exception):
    """It isn't mended; the argument says why, in words of ours."""


class Repair:
    """The mending of one station."""

    def __init__(
        self,
        database: Database,
        archive: Archive,
        mending: ArchiveMending,
        station: AuditedStation,
        station_name: str,
        boxes: Sequence[Box],
        actor: str,
    ) -> None:
        """`boxes` are those configured; `actor` is who asked, such as "audit:olena"."""
        self._database = database
        self._archive = archive
        self._mending = mending
        self._station = station
        self._station_name = station_name
        self._boxes = boxes
        self._actor = actor
        self._scans_unknown = False

    def mend(self, report: Report) -> Iterator[Mended]:
        """Mend what can be, as it is asked for one by one; give what was tried, in order.

        Raises DatabaseAway, and ConfigurationError where another station has a configured box.
        """
        sync_boxes(self._database, self._station.code, self._station_name, self._boxes)
        found = report.found
        self._scans_unknown = any(each.flaw in _UNKNOWN_SCANS for each in found)
        ways: tuple[tuple[Flaw, Callable[[FoundFlaw], str]], ...] = (
            (Flaw.SCAN_UNREGISTERED, self._register),
            (Flaw.SCAN_NUMBER_BEHIND, self._raise_number),
            (Flaw.COUNTERS_WRONG, self._recount),
            (Flaw.SIDECAR_MISSING, self._write_sidecar),
            (Flaw.SIDECAR_DAMAGED, self._write_sidecar),
            (Flaw.ORIGINAL_EARLIER, self._remove_earlier),
            (Flaw.NOTE_MISSING, self._write_note),
            (Flaw.NOTE_STRAY, self._remove_note),
            (Flaw.INCOMING_LEFT, self._remove_left),
            (Flaw.WORK_LEFT, self._remove_work),
            (Flaw.DOCUMENT_ORPHANED, self._remove_orphan),
        )
        for flaw, way in ways:
            for each in self._in_order([one for one in found if one.flaw is flaw]):
                yield self._try(each, way)

    def _in_order(self, found: list[FoundFlaw]) -> list[FoundFlaw]:
        """Give scans in the order of their numbers: a duplicate comes after its original, and a pile in its order."""
        return sorted(found, key=_number) if found and found[0].flaw is Flaw.SCAN_UNREGISTERED else found

    def _try(self, found: FoundFlaw, way: Callable[[FoundFlaw], str]) -> Mended:
        if found.station not in {None, self._station.code}:
            return Mended(found, done=False, said=f"left: it is to be mended on station {found.station}")
        try:
            return Mended(found, done=True, said=way(found))
        except _Left as left:
            return Mended(found, done=False, said=f"left: {left}")
        except OSError as error:
            name = errno.errorcode.get(error.errno or 0, type(error).__name__)
            return Mended(found, done=False, said=f"left: it can't be written ({name})")
        except DatabaseAway:
            raise
        except EnvironmentUnfit as error:
            return Mended(found, done=False, said=f"left: {error.message}")

    def _register(self, found: FoundFlaw) -> str:
        told = self._told(found)
        original = self._mending.original(told.sha256)
        if original is None or digest(original) != told.sha256:
            raise _Left("its original isn't what its hash says")
        try:
            registration = register_scan(self._database, _new_scan(told), self._actor)
        except DatabaseRefused as refused:
            why = "its number is another scan's" if refused.kind == "unique" else "the database refuses it"
            raise _Left(why) from None
        if registration.outcome is Registered.OTHER_BYTES:
            raise _Left("its row has other bytes")
        if registration.outcome is Registered.DUPLICATE:
            return f"registered again, as a duplicate of {registration.duplicate_of}"
        return "registered again: the daemon reads and files it, and its cases may get other numbers than they had"

    def _raise_number(self, found: FoundFlaw) -> str:
        (number,) = found.key
        ScanNumbers(self._station.state).raise_to(int(number))
        self._record(found)
        return f"raised to {number}"

    def _recount(self, found: FoundFlaw) -> str:
        if not recount(self._database, found.key[0], self._actor):
            raise _Left("its pages aren't whole")
        return "counted again"

    def _write_sidecar(self, found: FoundFlaw) -> str:
        row = told_scans(self._database, found.key[1:]).get(found.key[1]) if found.key else None
        if row is None:
            raise _Left("no row tells what it must say")
        self._mending.write_sidecar(row.sha256, row.id, sidecar_of(row))
        self._record(found, row.id)
        return "written from the scan's row"

    def _remove_earlier(self, found: FoundFlaw) -> str:
        """Remove what was stored of a scan before its file grew: all of it is in the scan's own original."""
        told = self._told(found)
        row = told_scans(self._database, [told.id]).get(told.id)
        if row is None or not is_earlier(told, row):
            raise _Left("its sidecar and its row are another's by now")
        own, earlier = self._mending.original(row.sha256), self._mending.original(told.sha256)
        if own is None or digest(own) != row.sha256:
            raise _Left("the scan's own original isn't what its hash says")
        if earlier is not None and digest(earlier) != told.sha256:
            raise _Left("its bytes aren't what their hash says")
        if digest_of_beginning(own, told.size_bytes) != told.sha256:
            raise _Left("the scan's own original doesn't begin with its bytes")
        if self._mending.sidecars(told.sha256) == {told.id} and not known_originals(self._database, [told.sha256]):
            # Before the sidecar: an original that nothing tells of could only be looked at by a person.
            self._mending.remove_original(told.sha256)
        self._mending.remove_sidecar(told.sha256, told.id)
        self._record(found, told.id)
        return "removed: the scan's own original begins with it"

    def _write_note(self, found: FoundFlaw) -> str:
        scan = set_aside(self._database).get(found.key[0])
        if scan is None:
            raise _Left("it isn't in quarantine any more")
        told = scan.told
        note(self._archive, Spoilt(told.id, told.name, told.box, told.sha256), ScanRejected(scan.reason, scan.page))
        self._record(found, told.id)
        return "written"

    def _remove_note(self, found: FoundFlaw) -> str:
        self._mending.remove_note(found.key[0])
        self._record(found)
        return "removed"

    def _remove_left(self, found: FoundFlaw) -> str:
        removed = self._mending.remove_left(found.key[0])
        self._record(found)
        return "removed" if removed else "put back: whether a case has it is looked for again"

    def _remove_work(self, found: FoundFlaw) -> str:
        shutil.rmtree(self._station.work / found.key[0])
        self._record(found)
        return "removed"

    def _remove_orphan(self, found: FoundFlaw) -> str:
        if self._scans_unknown:
            raise _Left("scans that only the archive knows may need it; repair again when they are filed")
        if self._on_its_way():
            raise _Left(_NEEDED)
        # Out of sight first, and looked for once more: a worker of another station that saw it there before has its
        # stack in work still, or its case on record already.
        (sha256,) = found.key
        aside = self._mending.set_document_aside(sha256)
        needed = True
        try:
            needed = self._on_its_way() or has_document(self._database, sha256)
        finally:
            if needed:
                self._mending.put_back(aside)
        if needed:
            raise _Left(_NEEDED)
        self._mending.remove(aside)
        self._record(found)
        return "removed"

    def _on_its_way(self) -> bool:
        claims = any(not folder.bare for folder in spool_folders(self._station.spool))
        return claims or unfinished(self._database) > 0

    def _told(self, found: FoundFlaw) -> ToldScan:
        sha256, scan_id = found.key
        try:
            return told_scan(self._mending.sidecar(sha256, scan_id))
        except ValueError:
            raise _Left("its sidecar can't be read") from None

    def _record(self, found: FoundFlaw, scan_id: str | None = None) -> None:
        record_mending(self._database, self._actor, self._station.code, found.flaw.value, found.about, scan_id)


def _number(found: FoundFlaw) -> tuple[int, str]:
    digits = found.about.rpartition("-")[2]
    with suppress(ValueError):
        return int(digits), found.about
    return 0, found.about


def _new_scan(told: ToldScan) -> NewScan:
    return NewScan(
        id=told.id,
        station_code=told.station,
        number=told.number,
        box_code=told.box,
        original_name=told.original_name,
        sha256=told.sha256,
        size_bytes=told.size_bytes,
        file_type=told.file_type,
        claimed_at=told.claimed_at,
        written_at=told.written_at,
        after_gap=told.after_gap,
    )
