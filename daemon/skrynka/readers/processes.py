"""The parent's side of reader processes: what is ordered of them, what is believed, and what a death means.

A child has one order and is never used again. Where it dies of a page, that page is tried once more, alone, by another
child; when that goes well a third goes on behind it, and nothing is read twice. Where the other dies too, the scan is
refused for this page. A child that dies before its first page, or while it cuts, is tried once more with the same.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing import forkserver
from pathlib import Path

import structlog

from skrynka.core.errors import ScanRejected
from skrynka.core.model import PageReading
from skrynka.core.reasons import QuarantineReason
from skrynka.readers.child import ProcessLimits, ReaderDied, ReaderHindered, ReaderStopped, answers_of, open_plain
from skrynka.readers.confinement import Kept
from skrynka.readers.hearing import HeardPortion
from skrynka.readers.messages import (
    Answer,
    Began,
    Busy,
    CutOrder,
    Done,
    Order,
    Read,
    ReadOrder,
    Unconfined,
    document_name,
)
from skrynka.readers.portions import Portion, portions_to_cut
from skrynka.readers.slots import Slots
from skrynka.readers.spreading import Progress, Spreading, SpreadScan

__all__ = ["ProcessLimits", "ReaderHindered", "ReaderStopped", "Readers"]

_LOG = structlog.get_logger(__name__)
_PDF = b"%PDF-"
_IDLE_SECONDS = 60.0

Store = Callable[[int, Path, Progress], None]
"""Takes a document's 1-based number in its order, its file, and what is to be called meanwhile."""


class Readers:
    """Starts reader processes. Safe to use from several threads at a time."""

    def __init__(self, limits: ProcessLimits, count: int = 1, stopping: Callable[[], bool] = lambda: False) -> None:
        """Take the limits; `count` readers may read at a time, and `stopping` is asked several times a second."""
        self._limits = limits
        self._slots = Slots(count)
        self._stopping = stopping
        self._told_unconfined: set[Kept] = set()
        self._at_work = threading.Lock()
        self._orders = 0
        """How many are being done; counted under the lock, so that the server isn't ended meanwhile."""
        self._last_asked_at = time.monotonic()
        self._context = multiprocessing.get_context("forkserver")
        # Not "__main__": each child runs the main script's imports again all the same (python/cpython#126631), so that
        # script must import nothing; see `skrynka.__main__`.
        self._context.set_forkserver_preload(["skrynka.readers.server"])

    def prepare(self) -> None:
        """Start the server process that children are forked from, so that the first scan needn't wait for its imports.

        Comes back at once, but while it is being ended. Without it the first order starts the server.
        """
        with self._at_work, suppress(OSError):  # whoever gives an order is told
            self._last_asked_at = time.monotonic()
            _renew_folder()
            forkserver.ensure_running()

    def rest(self, idle_seconds: float = _IDLE_SECONDS) -> None:
        """End the server process where nothing was ordered for so long: it takes memory as the service does."""
        with self._at_work:
            if self._orders == 0 and time.monotonic() - self._last_asked_at >= idle_seconds:
                # multiprocessing's own tests end it so; there is no other way to. When it has ended nothing is done.
                with suppress(OSError):  # its socket may be gone
                    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # noqa: SLF001

    def read(self, order: ReadOrder, progress: Callable[[], None] = lambda: None) -> list[PageReading]:
        """Read every page of a scan, in order; `progress` is called whenever something was done.

        Raises ScanRejected with a reason and, where it is known, the page; ReaderStopped when the service stops;
        OSError when the work folder's disk fails, ReaderHindered when something else outside did, EnvironmentUnfit
        when no reader can be started.
        """
        ends_at = time.monotonic() + self._limits.total_seconds
        order.work.mkdir(parents=True, exist_ok=True, mode=0o700)

        def read_portion(scan: SpreadScan, portion: Portion, progress: Callable[[], None]) -> list[PageReading]:
            own = replace(order, work=order.work / str(portion.first))
            return self._read_portion(scan, HeardPortion(own, portion, scan.tell_opened), ends_at, progress)

        return SpreadScan(order.limits.scan_pages, self._slots, read_portion).read(progress)

    def cut(self, order: CutOrder, store: Store, progress: Callable[[], None] = lambda: None) -> None:
        """Cut documents, and have each stored once the process that cut it is gone: in no order, by several threads.

        Meanwhile others are cut. Its file is removed after that. Raises as `read` does, and what `store` raises; some
        are stored then.
        """
        order.work.mkdir(parents=True, exist_ok=True, mode=0o700)

        def cut_portion(portion: Portion, progress: Callable[[], None]) -> None:
            # For each portion: what storing takes of an archive that hangs is no fault of the scan's.
            ends_at = time.monotonic() + self._limits.total_seconds
            documents, work = order.documents[portion.slice], order.work / str(portion.first)
            own = replace(order, documents=documents, work=work)
            files = self._cut_portion(own, ends_at, lambda: spreading.is_pointless(portion), progress)

            def store_all(progress: Callable[[], None]) -> None:
                for number, file in enumerate(files, start=portion.first):
                    if spreading.is_pointless(portion):
                        break
                    if self._stopping():
                        raise ReaderStopped
                    store(number, file, progress)
                    progress()
                shutil.rmtree(work, ignore_errors=True)

            if portion.last == len(order.documents):  # nothing else is to be cut meanwhile
                store_all(progress)
            else:
                spreading.follow_up(portion, store_all, progress)

        portions = portions_to_cut([len(document) for document in order.documents], max(self._slots.free, 1))
        waiting = iter(portions)
        spreading = Spreading(self._slots, lambda _: next(waiting, None), cut_portion)
        spreading.run(progress, lambda helpers: helpers + 1 < len(portions))

    def _read_portion(
        self, scan: SpreadScan, portion: HeardPortion, ends_at: float, progress: Callable[[], None]
    ) -> list[PageReading]:
        tries = _Tries()

        def stopping() -> bool:
            return self._stopping() or scan.is_pointless(portion.portion)

        while not portion.whole:
            try:
                for answer in self._answers(portion.next_order(), ends_at, stopping):
                    portion.hear(answer)
                    if isinstance(answer, Read | Busy):
                        progress()
            except ReaderDied as died:
                tries.note(died, died.page)
                portion.go_back(died.page)
                progress()
        return portion.readings

    def _cut_portion(
        self, order: CutOrder, ends_at: float, pointless: Callable[[], bool], progress: Callable[[], None]
    ) -> list[Path]:
        tries = _Tries()
        while True:
            try:
                return self._cut(order, ends_at, lambda: self._stopping() or pointless(), progress)
            except ReaderDied as died:
                tries.note(died, None)
                progress()

    def _cut(
        self, order: CutOrder, ends_at: float, stopping: Callable[[], bool], progress: Callable[[], None]
    ) -> list[Path]:
        files = [order.work / document_name(place) for place in range(len(order.documents))]
        begun = 0
        for answer in self._answers(order, ends_at, stopping):
            match answer:
                case Busy() if begun == 0:
                    pass
                case Began(number=number) if number == begun + 1 <= len(files):
                    begun = number
                case Done() if begun == len(files) and all(map(_is_pdf, files)):
                    return files
                case _:
                    raise ScanRejected(QuarantineReason.READER_INCOHERENT, detail="documents missing")
            progress()
        raise ScanRejected(QuarantineReason.READER_INCOHERENT, detail="ended early")  # pragma: no cover - after Done

    def _answers(self, order: Order, ends_at: float, stopping: Callable[[], bool]) -> Iterator[Answer]:
        with self._working():
            for place, answer in enumerate(answers_of(self._context, order, self._limits, ends_at, stopping)):
                if place == 0 and isinstance(answer, Unconfined):
                    self._tell_unconfined(answer)
                else:
                    yield answer

    @contextmanager
    def _working(self) -> Iterator[None]:
        with self._at_work:
            if self._orders == 0:
                with suppress(OSError):  # starting a reader says so
                    _renew_folder()
            self._orders += 1
        try:
            yield
        finally:
            with self._at_work:
                self._orders -= 1
                self._last_asked_at = time.monotonic()

    def _tell_unconfined(self, answer: Unconfined) -> None:
        for kept in sorted(answer.refused.keys() - self._told_unconfined):
            self._told_unconfined.add(kept)
            _LOG.warning("readers_unconfined", cause=kept, error=answer.refused[kept])


def _renew_folder() -> None:
    """Make the folder for the server's socket again where it is gone, or have another one made where it isn't ours.

    multiprocessing makes one and relies on that for good; what lies in a folder for temporary files for days, with
    nothing in it that is used, is removed by others.
    """
    settings = multiprocessing.current_process()._config  # type: ignore[attr-defined]  # noqa: SLF001 - no other way
    folder = settings.get("tempdir")
    if folder is None:
        return
    with suppress(FileExistsError):
        Path(folder).mkdir(mode=0o700)
    if Path(folder).lstat().st_uid != os.geteuid():
        settings.pop("tempdir")


class _Tries:
    """Allows each page one death; and one to whatever comes before the pages, and to each portion that is cut."""

    def __init__(self) -> None:
        self._died_of: set[int | None] = set()

    def note(self, died: ReaderDied, page: int | None) -> None:
        """Tell of the first death of a page; raise ScanRejected at the second."""
        if page in self._died_of:
            raise ScanRejected(died.reason, page, died.detail) from None
        self._died_of.add(page)
        about = {"page": page, "signal": died.by_signal, "exit_code": died.exit_code, "detail": died.detail}
        _LOG.info("reader_died", **{name: value for name, value in about.items() if value is not None})


def _is_pdf(path: Path) -> bool:
    """Tell whether a child made this file, and not a link to another."""
    try:
        with open_plain(path) as file:
            return file.read(len(_PDF)) == _PDF
    except OSError:
        return False
