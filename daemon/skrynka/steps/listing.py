"""What lies in an inbox. A listing is the truth; the kernel's events are only hints.

Names in inboxes are other people's (surnames stand in them), so nothing here raises or says one. Only regular files
are ever opened: a link could lead to anything, and opening a FIFO waits for ever.
A network share is looked into by a process of its own (`skrynka.shares`), for it may hang.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from skrynka.core.claims import claimed_folder, is_scan_id
from skrynka.core.entries import Ends, Listing, Odd, Seen, odd_kind
from skrynka.core.errors import EnvironmentUnfit

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_END_BYTES = 1024
NO_MARKER = "no_marker"
"""Why an inbox is away whose folder is there and whose marker isn't."""


class InboxAway(EnvironmentUnfit):
    """The inbox can't be listed now: what lay in it isn't known to be gone."""

    def __init__(self, why: str) -> None:
        """`why` is a word of ours or the name of an error, such as "ENOENT"."""
        self.why = why
        super().__init__(
            f"An inbox can't be listed ({why}).", "Look whether its folder or share is there, and who may read it."
        )


def nothing_ignored(_name: str) -> bool:
    """Take every name."""
    return False


def list_inbox(
    inbox: Path,
    ignored: Callable[[str], bool] = nothing_ignored,
    marker: str | None = None,
    station: str | None = None,
) -> Listing:
    """Look into an inbox once.

    `ignored` is asked by name and its names are left out. `marker` is the name of a file that always lies in the
    inbox: without it the inbox is taken to be away rather than empty (the folder below a mount point is empty too).
    `station` is who looks: what lies among its claimed files is seen too, under its path from the inbox. Where no open
    claim tells of it, it was moved by a rename that was given up. Raises InboxAway.
    """
    folder = require_inbox(inbox, marker)
    try:
        with os.scandir(inbox) as entries:
            found = [(entry.name, entry) for entry in entries if not ignored(entry.name)]
            stats = [(name, status) for name, entry in found if (status := _status(entry)) is not None]
        forgotten = [] if station is None else _forgotten(inbox, station)
    except OSError as error:
        raise InboxAway(errno.errorcode.get(error.errno or 0, "OSError")) from None
    seen = [
        Seen(name, status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev)
        for name, status in [*stats, *forgotten]
        if stat.S_ISREG(status.st_mode)
    ]
    odd = [Odd(name, odd_kind(status.st_mode)) for name, status in stats if not stat.S_ISREG(status.st_mode)]
    return Listing(
        tuple(sorted(seen, key=lambda each: (each.mtime_ns, each.name))),
        tuple(sorted(odd, key=lambda each: each.name)),
        (folder.st_dev, folder.st_ino),
        folder.st_mtime_ns,
    )


def _forgotten(inbox: Path, station: str) -> list[tuple[str, os.stat_result]]:
    """Give what lies among a station's claimed files, by its path from the inbox."""
    folder = claimed_folder(inbox, station)
    try:
        if not all(stat.S_ISDIR(each.lstat().st_mode) for each in (folder.parent, folder)):
            return []  # a link would lead to files of somebody else
        with os.scandir(folder) as entries:
            found = [(entry.name, _status(entry)) for entry in entries if is_scan_id(entry.name)]
    except FileNotFoundError:
        return []
    return [(os.fspath(claimed_folder(Path(), station) / name), status) for name, status in found if status is not None]


def require_inbox(inbox: Path, marker: str | None) -> os.stat_result:
    """Give what its folder is; raise InboxAway where it, or its marker, isn't there."""
    try:
        folder = inbox.stat()
        if marker is not None:
            _require_marker(inbox / marker)
    except OSError as error:
        raise InboxAway(errno.errorcode.get(error.errno or 0, "OSError")) from None
    return folder


def _require_marker(marker: Path) -> None:
    try:
        marker.lstat()
    except FileNotFoundError:
        raise InboxAway(NO_MARKER) from None


def peek(file: Path) -> Ends | None:
    """Read the first and the last 1024 bytes; None when it is gone, unreadable, held back by a lease, or no file."""
    try:
        return read_ends(file)
    except OSError:
        return None


def may_be_read(file: Path) -> bool:
    """Say whether the file's rights let us read it; a file that can't be opened for another reason may be."""
    try:
        with _opened(file):
            return True
    except PermissionError:
        return False
    except OSError:
        return True


def read_ends(file: Path) -> Ends:
    """Read the first and the last 1024 bytes. Raises OSError where `peek` gives None."""
    with _opened(file) as descriptor:
        size = os.fstat(descriptor).st_size
        return Ends(os.pread(descriptor, _END_BYTES, 0), os.pread(descriptor, _END_BYTES, max(0, size - _END_BYTES)))


def writer_holds(file: Path) -> bool | None:
    """Ask the kernel whether some process has a local file open for writing; None when it can't say.

    It takes a read lease and gives it back at once. The kernel answers EAGAIN while a writer has the file, and EACCES
    about another owner's file to a process without CAP_LEASE. File systems without leases can't say either.

    A writer that opens the file in that very moment breaks the lease, and the kernel sends SIGIO, which ends a process
    that doesn't expect it: the service must have called `signal.signal(signal.SIGIO, signal.SIG_IGN)`.
    """
    try:
        with _opened(file) as descriptor:
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            # Closing gives it back too, but not while a child forked in this moment has the descriptor.
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return None
    return False


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None  # gone since the folder was read


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[int]:
    descriptor = os.open(file, _OPEN)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no regular file")
        yield descriptor
    finally:
        os.close(descriptor)
