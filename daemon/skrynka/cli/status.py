"""`skrynka status`: how the work stands."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

import typer

from skrynka.cli import standing
from skrynka.cli.options import AsJson, ConfigFile, configuration, station_database
from skrynka.cli.output import counted, moment, show_facts, show_json, show_table
from skrynka.cli.running import service_pid
from skrynka.core.claims import from_sidecar
from skrynka.core.errors import EnvironmentUnfit
from skrynka.settings import Configuration
from skrynka.store.listings import BoxStatus, Status
from skrynka.store.listings import status as status_of


def status(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Say how the work stands: what waits, since when, and what came last from which box.

    Shown: whether the daemon runs; claimed scans that aren't in the database yet, and since when they wait; what waits
    in the local inboxes, and which are away; whether the archive is there, and may be written; the room on the disks,
    and whether it is too little; scans and stacks by state; cases and how many of them wait for a
    person; for each box the last scan and the open stack. Of a shared database all stations are shown; claims,
    inboxes, archive, room and daemon are this station's. Shares aren't looked into: `skrynka check` does that.

    Exit code 0 whatever it shows; 3 where the database is away (the rest is shown all the same).

    JSON (null where the database is away; times are ISO 8601 in UTC):

    ```
    {"station", "daemon": process id | 0 (out of sight) | null, "claims",
     "oldest_claim_at", "archive": true | false,
     "archive_trouble": null | "not_mounted" | "read_only" | error,
     "free_bytes": {folder: bytes}, "short_of_room": [folder],
     "inboxes": {box: files that wait | why it is away},
     "database": "sqlite" | "postgresql" | null,
     "scans": {"received", "reading", "read", "filed", "quarantined",
               "duplicate"},
     "oldest_waiting_at",
     "stacks": {"open", "closed", "planned", "filed", "quarantined"},
     "cases": {"all", "for_review"},
     "boxes": [{"code", "station", "active", "last_scan", "last_claimed_at",
                "open_stack", "open_pages", "open_since"}]}
    ```

    Example: `skrynka status --config /srv/station/skrynka.toml`
    """
    station = configuration(config)
    try:
        with station_database(station) as database:
            found = status_of(database)
    except EnvironmentUnfit:
        if as_json:
            show_json(_told(station) | _NOTHING_KNOWN)
        else:
            show_facts([*_station_facts(station), ("database", "away")])
            typer.echo()
        raise
    if as_json:
        show_json(_told(station) | _as_json(database.engine, found))
    else:
        _show(station, database.engine, found)


_NOTHING_KNOWN: dict[str, Any] = {
    "database": None,
    "scans": None,
    "oldest_waiting_at": None,
    "stacks": None,
    "cases": None,
    "boxes": [],
}


def _told(station: Configuration) -> dict[str, Any]:
    claims, oldest = _claims(station)
    trouble, free = standing.archive_trouble(station), standing.free_bytes(station)
    return {
        "station": station.settings.station.code,
        "daemon": service_pid(station.state),
        "claims": claims,
        "oldest_claim_at": moment(oldest),
        "archive": trouble in {None, standing.READ_ONLY},
        "archive_trouble": trouble,
        "free_bytes": free,
        "short_of_room": standing.short_of_room(station, free),
        "inboxes": standing.inboxes(station),
    }


def _as_json(engine: str, found: Status) -> dict[str, Any]:
    return {
        "database": engine,
        "scans": found.scans,
        "oldest_waiting_at": moment(found.oldest_waiting_at),
        "stacks": found.stacks,
        "cases": {"all": found.cases, "for_review": found.cases_for_review},
        "boxes": [
            {
                "code": box.code,
                "station": box.station_code,
                "active": box.active,
                "last_scan": box.last_scan,
                "last_claimed_at": moment(box.last_claimed_at),
                "open_stack": box.open_stack,
                "open_pages": box.open_pages,
                "open_since": moment(box.open_since),
            }
            for box in found.boxes
        ],
    }


def _show(station: Configuration, engine: str, found: Status) -> None:
    review = f", {found.cases_for_review} for review (skrynka cases list --review)" if found.cases_for_review else ""
    quarantine = f"{counted(found.scans['quarantined'], 'scan')} (skrynka quarantine list)"
    show_facts(
        [
            *_station_facts(station),
            ("database", engine),
            ("scans", _counts(found.scans)),
            ("waiting since", found.oldest_waiting_at or "nothing waits to be read"),
            ("stacks", _counts(found.stacks)),
            ("cases", f"{found.cases}{review}"),
            ("quarantine", quarantine if found.scans["quarantined"] else "empty"),
        ]
    )
    typer.echo()
    show_table(
        ("box", "station", "last scan", "taken", "open stack"),
        [(_box(box), box.station_code, box.last_scan, box.last_claimed_at, _open(box)) for box in found.boxes],
        empty="No boxes are known yet: `skrynka run` brings them in.",
    )


def _station_facts(station: Configuration) -> list[tuple[str, object]]:
    pid = service_pid(station.state)
    runs = "doesn't run" if pid is None else f"runs (process {pid})" if pid else "runs"
    claims, oldest = _claims(station)
    since = f", the oldest since {oldest.astimezone():%d.%m. %H:%M}" if oldest else ""
    return [
        ("station", station.settings.station.code),
        ("daemon", runs),
        ("claims", f"{claims} to be registered{since}" if claims else "none to be registered"),
        ("inboxes", standing.inboxes_told(station)),
        ("archive", standing.archive_told(standing.archive_trouble(station))),
        ("room", standing.room_told(station)),
    ]


def _claims(station: Configuration) -> tuple[int, datetime | None]:
    """Count the claims in the spool, and say when the oldest was made, as far as their sidecars can be read."""
    count, made = 0, []
    with suppress(OSError):
        for sidecar in station.spool.glob("*/claim.json"):
            count += 1
            with suppress(OSError, ValueError):
                made.append(from_sidecar(sidecar.read_bytes(), sidecar.parent).claimed_at)
    return count, min(made, default=None)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "none"


def _box(box: BoxStatus) -> str:
    return box.code if box.active else f"{box.code} (not in use)"


def _open(box: BoxStatus) -> str | None:
    if box.open_stack is None:
        return None
    since: datetime | None = box.open_since
    told = f" since {since.astimezone():%H:%M}" if since else ""
    return f"{box.open_stack}, {counted(box.open_pages, 'page')}{told}"
