"""The command line: what an admin and a clerk type. No decisions here: options in, a journey or a query, a table out.

Exit codes: 0 good; 1 found something that a person should look at; 2 wrong usage or configuration; 3 something
outside is missing or away: a program, a folder, the database.
"""

from __future__ import annotations

import os
import sys
import traceback

import typer

from skrynka import __version__
from skrynka.cli import audit, cases, check, database, inspect, quarantine, run, sheets, station, status
from skrynka.cli.exits import ENVIRONMENT, GOOD, USAGE
from skrynka.core.errors import ConfigurationError, EnvironmentUnfit
from skrynka.logs import Level, configure
from skrynka.loops import where

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Scans of drop-box papers go in; cases, documents and a page account come out.

A first walk: `skrynka inspect FILE` says what would become of a scan, and touches nothing.
`skrynka init DIR` makes a station, `skrynka check` looks at it, `skrynka run` is the daemon.

Every command that works on a station takes --config FILE, or SKRYNKA_CONFIG from the environment.
Exit codes: 0 good, 1 found something, 2 usage or configuration, 3 environment.""",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: bool = typer.Option(  # noqa: ARG001 - its callback does it
        False, "--version", callback=_version, is_eager=True, help="Say the version and end."
    ),
) -> None:
    # What is logged on the way to an answer goes beside it, not into it. `run` sets the log up as configured.
    configure(level=Level.WARNING)
    if os.environ.get("NO_COLOR"):
        context.color = False


app.command("run")(run.run)
app.command("init")(station.init)
app.command("check")(check.check)
app.command("status")(status.status)
app.command("audit")(audit.audit)
app.command("inspect")(inspect.inspect)
app.add_typer(cases.cases, name="cases")
app.add_typer(cases.documents, name="documents")
app.add_typer(quarantine.quarantine, name="quarantine")
app.add_typer(sheets.sheets, name="sheets")
app.add_typer(database.database, name="db")


def main() -> None:
    """Run the command line; a failure becomes one line and an exit code, and never a traceback.

    With SKRYNKA_DEBUG=1 in the environment what nobody foresaw is shown with its traceback, which may quote papers.
    """
    debug = os.environ.get("SKRYNKA_DEBUG", "") not in {"", "0"}
    try:
        app()
    except ConfigurationError as error:
        _say(error.message, error.remedy)
        sys.exit(USAGE)
    except EnvironmentUnfit as error:
        _say(error.message, error.remedy)
        sys.exit(ENVIRONMENT)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            # Whoever read our output has seen enough: nothing was found, and nothing is wrong.
            sys.exit(GOOD)
        raise
    except Exception as error:  # noqa: BLE001 - the boundary: whatever it is, a person reads one line
        if debug:
            traceback.print_exc()
        _say(
            f"{type(error).__name__} at {where(error)}: a defect, or something that nobody foresaw.",
            "SKRYNKA_DEBUG=1 shows more; mind that it may quote papers.",
        )
        sys.exit(ENVIRONMENT)


def _say(message: str, remedy: str) -> None:
    sentence = message if message.endswith((".", "!", "?")) else f"{message}."
    typer.echo(f"skrynka: {sentence} {remedy}".rstrip(), err=True)
