"""`skrynka check`: whether a station can work, a line for each thing, with the remedy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from skrynka.cli.checked import Checked, State, exit_code
from skrynka.cli.machine_checks import machine_checks
from skrynka.cli.options import AsJson, ConfigFile, configuration
from skrynka.cli.output import counted, show_json
from skrynka.cli.station_checks import station_checks
from skrynka.core.errors import ConfigurationError

_COLOURS = {
    State.GOOD: typer.colors.GREEN,
    State.NOTE: typer.colors.CYAN,
    State.WARNING: typer.colors.YELLOW,
    State.MISSING: typer.colors.RED,
    State.WRONG: typer.colors.RED,
}


def check(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Look whether the station can work: a line for each thing, with the remedy where one is needed.

    Looked at: the configuration and the case types; the keys of sheets; every inbox (listed, written, renamed out
    of); the station's folders, their rights and their room; the database and its revision; poppler, zbar and the
    libraries with their versions; the kernel's watches; the clock. It may be called while the daemon runs.

    Exit codes: 0 good; 1 it works, and something should be looked at (warning); 2 the configuration can't be used
    (wrong); 3 something outside is missing or away (missing). The worst one counts.

    JSON ("good" first: whether the exit code is 0):

    ```
    {"good",
     "checks": [{"what",
                 "state": "good" | "note" | "warning" | "missing" | "wrong",
                 "said", "remedy"}]}
    ```

    Example: `skrynka check --config /srv/station/skrynka.toml`
    """
    checks = list(_checks(config))
    code = exit_code(checks)
    if as_json:
        rows = [
            {"what": each.what, "state": each.state.value, "said": each.said, "remedy": each.remedy} for each in checks
        ]
        show_json({"good": code == 0, "checks": rows})
    else:
        _show(checks)
    raise typer.Exit(code)


def _checks(config: Path | None) -> Iterator[Checked]:
    try:
        station = configuration(config)
    except ConfigurationError as error:
        yield Checked("configuration", State.WRONG, error.message, error.remedy)
        yield from machine_checks(0)
        return
    code = station.settings.station.code
    yield Checked(
        "configuration", State.GOOD, f"{station.file}: station {code}, {counted(len(station.boxes), 'box', 'boxes')}"
    )
    yield from station_checks(station)
    yield from machine_checks(sum(box.kind == "local" for box in station.boxes))


def _show(checks: Sequence[Checked]) -> None:
    widest = max(len(each.what) for each in checks)
    for each in checks:
        state = typer.style(f"{each.state.value:<7}", fg=_COLOURS[each.state])
        typer.echo(f"{state}  {each.what:<{widest}}  {each.said}")
        if each.remedy:
            typer.echo(f"{'':<{7 + 2 + widest}}  → {each.remedy}")
    bad = [each for each in checks if each.state not in {State.GOOD, State.NOTE}]
    typer.echo()
    if bad:
        typer.echo(f"{len(bad)} of {len(checks)} need a person: {', '.join(each.what for each in bad)}.")
    else:
        typer.echo("All is well.")
