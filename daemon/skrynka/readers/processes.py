"""The parent's side of reader processes: one child for each order, never used again.

A child is forked from a server process that has everything imported (about 30 ms), leads a session of its own, and is
killed with all that it started: when it is silent for too long, when it takes too long in all, when the service stops.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import structlog
from pydantic import ValidationError

from skrynka.core.errors import EnvironmentUnfit, ScanRejected, SkrynkaError
from skrynka.core.model import PageReading
from skrynka.core.reasons import QuarantineReason
from skrynka.readers import tasks
from skrynka.readers.messages import (
    ANSWERS,
    Answer,
    Began,
    Busy,
    CutOrder,
    Done,
    Hindered,
    Opened,
    Order,
    Read,
    ReadOrder,
    Rejected,
)

_LOG = structlog.get_logger(__name__)
_LONGEST_ANSWER = 4 << 20
"""Bytes. A page with a hundred codes needs a hundredth of it."""
_PIECE = 1 << 16
"""Bytes read at a time: all that a pipe holds."""
_AMPLE_BYTES = 1 << 30
"""With so much room in the work folder once a reader is gone, it was the reader that filled it."""
_TICK_SECONDS = 0.2
"""How often a stop is looked for while a child works."""


class ReaderStopped(SkrynkaError):
    """The service is stopping: the child was ended, and the work is to be done again."""


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """What a reader process may cost."""

    silent_seconds: float
    total_seconds: float
    memory_bytes: int
    """Of address space."""


class Readers:
    """Starts reader processes. Safe to use from several threads at a time."""

    def __init__(self, limits: ProcessLimits, stopping: Callable[[], bool] = lambda: False) -> None:
        """Take the limits; `stopping` is asked several times a second while a child works."""
        self._limits = limits
        self._stopping = stopping
        self._context = multiprocessing.get_context("forkserver")
        # Not "__main__": each child runs the main script's imports again all the same (python/cpython#126631), so that
        # script must import nothing; see `skrynka.__main__`.
        self._context.set_forkserver_preload(["skrynka.readers.server"])

    def prepare(self) -> None:
        """Start the server process that children are forked from, so that the first scan needn't wait for its imports.

        Comes back at once. Without it the first order starts the server.
        """
        forkserver.ensure_running()

    def read(self, order: ReadOrder, progress: Callable[[], None] = lambda: None) -> list[PageReading]:
        """Read every page of a scan, in order; `progress` is called after each page.

        Raises ScanRejected with a reason and, where it is known, the page; ReaderStopped when the service stops;
        EnvironmentUnfit when something outside hindered the reader, such as a full disk.
        """
        readings: list[PageReading] = []
        count: int | None = None
        for answer in self._answers(order, order.work):
            match answer:
                case Opened(pages=pages) if count is None and pages > 0:
                    count = pages
                case Began(number=number) if count is not None and number == len(readings) + 1 <= count:
                    pass
                case Read(reading=reading) if count is not None and reading.number == len(readings) + 1 <= count:
                    readings.append(reading)
                    progress()
                case Done() if count == len(readings):
                    return readings
                case _:
                    raise ScanRejected(QuarantineReason.READER_INCOHERENT, detail="answers out of order")
        raise ScanRejected(QuarantineReason.READER_INCOHERENT, detail="ended early")  # pragma: no cover - see _answers

    def cut(self, order: CutOrder, progress: Callable[[], None] = lambda: None) -> list[Path]:
        """Cut documents; give their files, in the order's order. Raises as `read` does."""
        files = [order.work / tasks.document_name(place) for place in range(len(order.documents))]
        for answer in self._answers(order, order.work):
            match answer:
                case Began():
                    progress()
                case Done() if all(_is_plain_file(file) for file in files):
                    return files
                case _:
                    raise ScanRejected(QuarantineReason.READER_INCOHERENT, detail="documents missing")
        raise ScanRejected(QuarantineReason.READER_INCOHERENT, detail="ended early")  # pragma: no cover - see _answers

    def _answers(self, order: Order, work: Path) -> Iterator[Answer]:
        """Give a child's answers up to and with Done; turn its death and its refusals into ScanRejected."""
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True, mode=0o700)
        receiving, sending = self._context.Pipe(duplex=False)
        child = self._context.Process(
            target=tasks.run, args=(sending, order, self._limits.memory_bytes, self._limits.total_seconds), daemon=True
        )
        child.start()
        sending.close()
        try:
            yield from self._listen(child, receiving, work)
        finally:
            _end(child)
            receiving.close()
            self._tell_what_it_said(work)

    def _listen(self, child: ForkServerProcess, receiving: Connection, work: Path) -> Iterator[Answer]:
        page: int | None = None
        heard = b""
        ends_at = time.monotonic() + self._limits.total_seconds
        while True:
            silent_at = min(ends_at, time.monotonic() + self._limits.silent_seconds)
            while b"\n" not in heard:
                heard += self._piece(child, receiving, silent_at, page)
                if len(heard) > _LONGEST_ANSWER:
                    raise ScanRejected(QuarantineReason.READER_INCOHERENT, page, "no end of an answer")
            line, _, heard = heard.partition(b"\n")
            try:
                answer = ANSWERS.validate_json(line)
            except ValidationError:
                raise ScanRejected(QuarantineReason.READER_INCOHERENT, page, "not an answer") from None
            if isinstance(answer, Busy):
                continue
            if isinstance(answer, Hindered):
                raise _hindered(answer, work)
            if isinstance(answer, Rejected):
                raise ScanRejected(answer.reason, answer.page or page)
            if isinstance(answer, Began):
                page = answer.number
            yield answer
            if isinstance(answer, Done):
                return

    def _piece(self, child: ForkServerProcess, receiving: Connection, silent_at: float, page: int | None) -> bytes:
        """Give what a child has said by now: part of an answer or several, for it may fall silent in the middle."""
        while True:
            if self._stopping():
                raise ReaderStopped
            if time.monotonic() > silent_at:
                raise ScanRejected(QuarantineReason.READER_TIMED_OUT, page)
            if receiving.poll(_TICK_SECONDS):
                piece = os.read(receiving.fileno(), _PIECE)
                if not piece:
                    raise ScanRejected(QuarantineReason.READER_CRASHED, page, _death(child))
                return piece

    def _tell_what_it_said(self, work: Path) -> None:
        """Foreign libraries print what they find in files: the lines are counted, never shown."""
        with contextlib.suppress(OSError):
            lines = (work / tasks.SAID).read_bytes().count(b"\n")
            if lines:
                _LOG.debug("reader_said", lines=lines)


def _hindered(answer: Hindered, work: Path) -> SkrynkaError:
    """Tell a disk that is full from a scan that filled it."""
    shutil.rmtree(work, ignore_errors=True)
    room = os.statvfs(work.parent)
    if answer.why == "ENOSPC" and room.f_bavail * room.f_frsize > _AMPLE_BYTES:
        return ScanRejected(QuarantineReason.TOO_LARGE, detail="more than the work folder holds")
    return EnvironmentUnfit(f"A reader process could not work ({answer.why}).", "Look at the disk of `paths.work`.")


def _is_plain_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _death(child: ForkServerProcess) -> str:
    child.join(timeout=5)
    code = child.exitcode
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}" if -code in set(signal.Signals) else f"signal {-code}"
    return f"exit {code}"


def _end(child: ForkServerProcess) -> None:
    """End a child and everything that it started, and wait for it."""
    if child.pid is not None:
        # The child leads its own process group from its first line on; before that it has started nothing.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.join(timeout=10)
    with contextlib.suppress(ValueError):
        child.close()
