"""`skrynka db`: the database's revision, and the way to the newest."""

from __future__ import annotations

import typer

from skrynka.cli.exits import FOUND
from skrynka.cli.options import AsJson, ConfigFile, configuration, open_station_database
from skrynka.cli.output import show_json
from skrynka.cli.running import service_pid
from skrynka.core.errors import EnvironmentUnfit
from skrynka.settings import Configuration
from skrynka.store.database import Database
from skrynka.store.revision import current_revision, head_revision
from skrynka.store.revision import upgrade as upgrade_database

database = typer.Typer(
    no_args_is_help=True, help="The database: which revision it is at, and bringing it to the newest."
)


@database.command()
def upgrade(config: ConfigFile = None) -> None:
    """Bring the database to the revision that this program works with; make its tables where it has none.

    Make a backup first: there is no way back. A shared database is upgraded once, with all stations stopped; a station
    never does it by itself. At the newest revision already, nothing changes. A SQLite file that isn't there is made.

    Example: `skrynka db upgrade --config /srv/station/skrynka.toml`
    """
    station = configuration(config)
    file = station.database_file
    if file is not None and not file.exists():
        _refuse_while_running(station)
    opened = open_station_database(station, create=True)
    try:
        if current_revision(opened) == head_revision():
            typer.echo(f"The database is at revision {head_revision()}, the newest: nothing to do.")
            return
        _refuse_while_running(station)
        before, after = upgrade_database(opened)
    finally:
        opened.close()
    typer.echo(f"The database was {f'at revision {before}' if before else 'empty'}, and is now at {after}.")


@database.command()
def revision(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Say which revision the database is at, and which this program works with; exit code 1 where they differ.

    JSON (current is null where there are no tables):

    ```
    {"engine": "sqlite" | "postgresql", "current", "head"}
    ```

    Example: `skrynka db revision --json`
    """
    opened = open_station_database(configuration(config))
    try:
        current = current_revision(opened)
    finally:
        opened.close()
    _show(opened, current, as_json=as_json)
    if current != head_revision():
        raise typer.Exit(FOUND)


def _refuse_while_running(station: Configuration) -> None:
    if service_pid(station.state) is not None:
        raise EnvironmentUnfit("The station's daemon runs on this database.", "End it, and upgrade then.")


def _show(opened: Database, current: str | None, *, as_json: bool) -> None:
    if as_json:
        show_json({"engine": opened.engine, "current": current, "head": head_revision()})
        return
    typer.echo(f"The database ({opened.engine}) is at revision {current or 'none: it has no tables'}.")
    if current == head_revision():
        typer.echo("That is what this program works with.")
    else:
        typer.echo(f"This program works with {head_revision()}: see `skrynka db upgrade --help`.")
