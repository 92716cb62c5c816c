"""Taking a file out of an inbox, so that from then on it is ours, whatever dies when.

The order is the protocol: the sidecar (`claim.json`) is durable before the file moves, so a file that moved can be
told. Taking is one atomic rename, so of all who try one gets it. A claim on the inbox's own file system lies in the
spool; else the rename stays within the inbox (`.claimed/<station>/<scan id>`), and `fetch` copies it to the spool.

    spool/<scan id>/claim.json      what was claimed, when, from where
    spool/<scan id>/original        the file
    spool/.odd/<scan id>/           a claim that turned out to be no regular file: never opened, never removed

Errors and their texts never carry the original name; it stands in `claim.json` and goes to the database.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from skrynka.core.claims import Claim, OpenClaims, from_sidecar, to_sidecar
from skrynka.core.entries import Odd, Seen, odd_kind
from skrynka.core.errors import EnvironmentUnfit, SkrynkaError
from skrynka.durable import FOLDER_MODE, copy_durably, fsync_folder, make_folder, rename_durably, write_durably

_SIDECAR = "claim.json"
_ORIGINAL = "original"
_PART = "original.part"
_ODD = ".odd"


class ClaimLost(SkrynkaError):
    """The file is gone from the inbox: somebody else took it or its writer renamed it. Nothing is wrong."""


class ClaimRefused(EnvironmentUnfit):
    """The file lies in the inbox and can't be taken; it stays there."""


def claim(
    spool: Path,
    inbox: Path,
    seen: Seen,
    *,
    scan_id: str,
    number: int,
    station: str,
    box: str,
    claimed_at: datetime,
    share: bool = False,
) -> Claim | Odd:
    """Take a file that has settled.

    `share` says that the inbox is a network share. Gives Odd when somebody put something that is no regular file in
    its place: it was set aside in the spool. Raises ClaimLost or ClaimRefused, and the inbox is as it was. Raises
    OSError when the spool can't be written: then the file may have been taken or not, and `open_claims` finds out.
    """
    folder = spool / scan_id
    folder.mkdir(mode=FOLDER_MODE)
    fsync_folder(spool)
    # Where the spool turns out to be on another file system (or another mount of the same one), it goes as on a share.
    for via_share in (True,) if share else (False, True):
        taken = Claim(
            scan_id, number, station, box, seen.name, inbox, seen, claimed_at, folder, via_share, not via_share
        )
        _prepare(taken)
        try:
            _take(taken)
        except OSError as error:
            if error.errno == errno.EXDEV and not via_share:
                continue
            raise _refused(taken, error) from None
        break
    fsync_folder(taken.path.parent)
    with contextlib.suppress(OSError):
        # A power cut may bring the old name back to a file that is ours already: the same bytes once more, which are
        # told by their hash. The claim itself is whole.
        fsync_folder(inbox)
    return _verified(taken, spool)


def fetch(taken: Claim) -> Claim:
    """Bring a claim that lies on a share into the spool: the copy is durable before the share's file goes.

    A claim in the spool is given back as it is. Raises OSError; then nothing is lost, and it can be tried again.
    """
    if taken.in_spool:
        return taken
    part = taken.folder / _PART
    part.unlink(missing_ok=True)
    source = os.open(taken.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        copy_durably(source, part)
    finally:
        os.close(source)
    fetched = replace(taken, in_spool=True)
    rename_durably(part, fetched.path)
    _unlink_durably(taken.path)
    return fetched


def release(taken: Claim) -> None:
    """Let go of a claim whose scan is registered: the file first, then the sidecar. Repeated, it does nothing.

    Only for what the archive *and* the database have durably. Raises OSError.
    """
    if taken.via_share and _lies(taken.path_in_share):  # a fetch that was killed half-way leaves both
        _unlink_durably(taken.path_in_share)
    _remove_folder(taken.folder)


def open_claims(spool: Path) -> OpenClaims:
    """Find what was claimed and not registered, for a start; call it when nothing is being claimed.

    A sidecar alone is removed: the file never left its inbox, and a sweep finds it there. Raises OSError when the
    spool can't be read.
    """
    claims: list[Claim] = []
    away: list[str] = []
    odd: list[Odd] = []
    damaged: list[str] = []
    for folder in sorted(each for each in spool.iterdir() if each.is_dir() and each.name != _ODD):
        told = _read_sidecar(folder)
        if told is None:
            if _lies(folder / _ORIGINAL) or _lies(folder / _SIDECAR):
                damaged.append(folder.name)
            else:
                _remove_folder(folder)  # killed before the sidecar was there
            continue
        try:
            found = _whereabouts(told)
        except OSError:
            away.append(folder.name)
            continue
        if found is None:
            _remove_folder(folder)
            continue
        verified = _verified(found, spool)
        if isinstance(verified, Odd):
            odd.append(verified)
        else:
            claims.append(verified)
    return OpenClaims(tuple(sorted(claims, key=lambda each: each.number)), tuple(away), tuple(odd), tuple(damaged))


def _prepare(taken: Claim) -> None:
    """Do what must be durable before the file moves; when that fails nothing has moved, and nothing is left."""
    try:
        if taken.via_share:
            try:
                make_folder(taken.path.parent, taken.inbox)
            except OSError as error:
                raise _refusal(error) from None
        write_durably(taken.folder / _SIDECAR, to_sidecar(taken))
    except (OSError, ClaimRefused):
        with contextlib.suppress(OSError):
            _remove_folder(taken.folder)
        raise


def _take(taken: Claim) -> None:
    """Rename the file to where it is ours. Over NFS that may succeed and report an error: the names say what is so."""
    source = taken.inbox / taken.original_name
    try:
        source.rename(taken.path)
    except OSError:
        if not _lies(taken.path) or _lies(source):
            raise


def _refused(taken: Claim, error: OSError) -> SkrynkaError:
    """Tidy up after a rename that did not happen, and say it without the file's name."""
    with contextlib.suppress(OSError):
        if not _lies(taken.path):
            _remove_folder(taken.folder)
            if isinstance(error, FileNotFoundError):
                return ClaimLost("The file is gone from its inbox.")
    return _refusal(error)


def _refusal(error: OSError) -> ClaimRefused:
    name = errno.errorcode.get(error.errno or 0, "OSError")
    return ClaimRefused(f"A file can't be taken from an inbox ({name}).", "Look at the rights on the inbox's folder.")


def _verified(taken: Claim, spool: Path) -> Claim | Odd:
    """Compare what was taken with what had settled: between the listing and the rename anything may have happened."""
    now = taken.path.lstat()
    seen = taken.seen
    if not stat.S_ISREG(now.st_mode):
        # In a share the thing itself stays among the claimed.
        make_folder(spool / _ODD, spool)
        rename_durably(taken.folder, spool / _ODD / taken.scan_id)
        return Odd(seen.name, odd_kind(now.st_mode))
    # A copy that was fetched has an inode and a time of its own.
    same = now.st_size == seen.size and (
        (taken.via_share and taken.in_spool) or (now.st_mtime_ns == seen.mtime_ns and seen.inode in {0, now.st_ino})
    )
    return replace(taken, changed=not same)


def _read_sidecar(folder: Path) -> Claim | None:
    try:
        return from_sidecar((folder / _SIDECAR).read_bytes(), folder)
    except (FileNotFoundError, ValueError):
        return None


def _whereabouts(told: Claim) -> Claim | None:
    """Find a claim's file; None when it never left its inbox. Raises OSError when its share is away."""
    if _lies(told.folder / _ORIGINAL):
        return replace(told, in_spool=True)
    if not told.via_share:
        return None
    told.path.parent.lstat()  # made before the sidecar: where it isn't there, the share isn't
    return told if _lies(told.path) else None


def _lies(path: Path) -> bool:
    """Say whether a name is there. Raises OSError when that can't be known."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def _unlink_durably(path: Path) -> None:
    path.unlink(missing_ok=True)
    fsync_folder(path.parent)


def _remove_folder(folder: Path) -> None:
    """Remove a claim's folder: the file before the sidecar, so that nothing is ever left untold."""
    if not folder.exists():
        return
    for name in (_ORIGINAL, _PART):
        (folder / name).unlink(missing_ok=True)
    fsync_folder(folder)
    for each in list(folder.iterdir()):  # the sidecar, and the temporary file of one that was never finished
        each.unlink()
    folder.rmdir()
    fsync_folder(folder.parent)
