"""The sheets of the demo as `skrynka sheets` prints them: a page of its PDF for each sheet that is laid on a stack."""

from __future__ import annotations

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

_PROVIDERS = ("KTE", "KVK")
_COMMANDS = {"B": "collection", "C": "case", "D": "document", "E": "end"}
REUSED = frozenset({"E"})
"""Laminated: the same sheet is laid on every stack."""


def _case(case_type: str, branch: str | None = None, box: str = BOX) -> SheetFields:
    return SheetFields(box=box, case_type=case_type, branch=branch, providers=_PROVIDERS)


ORDERS: Mapping[SheetFields, int] = MappingProxyType(
    {
        SheetFields("B", box=BOX, counted=6): 1,
        SheetFields("B", box=GOING_ON_BOX, counted=2): 1,
        _case("VER", "ONS"): 1,
        _case("VER", "DIS"): 1,
        _case("VER"): 8,
        _case("NUM"): 3,
        _case("OTH"): 4,
        _case("VER", "ONS", GOING_ON_BOX): 1,
        _case("NUM", box=GOING_ON_BOX): 1,
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


@dataclass(slots=True)
class _Pile:
    """What was printed of one order, and how many of it are used."""

    pdf: Path
    used: int = 0


class PrintedSheets:
    """Printed sheets, to be laid on stacks one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._piles: dict[SheetFields, _Pile] = {}

    def print(self, station: DemoStation) -> Iterator[tuple[str, str]]:
        """Print all orders; gives each command's words and what it said, as they are done."""
        self.folder.mkdir()
        orders = list(enumerate(ORDERS.items(), start=1))

        # A command takes a moment to start: two at a time.
        def printed(order: tuple[int, tuple[SheetFields, int]]) -> tuple[str, str]:
            number, (fields, copies) = order
            pdf = self.folder / f"{number:02d}-{_COMMANDS[fields.kind]}.pdf"
            words = [*_words(fields), *(["--copies", str(copies)] if copies > 1 else [])]
            said = station.quietly("sheets", *words, "--output", str(pdf))
            self._piles[fields] = _Pile(pdf)
            return " ".join(words), said.strip()

        with ThreadPoolExecutor(2) as printers:
            yield from printers.map(printed, orders)

    def lay(self, fields: SheetFields, page_id: int, dpi: int) -> Picture:
        """Give the next printed sheet of these fields as a picture with a page id; its serial is the printed one."""
        pile = self._piles[replace(fields, serial=None)]
        if fields.kind not in REUSED:
            pile.used += 1
        page = max(pile.used, 1)
        drawn = convert_from_path(pile.pdf, dpi, first_page=page, last_page=page, grayscale=True)
        picture = np.array(drawn[0])
        draw_id(picture, page_id, dpi)
        return picture


def _words(fields: SheetFields) -> list[str]:
    """Give the command's words for a sheet of these fields."""
    options = [
        ("--box", fields.box),
        ("--type", fields.case_type),
        ("--branch", fields.branch),
        *(("--provider", provider) for provider in fields.providers),
        *(("--kind", kind) for kind in fields.document_kinds),
        ("--counted", None if fields.counted is None else str(fields.counted)),
    ]
    return [_COMMANDS[fields.kind], *(word for name, value in options if value for word in (name, value))]
