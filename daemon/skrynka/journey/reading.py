"""Reading, per scan: take one from the queue, let a reader process look at every page, write down what it saw."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from structlog.contextvars import bound_contextvars

from skrynka.core.errors import ScanRejected
from skrynka.core.model import PageReading, Symbology
from skrynka.core.reasons import QuarantineReason
from skrynka.journey.quarantining import Spoilt, note_given_up, set_aside
from skrynka.journey.renewing import Renewal
from skrynka.journey.unfinished import Record, Unfinished
from skrynka.journey.work_folders import WorkFolders
from skrynka.readers.messages import PageLimits, ReadOrder
from skrynka.readers.processes import ReaderHindered, Readers
from skrynka.steps.archive import Archive
from skrynka.store import queue
from skrynka.store.database import Database
from skrynka.store.leases import TakenScan

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReadingRules:
    """How pages are read."""

    symbologies: frozenset[Symbology]
    separators: frozenset[str]
    limits: PageLimits
    lease_seconds: float


class Reading:
    """The stage; each thread that reads has one of its own."""

    def __init__(
        self,
        database: Database,
        archive: Archive,
        readers: Readers,
        work: Path,
        owner: str,
        rules: ReadingRules,
    ) -> None:
        """`owner` names this thread in leases; `work` is where readers get their folders."""
        self._database = database
        self._archive = archive
        self._readers = readers
        self._folders = WorkFolders(work)
        self._owner = owner
        self._rules = rules
        self._unfinished = Unfinished()

    def read_next(self, show_life: Callable[[], None] = lambda: None) -> bool:
        """Read the oldest scan that waits, or record what is owed of an earlier one; give False when none waits.

        A scan that can't be read goes to quarantine, unless it is the archive's disk that fails. Raises ReaderStopped,
        OSError or EnvironmentUnfit of a disk or the archive (the scan then waits again), DatabaseAway, LeaseLost.
        """
        self._folders.tidy()
        if self._unfinished.settle():
            return True
        taken = queue.take_scan(
            self._database, self._owner, self._rules.lease_seconds, self._given_up, self._unfinished.behind
        )
        if taken is None:
            return False
        with self._unfinished.work(
            taken.id, lambda counted: queue.release_scan(self._database, taken, counted=counted)
        ) as record:
            self._read(taken, show_life, record)
        return True

    def _read(self, taken: TakenScan, show_life: Callable[[], None], record: Record) -> None:
        started = time.monotonic()
        lease = self._rules.lease_seconds
        renewal = Renewal(lambda: queue.renew_scan(self._database, taken, lease), lease, show_life)
        try:
            # Bound for what is logged of readers on the way, which know no scan's name.
            with bound_contextvars(scan_number=taken.name, box=taken.box_code, scan_id=taken.id):
                readings = self._readers.read(self._order(taken), renewal.step)
        except ScanRejected as rejected:
            self._archive.verify_original(taken.sha256, renewal.step)
            # A name of its own: the one above ends with the block, and this may be called later.
            why = rejected
            record(lambda: set_aside(self._database, self._archive, taken, why))
            return
        except ReaderHindered:
            self._archive.verify_original(taken.sha256, renewal.step)
            raise
        finally:
            self._folders.clear(taken)
        seconds = round(time.monotonic() - started, 2)
        record(lambda: self._record(taken, readings, seconds))

    def _record(self, taken: TakenScan, readings: Sequence[PageReading], seconds: float) -> None:
        queue.record_reading(self._database, taken, readings)
        log = _LOG.bind(scan_number=taken.name, box=taken.box_code, scan_id=taken.id)
        log.info("scan_read", pages=len(readings), seconds=seconds)

    def _given_up(self, scan: TakenScan) -> None:
        note_given_up(self._archive, Spoilt(scan.id, scan.name, scan.box_code, scan.sha256))

    def _order(self, taken: TakenScan) -> ReadOrder:
        if taken.file_type is None:
            raise ScanRejected(QuarantineReason.UNSUPPORTED if taken.size_bytes else QuarantineReason.EMPTY)
        return ReadOrder(
            source=self._archive.original_path(taken.sha256),
            kind=taken.file_type,
            work=self._folders.of(taken),
            limits=self._rules.limits,
            symbologies=self._rules.symbologies,
            separators=self._rules.separators,
            foreign_text=False,
        )
