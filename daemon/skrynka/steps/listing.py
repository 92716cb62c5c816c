"""What lies in an inbox. A listing is the truth; the kernel's events are only hints.

Names in inboxes are other people's (surnames stand in them), so nothing here raises or says one. Only regular files
are ever opened: a link could lead to anything, and opening a FIFO waits for ever.

Run as a module (`python -m skrynka.steps.listing`) it is the child process that looks into a network share: a share
that hangs blocks whoever touches it, and a signal doesn't end that.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import fcntl
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import IO, Any

from skrynka.core.entries import Ends, Listing, Odd, OddKind, Seen, odd_kind
from skrynka.core.errors import EnvironmentUnfit

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_END_BYTES = 1024
_REAP_SECONDS = 1.0
"""A child that can be killed at all is gone long before."""


class InboxAway(EnvironmentUnfit):
    """The inbox can't be listed now: what lay in it isn't known to be gone."""

    def __init__(self, why: str) -> None:
        """`why` is a phrase of ours or the name of an error, such as "ENOENT"."""
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
    ends_of: Collection[str] = (),
    marker: str | None = None,
) -> Listing:
    """Look into a local inbox once.

    `ignored` is asked by name and its names are left out; `ends_of` are the names whose first and last bytes are
    wanted. `marker` is the name of a file that lies in the root of a share: without it the share is taken to be away
    rather than empty (the folder below a mount point is empty too). Raises InboxAway.
    """
    try:
        if marker is not None:
            (inbox / marker).lstat()
        with os.scandir(inbox) as entries:
            found = [(entry.name, entry) for entry in entries if not ignored(entry.name)]
            stats = [(name, status) for name, entry in found if (status := _status(entry)) is not None]
    except OSError as error:
        raise InboxAway(errno.errorcode.get(error.errno or 0, "OSError")) from None
    seen = [
        Seen(name, status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev)
        for name, status in stats
        if stat.S_ISREG(status.st_mode)
    ]
    odd = [Odd(name, odd_kind(status.st_mode)) for name, status in stats if not stat.S_ISREG(status.st_mode)]
    wanted = frozenset(ends_of)
    ends = {each.name: end for each in seen if each.name in wanted and (end := peek(inbox / each.name)) is not None}
    return Listing(
        tuple(sorted(seen, key=lambda each: (each.mtime_ns, each.name))),
        tuple(sorted(odd, key=lambda each: each.name)),
        ends,
    )


def peek(file: Path) -> Ends | None:
    """Read the first and the last 1024 bytes; None when it is gone, unreadable, held back by a lease, or no file."""
    try:
        with _opened(file) as descriptor:
            size = os.fstat(descriptor).st_size
            return Ends(
                os.pread(descriptor, _END_BYTES, 0), os.pread(descriptor, _END_BYTES, max(0, size - _END_BYTES))
            )
    except OSError:
        return None


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


class ShareLister:
    """Looks into one network share, by a child process with a time limit; not for several threads at once."""

    def __init__(self, share: Path, seconds: float, marker: str | None = None, python: str = sys.executable) -> None:
        """`seconds` is how long one look may take; `marker` as in `list_inbox`; `python` runs the child."""
        self._command = [python, "-I", "-m", __name__, os.fspath(share)]
        self._seconds = seconds
        self._marker = marker
        self._hung: subprocess.Popen[bytes] | None = None

    def look(self, ignored: Callable[[str], bool] = nothing_ignored, ends_of: Collection[str] = ()) -> Listing:
        """Look once; arguments and result are those of `list_inbox`. Raises InboxAway, also when the share hangs.

        A child that hangs is left alone, since nothing ends it, and until it is gone no other is sent after it.
        """
        if self._hung is not None:
            if self._hung.poll() is None:
                raise InboxAway("still hung")
            self._hung = None
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        request = json.dumps({"ends_of": sorted(ends_of), "marker": self._marker}).encode("ascii")
        try:
            answer, _ = child.communicate(request, timeout=self._seconds)
        except subprocess.TimeoutExpired:
            self._abandon(child)
            raise InboxAway("hung") from None
        return _listing_from(answer, ignored)

    def _abandon(self, child: subprocess.Popen[bytes]) -> None:
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            child.wait(_REAP_SECONDS)
        except subprocess.TimeoutExpired:
            self._hung = child


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


def _listing_from(answer: bytes, ignored: Callable[[str], bool]) -> Listing:
    try:
        told = json.loads(answer)
        if "away" in told:
            raise InboxAway(str(told["away"]))
        return Listing(
            tuple(Seen(*row) for row in told["seen"] if not ignored(row[0])),
            tuple(Odd(name, OddKind(what)) for name, what in told["odd"] if not ignored(name)),
            {
                name: Ends(base64.b64decode(head), base64.b64decode(tail))
                for name, (head, tail) in told["ends"].items()
                if not ignored(name)
            },
        )
    except (ValueError, TypeError, KeyError):
        raise InboxAway("the listing process died") from None


def _main(share: str, request: IO[bytes], answer: IO[str]) -> None:
    """Be the child: list, and say it as JSON in ASCII (lone surrogates of odd names survive as escapes)."""
    asked = json.load(request)
    told: dict[str, Any]
    try:
        listing = list_inbox(Path(share), ends_of=asked["ends_of"], marker=asked["marker"])
    except InboxAway as away:
        told = {"away": away.why}
    else:
        told = {
            "seen": [[each.name, each.size, each.mtime_ns, each.inode, each.device] for each in listing.seen],
            "odd": [[each.name, each.what] for each in listing.odd],
            "ends": {
                name: [base64.b64encode(end.head).decode(), base64.b64encode(end.tail).decode()]
                for name, end in listing.ends.items()
            },
        }
    json.dump(told, answer)


if __name__ == "__main__":
    _main(sys.argv[1], sys.stdin.buffer, sys.stdout)
