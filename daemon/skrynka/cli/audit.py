"""`skrynka audit`: the independent look at the whole account, and the mending of what is safe."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from skrynka.cli.exits import FOUND
from skrynka.cli.options import AsJson, ConfigFile, actor, configuration, station_database
from skrynka.cli.output import counted, printable, show_json, size
from skrynka.cli.running import service_pid
from skrynka.core.auditing import Report
from skrynka.core.errors import EnvironmentUnfit
from skrynka.core.flaws import FoundFlaw, Weight
from skrynka.journey.auditing import KEPT, Audit, Look, look_again, nobody_looks
from skrynka.journey.auditing_remains import AuditedInbox, AuditedStation
from skrynka.journey.repairing import Mended, Repair
from skrynka.premises import known_archive, known_identity, lock_station, make_private_folder
from skrynka.settings import Configuration
from skrynka.steps.archive import Identity
from skrynka.steps.archive.mending import ArchiveMending
from skrynka.steps.archive.walk import ArchiveWalk
from skrynka.store.archived import any_scan
from skrynka.store.boxes import Box
from skrynka.store.database import Database

_SHOWN = 20
"""So many of each flaw are shown to people; `--json` gives more."""
_PLAIN_SECONDS = 30.0
_COLOURS = {Weight.NOTE: typer.colors.CYAN, Weight.WARNING: typer.colors.YELLOW, Weight.ERROR: typer.colors.RED}


def audit(
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what is safe, a line for each; the daemon must be ended.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Hash nothing: look only whether files are there and how long they are.")
    ] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Look whether every page is accounted for and every file is what the database says: for admins and auditors.

    Looked at: the account of every scan and stack, counted anew from its pages; case numbers, scan numbers and
    serials; every original, sidecar and document against its row, by hash, and the other way round; the quarantine;
    spool, work folder and inboxes. The daemon may go on meanwhile. It reads the whole archive: 100 GB take a while.

    `--repair` mends what is safe, writes each into the history as "audit:USER", looks again, and tells what is left.
    After a database was restored from a backup it registers again the scans that only the archive knows; start the
    daemon then, and it files them. The README says how, step by step.

    Exit code 1: something is wrong (a warning or an error; notes are none).

    JSON ("good" first: whether the exit code is 0; "repairs" is null without `--repair`; "more": how many of a flaw
    aren't listed):

    ```
    {"good", "quick",
     "flaws": [{"flaw", "weight": "note" | "warning" | "error",
                "fault": "input" | "station" | "program", "about", "detail",
                "station" | null, "sentence", "remedy", "repairable"}],
     "more": {flaw: count},
     "repairs": [{"flaw", "about", "done", "said"}] | null}
    ```

    Example: `skrynka audit --config /srv/station/skrynka.toml`
    """
    if repair and quick:
        raise typer.BadParameter("--repair believes no bytes that it hasn't hashed", param_hint="--quick")
    station = configuration(config)
    with station_database(station) as database:
        mended: list[Mended] | None = None
        if repair:
            with _locked(station):
                mended, report = _repair(station, database, as_json=as_json)
        else:
            with _progress() as look:
                report = _audit(station, database, quick=quick, look=look).look()
    if as_json:
        show_json(_as_json(report, mended, quick=quick))
    else:
        _show(report)
    if not report.good:
        raise typer.Exit(FOUND)


def _repair(station: Configuration, database: Database, *, as_json: bool) -> tuple[list[Mended], Report]:
    with _progress() as look:
        before = _audit(station, database, quick=False, look=look, most=None).look()
    mended = []
    left: Counter[tuple[str, str]] = Counter()
    for each in _repairing(station, database).mend(before):
        mended.append(each)
        left[each.found.flaw, each.said] += not each.done
        if not as_json and left[each.found.flaw, each.said] <= _SHOWN:
            typer.echo(f"{each.found.flaw}  {printable(each.found.about)}  {each.said}")
    if not as_json:
        for (flaw, said), count in left.items():
            if count > _SHOWN:
                typer.echo(f"{flaw}  and {count - _SHOWN} more  {said}")
        done = sum(each.done for each in mended)
        typer.echo(f"{done} mended, {len(mended) - done} left." if mended else "Nothing to mend.")
        typer.echo()
    after = look_again(_audit(station, database, quick=True, look=nobody_looks), before)
    return mended, after


def _audit(station: Configuration, database: Database, *, quick: bool, look: Look, most: int | None = KEPT) -> Audit:
    there = Identity(station.archive, known_identity(station.state))
    walk = ArchiveWalk(station.archive)
    return Audit(database, walk, _audited(station), there.require, quick=quick, most=most, progress=look)


def _audited(station: Configuration) -> AuditedStation:
    pid = service_pid(station.state)
    return AuditedStation(
        code=station.settings.station.code,
        state=station.state,
        spool=station.spool,
        work=station.work,
        inboxes=tuple(AuditedInbox(box.code, box.inbox, box.kind == "share", box.marker) for box in station.boxes),
        series=station.settings.sheets.series,
        runs=pid is not None and pid != os.getpid(),
    )


def _repairing(station: Configuration, database: Database) -> Repair:
    return Repair(
        database,
        known_archive(station.state, station.archive, station.settings.station.code, lambda: any_scan(database)),
        ArchiveMending(station.archive),
        _audited(station),
        station.settings.station.name,
        [Box(box.code, box.name, box.centre) for box in station.boxes],
        f"audit:{actor().removeprefix('user:')}",
    )


@contextmanager
def _locked(station: Configuration) -> Iterator[None]:
    """Take the station's lock as its daemon does."""
    if service_pid(station.state) is not None:
        raise EnvironmentUnfit("The station's daemon runs.", "End it, repair then, and start it again.")
    make_private_folder(station.state)
    lock = lock_station(station.state)
    try:
        yield
    finally:
        os.close(lock)


@contextmanager
def _progress() -> Iterator[Look]:
    """Show how far it is, beside the answer: a bar on a terminal, else a plain line now and then."""
    if sys.stderr.isatty():
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[hashed]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
            task = shown.add_task("audit", hashed="")
            yield lambda part, done, parts, hashed: shown.update(
                task, description=part, completed=done, total=parts, hashed=size(hashed)
            )
        return
    said_at = time.monotonic()

    def say(part: str, done: int, parts: int, hashed: int) -> None:
        nonlocal said_at
        if time.monotonic() - said_at > _PLAIN_SECONDS:
            said_at = time.monotonic()
            typer.echo(f"audit: {part}, {done} of {parts} parts, {size(hashed)} hashed", err=True)

    yield say


def _show(report: Report) -> None:
    for flaw, some in groupby(report.found, key=lambda found: found.flaw):
        found, about = list(some), flaw.about
        number = len(found) + report.more[flaw]
        weight = typer.style(f"{about.weight:<7}", fg=_COLOURS[about.weight])
        typer.echo(f"{weight}  {flaw} ({number}): {about.sentence}")
        typer.echo(f"{'':<7}  → {about.remedy}")
        for each in found[:_SHOWN]:
            typer.echo(f"{'':<7}    {printable(each.about)}{f': {printable(each.detail)}' if each.detail else ''}")
        if number > _SHOWN:
            typer.echo(f"{'':<7}    and {number - _SHOWN} more")
    if report.found:
        typer.echo()
    typer.echo(_verdict(report))


def _verdict(report: Report) -> str:
    wrong = [
        counted(count, weight.value) for weight in (Weight.ERROR, Weight.WARNING) if (count := report.count(weight))
    ]
    notes = report.count(Weight.NOTE)
    noted = f" {counted(notes, 'note')}." if notes else ""
    return f"{' and '.join(wrong)}.{noted}" if wrong else f"All is well.{noted}"


def _as_json(report: Report, mended: Sequence[Mended] | None, *, quick: bool) -> dict[str, Any]:
    repairs = None
    if mended is not None:
        repairs = [
            {"flaw": each.found.flaw.value, "about": printable(each.found.about), "done": each.done, "said": each.said}
            for each in mended
        ]
    return {
        "good": report.good,
        "quick": quick,
        "flaws": [_flaw(found) for found in report.found],
        "more": {flaw.value: count for flaw, count in report.more.items()},
        "repairs": repairs,
    }


def _flaw(found: FoundFlaw) -> dict[str, Any]:
    about = found.flaw.about
    return {
        "flaw": found.flaw.value,
        "weight": about.weight.value,
        "fault": about.fault.value,
        "about": printable(found.about),
        "detail": printable(found.detail),
        "station": found.station,
        "sentence": about.sentence,
        "remedy": about.remedy,
        "repairable": about.mends,
    }
