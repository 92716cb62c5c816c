"""`skrynka run`: the daemon."""

from __future__ import annotations

from typing import Annotated

import typer

from skrynka.cli.options import ConfigFile, configuration
from skrynka.logs import Level, Mode, configure, hear_failures
from skrynka.service import Service


def run(
    once: Annotated[
        bool, typer.Option("--once", help="Take what is there, finish it, and end: for cron and for trying out.")
    ] = False,
    config: ConfigFile = None,
) -> None:
    """Run the station's daemon: scans are taken from the inboxes, and become cases.

    It runs until SIGTERM or Ctrl-C, and then ends cleanly: what was begun is finished, or taken up at the next start.
    It may be killed at any moment without harm. One daemon runs on a station at a time.

    The log goes to standard error: readable on a terminal, to the journal under systemd, JSON lines otherwise
    (the table "logs" of skrynka.toml says otherwise where you wish).

    Exit codes: 0 it ended as asked; 2 the configuration can't be used; 3 something outside is missing or away.

    Example: `skrynka run --config /srv/station/skrynka.toml`
    """
    station = configuration(config)
    configure(mode=Mode(station.settings.logs.mode), level=Level(station.settings.logs.level))
    hear_failures()
    Service(station, once=once).run()
