"""From an order of sheets to a PDF file: serials drawn, what was printed kept, the file written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import typer

from skrynka.catalogue_file import load_catalogue
from skrynka.cli.options import actor, station_database
from skrynka.cli.output import counted
from skrynka.core.errors import ConfigurationError, EnvironmentUnfit
from skrynka.core.model import RoutingCode, SheetKind
from skrynka.core.routing_code import compose
from skrynka.core.signing import SigningKey, SigningMode, key_to_sign_with, sign
from skrynka.durable import write_durably
from skrynka.journey.days import day_in_kyiv
from skrynka.key_file import load_keys
from skrynka.settings import Configuration
from skrynka.sheets.ordering import REUSABLE, BoxNames, order_sheets
from skrynka.sheets.personal import PersonalRow
from skrynka.sheets.printing import SheetOrder, render
from skrynka.sheets.serials import SeriesExhausted
from skrynka.store.archived import serials
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

    Every sheet is signed where there is a key, whatever the station asks of those that come back. Serials are drawn in
    one transaction before anything is rendered: should that fail, they are left out and nothing else. Raises
    ConfigurationError (also where the file is there and `force` isn't given, and for a sheet that wouldn't count
    without a signature), EnvironmentUnfit. Where a serial may have been given before, by a database that was lost, it
    says so on the terminal and prints all the same: anybody's sheet could stop the printing otherwise.
    """
    if output is not None:
        _refuse_overwriting(output, force=force)
    today = day_in_kyiv(datetime.now(UTC))
    key = _key(station, today)
    if code.follow_up is not None and key is None:
        raise ConfigurationError(
            "A follow-up sheet is honoured only when it is signed, and there is no key.",
            "Make one with `skrynka sheets key`, and name its file in `sheets.keys`.",
        )
    orders = _ordered(
        station,
        code,
        copies,
        series=series or station.settings.sheets.series,
        rows=rows,
        numbered=numbered,
        key=key,
        expires_on=today + timedelta(days=station.settings.sheets.follow_up_days) if code.follow_up else None,
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
    key: SigningKey | None,
    expires_on: date | None,
) -> list[SheetOrder]:
    catalogue = load_catalogue(station.case_types_file)
    boxes = {box.code: BoxNames(box.name, box.centre) for box in station.boxes}

    def order(after: int) -> list[SheetOrder]:
        orders = order_sheets(
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
        return [
            replace(each, code=sign(each.code, key) if key else each.code, expires_on=expires_on) for each in orders
        ]

    if code.kind in REUSABLE and not numbered:
        return order(0)
    orders: list[SheetOrder] = []

    def make(last: int) -> list[PrintedSheet]:
        orders[:] = order(last)
        return [
            PrintedSheet(number, each.code, compose(each.code), expires_on)
            for number, each in enumerate(orders, last + 1)
        ]

    with station_database(station) as database:
        try:
            first = record_sheets(database, series, actor(), make)[0].number
        except SeriesExhausted as full:
            raise ConfigurationError(str(full), "Say --series, or change `sheets.series`.") from None
        _, came_in = serials(database, series)
    if came_in >= first:
        typer.echo(
            f"Sheets up to {series}{came_in:06d} came in that this database didn't give: a serial printed now may lie "
            "on other papers. Throw these sheets away, and set another `sheets.series` (or say --series).",
            err=True,
        )
    return orders


def _key(station: Configuration, today: date) -> SigningKey | None:
    """Give the key that signs today, where there is one."""
    keys = load_keys(station.keys_file) if station.keys_file is not None else ()
    key = key_to_sign_with(keys, today)
    if key is None and station.settings.sheets.signing is SigningMode.REQUIRED:
        raise ConfigurationError(
            "No key signs today, and this station requires signatures: the sheets would be held when they come back.",
            "Make one with `skrynka sheets key`, and name its file in `sheets.keys`.",
        )
    return key


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
    key = orders[0].code.key_id
    return f"{count}{span}{f', signed with key {key}' if key else ''} → {target}"


_WORDS = {
    SheetKind.COLLECTION: "collection",
    SheetKind.SEPARATOR: "separator",
    SheetKind.CASE: "case",
    SheetKind.DOCUMENT: "document",
    SheetKind.REPEAT: "repeat",
    SheetKind.END: "end",
}
