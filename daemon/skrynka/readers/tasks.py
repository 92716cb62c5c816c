"""The child's side of reader processes: confine itself, do one order, say what it saw."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from multiprocessing.connection import Connection

from skrynka.core.errors import EnvironmentUnfit, ScanRejected
from skrynka.core.reasons import QuarantineReason
from skrynka.readers import portions
from skrynka.readers.confinement import close_all_but, confine, guarded
from skrynka.readers.looking import look
from skrynka.readers.messages import (
    ANSWERS,
    UNFIT,
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
    Unconfined,
    document_name,
)
from skrynka.steps import cutting, pages

_OUTSIDE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE})
"""Errors of disks and of the machine. Not ENOMEM: a scan that needs more than a reader may have is at fault itself."""


def run(answers: Connection, order: Order, memory_bytes: int, cpu_seconds: float) -> None:
    """Do one order in this process, which is a reader from its first line to its end."""
    # First of all: what is inherited holds the server process alive when the daemon is dead.
    close_all_but(answers.fileno())
    try:
        sources = [order.source] if isinstance(order, ReadOrder) else [source.file for source in order.sources.values()]
        refused = confine(order.work, sources, memory_bytes, cpu_seconds)
    except OSError as error:
        # Its work folder's disk, most likely: nothing of the scan has been touched yet.
        _say(answers, Hindered(errno.errorcode.get(error.errno or 0, "OSError")))
        return
    if refused:
        _say(answers, Unconfined(refused))
    with guarded():
        _do(answers, order)


def _do(answers: Connection, order: Order) -> None:
    try:

        def busy() -> None:
            _say(answers, Busy())

        for answer in _read(order, busy) if isinstance(order, ReadOrder) else _cut(order, busy):
            _say(answers, answer)
    except ScanRejected as rejected:
        _say(answers, Rejected(rejected.reason, rejected.page, rejected.detail, rejected.may_pass))
    except EnvironmentUnfit:
        _say(answers, Hindered(UNFIT))
    except OSError as error:
        if error.errno == errno.EFBIG:
            _say(answers, Rejected(QuarantineReason.TOO_LARGE, None, "more than one file may hold"))
        elif error.errno in _OUTSIDE:
            _say(answers, Hindered(errno.errorcode[error.errno]))
        else:
            raise
    except MemoryError:
        _say(answers, Rejected(QuarantineReason.READER_CRASHED, None, "out of memory", may_pass=True))


def _say(answers: Connection, answer: Answer) -> None:
    """Send one answer: a line of JSON, so that the parent can read as much as there is and never has to wait."""
    with open(answers.fileno(), "wb", closefd=False) as out:
        out.write(ANSWERS.dump_json(answer) + b"\n")


def _read(order: ReadOrder, busy: Callable[[], None]) -> Iterator[Answer]:
    # Nobody asks for later pages of a scan that wasn't opened for its first.
    known = order.first > 1
    with pages.open_scan(
        order.source, order.kind, order.work, _limits(order), busy, known=known, first=order.first, last=order.last
    ) as scan:
        yield Opened(scan.count)
        for number in range(order.first, min(order.last or scan.count, scan.count) + 1):
            yield Began(number)
            yield Read(look(scan.page(number), order.symbologies, order.separators, foreign_text=order.foreign_text))
    yield Done()


def _cut(order: CutOrder, busy: Callable[[], None]) -> Iterator[Answer]:
    limits = _limits(order)
    with ExitStack() as scans:
        opened: dict[str, pages.OpenScan] = {}
        for place, (scan_id, source) in enumerate(order.sources.items()):
            numbers = [page.number for document in order.documents for page in document if page.scan_id == scan_id]
            if numbers:
                work = order.work / f"scan-{place}"
                work.mkdir()
                # It was read before anybody knew what to cut out of it.
                opening = pages.open_scan(
                    source.file, source.kind, work, limits, busy, known=True, first=min(numbers), last=max(numbers)
                )
                opened[scan_id] = scans.enter_context(opening)
        cut_from: list[str] = []
        for place, wanted in enumerate(order.documents):
            yield Began(place + 1)
            if len(cut_from) >= portions.MOST:
                for scan_id in set(cut_from):
                    opened[scan_id].open_anew()
                cut_from.clear()
            cutting.cut(
                wanted,
                {
                    scan_id: cutting.Source(scan.pdf, order.sources[scan_id].sha256, scan.first)
                    for scan_id, scan in opened.items()
                },
                order.work / document_name(place),
            )
            cut_from += [page.scan_id for page in wanted]
    yield Done()


def _limits(order: Order) -> pages.Limits:
    return pages.Limits(
        page_pixels=order.limits.page_pixels,
        scan_bytes=order.limits.scan_bytes,
        raster_seconds=order.limits.raster_seconds,
        scan_pages=order.limits.scan_pages,
    )
