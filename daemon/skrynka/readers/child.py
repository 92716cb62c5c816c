"""One reader process, from its start to its end: it is listened to within limits, and ended with all that it started.

It is forked from a server process that has everything imported (about 30 ms), leads a session of its own, and is ended
when it is silent for too long, when the scan takes too long in all, when the service stops.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import stat
import threading
import time
from collections.abc import Callable, Iterator
from ctypes.util import find_library
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import BinaryIO

import structlog
from pydantic import ValidationError

from skrynka.core.errors import EnvironmentUnfit, ScanRejected, SkrynkaError
from skrynka.core.reasons import QuarantineReason
from skrynka.durable import fsync_file
from skrynka.readers import entry
from skrynka.readers.believing import may_refuse_for
from skrynka.readers.confinement import SAID
from skrynka.readers.messages import ANSWERS, UNFIT, Answer, Began, CutOrder, Done, Hindered, Order, Rejected

_LOG = structlog.get_logger(__name__)
_LONGEST_ANSWER = 4 << 20
"""Bytes. A page with a hundred codes needs a hundredth of it."""
_MOST_SAID = 256 << 20
"""Bytes of one process's answers together: fifty thousand for each page of a large scan."""
_PIECE = 1 << 16
"""Bytes read at a time: all that a pipe holds."""
_MOST_COUNTED = 1 << 20
"""Bytes of what libraries print that are looked at."""
_AMPLE_BYTES = 1 << 30
"""With so much room in the work folder once a reader is gone, it was the reader that filled it."""
_PROBE_BYTES = 1 << 20
_TOOLS, _LIBRARY = ("pdfinfo", "pdftoppm"), "zbar"
"""The programs that a reader starts, and the library that it loads when it needs it."""
_TICK_SECONDS = 0.2
"""How often a stop is looked for while a child works."""
_CHILDREN = threading.Lock()
"""multiprocessing's list of children: in Debian 12's Python 3.11.2 a start looks through it without care for a child
that another thread closes meanwhile, and fails."""


class ReaderStopped(SkrynkaError):
    """The service is stopping: the child was ended, and the work is to be done again."""


class ReaderHindered(EnvironmentUnfit):
    """A reader says that something outside failed it, and its parent, having looked, can't say what."""

    def __init__(self, message: str, remedy: str, *, counted: bool) -> None:
        """Take what the admin reads; `counted`: it may be the scan's own doing, and this was an attempt."""
        self.counted = counted
        super().__init__(message, remedy)


class ReaderDied(SkrynkaError):
    """A child crashed, fell silent, or ran out of memory: what it was at is worth another one's try."""

    def __init__(
        self,
        reason: QuarantineReason,
        page: int | None,
        detail: str,
        *,
        by_signal: str | None = None,
        exit_code: int | None = None,
    ) -> None:
        """`page` is the page, or the document when cutting, that was begun last; None: none was yet."""
        self.reason = reason
        self.page = page
        self.detail = detail
        self.by_signal = by_signal
        self.exit_code = exit_code
        super().__init__(f"{reason.value}: {detail}")


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """What a reader process may cost."""

    silent_seconds: float
    total_seconds: float
    memory_bytes: int
    """Of address space."""


def answers_of(
    context: ForkServerContext,
    order: Order,
    limits: ProcessLimits,
    ends_at: float,
    stopping: Callable[[], bool],
) -> Iterator[Answer]:
    """Start a child on an order and give its answers, up to and with Done; it is gone when this ends, however it ends.

    `ends_at` is when the scan's time is over, in seconds of the monotonic clock. Raises ReaderDied, ScanRejected where
    the child refuses the scan or can't be believed or the scan's time is over, ReaderStopped, OSError when the work
    folder's disk fails, EnvironmentUnfit when no child can be started, and ReaderHindered.
    """
    if stopping():
        raise ReaderStopped
    shutil.rmtree(order.work, ignore_errors=True)
    order.work.mkdir(parents=True, mode=0o700)
    receiving, sending = context.Pipe(duplex=False)
    child = context.Process(
        target=entry.run, args=(sending, order, limits.memory_bytes, limits.total_seconds), daemon=True
    )
    try:
        with sending, _CHILDREN:
            child.start()
    except (OSError, EOFError) as error:
        # The server process can't fork, or has just ended; the next order starts it anew.
        receiving.close()
        raise EnvironmentUnfit(
            f"No reader process can be started ({type(error).__name__}).", "Look at the machine's memory and processes."
        ) from None
    _LOG.debug("reader_started")
    listener = _Listener(child, receiving, limits.silent_seconds, ends_at, stopping)
    try:
        for answer in map(listener.take_apart, listener.lines()):
            if isinstance(answer, Hindered):
                raise _hindered(answer, order.work)
            if isinstance(answer, Rejected):
                raise _refusal(answer, order, listener.at)
            yield answer
            if isinstance(answer, Done):
                return
    finally:
        _end(child)
        receiving.close()
        _tell_what_it_said(order.work)


class _Listener:
    """Hears a child out."""

    def __init__(
        self,
        child: ForkServerProcess,
        receiving: Connection,
        silent_seconds: float,
        ends_at: float,
        stopping: Callable[[], bool],
    ) -> None:
        self.at: int | None = None
        """The page, or the document when cutting, that the child began last."""
        self._child = child
        self._receiving = receiving
        self._silent_seconds = silent_seconds
        self._ends_at = ends_at
        self._stopping = stopping

    def lines(self) -> Iterator[bytes]:
        """Give what a child says, line by line, for as long as it keeps within its limits. Never ends by itself."""
        heard, heard_in_all = b"", 0
        while True:
            silent_at = time.monotonic() + self._silent_seconds
            while b"\n" not in heard:
                piece = self._piece(silent_at)
                heard += piece
                heard_in_all += len(piece)
                if len(heard) > _LONGEST_ANSWER or heard_in_all > _MOST_SAID:
                    raise ScanRejected(QuarantineReason.READER_INCOHERENT, self.at, "no end of an answer")
            line, _, heard = heard.partition(b"\n")
            yield line

    def take_apart(self, line: bytes) -> Answer:
        """Give the answer that a line is, and note what the child is at."""
        try:
            answer = ANSWERS.validate_json(line)
        except ValidationError:
            raise ScanRejected(QuarantineReason.READER_INCOHERENT, self.at, "not an answer") from None
        if isinstance(answer, Began):
            self.at = answer.number
        return answer

    def _piece(self, silent_at: float) -> bytes:
        """Give what a child has said by now: part of an answer or several, for it may fall silent in the middle."""
        while True:
            if self._stopping():
                raise ReaderStopped
            now = time.monotonic()
            if now > self._ends_at:
                raise ScanRejected(QuarantineReason.READER_TIMED_OUT, self.at, "longer than a scan may take")
            if now > silent_at:
                raise ReaderDied(QuarantineReason.READER_TIMED_OUT, self.at, "silent for too long")
            if self._receiving.poll(_TICK_SECONDS):
                piece = os.read(self._receiving.fileno(), _PIECE)
                if not piece:
                    raise _death(self._child, self.at)
                return piece


def _refusal(answer: Rejected, order: Order, at: int | None) -> SkrynkaError:
    """Say what a refusal means: its words are left out, since they may be a hostile file's."""
    cutting = isinstance(order, CutOrder)
    if not may_refuse_for(order, answer.reason) or not (cutting or answer.page in (None, at)):
        return ScanRejected(QuarantineReason.READER_INCOHERENT, at, "not a reason")
    if answer.may_pass:
        out_of_memory = answer.reason is QuarantineReason.READER_CRASHED
        return ReaderDied(answer.reason, at, "out of memory" if out_of_memory else "the renderer failed")
    return ScanRejected(answer.reason, None if cutting else at)


def _hindered(answer: Hindered, work: Path) -> SkrynkaError:
    """Tell a disk that is full from a scan that filled it, and what a child met from what only it knows of.

    Raises OSError where the disk of the work folder fails us too: it is the station's trouble then, and no scan's.
    """
    shutil.rmtree(work, ignore_errors=True)
    room = os.statvfs(work.parent)
    if answer.why == "ENOSPC" and room.f_bavail * room.f_frsize > _AMPLE_BYTES:
        return ScanRejected(QuarantineReason.TOO_LARGE, detail="more than the work folder holds")
    _write_in(work)
    message = f"A reader process could not work ({answer.why})."
    if answer.why == UNFIT and not all(map(shutil.which, _TOOLS)):
        return ReaderHindered(message, "Install poppler: apt install poppler-utils", counted=False)
    if answer.why == UNFIT and find_library(_LIBRARY) is None:
        return ReaderHindered(message, "Install libzbar: apt install libzbar0", counted=False)
    # Less room than the scan wants is nobody's fault, and how much it wants only a child could say.
    return ReaderHindered(message, "Look at the disk of `paths.work`.", counted=answer.why not in {"ENOSPC", "EDQUOT"})


def _write_in(work: Path) -> None:
    """Write as much as a page may need into the work folder, and leave nothing. Raises OSError."""
    work.mkdir(mode=0o700)
    try:
        probe = work / "probe"
        probe.write_bytes(bytes(_PROBE_BYTES))
        fsync_file(probe)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _death(child: ForkServerProcess, at: int | None) -> ReaderDied:
    child.join(timeout=5)
    code = child.exitcode
    if code is None or code >= 0:
        return ReaderDied(QuarantineReason.READER_CRASHED, at, f"exit {code}", exit_code=code)
    name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
    spent = name == "SIGXCPU"
    reason = QuarantineReason.READER_TIMED_OUT if spent else QuarantineReason.READER_CRASHED
    return ReaderDied(reason, at, f"signal {name}", by_signal=name)


def _end(child: ForkServerProcess) -> None:
    """End a child and everything that it started, and wait for it."""
    if child.pid is not None:
        # The child leads its own process group from its first line on; before that it has started nothing.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.join(timeout=10)
    with _CHILDREN, contextlib.suppress(ValueError):
        child.close()


def _tell_what_it_said(work: Path) -> None:
    """Foreign libraries print what they find in files: the lines are counted, never shown."""
    with contextlib.suppress(OSError), open_plain(work / SAID) as said:
        lines = said.read(_MOST_COUNTED).count(b"\n")
        if lines:
            _LOG.debug("reader_said", lines=lines)


def open_plain(path: Path) -> BinaryIO:
    """Open a file that a child made: neither a link nor a pipe is followed or waited for. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    found = os.fstat(descriptor)
    # A second name would be that of a file which isn't the child's.
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        os.close(descriptor)
        raise OSError(errno.EINVAL, "no plain file")
    return os.fdopen(descriptor, "rb")
