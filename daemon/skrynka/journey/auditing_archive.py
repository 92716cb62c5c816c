"""The archive against the database: every file is hashed, every row's file looked for, and the other way round."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from skrynka.core.flaws import Flaw, FoundFlaw
from skrynka.core.sidecars import ToldScan, differences, is_earlier, told_scan
from skrynka.journey.auditing_remains import AuditedStation
from skrynka.steps.archive.walk import ArchiveWalk, NoteFolder, OriginalFolder, digest, measure
from skrynka.steps.remains import spool_folders
from skrynka.store.archived import (
    KnownDocument,
    documents_under,
    known_boxes,
    number_taken,
    scan_states,
    scans_under,
    set_aside,
    told_scans,
)
from skrynka.store.database import Database
from skrynka.store.states import ScanState

T = TypeVar("T")

_FINISHED = (ScanState.FILED, ScanState.DUPLICATE)


class ArchiveAudit:
    """The look at one archive."""

    def __init__(
        self,
        database: Database,
        walk: ArchiveWalk,
        station: AuditedStation,
        since: datetime,
        on_bytes: Callable[[int], None],
    ) -> None:
        """Tell of what nobody knows when it is older than `since`: younger, it may be on its way."""
        self._database = database
        self._walk = walk
        self._station = station
        self._since = since.timestamp()
        self._on_bytes = on_bytes
        self._boxes: frozenset[str] | None = None
        self.unregistered: set[int] = set()
        """The numbers of our scans that only sidecars tell of, as far as `originals` was called."""

    def originals(self, beginning: str, *, quick: bool) -> Iterator[FoundFlaw]:
        """Look at the originals whose hash begins so."""
        # The rows first: whatever has a row has had its files for long.
        rows = scans_under(self._database, beginning)
        for prefix in self._walk.prefixes(beginning):
            yield from self._originals(prefix, _with(prefix, rows), quick=quick)

    def documents(self, beginning: str, *, quick: bool) -> Iterator[FoundFlaw]:
        """Look at the documents whose hash begins so."""
        rows = documents_under(self._database, beginning)
        for prefix in self._walk.prefixes(beginning):
            yield from self._documents(prefix, _with(prefix, rows), quick=quick)

    def _originals(self, prefix: str, rows: Mapping[str, list[ToldScan]], *, quick: bool) -> Iterator[FoundFlaw]:
        folders = self._walk.originals(prefix)
        for sha256 in sorted(rows.keys() | folders.keys()):
            scans, folder = rows.get(sha256, []), folders.get(sha256)
            if folder is None or not folder.originals:
                yield from self._without_original(scans, folder)
            else:
                yield from self._original(scans, folder, quick=quick)
                yield from self._sidecars(scans, folder)
            if folder is not None:
                yield from self._litter(folder)
        yield from self._unknown(self._walk.unknown_under(prefix))

    def _documents(self, prefix: str, rows: Mapping[str, KnownDocument], *, quick: bool) -> Iterator[FoundFlaw]:
        files = self._walk.documents(prefix)
        for sha256, known in sorted(rows.items()):
            file = files.get(sha256)
            measured = measure(file) if file is not None else None
            if file is None or measured is None:
                yield FoundFlaw(Flaw.DOCUMENT_MISSING, known.name, sha256, known.station_code)
            elif measured[0] != known.size_bytes:
                detail = f"{measured[0]} bytes instead of {known.size_bytes}"
                yield FoundFlaw(Flaw.DOCUMENT_CHANGED, known.name, detail, known.station_code)
            elif not quick and digest(file, self._on_bytes) != sha256:
                yield FoundFlaw(Flaw.DOCUMENT_CHANGED, known.name, "another hash", known.station_code)
        for path in self._walk.set_aside(prefix):
            yield FoundFlaw(Flaw.INCOMING_LEFT, self._walk.place(path), key=(self._walk.place(path),))
        for sha256 in sorted(files.keys() - rows.keys()):
            measured = measure(files[sha256])
            if measured is None or measured[1] > self._since:
                continue
            place = self._walk.place(files[sha256])
            if not quick and digest(files[sha256], self._on_bytes) != sha256:
                yield FoundFlaw(Flaw.NAME_WRONG, place, "another hash")
            else:
                yield FoundFlaw(Flaw.DOCUMENT_ORPHANED, place, f"{measured[0]} bytes", key=(sha256,))

    def beside(self) -> Iterator[FoundFlaw]:
        """Look at the quarantine, at what was being written, and at what isn't ours."""
        rows = set_aside(self._database)
        noted = set()
        folders = list(self._walk.notes())
        states = scan_states(self._database, {folder.scan_id for folder in folders})
        for folder in folders:
            scan = rows.get(folder.scan_id)
            yield from self._half_written(folder.half_written)
            yield from self._unknown(folder.unknown)
            if scan is None:
                yield from self._stray(folder, states.get(folder.scan_id))
            elif folder.name != scan.told.name:
                yield FoundFlaw(Flaw.NAME_WRONG, self._walk.place(folder.path), f"it is {scan.told.name}'s")
            elif folder.reason:
                noted.add(folder.scan_id)
        for scan_id in sorted(rows.keys() - noted):
            told = rows[scan_id].told
            yield FoundFlaw(Flaw.NOTE_MISSING, told.name, rows[scan_id].reason.value, told.station, (scan_id,))
        for path, changed_at in self._walk.incoming():
            if changed_at < self._since or not (self._station.runs or self._database.shared):
                yield FoundFlaw(Flaw.INCOMING_LEFT, self._walk.place(path), key=(self._walk.place(path),))
        yield from self._unknown(self._walk.unknown())

    def _without_original(self, scans: Sequence[ToldScan], folder: OriginalFolder | None) -> Iterator[FoundFlaw]:
        for scan in scans:
            yield FoundFlaw(Flaw.ORIGINAL_MISSING, scan.name, scan.sha256, scan.station)
        if folder is None:
            return
        known = {scan.id for scan in scans}
        strangers = folder.sidecars.keys() - known
        rows = told_scans(self._database, strangers)
        for scan_id in sorted(strangers):
            told = _read(folder.sidecars[scan_id])
            if told is not None and (row := rows.get(scan_id)) is not None and _is_earlier(folder, told, row):
                yield self._earlier(told, row)  # a repair was killed over it
                continue
            name = told.name if told is not None else self._walk.place(folder.sidecars[scan_id])
            yield FoundFlaw(Flaw.ORIGINAL_MISSING, name, "only its sidecar tells of it", told.station if told else None)

    def _original(self, scans: Sequence[ToldScan], folder: OriginalFolder, *, quick: bool) -> Iterator[FoundFlaw]:
        """Look at the bytes of an original, and at its name."""
        file, *others = folder.originals
        about = scans[0].name if scans else self._walk.place(file)
        station = scans[0].station if scans else None
        measured = measure(file)
        if scans and measured is not None and measured[0] != scans[0].size_bytes:
            detail = f"{measured[0]} bytes instead of {scans[0].size_bytes}"
            yield FoundFlaw(Flaw.ORIGINAL_CHANGED, about, detail, station)
        elif not quick and digest(file, self._on_bytes) != folder.sha256:
            yield FoundFlaw(Flaw.ORIGINAL_CHANGED, about, "another hash", station)
        if scans and file.suffix != f".{scans[0].file_type or 'bin'}":
            yield FoundFlaw(Flaw.NAME_WRONG, self._walk.place(file), f"it is of type {scans[0].file_type or 'bin'}")
        yield from self._unknown(iter(others))

    def _sidecars(self, scans: Sequence[ToldScan], folder: OriginalFolder) -> Iterator[FoundFlaw]:
        for scan in scans:
            key = (folder.sha256, scan.id)
            if scan.id not in folder.sidecars:
                yield FoundFlaw(Flaw.SIDECAR_MISSING, scan.name, "", scan.station, key)
            elif (told := _read(folder.sidecars[scan.id])) is None:
                yield FoundFlaw(Flaw.SIDECAR_DAMAGED, scan.name, "", scan.station, key)
            elif differ := differences(told, scan):
                yield FoundFlaw(Flaw.SIDECAR_CONTRADICTS, scan.name, ", ".join(differ), scan.station)
        strangers = folder.sidecars.keys() - {scan.id for scan in scans}
        elsewhere = told_scans(self._database, strangers)
        for scan_id in sorted(strangers):
            yield from self._stranger(folder, scan_id, elsewhere.get(scan_id), alone=not scans)
        if not folder.sidecars and not scans and folder.changed_at < self._since and not self._claimed(folder):
            yield FoundFlaw(Flaw.ORIGINAL_UNTOLD, self._walk.place(folder.originals[0]))

    def _stranger(
        self, folder: OriginalFolder, scan_id: str, row: ToldScan | None, *, alone: bool
    ) -> Iterator[FoundFlaw]:
        """Look at a sidecar that no scan with these bytes has."""
        sidecar = folder.sidecars[scan_id]
        place, told = self._walk.place(sidecar), _read(sidecar)
        if told is None:
            # Where other scans have the same bytes, nothing but this one's name and number is lost.
            yield FoundFlaw(Flaw.ORIGINAL_UNTOLD if alone else Flaw.SIDECAR_DAMAGED, place, "no row tells of it either")
        elif row is not None and _is_earlier(folder, told, row):
            yield self._earlier(told, row)
        elif row is not None or (told.id, told.sha256) != (scan_id, folder.sha256):
            detail = "its row has other bytes" if row is not None else "its name or place isn't what it says"
            yield FoundFlaw(Flaw.SIDECAR_CONTRADICTS, place, detail)
        elif told.station == self._station.code:
            self.unregistered.add(told.number)
            if scan_id not in self._claims():
                yield self._unregistered(told)
        elif (measured := measure(sidecar)) is not None and measured[1] < self._since:
            # Another station's scan may be in its spool, while it can't reach the database.
            yield self._unregistered(told)

    def _earlier(self, told: ToldScan, row: ToldScan) -> FoundFlaw:
        detail = f"{told.size_bytes} bytes, and {row.size_bytes} in its row"
        return FoundFlaw(Flaw.ORIGINAL_EARLIER, row.name, detail, row.station, (told.sha256, row.id))

    def _unregistered(self, told: ToldScan) -> FoundFlaw:
        ours = told.station == self._station.code
        if number_taken(self._database, told):
            flaw, detail = Flaw.SCAN_NUMBER_TAKEN, f"box {told.box}"
        elif told.box not in self._known_boxes() and ours:
            flaw, detail = Flaw.SCAN_OF_UNKNOWN_BOX, f"box {told.box}"
        else:
            flaw, detail = Flaw.SCAN_UNREGISTERED, f"box {told.box}" if ours else f"to be mended on {told.station}"
        return FoundFlaw(flaw, told.name, detail, told.station, (told.sha256, told.id))

    def _litter(self, folder: OriginalFolder) -> Iterator[FoundFlaw]:
        yield from self._half_written(folder.half_written)
        yield from self._unknown(iter(folder.unknown))
        empty = not (folder.originals or folder.sidecars or folder.half_written or folder.unknown)
        if empty and folder.changed_at < self._since:
            yield FoundFlaw(Flaw.INCOMING_LEFT, self._walk.place(folder.path), key=(self._walk.place(folder.path),))

    def _stray(self, folder: NoteFolder, state: ScanState | None) -> Iterator[FoundFlaw]:
        """Look at a note whose scan isn't in quarantine: one that is on its way may come back to it."""
        place = self._walk.place(folder.path)
        unknown = state is None and not any(self._walk.root.glob(f"originals/??/*/{folder.scan_id}.json"))
        if state in _FINISHED or unknown:
            station = folder.name.rpartition("-")[0]
            yield FoundFlaw(Flaw.NOTE_STRAY, place, state.value if state else "no scan", station, (place,))

    def _half_written(self, paths: Sequence[Path]) -> Iterator[FoundFlaw]:
        for path in paths:
            measured = measure(path)
            if measured is not None and measured[1] < self._since:
                yield FoundFlaw(Flaw.INCOMING_LEFT, self._walk.place(path), key=(self._walk.place(path),))

    def _unknown(self, paths: Iterator[Path] | Sequence[Path]) -> Iterator[FoundFlaw]:
        for path in paths:
            yield FoundFlaw(Flaw.ENTRY_UNKNOWN, self._walk.place(path))

    def _claims(self) -> frozenset[str]:
        return frozenset(folder.scan_id for folder in spool_folders(self._station.spool))

    def _claimed(self, folder: OriginalFolder) -> bool:
        """Say whether a claim may be this original's: then its sidecar is still to come."""
        measured = measure(folder.originals[0])
        claims = (each.claim for each in spool_folders(self._station.spool))
        return measured is not None and any(claim and claim.seen.size == measured[0] for claim in claims)

    def _known_boxes(self) -> frozenset[str]:
        if self._boxes is None:
            self._boxes = known_boxes(self._database) | {inbox.box for inbox in self._station.inboxes}
        return self._boxes


def _with(prefix: str, rows: Mapping[str, T]) -> dict[str, T]:
    return {sha256: row for sha256, row in rows.items() if sha256.startswith(prefix)}


def _is_earlier(folder: OriginalFolder, told: ToldScan, row: ToldScan) -> bool:
    return told.sha256 == folder.sha256 and is_earlier(told, row)


def _read(sidecar: Path) -> ToldScan | None:
    try:
        return told_scan(sidecar.read_bytes())
    except (OSError, ValueError):
        return None
