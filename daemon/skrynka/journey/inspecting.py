"""What the daemon would do with a file: the same reading and the same planning, and nothing is touched."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from skrynka.core.catalogue import Catalogue
from skrynka.core.errors import ScanRejected
from skrynka.core.formats import HEAD_BYTES, sniff
from skrynka.core.judging import JudgedPlan, judge, known_of
from skrynka.core.model import PageReading, PageRef, StackPage, Symbology
from skrynka.core.page_roles import page_roles
from skrynka.core.planning import plan
from skrynka.core.reasons import QuarantineReason
from skrynka.core.stacking import Assemble, segments
from skrynka.readers.messages import PageLimits, ReadOrder
from skrynka.readers.processes import Readers


@dataclass(frozen=True, slots=True)
class Inspection:
    """What would become of one file: a plan for each stack in it, or the reason for its quarantine."""

    readings: tuple[PageReading, ...] = ()
    stacks: tuple[JudgedPlan, ...] = ()
    rejected: ScanRejected | None = None


def inspect(
    file: Path,
    readers: Readers,
    catalogue: Catalogue,
    *,
    work: Path,
    limits: PageLimits,
    symbologies: frozenset[Symbology],
    separators: frozenset[str],
    page_limit: int,
) -> Inspection:
    """Read a file and plan it as a scan that is a stack of its own, from no box in particular.

    Codes keep their text, foreign ones too: a person asked. Raises OSError when the file can't be opened.
    """
    try:
        readings = _read(file, readers, work, limits, symbologies, separators)
    except ScanRejected as rejected:
        return Inspection(rejected=rejected)
    known = known_of(catalogue, None, page_limit)
    stacks = [judge(plan(pages, known), catalogue) for pages in _stacks(readings)]
    return Inspection(tuple(readings), tuple(stacks))


def _read(
    file: Path,
    readers: Readers,
    work: Path,
    limits: PageLimits,
    symbologies: frozenset[Symbology],
    separators: frozenset[str],
) -> list[PageReading]:
    with file.open("rb") as opened:
        size = os.fstat(opened.fileno()).st_size
        kind = sniff(opened.read(HEAD_BYTES))
    if size == 0:
        raise ScanRejected(QuarantineReason.EMPTY)
    if size > limits.scan_bytes:
        raise ScanRejected(QuarantineReason.TOO_LARGE)
    if kind is None:
        raise ScanRejected(QuarantineReason.UNSUPPORTED)
    return readers.read(
        ReadOrder(
            source=file.absolute(),
            kind=kind,
            work=work,
            limits=limits,
            symbologies=symbologies,
            separators=separators,
            foreign_text=True,
        )
    )


def _stacks(readings: Sequence[PageReading]) -> list[list[StackPage]]:
    pages = [StackPage(PageRef("", reading.number), reading) for reading in readings]
    runs = segments(page_roles(readings, {}), Assemble.FILE, None)
    return [pages[run.first_page - 1 : run.last_page] for run in runs]
