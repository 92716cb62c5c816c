"""What the daemon needs of its station: case types, folders with the right rights, a database, room.

To look is to try: a dotfile is written, renamed and removed in each folder. Inboxes ignore dotfiles.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from skrynka.catalogue_file import load_catalogue
from skrynka.cli.checked import Checked, State
from skrynka.cli.key_checks import sheet_signing
from skrynka.cli.options import open_station_database
from skrynka.cli.output import counted, size
from skrynka.cli.running import service_pid
from skrynka.core.errors import ConfigurationError, EnvironmentUnfit, SkrynkaError
from skrynka.journey.days import day_in_kyiv
from skrynka.premises import archive_to_look_into
from skrynka.settings import Box, Configuration
from skrynka.shares.hand import ShareHand
from skrynka.shares.process import HUNG
from skrynka.steps.listing import NO_MARKER, InboxAway, list_inbox
from skrynka.store.filesystems import network_filesystem
from skrynka.store.listings import work_left
from skrynka.store.revision import current_revision, require_head

_OTHERS = stat.S_IRWXO
_OTHERS_OR_GROUP_WRITES = stat.S_IRWXO | stat.S_IWGRP
"""More than 0750 (domain: folders with papers)."""


def station_checks(station: Configuration) -> Iterator[Checked]:
    """Look at a station whose configuration could be read."""
    yield _case_types(station)
    yield sheet_signing(station.settings.sheets.signing, station.keys_file, day_in_kyiv(datetime.now(UTC)))
    for box in station.boxes:
        yield _inbox(box, station)
    for what, folder in (("state", station.state), ("spool", station.spool), ("work", station.work)):
        yield _own_folder(what, folder)
    yield _archive(station)
    for what, folder in station.volumes.items():
        yield _room(what, folder, station.settings.limits.free_megabytes)
    yield _database(station)
    yield _service(station.state)


def _case_types(station: Configuration) -> Checked:
    try:
        catalogue = load_catalogue(station.case_types_file)
    except ConfigurationError as error:
        return Checked("case types", State.WRONG, error.message, error.remedy)
    counts = (
        (len(catalogue.case_types), "case type"),
        (len(catalogue.declarable_kinds), "document kind"),
        (len(catalogue.providers), "provider"),
    )
    return Checked("case types", State.GOOD, ", ".join(counted(count, what) for count, what in counts))


def _inbox(box: Box, station: Configuration) -> Checked:
    what = f"inbox {box.code}"
    try:
        if box.kind == "share":
            return _share(what, box, station.settings.intake.share_silent_seconds)
        return _local_inbox(what, box, station.spool)
    except InboxAway as away:
        return _inbox_away(what, box, away.why)


def _share(what: str, box: Box, silent_seconds: float) -> Checked:
    """Look at a share by a process of its own: one that hangs blocks whoever touches it, unkillably."""
    inbox = box.inbox
    hand = ShareHand(inbox, None, marker=box.marker, silent_seconds=silent_seconds)
    try:
        listing = hand.list()
        mode, owner = hand.probe()
    except OSError as error:
        return _not_writable(what, inbox, errno.errorcode.get(error.errno or 0, "OSError"))
    finally:
        hand.close()
    found = _rights(what, inbox, mode, owner)
    if found is not None:
        return found
    said = f"{inbox}: {counted(len(listing.seen), 'file')} in it; claims are copied: a share"
    if box.marker is None:
        name = ".skrynka-share"
        return Checked(
            what,
            State.NOTE,
            f"{said}; unmounted, it can't be told from an empty one",
            f'touch {inbox / name} while it is mounted, then write marker = "{name}" in boxes.toml.',
        )
    return Checked(what, State.GOOD, said)


def _local_inbox(what: str, box: Box, spool: Path) -> Checked:
    inbox = box.inbox
    listing = list_inbox(inbox, _is_dotfile, box.marker)
    failed = _try_to_write(inbox)
    if failed:
        return _not_writable(what, inbox, failed)
    kind = network_filesystem(inbox)
    if kind is not None:
        return Checked(
            what,
            State.WARNING,
            f"{inbox} lies on a network file system ({kind})",
            'Write kind = "share" in boxes.toml.',
        )
    info = inbox.stat()
    found = _rights(what, inbox, info.st_mode, info.st_uid)
    if found is not None:
        return found
    way = "claims are renames" if _one_filesystem(inbox, spool) else "claims are copied: another file system"
    return Checked(what, State.GOOD, f"{inbox}: {counted(len(listing.seen), 'file')} in it; {way}")


def _not_writable(what: str, inbox: Path, failed: str) -> Checked:
    return _cannot_be_written(what, inbox, failed, "Give the service's user the right to rename there.")


def _cannot_be_written(what: str, folder: Path, failed: str, remedy: str) -> Checked:
    if failed == errno.errorcode[errno.EROFS]:
        remedy = (
            "It is mounted read-only: look with `dmesg` whether its disk fails, then mount it for reading and writing."
        )
    return Checked(what, State.MISSING, f"{folder} can't be written ({failed})", remedy)


def _rights(what: str, inbox: Path, mode: int, owner: int) -> Checked | None:
    if mode & stat.S_ISVTX and os.geteuid() not in {0, owner}:
        return Checked(
            what, State.MISSING, f"{inbox} has the sticky bit: scans of others can't be taken", f"chmod -t {inbox}"
        )
    if mode & _OTHERS:
        return Checked(what, State.WARNING, f"everybody may look into {inbox}", f"chmod o= {inbox}")
    return None


def _inbox_away(what: str, box: Box, why: str) -> Checked:
    inbox = box.inbox
    if why == errno.errorcode[errno.ENOENT]:
        return Checked(what, State.MISSING, f"{inbox} isn't there", f"mkdir -m 750 {inbox}, or mount it.")
    if why == NO_MARKER:
        return Checked(
            what,
            State.MISSING,
            f"{inbox} is there, and its marker file {box.marker} isn't",
            f"Mount the share. If it is mounted, and its first time: touch {inbox / str(box.marker)}",
        )
    if why == HUNG:
        return Checked(what, State.MISSING, f"{inbox} doesn't answer", "Look at the share's server and the network.")
    return Checked(what, State.MISSING, f"{inbox} can't be listed ({why})", "Look at its rights, and at its share.")


def _own_folder(what: str, folder: Path) -> Checked:
    if not folder.exists():
        return _not_there(what, folder)
    failed = _try_to_write(folder)
    if failed:
        return _cannot_be_written(what, folder, failed, "Give it to the service's user, mode 0750.")
    if folder.stat().st_mode & _OTHERS_OR_GROUP_WRITES:
        return Checked(
            what, State.WARNING, f"{folder} is open to more than its user and readers", f"chmod 750 {folder}"
        )
    return Checked(what, State.GOOD, str(folder))


def _not_there(what: str, folder: Path) -> Checked:
    nearest = next(parent for parent in folder.parents if parent.exists())
    if os.access(nearest, os.W_OK | os.X_OK):
        return Checked(what, State.NOTE, f"{folder} isn't there yet: `skrynka run` makes it")
    return Checked(what, State.MISSING, f"{folder} isn't there, and can't be made", "Make it for the service's user.")


def _archive(station: Configuration) -> Checked:
    folder = station.archive
    try:
        archive = archive_to_look_into(station.state, folder)
        # First: what is in the place of a known archive isn't to be given rights, or to be made.
        archive.identity.require()
        found = _own_folder("archive", folder)
        if found.state is not State.GOOD:
            return found
        archive.write_probe()
    except EnvironmentUnfit as error:
        return Checked("archive", State.MISSING, error.message, error.remedy)
    return found


def _room(what: str, folder: Path, wanted_megabytes: int) -> Checked:
    what = f"room for the {what}"
    nearest = next(each for each in (folder, *folder.parents) if each.exists())
    room = os.statvfs(nearest)
    free, wanted = room.f_bavail * room.f_frsize, wanted_megabytes << 20
    said = f"{size(free)} free"
    if free < wanted:
        advice = "Make room, or a larger disk."
        return Checked(what, State.MISSING, f"{said}; under `limits.free_megabytes` no scans are taken", advice)
    return Checked(what, State.GOOD, said)


def _database(station: Configuration) -> Checked:
    try:
        database = open_station_database(station)
    except ConfigurationError as error:
        return Checked("database", State.WRONG, error.message, error.remedy)
    except EnvironmentUnfit as error:
        return Checked("database", State.MISSING, error.message, error.remedy)
    try:
        require_head(database)
        # What the daemon asks for all day: a damaged file shows there, as far as it can without reading all of it.
        work_left(database, station.settings.station.code)
        return Checked("database", State.GOOD, f"{database.engine}, at revision {current_revision(database)}")
    except EnvironmentUnfit as error:
        return Checked("database", State.MISSING, error.message, error.remedy)
    except SkrynkaError:
        return Checked("database", State.MISSING, "it can't be read", "Stop the daemon, and restore the backup.")
    finally:
        database.close()


def _service(state: Path) -> Checked:
    pid = service_pid(state)
    if pid is None:
        return Checked("daemon", State.NOTE, "doesn't run now")
    return Checked("daemon", State.NOTE, f"runs now, as process {pid}" if pid else "runs now")


def _try_to_write(folder: Path) -> str:
    """Write, rename and remove a dotfile; give the error's name, empty where all went well."""
    first, second = (folder / f".skrynka-check-{secrets.token_hex(4)}" for _ in range(2))
    try:
        os.close(os.open(first, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        first.rename(second)
        second.unlink()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, type(error).__name__)
    return ""


def _one_filesystem(inbox: Path, spool: Path) -> bool:
    """Say whether a file can be renamed from the one into the other: two mounts of one file system won't do."""
    name = f".skrynka-check-{secrets.token_hex(4)}"
    source, target = inbox / name, spool / name
    try:
        os.close(os.open(source, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        try:
            source.rename(target)
            target.unlink()
        except FileNotFoundError:
            # No spool yet: it comes to lie beside its parent.
            return inbox.stat().st_dev == next(each for each in spool.parents if each.exists()).stat().st_dev
        finally:
            source.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _is_dotfile(name: str) -> bool:
    return name.startswith(".")
