"""The command line: what an admin and a clerk type. No decisions here: options in, a journey or a query, a table out.

Exit codes: 0 good; 1 found something that a person should look at; 2 wrong usage or configuration; 3 something
outside is missing or away: a program, a folder, the database.
"""

from __future__ import annotations

import sys

import typer

from skrynka import __version__
from skrynka.cli import cases, check, database, inspect, quarantine, run, sheets, station, status
from skrynka.cli.exits import ENVIRONMENT, USAGE
from skrynka.core.errors import ConfigurationError, EnvironmentUnfit

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Scans of drop-box papers go in; cases, documents and a page account come out.

A first walk: [bold]skrynka inspect FILE[/] says what would become of a scan, and touches nothing.
[bold]skrynka init DIR[/] makes a station, [bold]skrynka check[/] looks at it, [bold]skrynka run[/] is the daemon.

Every command that works on a station takes --config FILE, or SKRYNKA_CONFIG from the environment.
Exit codes: 0 good, 1 found something, 2 usage or configuration, 3 environment.""",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Say the version and end."),
) -> None:
    pass


app.command("run")(run.run)
app.command("init")(station.init)
app.command("check")(check.check)
app.command("status")(status.status)
app.command("inspect")(inspect.inspect)
app.add_typer(cases.cases, name="cases")
app.add_typer(cases.documents, name="documents")
app.add_typer(quarantine.quarantine, name="quarantine")
app.add_typer(sheets.sheets, name="sheets")
app.add_typer(database.database, name="db")


def main() -> None:
    """Run the command line; failures with a name become one line and an exit code, never a traceback."""
    try:
        app()
    except ConfigurationError as error:
        _say(error.message, error.remedy)
        sys.exit(USAGE)
    except EnvironmentUnfit as error:
        _say(error.message, error.remedy)
        sys.exit(ENVIRONMENT)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        sys.stderr.close()
        sys.exit(0)


def _say(message: str, remedy: str) -> None:
    typer.echo(f"skrynka: {message} {remedy}".rstrip(), err=True)
