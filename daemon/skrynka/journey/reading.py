"""Reading, per scan: take one from the queue, let a reader process look at every page, write down what it saw."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from skrynka.core.errors import ScanRejected
from skrynka.core.model import Symbology
from skrynka.core.reasons import QuarantineReason
from skrynka.journey.giving_back import GivingBack
from skrynka.journey.quarantining import Spoilt, note_given_up, set_aside
from skrynka.readers.messages import PageLimits, ReadOrder
from skrynka.readers.processes import Readers
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
        """`owner` names this service in leases; `work` is where readers get their folders."""
        self._database = database
        self._archive = archive
        self._readers = readers
        self._work = work
        self._owner = owner
        self._rules = rules
        self._giving_back = GivingBack()

    def read_next(self, show_life: Callable[[], None] = lambda: None) -> bool:
        """Read the oldest scan that waits; give False when none does.

        A scan that can't be read goes to quarantine. Raises DatabaseAway, LeaseLost, or ReaderStopped (the scan then
        waits again, as if it had not been taken).
        """
        self._giving_back.retry()
        taken = queue.take_scan(self._database, self._owner, self._rules.lease_seconds, self._given_up)
        if taken is None:
            return False
        with self._giving_back.if_broken_off(
            lambda counted: queue.release_scan(self._database, taken, counted=counted)
        ):
            self._read(taken, show_life)
        return True

    def _read(self, taken: TakenScan, show_life: Callable[[], None]) -> None:
        log = _LOG.bind(scan_number=taken.name, box=taken.box_code, scan_id=taken.id)
        started = time.monotonic()
        renew = _Renewal(self._database, taken, self._rules.lease_seconds, show_life)
        try:
            readings = self._readers.read(self._order(taken), renew.progress)
        except ScanRejected as rejected:
            set_aside(self._database, self._archive, taken, rejected)
            return
        finally:
            shutil.rmtree(self._work / taken.id, ignore_errors=True)
        queue.record_reading(self._database, taken, readings)
        log.info("scan_read", pages=len(readings), seconds=round(time.monotonic() - started, 2))

    def _given_up(self, scan: TakenScan) -> None:
        note_given_up(self._archive, Spoilt(scan.id, scan.name, scan.box_code, scan.sha256))

    def _order(self, taken: TakenScan) -> ReadOrder:
        if taken.file_type is None:
            raise ScanRejected(QuarantineReason.UNSUPPORTED if taken.size_bytes else QuarantineReason.EMPTY)
        return ReadOrder(
            source=self._archive.original_path(taken.sha256),
            kind=taken.file_type,
            work=self._work / taken.id,
            limits=self._rules.limits,
            symbologies=self._rules.symbologies,
            separators=self._rules.separators,
            foreign_text=False,
        )


class _Renewal:
    """Shows that a long reading goes on: to the supervisor at every page, to the database before the lease ends."""

    def __init__(
        self, database: Database, taken: TakenScan, lease_seconds: float, show_life: Callable[[], None]
    ) -> None:
        self._database = database
        self._taken = taken
        self._lease_seconds = lease_seconds
        self._show_life = show_life
        self._renewed = time.monotonic()

    def progress(self) -> None:
        self._show_life()
        if time.monotonic() - self._renewed > self._lease_seconds / 3:
            queue.renew_scan(self._database, self._taken, self._lease_seconds)
            self._renewed = time.monotonic()
