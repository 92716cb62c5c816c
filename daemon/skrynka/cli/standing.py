"""What of the station's folders stops the work, or waits in them: looked at without writing, for `skrynka status`.

Shares aren't looked into: one that hangs would hold the answer up. `skrynka check` does it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from contextlib import suppress

from skrynka.cli.output import counted, size
from skrynka.core.errors import EnvironmentUnfit
from skrynka.core.settling import is_ignored
from skrynka.premises import archive_to_look_into
from skrynka.settings import Configuration
from skrynka.steps.archive import ArchiveAway
from skrynka.steps.listing import InboxAway, list_inbox

READ_ONLY = "read_only"


def archive_trouble(station: Configuration) -> str | None:
    """Say in a word why nothing can be archived; None where nothing is known against it."""
    try:
        archive_to_look_into(station.state, station.archive).require()
    except ArchiveAway as away:
        return READ_ONLY if away.why == errno.errorcode[errno.EROFS] else away.why
    except EnvironmentUnfit:
        return "unknown"
    return None


def free_bytes(station: Configuration) -> dict[str, int]:
    """Give the room on the disks, by the names of the folders that lie on them."""
    free = {}
    for name, folder in station.volumes.items():
        with suppress(OSError):
            room = os.statvfs(folder)
            free[name] = room.f_bavail * room.f_frsize
    return free


def short_of_room(station: Configuration, free: Mapping[str, int]) -> list[str]:
    """Name the folders with so little room that no scans are taken; `free` is what `free_bytes` gave."""
    wanted = station.settings.limits.free_megabytes << 20
    return [name for name, count in free.items() if count < wanted]


def inboxes(station: Configuration) -> dict[str, int | str]:
    """Give for each local inbox how many files wait in it, or in a word why it is away."""
    found: dict[str, int | str] = {}
    for box in station.boxes:
        if box.kind == "local":
            try:
                found[box.code] = len(list_inbox(box.inbox, is_ignored, box.marker).seen)
            except InboxAway as away:
                found[box.code] = away.why
    return found


def archive_told(trouble: str | None) -> str:
    """Say how the archive is, for people."""
    if trouble is None:
        return "there"
    return "there, mounted read-only: nothing is archived" if trouble == READ_ONLY else f"away ({trouble})"


def room_told(station: Configuration) -> str:
    """Say how much room there is, and where too little, for people."""
    free = free_bytes(station)
    short = short_of_room(station, free)
    told = ", ".join(f"{name} {size(count)}" for name, count in free.items())
    if not short:
        return told or "unknown"
    return f"{told}; under `limits.free_megabytes` ({', '.join(short)}) no scans are taken"


def inboxes_told(station: Configuration) -> str:
    """Say what waits in which inboxes, and which are away, for people."""
    told = [
        f"{code} {counted(found, 'file') if isinstance(found, int) else f'is away ({found})'}"
        for code, found in inboxes(station).items()
        if found
    ]
    return ", ".join(told) or "nothing waits in them"
