"""What is dropped on a station while faults are injected: tiny scans, unlike all others, and the truth about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tests.support.drawn_sheets import SheetFields, plain_sheet
from tests.support.oracle import Dropped, dropped
from tests.support.scanner import CLEAN
from tests.support.scans import encrypted, pdf_of
from tests.support.stacks import DrawnStack, Envelope, Paper, draw_stack

DPI = 75
SINGLE = "OBL-01"
"""The box whose scans are a stack each."""
STACKED = "OBL-02"
"""The box whose scans go on in one stack."""
_IDS = 10
"""Page ids that a pile may use."""


@dataclass(frozen=True, slots=True)
class Pile:
    """Scans that are dropped together."""

    kind: str
    """A key of PILES."""
    files: tuple[tuple[str, bytes], ...]
    """Box and bytes, in the order that they are dropped."""
    truth: tuple[Dropped, ...]
    cases: tuple[list[int], ...] = field(default=())
    """Page ids of the cases that must come out."""


def draw_pile(kind: str, number: int) -> Pile:
    """Draw a pile; piles of different numbers, from 1, have no page, no serial and no byte in common."""
    return PILES[kind](kind, number)


def _case(kind: str, number: int) -> Pile:
    """Draw a scan with a case sheet and one paper."""
    stack = _drawn([_envelope(number)], number)
    data = pdf_of(stack.scanned)
    return Pile(kind, ((SINGLE, data),), (dropped(data, stack.pages),), _cases(stack))


def _spoilt(kind: str, number: int) -> Pile:
    """Draw a scan that nobody can open."""
    data = encrypted(pdf_of(_drawn([Envelope((Paper("SEAL"),))], number).scanned))
    return Pile(kind, ((SINGLE, data),), (dropped(data, spoilt=True),))


def _twice(kind: str, number: int) -> Pile:
    """Draw a case's scan, and put it under two names."""
    once = _case(kind, number)
    return Pile(kind, once.files * 2, once.truth * 2, once.cases)


def _in_two_scans(kind: str, number: int) -> Pile:
    """Draw a stack whose case sheet lies in another scan than its paper, with an end sheet."""
    stack = _drawn([_envelope(number, STACKED)], number, end=SheetFields("E"))
    parts = stack.pages[:1], stack.pages[1:]
    data = [pdf_of([page.scanned for page in part]) for part in parts]
    truth = tuple(dropped(each, part) for each, part in zip(data, parts, strict=True))
    return Pile(kind, tuple((STACKED, each) for each in data), truth, _cases(stack))


PILES: dict[str, Callable[[str, int], Pile]] = {
    "a case": _case,
    "a scan for quarantine": _spoilt,
    "the same scan twice": _twice,
    "a stack in two scans": _in_two_scans,
}
"""Each goes another way through the program."""


def _envelope(number: int, box: str = SINGLE) -> Envelope:
    return Envelope((Paper("SEAL"),), SheetFields(serial=f"A{number:06d}", box=box, case_type="NUM"))


def _drawn(envelopes: Sequence[Envelope], number: int, *, end: SheetFields | None = None) -> DrawnStack:
    return draw_stack(
        envelopes,
        np.random.default_rng(number),
        dpi=DPI,
        first_id=_IDS * number,
        scanning=lambda _: CLEAN,
        end=end,
        sheets=lambda fields, page_id, dpi: plain_sheet(fields.text(), page_id, dpi),
    )


def _cases(stack: DrawnStack) -> tuple[list[int], ...]:
    return tuple(case.page_ids for case in stack.cases)
