"""Sheets as one PDF to print: the values that a sheet shows, and the templates that show them."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skrynka.core import mark
from skrynka.core.checklist import Checklist, ChecklistEntry
from skrynka.core.errors import ConfigurationError
from skrynka.core.model import RoutingCode
from skrynka.core.routing_code import compose, compose_short
from skrynka.sheets import symbols

if TYPE_CHECKING:
    import typst

TEMPLATES = Path(__file__).parent / "templates"
"""The templates that are shipped; an admin's folder may hold others under the same names."""
_MAIN = "sheets.typ"
NO_CHECKLIST = Checklist(entries=(), branches=())


@dataclass(frozen=True, slots=True)
class SheetOrder:
    """One sheet to print: its routing code, and what people read beside it, in Ukrainian."""

    code: RoutingCode
    box_name: str = ""
    centre_name: str = ""
    case_type_name: str = ""
    branch_name: str = ""
    provider_names: tuple[str, ...] = ()
    document_kind_names: tuple[str, ...] = ()
    checklist: Checklist = NO_CHECKLIST
    phones: tuple[str, ...] = ()
    expires_on: date | None = None
    """The last day of a follow-up sheet."""


def render(orders: Sequence[SheetOrder], templates: Path | None = None) -> bytes:
    """Give one PDF with an A4 page per order, in their order; the same orders give the same bytes.

    Files of the folder `templates` take the place of shipped ones with the same name, or are added to them. Raises
    ConfigurationError where a template fails or a text doesn't fit, ValueError where a routing code is against its
    grammar or there are no orders.
    """
    if not orders:
        raise ValueError("no sheets were ordered")
    data = json.dumps([_filled(order) for order in orders], ensure_ascii=False)
    # Only templates touch the disk: what is on personalised sheets stays in memory.
    with tempfile.TemporaryDirectory(prefix="skrynka-sheets-") as folder:
        root = Path(folder)
        shutil.copytree(TEMPLATES, root, dirs_exist_ok=True)
        if templates is not None:
            shutil.copytree(templates, root, dirs_exist_ok=True)
        import typst  # noqa: PLC0415 - the daemon has this module too, and never prints

        try:
            return typst.compile(
                str(root / _MAIN),
                root=str(root),
                sys_inputs={"sheets": data},
                ignore_system_fonts=True,
                format="pdf",
            )
        except typst.TypstError as error:
            raise _template_failed(error) from None


def _filled(order: SheetOrder) -> dict[str, Any]:
    """Give what the templates see of one sheet; frame.typ lists the keys."""
    code = order.code
    return {
        "kind": code.kind.value,
        "serial": code.serial,
        "box": code.box,
        "account": code.account,
        "address_code": code.address_code,
        "meter_serials": code.meter_serials,
        "follow_up": code.follow_up,
        "expires_on": _day(order.expires_on),
        "emptied_on": _day(code.emptied_on),
        "counted": code.counted,
        "box_name": order.box_name,
        "centre_name": order.centre_name,
        "case_type_name": order.case_type_name,
        "branch_name": order.branch_name,
        "provider_names": order.provider_names,
        "document_kind_names": order.document_kind_names,
        "checklist": _groups(order.checklist),
        "phones": order.phones,
        "geometry": _geometry(code),
    }


def _day(day: date | None) -> str | None:
    return day.strftime("%d.%m.%Y") if day else None


def _groups(checklist: Checklist) -> list[dict[str, Any]]:
    """Give what everybody brings, under no title, then the branches under theirs."""
    blocks = [("", checklist.entries), *((branch.names.uk, branch.entries) for branch in checklist.branches)]
    return [{"title": title, "entries": [_alternatives(entry) for entry in entries]} for title, entries in blocks]


def _alternatives(entry: ChecklistEntry) -> list[list[dict[str, str]]]:
    return [[{"name": item.names.uk, "hint": item.hint_uk} for item in papers] for papers in entry.alternatives]


def _geometry(code: RoutingCode) -> dict[str, Any]:
    drawn = symbols.draw(compose(code), compose_short(code))
    return {
        "page_height": symbols.PAGE_HEIGHT_MM,
        "margin": symbols.MARGIN_MM,
        "gap": symbols.GAP_MM,
        "middle": drawn.middle,
        "mark": mark.RADII_MM,
        "mark_from_edge": mark.FROM_EDGE_MM,
        "qr": _placed(drawn.qr),
        "linear": _placed(drawn.linear),
    }


def _placed(symbol: symbols.Symbol) -> dict[str, Any]:
    return {"svg": symbol.svg, "width": symbol.width, "height": symbol.height, "quiet": symbol.quiet}


def _template_failed(error: typst.TypstError) -> ConfigurationError:
    """Say where a template failed, without what it was filled with: the compiler's own words may hold both."""
    place = re.search(r"(\w[\w-]*\.typ):(\d+)", error.diagnostic)
    where = f" ({place[1]}, line {place[2]})" if place else ""
    return ConfigurationError(
        f"The sheets can't be drawn{where}.",
        "Shorten names and lists so that they fit, and compare your own templates with the shipped ones.",
    )
