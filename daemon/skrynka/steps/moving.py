"""What a claim does in an inbox: the one rename that takes a file, and what follows it where the spool is elsewhere.

These functions touch the inbox's file system, so for a network share they run in a process of its own
(`skrynka.shares`). None of them believes an error: whether a file was taken is told by the names.

Errors and their texts never carry the original name.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path

from skrynka.core.claims import Claim, ClaimLost, ClaimRefused, ClaimRestless, Found, OtherFilesystem
from skrynka.durable import copy_durably, fsync_file, fsync_folder, lies, make_folder, rename_durably

_ORIGINAL = "original"
_PART = "original.part"
_REFUSALS = frozenset({
    errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.ETXTBSY, errno.ENOSPC, errno.EDQUOT, errno.EXDEV,
    errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ELOOP, errno.EMLINK, errno.ENAMETOOLONG,
    errno.EINVAL,
})  # fmt: skip
"""What a file system answers that won't rename. Of any other error (ETIMEDOUT, EIO, EHOSTDOWN) a server may know
nothing: the rename may be carried out yet."""
_PIECE_BYTES = 1 << 20
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def no_progress() -> None:
    """Tell nobody."""


def ready(claim: Claim) -> None:
    """Make the folder in the inbox that its claimed files go to. Raises ClaimRefused."""
    try:
        make_folder(claim.path_in_share.parent, claim.inbox)
    except OSError as error:
        raise ClaimRefused(_name(error)) from None


def take(claim: Claim) -> Found:
    """Rename the file to where it is ours, durably, and give what came.

    Raises ClaimLost, ClaimRefused or OtherFilesystem where nothing moved; OSError where that isn't known, and `locate`
    finds out.
    """
    try:
        (claim.inbox / claim.original_name).rename(claim.path)
    except OSError as error:
        # Over NFS a rename may happen and report an error. Nobody but us ever uses the new name.
        if not lies(claim.path):
            if error.errno == errno.EXDEV and not claim.via_share:
                raise OtherFilesystem from None
            if isinstance(error, FileNotFoundError):
                raise ClaimLost("The file is gone from its inbox.") from None
            if error.errno in _REFUSALS:
                raise ClaimRefused(_name(error)) from None
            raise OSError(error.errno or errno.EIO, "whether a file was taken isn't known") from None
    fsync_folder(claim.path.parent)
    with contextlib.suppress(OSError):
        # A power cut may bring the old name back to a file that is ours already: the same bytes once more, which are
        # told by their hash. The claim itself is whole.
        fsync_folder(claim.inbox)
    return Found.of(claim.path.lstat())


def locate(claim: Claim, *, mounted: bool = False) -> Found | None:
    """Look for a claimed file in the inbox: what lies there; None when it never left, or was fetched already.

    `mounted` says that the inbox is known to be what it should be. Raises OSError when that can't be known, for the
    inbox is away.
    """
    claim.path_in_share.parent.lstat()  # made before the sidecar: where it isn't there, the inbox isn't
    if lies(claim.path_in_share):
        return Found.of(claim.path_in_share.lstat())
    # The folder below a mount point may have such a folder too, from a day when nothing was mounted there.
    if not mounted and claim.inbox.stat().st_dev != claim.seen.device and not lies(claim.inbox / claim.original_name):
        raise OSError(errno.ENODEV, "another file system than the claim's")
    return None


def fetch(claim: Claim, progress: Callable[[], None] = no_progress) -> None:
    """Bring a claimed file from the inbox into the spool: the copy is durable before the inbox's file goes.

    The copy gets the file's time: by it `clear` knows the file. A copy that the spool has already is replaced only by
    one that goes on from it; else it stays, and so does the inbox's file, which then is nobody's. Raises ClaimRestless
    when it changed meanwhile, and OSError; then nothing is lost, and it can be tried again.
    """
    part = claim.folder / _PART
    part.unlink(missing_ok=True)
    source = os.open(claim.path_in_share, _OPEN)
    try:
        before = os.fstat(source)
        copied = copy_durably(source, part, lambda _: progress())
        after = os.fstat(source)
    finally:
        os.close(source)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or copied != after.st_size:
        part.unlink()
        raise ClaimRestless("A claimed file changed while it was copied.")
    if lies(claim.folder / _ORIGINAL) and not _goes_on(part, claim.folder / _ORIGINAL, progress):
        part.unlink()
        return
    os.utime(part, ns=(after.st_atime_ns, after.st_mtime_ns))
    fsync_file(part)
    rename_durably(part, claim.folder / _ORIGINAL)
    _clear(claim, after)


def clear(claim: Claim) -> None:
    """Remove a claimed file from the inbox: the spool has it, durably. Repeated, it does nothing.

    Raises OSError, and ClaimRestless where the file is longer than the spool's: its writer may have gone on, and it is
    to be fetched again. Any other that isn't the one that the spool has stays where it is: a server that broke down
    before it had written a file brings it back shorter, or with another time. The spool's copy stays in any case.
    """
    _clear(claim, (claim.folder / _ORIGINAL).lstat())


def _clear(claim: Claim, copied: os.stat_result) -> None:
    if lies(claim.path_in_share):
        now = _opened_status(claim.path_in_share)
        if now.st_size > copied.st_size:
            raise ClaimRestless("A claimed file grew after it was copied.")
        if (now.st_size, now.st_mtime_ns) != (copied.st_size, copied.st_mtime_ns):
            return
        claim.path_in_share.unlink(missing_ok=True)
    fsync_folder(claim.path_in_share.parent)


def _goes_on(copy: Path, earlier: Path, progress: Callable[[], None]) -> bool:
    """Say whether a copy has all the bytes of an earlier one at its beginning; `progress` is called as it is read."""
    with copy.open("rb") as whole, earlier.open("rb") as beginning:
        while piece := beginning.read(_PIECE_BYTES):
            if whole.read(len(piece)) != piece:
                return False
            progress()
    return True


def _opened_status(path: Path) -> os.stat_result:
    """Give a file's status; of one that isn't opened a server's client may tell what was true seconds ago."""
    descriptor = os.open(path, _OPEN)
    try:
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


def _name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, "OSError")
