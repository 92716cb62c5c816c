"""What the service finds or makes before it begins: folders of its own, the station's lock, a clean environment."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from skrynka.core.errors import EnvironmentUnfit
from skrynka.durable import fsync_file, write_durably
from skrynka.steps.archive import ORIGINALS, Archive, Identity
from skrynka.steps.remains import work_folders

_ARCHIVE = "archive"
"""The file in the state folder that names the station's archive."""
_PROBE = ".probe"
_PR_SET_DUMPABLE = 4


def make_private_folder(folder: Path) -> None:
    """Make a folder that only we and our group may look into. Raises EnvironmentUnfit."""
    try:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentUnfit(
            f"{folder} can't be made ({type(error).__name__}).", "Make it, and give it to the service's user."
        ) from None


def require_writable(folder: Path) -> None:
    """Write a small file into one of the station's folders and remove it. Raises EnvironmentUnfit.

    A full disk is no reason: what waits there needs no more room to go on, and scans wait for room by themselves.
    """
    # Always the same name: what a start that was killed here has left goes with the next one's.
    probe = folder / _PROBE
    try:
        try:
            probe.write_bytes(b"skrynka\n")
            fsync_file(probe)
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            return
        name = errno.errorcode.get(error.errno or 0, "OSError")
        raise EnvironmentUnfit(f"{folder} can't be written ({name}).", "Look at its disk and its rights.") from None


def lock_station(state: Path) -> int:
    """Take the station's state folder for this process, until the descriptor given back is closed, however it ends.

    Raises EnvironmentUnfit while another service has it.
    """
    descriptor = os.open(state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise EnvironmentUnfit(
            "Another skrynka runs on this station.", "It does all that a second one would; else end it first."
        ) from None
    return descriptor


def known_archive(state: Path, root: Path, station: str, has_scans: Callable[[], bool]) -> Archive:
    """Give the station's archive: the one that it knows from its first start on, whether it is there now or not.

    A station that knows none takes the one that is there. It makes a new one only where nothing can be missing: where
    the folder holds originals, or the database has no scans, which `has_scans` tells. Raises EnvironmentUnfit where an
    empty folder can't be the archive, or state and archive can't be read or written, and what `has_scans` raises.
    """
    try:
        expected = known_identity(state)
        if expected is None:
            expected = Identity(root).there or _new_archive(root, station, has_scans)
            write_durably(state / _ARCHIVE, f"{expected}\n".encode("ascii"))
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentUnfit(
            f"It can't be told which archive is the station's ({type(error).__name__}).",
            "Look at the folders `paths.state` and `paths.archive`, and who may write there.",
        ) from None
    return Archive(root, expected)


def _new_archive(root: Path, station: str, has_scans: Callable[[], bool]) -> str:
    if not (root / ORIGINALS).is_dir() and has_scans():
        raise EnvironmentUnfit(
            "The database knows scans, and the folder of the archive is empty: it isn't the archive.",
            f"Mount the archive where `paths.archive` says. If it is lost for good, make a folder `{ORIGINALS}` in it, "
            "and look with `skrynka audit` at what is missing.",
        )
    make_private_folder(root)
    return Identity(root).found(station)


def archive_to_look_into(state: Path, root: Path) -> Archive:
    """Give the station's archive as it is known, for who only looks: what is away mustn't be taken for lost.

    Raises EnvironmentUnfit where the state folder can't be read.
    """
    try:
        return Archive(root, known_identity(state))
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentUnfit(
            f"It can't be told which archive is the station's ({type(error).__name__}).",
            "Look at the folder `paths.state`, and who may read there.",
        ) from None


def known_identity(state: Path) -> str | None:
    """Give the identity of the station's archive; None before its first start. Raises OSError."""
    try:
        return (state / _ARCHIVE).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None


def clear_work(work: Path) -> None:
    """Remove the readers' folders that an earlier run left: it was killed, or gave a scan up for good.

    Nothing else is touched: the folder may be configured wrongly. Raises EnvironmentUnfit when it can't be listed.
    """
    for folder in work_folders(work):
        shutil.rmtree(folder.path, ignore_errors=True)


def hide_credentials() -> None:
    """Keep what the configuration says, the database's password too, from reader processes.

    They inherit the environment: our settings and libpq's password go from it; whoever needs them has read them. And
    nobody of our own user may look into this process's memory any more, where all of it stays (prctl(2)).
    """
    for name in [*(name for name in os.environ if name.startswith("SKRYNKA_")), "CREDENTIALS_DIRECTORY", "PGPASSWORD"]:
        os.environ.pop(name, None)
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
