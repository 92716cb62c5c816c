"""`skrynka quarantine`: scans that couldn't be filed, why, and taking them again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from skrynka.cli.options import AsJson, ConfigFile, actor, configuration, station_database
from skrynka.cli.output import moment, printable, show_facts, show_json, show_table, size
from skrynka.core.errors import EnvironmentUnfit
from skrynka.premises import archive_to_look_into
from skrynka.settings import Configuration
from skrynka.steps.archive import Archive, ArchiveAway, ArchiveDamaged
from skrynka.store.database import Database
from skrynka.store.listings import QuarantinedScan, find_scan, quarantined
from skrynka.store.quarantine import retry_quarantined

quarantine = typer.Typer(
    no_args_is_help=True, help="Scans that couldn't be filed: why, where the original is, and taking them again."
)

ScanName = Annotated[
    str, typer.Argument(metavar="SCAN", help="The scan's name (ST-1-417), number or id.", show_default=False)
]


@quarantine.command("list")
def list_(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List the scans in quarantine, those that came first first.

    JSON (the page that it is about, from 1; a page count of null: nobody knows):

    ```
    [{"scan", "id", "box", "reason", "sentence",
      "fault": "input" | "station" | "program", "retry_can_help", "remedy",
      "page" | null, "page_count" | null, "size_bytes", "attempts",
      "claimed_at", "quarantined_at"}]
    ```

    Example: `skrynka quarantine list`
    """
    with station_database(configuration(config)) as database:
        found = quarantined(database)
    if as_json:
        show_json([_summary(each) for each in found])
        return
    show_table(
        ("scan", "box", "since", "reason", "page", "pages", "retry"),
        [
            (
                each.name,
                each.box_code,
                each.quarantined_at,
                each.reason,
                each.page,
                "?" if each.page_count is None else each.page_count,
                "may help" if each.reason.about.retry_can_help else "won't help",
            )
            for each in found
        ],
        empty="Nothing is in quarantine.",
    )


@quarantine.command()
def show(scan: ScanName, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Show why a scan is in quarantine, whose fault it is, what to do, and where the original is.

    The name that the file had in its inbox is shown, for you asked: people put surnames into it, so mind where you
    paste it.

    JSON: what `quarantine list` gives for a scan, and (control characters of the name as escapes; an original of null
    isn't in the archive, or the archive is away):

    ```
    {"original_name", "original": path | null, "sha256"}
    ```

    Example: `skrynka quarantine show ST-1-417`
    """
    station = configuration(config)
    with station_database(station) as database:
        found = _find(database, scan)
    original, lacking = _original(station, found)
    if as_json:
        told = {"original_name": printable(found.original_name), "sha256": found.sha256}
        show_json(_summary(found) | told | {"original": original and str(original)})
        return
    _show(found, str(original) if original else lacking)


@quarantine.command()
def retry(
    scan: Annotated[
        str | None,
        typer.Argument(metavar="SCAN", help="The scan's name (ST-1-417), number or id.", show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All scans for which trying again can help.")] = False,
    config: ConfigFile = None,
) -> None:
    """Take a scan out of quarantine, to be read or filed again; the original in the archive is what is read.

    A scan that is here because its stack couldn't be filed goes back with the whole stack. The daemon takes it up
    within seconds, or at its next start. It has the limits that stood in skrynka.toml at its start: restart it first
    if you have raised one.

    Example: `skrynka quarantine retry ST-1-417`
    """
    if (scan is None) is not every:
        raise typer.BadParameter("name a scan, or say --all", param_hint="SCAN")
    station = configuration(config)
    archive = archive_to_look_into(station.state, station.archive)
    with station_database(station) as database:
        before = quarantined(database)
        wanted = (
            [_find(database, scan)]
            if scan is not None
            else [each for each in before if each.reason.about.retry_can_help]
        )
        taken = [each for each in wanted if _retry(database, archive, each)]
        # Scans that lay in quarantine for the sake of a stack came out with it.
        left = {each.id for each in quarantined(database)}
        along = [each for each in before if each.id not in left and each not in taken]
        for each in along:
            _clear(archive, each)
    _say_retried(taken, along, skipped=len(before) - len(wanted) if every else 0)


def _retry(database: Database, archive: Archive, each: QuarantinedScan) -> bool:
    # The note goes first: a daemon that puts the scan back at once writes a new one.
    _clear(archive, each)
    return retry_quarantined(database, each.id, actor())


def _clear(archive: Archive, each: QuarantinedScan) -> None:
    try:
        archive.clear_quarantine(each.id)
    except OSError as error:
        raise EnvironmentUnfit(
            f"The archive can't be written ({error.strerror or type(error).__name__}).",
            "Look whether its folder is there, and belongs to you or the service's user.",
        ) from None


def _say_retried(taken: Sequence[QuarantinedScan], along: Sequence[QuarantinedScan], *, skipped: int) -> None:
    for each in taken:
        hardly = "" if each.reason.about.retry_can_help else f" (though {each.reason} is nothing that time heals)"
        typer.echo(f"{each.name} is taken again{hardly}.")
    for each in along:
        typer.echo(f"{each.name} goes along: it lies in the same stack.")
    if not taken and not along:
        typer.echo("Nothing to take again.")
    if skipped:
        typer.echo(f"{skipped} left: trying again can't help them. Name one to have it tried all the same.")


def _find(database: Database, reference: str) -> QuarantinedScan:
    scan_id = find_scan(database, reference)
    if scan_id is None:
        raise typer.BadParameter("there is no such scan, or several stations have one", param_hint="SCAN")
    for each in quarantined(database):
        if each.id == scan_id:
            return each
    raise typer.BadParameter("this scan isn't in quarantine", param_hint="SCAN")


def _original(station: Configuration, found: QuarantinedScan) -> tuple[Path | None, str]:
    """Give the original's path, or None and what to do about it."""
    try:
        return archive_to_look_into(station.state, station.archive).original_path(found.sha256), ""
    except ArchiveDamaged:
        return None, "ISN'T in the archive: bring it back from its backup"
    except ArchiveAway as away:
        return None, f"nobody knows. {away.message} {away.remedy}"


def _summary(each: QuarantinedScan) -> dict[str, Any]:
    about = each.reason.about
    return {
        "scan": each.name,
        "id": each.id,
        "box": each.box_code,
        "reason": each.reason.value,
        "sentence": about.sentence,
        "fault": about.fault.value,
        "retry_can_help": about.retry_can_help,
        "remedy": about.remedy,
        "page": each.page,
        "page_count": each.page_count,
        "size_bytes": each.size_bytes,
        "attempts": each.attempts,
        "claimed_at": moment(each.claimed_at),
        "quarantined_at": moment(each.quarantined_at),
    }


def _show(found: QuarantinedScan, original: str) -> None:
    about = found.reason.about
    again = f"may help: skrynka quarantine retry {found.name}" if about.retry_can_help else "won't help"
    typer.secho(found.name, bold=True)
    show_facts(
        [
            ("why", f"{about.sentence}{f' (page {found.page})' if found.page else ''}"),
            ("reason", found.reason),
            ("fault", {"input": "the file's", "station": "the station's", "program": "the program's"}[about.fault]),
            ("what to do", about.remedy),
            ("try again", again),
            ("box", found.box_code),
            ("taken", found.claimed_at),
            ("here since", found.quarantined_at),
            ("pages", "nobody knows" if found.page_count is None else found.page_count),
            ("size", size(found.size_bytes)),
            ("attempts", found.attempts),
            ("original", original),
            ("file's name", printable(found.original_name)),
        ]
    )
