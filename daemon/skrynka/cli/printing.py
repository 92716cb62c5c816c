"""From an order of sheets to a PDF file: serials drawn, what was printed kept, the file written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from skrynka.catalogue_file import load_catalogue
from skrynka.cli.options import actor, station_database
from skrynka.cli.output import counted
from skrynka.core.errors import ConfigurationError, EnvironmentUnfit
from skrynka.core.model import RoutingCode, SheetKind
from skrynka.core.routing_code import compose
from skrynka.durable import write_durably
from skrynka.settings import Configuration
from skrynka.sheets.ordering import REUSABLE, BoxNames, order_sheets
from skrynka.sheets.personal import PersonalRow
from skrynka.sheets.printing import SheetOrder, render
from skrynka.sheets.serials import SeriesExhausted
from skrynka.store.sheets import PrintedSheet, record_sheets

_SLOW = 20
"""From so many sheets on it takes seconds, and somebody waits."""


def print_to_file(
    station: Configuration,
    code: RoutingCode,
    copies: int,
    *,
    series: str | None,
    output: Path | None,
    force: bool,
    rows: Sequence[PersonalRow] = (),
    numbered: bool | None = None,
) -> None:
    """Order sheets of a station, write them into a PDF file, and say so.

    Serials are drawn in one transaction before anything is rendered: should that fail, they are left out and nothing
    else. Raises ConfigurationError (also where the file is there and `force` isn't given), EnvironmentUnfit.
    """
    if output is not None:
        _refuse_overwriting(output, force=force)
    orders = _ordered(
        station, code, copies, series=series or station.settings.sheets.series, rows=rows, numbered=numbered
    )
    target = output or Path(_file_name(orders))
    _refuse_overwriting(target, force=force)
    if len(orders) >= _SLOW:
        typer.echo(f"Drawing {len(orders)} sheets …", err=True)
    pdf = render(orders, station.templates)
    try:
        write_durably(target, pdf)
    except OSError as error:
        raise EnvironmentUnfit(
            f"{target} can't be written ({error.strerror or type(error).__name__}).",
            "Name a file in a folder that you may write to.",
        ) from None
    typer.echo(_summary(orders, target))


def _ordered(
    station: Configuration,
    code: RoutingCode,
    copies: int,
    *,
    series: str,
    rows: Sequence[PersonalRow],
    numbered: bool | None,
) -> list[SheetOrder]:
    catalogue = load_catalogue(station.case_types_file)
    boxes = {box.code: BoxNames(box.name, box.centre) for box in station.boxes}

    def order(after: int) -> list[SheetOrder]:
        return order_sheets(
            code,
            copies,
            series=series,
            after=after,
            catalogue=catalogue,
            boxes=boxes,
            phones=station.settings.sheets.phones,
            rows=rows,
            numbered=numbered,
        )

    if code.kind in REUSABLE and not numbered:
        return order(0)
    orders: list[SheetOrder] = []

    def make(last: int) -> list[PrintedSheet]:
        orders[:] = order(last)
        return [_printed(each.code, number) for number, each in enumerate(orders, last + 1)]

    with station_database(station) as database:
        try:
            record_sheets(database, series, actor(), make)
        except SeriesExhausted as full:
            raise ConfigurationError(str(full), "Say --series, or change `sheets.series`.") from None
    return orders


def _printed(code: RoutingCode, number: int) -> PrintedSheet:
    return PrintedSheet(number, code, compose(code))


def _refuse_overwriting(target: Path, *, force: bool) -> None:
    if target.exists() and not force:
        raise ConfigurationError(f"{target} is there already.", "Name another file, or say --force.")


def _file_name(orders: Sequence[SheetOrder]) -> str:
    kind = _WORDS[orders[0].code.kind]
    first, last = orders[0].code.serial, orders[-1].code.serial
    if first is None or first == last:
        return f"{kind}{f'-{first}' if first else ''}.pdf"
    return f"{kind}-{first}-{last}.pdf"


def _summary(orders: Sequence[SheetOrder], target: Path) -> str:
    first, last = orders[0].code.serial, orders[-1].code.serial
    count = counted(len(orders), f"{_WORDS[orders[0].code.kind]} sheet")
    span = "" if first is None else f" {first}" if first == last else f" {first}–{last}"
    return f"{count}{span} → {target}"


_WORDS = {
    SheetKind.COLLECTION: "collection",
    SheetKind.SEPARATOR: "separator",
    SheetKind.CASE: "case",
    SheetKind.DOCUMENT: "document",
    SheetKind.REPEAT: "repeat",
    SheetKind.END: "end",
}
