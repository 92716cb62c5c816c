"""`skrynka sheets key`: a new key that signs sheets."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from skrynka.cli.options import ConfigFile, configuration
from skrynka.core.errors import ConfigurationError
from skrynka.journey.days import day_in_kyiv
from skrynka.key_file import add_key

_DAY = ["%Y-%m-%d"]


def key(
    key_id: Annotated[
        str | None,
        typer.Option("--id", metavar="ID", help="Its id; else the next number.", show_default=False),
    ] = None,
    signs_from: Annotated[
        datetime | None,
        typer.Option("--from", formats=_DAY, metavar="DATE", help="Its first day; else today.", show_default=False),
    ] = None,
    verifies_until: Annotated[
        datetime | None,
        typer.Option("--until", formats=_DAY, metavar="DATE", help="Its last day; else none.", show_default=False),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The key file; else that of the configuration.", show_default=False),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Add a new random key to the key file, or make the file: only its owner may read it (0600).

    From its first day on, sheets are signed with the new key. Those that were signed with an older one go on counting
    until that key's last day: write `verifies_until = YYYY-MM-DD` into it, as far ahead as sheets lie about. The secret
    isn't shown: copy the file to the other stations. A daemon that runs must be restarted.

    Example: `skrynka sheets key --from 2027-01-01`
    """
    target = file or configuration(config).keys_file
    if target is None:
        raise ConfigurationError(
            "No key file is configured (`sheets.keys`).",
            "Name one there, or say --file /etc/credstore/skrynka-sheet-keys.",
        )
    starts = signs_from.date() if signs_from else day_in_kyiv(datetime.now(UTC))
    new, before = add_key(target, key_id, starts, verifies_until.date() if verifies_until else None)
    typer.echo(f"key {new.id}, which signs from {new.signs_from} → {target}")
    endless = [each.id for each in before if each.verifies_until is None]
    if endless:
        typer.echo(f"Without an end as yet: key {', '.join(endless)}. Write its `verifies_until` into the file.")
