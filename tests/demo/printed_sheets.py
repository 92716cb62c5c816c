"""The sheets of the demo as `skrynka sheets` prints them: a page of its PDF for each sheet that is laid on a stack."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from pdf2image import convert_from_path

from tests.demo.material import BOX, GOING_ON_BOX
from tests.demo.station import DemoStation
from tests.support.drawn_sheets import SheetFields
from tests.support.page_ids import draw_id
from tests.support.typeset import Picture

_COMMANDS = {"B": "collection", "D": "document", "E": "end"}
REUSED = frozenset({"E"})
"""Laminated: the same sheet is laid on every stack."""


def _case(case_type: str, branch: str | None = None, box: str = BOX) -> SheetFields:
    return SheetFields(box=box, case_type=case_type, branch=branch, providers=("KTE", "KVK"))


ORDERS: Mapping[SheetFields, int] = MappingProxyType(
    {
        _case("VER", "ONS"): 1,
        _case("VER", "DIS"): 1,
        _case("VER"): 8,
        _case("NUM"): 3,
        _case("OTH"): 4,
        _case("VER", "ONS", GOING_ON_BOX): 1,
        _case("NUM", box=GOING_ON_BOX): 1,
        SheetFields("B", box=BOX, counted=6): 1,
        SheetFields("B", box=GOING_ON_BOX, counted=2): 1,
        SheetFields("D", document_kinds=("CERT",)): 7,
        SheetFields("D", document_kinds=("PHOTO",)): 5,
        SheetFields("D", document_kinds=("PROTOCOL",)): 1,
        SheetFields("D", document_kinds=("DISMANTLE", "INSTALL")): 2,
        SheetFields("D", document_kinds=("WORKS",)): 1,
        SheetFields("D", document_kinds=("SEAL",)): 1,
        SheetFields("D", document_kinds=("UNFIT",)): 1,
        SheetFields("E"): 1,
    }
)
"""What the demo's scans need of each, sheets without their serials; those that can't be read are drawn elsewhere."""


@dataclass(frozen=True, slots=True)
class _Job:
    """One call of the command."""

    words: tuple[str, ...]
    pages: tuple[SheetFields, ...]
    """What is to be on each page of its PDF."""


class PrintedSheets:
    """Printed sheets, to be laid on stacks one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.piles: dict[SheetFields, deque[tuple[Path, int]]] = {fields: deque() for fields in ORDERS}
        """Sheets that aren't used yet: PDF and page, from 1."""

    def print(self, station: DemoStation) -> Iterator[tuple[str, str]]:
        """Print all orders; gives each command's words and what it said, as they are done."""
        self.folder.mkdir()
        jobs = [self._cases(), *(_others(fields, copies) for fields, copies in ORDERS.items() if fields.kind != "C")]

        def printed(job: _Job, number: int) -> tuple[str, str]:
            pdf = self.folder / f"{number:02d}-{job.words[0]}.pdf"
            said = station.quietly("sheets", *job.words, "--output", str(pdf))
            for page, fields in enumerate(job.pages, start=1):
                self.piles[fields].append((pdf, page))
            return " ".join(job.words), said.strip()

        # A command takes a moment to start: two at a time.
        with ThreadPoolExecutor(2) as printers:
            yield from printers.map(printed, jobs, range(1, len(jobs) + 1))

    def lay(self, fields: SheetFields, page_id: int, dpi: int) -> Picture:
        """Give the next printed sheet of these fields as a picture with a page id; its serial is the printed one."""
        pile = self.piles[replace(fields, serial=None)]
        pdf, page = pile[0] if fields.kind in REUSED else pile.popleft()
        picture = np.array(convert_from_path(pdf, dpi, first_page=page, last_page=page, grayscale=True)[0])
        draw_id(picture, page_id, dpi)
        return picture

    def _cases(self) -> _Job:
        """Order the case sheets, all kinds of them by one list."""
        pages = tuple(fields for fields, copies in ORDERS.items() if fields.kind == "C" for _ in range(copies))
        rows = [
            f"{fields.box},{fields.case_type},{fields.branch or ''},{'+'.join(fields.providers)}" for fields in pages
        ]
        wanted = self.folder / "cases.csv"
        wanted.write_text("\n".join(["box,case_type,branch,providers", *rows, ""]), encoding="utf-8")
        return _Job(("case", "--csv", str(wanted)), pages)


def _others(fields: SheetFields, copies: int) -> _Job:
    options = [
        ("--box", fields.box),
        *(("--kind", kind) for kind in fields.document_kinds),
        ("--counted", None if fields.counted is None else str(fields.counted)),
        ("--copies", str(copies) if copies > 1 else None),
    ]
    given = (word for name, value in options if value for word in (name, value))
    return _Job((_COMMANDS[fields.kind], *given), (fields,) * copies)
