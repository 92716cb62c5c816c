"""`skrynka sheets`: sheets to print, with serials of their own."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from skrynka.cli import sheet_keys
from skrynka.cli.options import ConfigFile, configuration, station_database
from skrynka.cli.printing import print_to_file
from skrynka.core.errors import ConfigurationError
from skrynka.core.model import RoutingCode, SheetKind
from skrynka.core.naming import case_number_on_sheet
from skrynka.settings import Configuration
from skrynka.sheets.personal import PersonalRow, read_rows
from skrynka.store.case_listings import CaseDetail, find_case

_MOST_COPIES = 1000

sheets = typer.Typer(
    no_args_is_help=True,
    help="""Sheets to print: A4, as PDF, in Ukrainian, with codes that the daemon reads.

A **case** sheet lies on top of each submission. A **collection** sheet opens what was taken out of a box,
an **end** sheet closes it. Laminated **separators** between the envelopes make up for sheets that were left
out; **document** sheets tell the papers of a case apart; a **repeat** sheet says that a stack is scanned
again. Print at 100 %, without "fit to page".

Every sheet but the reusable ones has a serial that is never given twice, and every sheet a signature where there is
a key (`skrynka sheets key`). The file is for you and your group (0640).""",
)
sheets.command()(sheet_keys.key)

Copies = Annotated[int, typer.Option(min=1, max=_MOST_COPIES, help="How many; with --csv, of each row.")]
Provider = Annotated[
    list[str] | None, typer.Option(metavar="CODE", help="A provider it concerns; repeatable.", show_default=False)
]
Emptied = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="The day the box was emptied.", show_default=False),
]
Counted = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="The envelopes, counted by hand.", show_default=False)
]
Numbered = Annotated[bool, typer.Option("--numbered", help="Give each a serial, though it can be used again.")]
Series = Annotated[
    str | None,
    typer.Option(metavar="LETTERS", help="The series of the serials; else the configured one.", show_default=False),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE.pdf", help="Where to; else a name made of kind and serials.", show_default=False
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Write over the file if it is there.")]


@sheets.command()
def collection(
    box: Annotated[str, typer.Option(metavar="CODE", help="The box that was emptied.", show_default=False)],
    emptied: Emptied = None,
    counted: Counted = None,
    copies: Copies = 1,
    series: Series = None,
    output: Output = None,
    force: Force = False,
    config: ConfigFile = None,
) -> None:
    """Print collection sheets: they lie on top of everything that was taken out of one box at one time.

    Example: `skrynka sheets collection --box OBL-01 --emptied 2026-02-03 --counted 17`
    """
    code = RoutingCode(SheetKind.COLLECTION, box=box, emptied_on=emptied.date() if emptied else None, counted=counted)
    print_to_file(configuration(config), code, copies, series=series, output=output, force=force)


@sheets.command()
def separator(
    copies: Copies = 1,
    numbered: Numbered = False,
    series: Series = None,
    output: Output = None,
    force: Force = False,
    config: ConfigFile = None,
) -> None:
    """Print separators: they lie between the envelopes of a stack; to be laminated, and used again.

    Example: `skrynka sheets separator --copies 10`
    """
    code = RoutingCode(SheetKind.SEPARATOR)
    print_to_file(
        configuration(config), code, copies, series=series, output=output, force=force, numbered=numbered or None
    )


@sheets.command()
def case(
    box: Annotated[str | None, typer.Option(metavar="CODE", help="The box it is for.", show_default=False)] = None,
    case_type: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="The case type, such as VER.", show_default=False)
    ] = None,
    branch: Annotated[
        str | None, typer.Option(metavar="CODE", help="The case type's branch, such as DIS.", show_default=False)
    ] = None,
    provider: Provider = None,
    account: Annotated[str | None, typer.Option(help="Personal: the account.", show_default=False)] = None,
    address_code: Annotated[
        str | None, typer.Option(metavar="CODE", help="Personal: the address's registry code.", show_default=False)
    ] = None,
    meter: Annotated[
        list[str] | None,
        typer.Option(metavar="SERIAL", help="Personal: a meter's serial; repeatable.", show_default=False),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A list of personal sheets: account, address_code, meter_serials, box, case_type, branch, providers.",
            show_default=False,
        ),
    ] = None,
    follow_up: Annotated[
        str | None,
        typer.Option(metavar="CASE", help="The case, by number or id, whose further papers come.", show_default=False),
    ] = None,
    copies: Copies = 1,
    series: Series = None,
    output: Output = None,
    force: Force = False,
    config: ConfigFile = None,
) -> None:
    """Print case sheets: one lies on top of each submission, with the list of the papers that it needs.

    Generic, with fields to write on, or personal: from the options here, or from a CSV list with a header and a sheet
    per row (sets as A+B). What is personal stands in the code, so anybody who holds the sheet can read it: account,
    address code and meters, and never a name, a phone number or an address.

    Example: `skrynka sheets case --type VER --box OBL-01 --copies 50`

    With --follow-up, what comes with the sheet is linked to that case: once, until the day on the sheet, and only with
    its signature. Box, type, branch and providers are the case's own where you don't say others.

    Example: `skrynka sheets case --type VER --csv renewals.csv --output renewals.pdf`

    Example: `skrynka sheets case --follow-up OBL-01/2026/000001`
    """
    station = configuration(config)
    _check_account(account, station)
    earlier = _earlier(follow_up, station) if follow_up is not None else None
    if earlier is not None and csv is not None:
        raise ConfigurationError("A list can't follow up one case.", "Print a sheet for each case.")
    code = RoutingCode(
        SheetKind.CASE,
        box=box,
        case_type=case_type,
        branch=branch,
        providers=tuple(provider or ()),
        account=account,
        address_code=address_code,
        meter_serials=tuple(meter or ()),
    )
    if earlier is not None:
        code = _following_up(code, earlier)
    rows = _rows(csv, station) if csv is not None else []
    print_to_file(station, code, copies, series=series, output=output, force=force, rows=rows)


@sheets.command()
def document(
    kind: Annotated[
        list[str],
        typer.Option(metavar="KIND", help="What the paper is, such as CERT; repeatable, for one that is several."),
    ],
    copies: Copies = 1,
    series: Series = None,
    output: Output = None,
    force: Force = False,
    config: ConfigFile = None,
) -> None:
    """Print document sheets: one lies before a paper of a case, saying what it is.

    Example: `skrynka sheets document --kind DISMANTLE --kind INSTALL --copies 20`
    """
    code = RoutingCode(SheetKind.DOCUMENT, document_kinds=tuple(kind))
    print_to_file(configuration(config), code, copies, series=series, output=output, force=force)


@sheets.command()
def repeat(
    copies: Copies = 1,
    numbered: Numbered = False,
    series: Series = None,
    output: Output = None,
    force: Force = False,
    config: ConfigFile = None,
) -> None:
    """Print repeat sheets: one lies on top of a stack that is scanned again; to be used again.

    Example: `skrynka sheets repeat`
    """
    code = RoutingCode(SheetKind.REPEAT)
    print_to_file(
        configuration(config), code, copies, series=series, output=output, force=force, numbered=numbered or None
    )


@sheets.command()
def end(
    emptied: Emptied = None,
    counted: Counted = None,
    copies: Copies = 1,
    numbered: Numbered = False,
    series: Series = None,
    output: Output = None,
    force: Force = False,
    config: ConfigFile = None,
) -> None:
    """Print end sheets: one lies below everything that was taken out of a box; it closes the stack.

    Example: `skrynka sheets end`
    """
    code = RoutingCode(SheetKind.END, emptied_on=emptied.date() if emptied else None, counted=counted)
    print_to_file(
        configuration(config), code, copies, series=series, output=output, force=force, numbered=numbered or None
    )


def _earlier(reference: str, station: Configuration) -> CaseDetail:
    with station_database(station) as database:
        found = find_case(database, reference)
    if found is None:
        raise typer.BadParameter("there is no such case; `skrynka cases list` shows them", param_hint="--follow-up")
    return found


def _following_up(code: RoutingCode, earlier: CaseDetail) -> RoutingCode:
    """Fill in what the earlier case says; a branch means something with its own type only."""
    case = earlier.case
    same_type = code.case_type in {None, case.case_type}
    return replace(
        code,
        box=code.box or case.box_code,
        case_type=code.case_type or case.case_type,
        branch=code.branch or (case.branch if same_type else None),
        providers=code.providers or case.providers,
        follow_up=case_number_on_sheet(case.number),
    )


def _check_account(account: str | None, station: Configuration) -> None:
    pattern = station.settings.sheets.account_pattern
    if account is not None and re.search(pattern, account) is None:
        raise ConfigurationError(
            "This isn't what an account looks like (`sheets.account_pattern`).", "Leading zeros count."
        )


def _rows(csv: Path, station: Configuration) -> list[PersonalRow]:
    try:
        content = csv.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"The list can't be read ({error.strerror or type(error).__name__}).", "Name a CSV file that is there."
        ) from None
    return read_rows(content, station.settings.sheets.account_pattern)
