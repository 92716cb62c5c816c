"""The child's side of reader processes: confine itself, do one order, say what it saw."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from skrynka.core.errors import EnvironmentUnfit, ScanRejected
from skrynka.core.model import PageReading, Symbology
from skrynka.core.reasons import QuarantineReason
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
from skrynka.steps import barcodes, blankness, cutting, fingerprints, marks, pages

SAID = "said"
"""The file in the work folder that takes what libraries print."""
FAST_DPI = 150
"""Half of a usual scan: a sheet's module of 0.8 mm is 4.7 pixels. Costlier attempts go up to the page's own."""
FULL_DPI = 300
_FILE_BYTES = 8 << 30
_PR_SET_PDEATHSIG = 1
_OUTSIDE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE})
"""Errors of disks and of the machine. Not ENOMEM: a scan that needs more than a reader may have is at fault itself."""


def run(answers: Connection, order: Order, memory_bytes: int, cpu_seconds: float) -> None:
    """Do one order in this process, which is a reader from its first line to its end."""
    # First of all: what is inherited holds the server process alive when the daemon is dead.
    _close_all_but(answers.fileno())
    _confine(order.work, memory_bytes, cpu_seconds)
    with _guarded():
        _do(answers, order)


def _do(answers: Connection, order: Order) -> None:
    try:

        def busy() -> None:
            _say(answers, Busy())

        for answer in _read(order, busy) if isinstance(order, ReadOrder) else _cut(order, busy):
            _say(answers, answer)
    except ScanRejected as rejected:
        _say(answers, Rejected(rejected.reason, rejected.page, rejected.detail))
    except EnvironmentUnfit as unfit:
        _say(answers, Hindered(type(unfit).__name__))
    except OSError as error:
        if error.errno not in _OUTSIDE:
            raise
        _say(answers, Hindered(errno.errorcode[error.errno]))
    except MemoryError:
        _say(answers, Rejected(QuarantineReason.READER_CRASHED, None, "out of memory"))


def _say(answers: Connection, answer: Answer) -> None:
    """Send one answer: a line of JSON, so that the parent can read as much as there is and never has to wait."""
    with open(answers.fileno(), "wb", closefd=False) as out:
        out.write(ANSWERS.dump_json(answer) + b"\n")


def document_name(place: int) -> str:
    """Name the file of the document at this 0-based place of a CutOrder."""
    return f"{place}.pdf"


def _confine(work: Path, memory_bytes: int, cpu_seconds: float) -> None:
    os.setsid()
    # If the server process that forked us dies, so do we: nobody would read our answers.
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.clear()
    os.environ["PATH"] = os.defpath
    os.umask(0o077)
    os.chdir(work)
    limits = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_CPU: int(cpu_seconds) + 1,
        resource.RLIMIT_FSIZE: _FILE_BYTES,
        resource.RLIMIT_CORE: 0,
    }
    for which, most in limits.items():
        resource.setrlimit(which, (most, most))
    nothing = os.open(os.devnull, os.O_RDONLY)
    said = os.open(SAID, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(nothing, 0)
    os.dup2(said, 1)
    os.dup2(said, 2)


def _close_all_but(kept: int) -> None:
    """Close every descriptor but this one and the standard three."""
    os.closerange(3, kept)
    os.closerange(kept + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


@contextmanager
def _guarded() -> Iterator[None]:
    """Have what this process starts end with it, however it ends: with the daemon killed, nobody else sees to it.

    The signal at a parent's death isn't handed down to poppler. So a guard waits at a pipe for our end, and then ends
    our whole process group, itself included.
    """
    reading, writing = os.pipe()
    guard = os.fork()
    if guard == 0:
        try:
            # Only its own end of the pipe: it must not keep the parent waiting for answers, nor itself for our end.
            _close_all_but(reading)
            os.read(reading, 1)
        finally:
            os.killpg(0, signal.SIGKILL)
    os.close(reading)
    try:
        yield
    finally:
        # Not left to the pipe: nobody would wait for the guard's end then.
        os.kill(guard, signal.SIGKILL)
        os.waitpid(guard, 0)
        os.close(writing)


def _read(order: ReadOrder, busy: Callable[[], None]) -> Iterator[Answer]:
    with pages.open_scan(order.source, order.kind, order.work, _limits(order), busy) as scan:
        yield Opened(scan.count)
        for number in range(1, scan.count + 1):
            yield Began(number)
            yield Read(_look(scan.page(number), order.symbologies, order.separators, foreign_text=order.foreign_text))
    yield Done()


def _look(
    page: pages.OpenPage, symbologies: frozenset[Symbology], separators: frozenset[str], *, foreign_text: bool
) -> PageReading:
    pixels = page.pixels(FAST_DPI)
    dpi = pixels.shape[1] / page.width_pt * 72
    marked = marks.find_mark(pixels, dpi)
    ink = blankness.measure(pixels, dpi)
    codes = barcodes.read_codes(
        pixels,
        dpi,
        symbologies=symbologies,
        separators=separators,
        foreign_text=foreign_text,
        marked=marked,
        blank=ink.blank,
        full=lambda: page.pixels(FULL_DPI),
    )
    return PageReading(
        number=page.number,
        width=page.width_pt,
        height=page.height_pt,
        rotation=page.rotation,
        source=page.source,
        dpi=page.dpi,
        codes=codes,
        marked=marked,
        blank=ink.blank,
        ink=ink.ink,
        fingerprint=fingerprints.fingerprint(pixels),
    )


def _cut(order: CutOrder, busy: Callable[[], None]) -> Iterator[Answer]:
    limits = _limits(order)
    with ExitStack() as scans:
        opened = {}
        for place, (scan_id, (source, kind)) in enumerate(order.sources.items()):
            work = order.work / f"scan-{place}"
            work.mkdir()
            opened[scan_id] = scans.enter_context(pages.open_scan(source, kind, work, limits, busy)).pdf
        cutter = cutting.Cutter(opened)
        for place, wanted in enumerate(order.documents):
            yield Began(place + 1)
            cutter.cut(wanted, order.work / document_name(place))
    yield Done()


def _limits(order: Order) -> pages.Limits:
    return pages.Limits(
        page_pixels=order.limits.page_pixels,
        scan_bytes=order.limits.scan_bytes,
        raster_seconds=order.limits.raster_seconds,
    )
