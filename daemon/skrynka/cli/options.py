"""What every command that works on a station shares: which configuration, which database, and who asks."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from skrynka.cli.output import JSON
from skrynka.cli.running import service_pid
from skrynka.core.errors import ConfigurationError, DatabaseAway
from skrynka.held_database import require_held
from skrynka.settings import Configuration, load
from skrynka.store.database import Database, open_database
from skrynka.store.revision import require_head

CONFIG_NAME = "skrynka.toml"

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        envvar="SKRYNKA_CONFIG",
        show_default=False,
        help="The station's skrynka.toml; without it, the one in this folder.",
    ),
]
AsJson = Annotated[bool, JSON]


def configuration(file: Path | None) -> Configuration:
    """Read the station's configuration: of the file named, else of the folder we are in. Raises ConfigurationError."""
    if file is None and not Path(CONFIG_NAME).exists():
        raise ConfigurationError(
            f"No station: there is no {CONFIG_NAME} in this folder, and none was named.",
            "Name it with --config FILE or SKRYNKA_CONFIG, or make a station with `skrynka init DIR`.",
        )
    return load(file or Path(CONFIG_NAME))


@contextmanager
def station_database(station: Configuration) -> Iterator[Database]:
    """Open the station's database, at the revision that this program works with. Raises EnvironmentUnfit."""
    database = open_station_database(station)
    try:
        require_head(database)
        yield database
    finally:
        database.close()


def open_station_database(station: Configuration, *, create: bool = False) -> Database:
    """Open the station's database as it is. Raises as `open_database` does, and for a file that the daemon hasn't."""
    database = open_database(station.database_url, create=create)
    try:
        if database.file_identity is not None and service_pid(station.state) is not None:
            require_held(station.state, database.file_identity)
    except DatabaseAway:
        database.close()
        raise
    return database


def actor() -> str:
    """Say who asks, for the history: "user:olena"."""
    try:
        return f"user:{getpass.getuser()}"
    except (KeyError, OSError):
        # A user id without a name, as in containers.
        return f"user:{os.geteuid()}"
