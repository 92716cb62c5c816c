"""The child's side of reader processes: confine itself, do one order, say what it saw."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from multiprocessing.connection import Connection

from skrynka.core.errors import EnvironmentUnfit, ScanRejected
from skrynka.core.mark import Marked, weigh
from skrynka.core.model import PageReading, Symbology
from skrynka.core.reasons import QuarantineReason
from skrynka.readers import portions
from skrynka.readers.confinement import close_all_but, confine, guarded
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
from skrynka.steps import barcodes, blankness, cutting, fingerprints, marks, pages

FAST_DPI = 150
"""Half of a usual scan: a sheet's module of 0.8 mm is 4.7 pixels. Costlier attempts go up to the page's own."""
FULL_DPI = 300
_SAME = 1.01
"""Widths are whole pixels: below that, two resolutions are the same."""
_OUTSIDE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE})
"""Errors of disks and of the machine. Not ENOMEM: a scan that needs more than a reader may have is at fault itself."""


def run(answers: Connection, order: Order, memory_bytes: int, cpu_seconds: float) -> None:
    """Do one order in this process, which is a reader from its first line to its end."""
    # First of all: what is inherited holds the server process alive when the daemon is dead.
    close_all_but(answers.fileno())
    try:
        sources = [order.source] if isinstance(order, ReadOrder) else [source for source, _ in order.sources.values()]
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
    with pages.open_scan(
        order.source, order.kind, order.work, _limits(order), busy, first=order.first, last=order.last
    ) as scan:
        yield Opened(scan.count)
        for number in range(order.first, min(order.last or scan.count, scan.count) + 1):
            yield Began(number)
            yield Read(_look(scan.page(number), order.symbologies, order.separators, foreign_text=order.foreign_text))
    yield Done()


def _look(
    page: pages.OpenPage, symbologies: frozenset[Symbology], separators: frozenset[str], *, foreign_text: bool
) -> PageReading:
    pixels = page.pixels(FAST_DPI)
    dpi = pixels.shape[1] / page.width_pt * 72
    marked = weigh(*marks.find_marks(pixels, dpi))
    finer = min(page.finest_dpi, FULL_DPI) > dpi * _SAME
    ink = blankness.measure(pixels, dpi)
    codes = barcodes.read_codes(
        pixels,
        dpi,
        symbologies=symbologies,
        separators=separators,
        foreign_text=foreign_text,
        marked=marked >= Marked.PERHAPS,
        blank=ink.blank,
        full=(lambda: page.pixels(FULL_DPI)) if finer else None,
    )
    return PageReading(
        number=page.number,
        width=page.width_pt,
        height=page.height_pt,
        rotation=page.rotation,
        source=page.source,
        dpi=page.dpi,
        codes=codes,
        marked=marked is Marked.YES,
        blank=ink.blank,
        ink=ink.ink,
        fingerprint=fingerprints.fingerprint(pixels),
    )


def _cut(order: CutOrder, busy: Callable[[], None]) -> Iterator[Answer]:
    limits = _limits(order)
    with ExitStack() as scans:
        opened: dict[str, pages.OpenScan] = {}
        for place, (scan_id, (source, kind)) in enumerate(order.sources.items()):
            work = order.work / f"scan-{place}"
            work.mkdir()
            opened[scan_id] = scans.enter_context(pages.open_scan(source, kind, work, limits, busy))
        cut_from: list[str] = []
        for place, wanted in enumerate(order.documents):
            yield Began(place + 1)
            if len(cut_from) >= portions.MOST:
                for scan_id in set(cut_from):
                    opened[scan_id].open_anew()
                cut_from.clear()
            cutting.cut(
                wanted, {scan_id: scan.pdf for scan_id, scan in opened.items()}, order.work / document_name(place)
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
