"""From what somebody wants printed to the sheets: serials given out, names put beside codes, one PDF.

All but the database and the disk: the caller says which serial was the last and keeps what was printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from skrynka.core.catalogue import Branch, CaseType, Catalogue, DocumentKind, Provider
from skrynka.core.checklist import checklist
from skrynka.core.errors import ConfigurationError
from skrynka.core.model import RoutingCode, SheetKind
from skrynka.core.routing_code import compose
from skrynka.sheets.personal import PersonalRow
from skrynka.sheets.printing import NO_CHECKLIST, SheetOrder, render
from skrynka.sheets.serials import serials

REUSABLE = frozenset({SheetKind.SEPARATOR, SheetKind.REPEAT, SheetKind.END})
"""Laminated and used again, so they bear no serial unless one is asked for."""


@dataclass(frozen=True, slots=True)
class BoxNames:
    """What people call a box, and the service centre where it stands."""

    box: str = ""
    centre: str = ""


@dataclass(frozen=True, slots=True)
class Printed:
    """What came of an order: the PDF, and its sheets' codes in the order of the pages, one per page."""

    pdf: bytes
    codes: tuple[RoutingCode, ...]


def print_sheets(
    pattern: RoutingCode,
    copies: int,
    *,
    series: str,
    after: int,
    catalogue: Catalogue,
    boxes: Mapping[str, BoxNames],
    phones: Sequence[str] = (),
    rows: Sequence[PersonalRow] = (),
    numbered: bool | None = None,
    templates: Path | None = None,
) -> Printed:
    """Print what `order_sheets` orders. Raises as it does, and ConfigurationError where something doesn't fit."""
    orders = order_sheets(
        pattern,
        copies,
        series=series,
        after=after,
        catalogue=catalogue,
        boxes=boxes,
        phones=phones,
        rows=rows,
        numbered=numbered,
    )
    return Printed(pdf=render(orders, templates), codes=tuple(order.code for order in orders))


def order_sheets(
    pattern: RoutingCode,
    copies: int,
    *,
    series: str,
    after: int,
    catalogue: Catalogue,
    boxes: Mapping[str, BoxNames],
    phones: Sequence[str] = (),
    rows: Sequence[PersonalRow] = (),
    numbered: bool | None = None,
) -> list[SheetOrder]:
    """Order `copies` sheets of a pattern, a code without its serial; with `rows`, so many of each row.

    Quick, so that serials can be drawn within a transaction and the sheets be rendered after it.
    Serials go on in `series` from `after`, the last number used; `numbered` None numbers all but the reusable kinds.
    Raises ConfigurationError where a code isn't configured or isn't allowed on this kind of sheet, and
    SeriesExhausted. ValueError: no copies.
    """
    if copies < 1:
        raise ValueError("at least one copy")
    wanted: list[tuple[int | None, RoutingCode]] = [(row.line, _filled_in(pattern, row)) for row in rows] or [
        (None, pattern)
    ]
    orders = [_order(code, catalogue, boxes, phones, line) for line, code in wanted for _ in range(copies)]
    if pattern.kind not in REUSABLE if numbered is None else numbered:
        given = serials(series, after, len(orders))
        orders = [
            replace(order, code=replace(order.code, serial=serial)) for order, serial in zip(orders, given, strict=True)
        ]
    return orders


def sheet_order(
    code: RoutingCode, catalogue: Catalogue, boxes: Mapping[str, BoxNames], phones: Sequence[str] = ()
) -> SheetOrder:
    """Put the names that people read beside one sheet's code. Raises ConfigurationError as `print_sheets` does."""
    _check(code, catalogue, boxes)
    names = boxes[code.box] if code.box is not None else BoxNames()
    case_type = catalogue.case_type(code.case_type)
    branch = case_type.branch(code.branch) if case_type is not None else None
    papers = NO_CHECKLIST
    if case_type is not None:
        papers = checklist(catalogue, case_type.code, code.branch, code.providers)
    return SheetOrder(
        code=code,
        box_name=names.box,
        centre_name=names.centre,
        case_type_name=_uk(case_type),
        branch_name=_uk(branch),
        provider_names=tuple(_uk(catalogue.provider(provider)) for provider in code.providers),
        document_kind_names=tuple(_uk(catalogue.kind(kind)) for kind in code.document_kinds),
        checklist=papers,
        phones=tuple(phones),
    )


def _filled_in(pattern: RoutingCode, row: PersonalRow) -> RoutingCode:
    return replace(
        pattern,
        account=row.account or pattern.account,
        address_code=row.address_code or pattern.address_code,
        meter_serials=row.meter_serials or pattern.meter_serials,
        box=row.box or pattern.box,
        case_type=row.case_type or pattern.case_type,
        branch=row.branch or pattern.branch,
        providers=row.providers or pattern.providers,
    )


def _order(
    code: RoutingCode,
    catalogue: Catalogue,
    boxes: Mapping[str, BoxNames],
    phones: Sequence[str],
    line: int | None,
) -> SheetOrder:
    """Order a sheet; an error tells the line of the list that asked for it, where there is one."""
    try:
        return sheet_order(code, catalogue, boxes, phones)
    except ConfigurationError as error:
        if line is None:
            raise
        raise ConfigurationError(f"Line {line}: {error.message}", error.remedy) from None


def _check(code: RoutingCode, catalogue: Catalogue, boxes: Mapping[str, BoxNames]) -> None:
    """Refuse what would be held when it comes back: a sheet that is printed must be one that files papers."""
    if code.kind is SheetKind.COLLECTION and code.box is None:
        raise ConfigurationError("A collection sheet needs a box.", f"Configured: {_list(boxes)}.")
    if code.kind is SheetKind.DOCUMENT and not code.document_kinds:
        raise ConfigurationError("A document sheet needs a document kind.", f"Configured: {_kinds(catalogue)}.")
    if code.branch is not None and code.case_type is None:
        raise ConfigurationError("A branch needs a case type.", "Name the case type too.")
    if code.box is not None and code.box not in boxes:
        raise ConfigurationError("There is no such box in the configuration.", f"Configured: {_list(boxes)}.")
    declarable = {kind.code for kind in catalogue.declarable_kinds}
    if not declarable.issuperset(code.document_kinds):
        raise ConfigurationError("There is no such document kind.", f"Configured: {_kinds(catalogue)}.")
    if code.case_type is not None:
        # Raises where the case type, its branch or a provider isn't configured.
        checklist(catalogue, code.case_type, code.branch, code.providers)
    elif any(catalogue.provider(provider) is None for provider in code.providers):
        configured = _list([provider.code for provider in catalogue.providers])
        raise ConfigurationError("There is no such provider in the configuration.", f"Configured: {configured}.")
    try:
        compose(replace(code, serial=code.serial or "A000001"))
    except ValueError:
        raise ConfigurationError(
            "The routing code can't carry these values on this kind of sheet.",
            "Use capital Latin letters, digits, - and . only.",
        ) from None


def _kinds(catalogue: Catalogue) -> str:
    return _list([kind.code for kind in catalogue.declarable_kinds])


def _list(codes: Iterable[str]) -> str:
    return ", ".join(codes) or "none"


def _uk(named: CaseType | Branch | DocumentKind | Provider | None) -> str:
    return named.names.uk if named is not None else ""
