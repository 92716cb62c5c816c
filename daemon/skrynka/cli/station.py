"""`skrynka init`: a new station."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from skrynka.cli.options import CONFIG_NAME
from skrynka.core.errors import ConfigurationError, EnvironmentUnfit
from skrynka.durable import FOLDER_MODE, write_durably
from skrynka.examples import example
from skrynka.premises import known_archive
from skrynka.settings import Configuration, load
from skrynka.store.database import open_database
from skrynka.store.revision import upgrade

_UNFINISHED = f".{CONFIG_NAME}.new"


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the station is to be.", show_default=False)],
) -> None:
    """Make a station in a folder: commented configuration, folders, a database, two example boxes.

    What it makes: skrynka.toml, boxes.toml and case_types.toml to edit; an inbox for each box, into which the scanner
    saves; state, spool, work and archive; a SQLite database. Folders are for the user who calls this, and for reading
    by the group (0750).

    A folder that has a skrynka.toml is left as it is (exit code 2). One that this command was interrupted in is
    finished by calling it again; files that you had put there are kept.

    Example: `skrynka init /srv/station && skrynka check --config /srv/station/skrynka.toml`
    """
    folder = folder.expanduser().absolute()
    config = folder / CONFIG_NAME
    if config.exists():
        raise ConfigurationError(
            f"{folder} has a station already ({CONFIG_NAME}).",
            "Name another folder, or look at it with `skrynka check`.",
        )
    try:
        station = _prepare(folder)
        shared = _make_database(station)
        # A new station's archive is a new one, or the one that lies there.
        known_archive(station.state, station.archive, station.settings.station.code, lambda: False)
        # The configuration gets its name last: what has one is whole.
        (folder / _UNFINISHED).rename(config)
    except OSError as error:
        raise EnvironmentUnfit(
            f"{folder}: {error.strerror or type(error).__name__}.", "Choose a folder that you may write to."
        ) from None
    _say_what_next(config, station, shared=shared)


def _prepare(folder: Path) -> Configuration:
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    for name in ("boxes.toml", "case_types.toml"):
        if not (folder / name).exists():
            write_durably(folder / name, example(name).read_bytes())
    write_durably(folder / _UNFINISHED, example(CONFIG_NAME).read_bytes())
    station = load(folder / _UNFINISHED)
    inboxes = [box.inbox for box in station.boxes]
    for each in (*inboxes, station.state, station.spool, station.work, station.archive):
        # `mode` counts for the last folder of a path alone.
        each.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        each.mkdir(mode=FOLDER_MODE, exist_ok=True)
    return station


def _make_database(station: Configuration) -> bool:
    """Make the database, unless the environment names a shared one, which a person upgrades; give whether it does."""
    database = open_database(station.database_url, create=True)
    try:
        if not database.shared:
            upgrade(database)
        return database.shared
    finally:
        database.close()


def _say_what_next(config: Path, station: Configuration, *, shared: bool) -> None:
    boxes = ", ".join(box.code for box in station.boxes)
    given = f"--config {shlex.quote(str(config))}"
    steps = [f"Look through {config.name}, boxes.toml and case_types.toml: every option is explained there."]
    if shared:
        steps.append(f"skrynka db upgrade {given}")
    steps += [
        f"skrynka check {given}",
        f"skrynka sheets case --type VER --copies 5 {given}",
        f"skrynka run {given}",
        f"Let the scanner save into {station.boxes[0].inbox}",
    ]
    typer.echo(f"A station is in {config.parent}, with the example boxes {boxes}.")
    typer.echo("What is next:")
    for number, step in enumerate(steps, 1):
        typer.echo(f"  {number}. {step}")
