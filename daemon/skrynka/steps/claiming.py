"""Taking a file out of an inbox, so that from then on it is ours, whatever dies when: the spool's side of it.

The order is the protocol: the sidecar (`claim.json`) is durable before the file moves, so a file that moved can be
told. Taking is one atomic rename, so of all who try one gets it. A claim on the inbox's own file system lies in the
spool; else the rename stays within the inbox (`.claimed/<station>/<scan id>`), and `fetch` copies it to the spool.

    spool/<scan id>/claim.json      what was claimed, when, from where
    spool/<scan id>/original        the file
    spool/.odd/<scan id>/           a claim that turned out to be no regular file: never opened, never removed

What happens in the inbox itself is a mover's: `skrynka.steps.moving`, or a process that does it in a network share.
Errors and their texts never carry the original name; it stands in `claim.json` and goes to the database.
"""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from skrynka.core.claims import (
    Claim,
    ClaimLost,
    ClaimRefused,
    ClaimRestless,
    Found,
    OpenClaims,
    OtherFilesystem,
    from_sidecar,
    is_overwritten,
    to_sidecar,
)
from skrynka.core.entries import Odd, Seen, odd_kind
from skrynka.durable import FOLDER_MODE, fsync_folder, lies, make_folder, rename_durably, write_durably

_SIDECAR = "claim.json"
_ORIGINAL = "original"
_PART = "original.part"
_ODD = ".odd"


class Mover(Protocol):
    """Who moves files in an inbox; each method as the function of that name in `skrynka.steps.moving`."""

    def ready(self, claim: Claim, /) -> None:
        """Make the folder that claimed files go to."""

    def take(self, claim: Claim, /) -> Found:
        """Rename the file to where it is ours."""

    def locate(self, claim: Claim, /) -> Found | None:
        """Look for a claimed file."""

    def fetch(self, claim: Claim, progress: Callable[[], None], /) -> None:
        """Bring a claimed file into the spool."""

    def clear(self, claim: Claim, /) -> None:
        """Remove a claimed file that the spool has."""


def prepare(
    spool: Path,
    inbox: Path,
    seen: Seen,
    mover: Mover,
    *,
    scan_id: str,
    next_number: Callable[[], int],
    station: str,
    box: str,
    claimed_at: datetime,
    via_share: bool = False,
    after_gap: bool = False,
) -> Claim:
    """Do what must be durable before a file moves, and give the claim to take it with.

    Raises what `Mover.ready` and `next_number` do, and OSError when the spool can't be written: nothing has moved, and
    nothing is left.
    """
    folder = spool / scan_id
    folder.mkdir(mode=FOLDER_MODE)
    try:
        fsync_folder(spool)
        # Not before there is a folder: a spool that can't be written would use up a number with every try.
        claim = Claim(
            scan_id=scan_id,
            number=next_number(),
            station=station,
            box=box,
            original_name=seen.name,
            inbox=inbox,
            seen=seen,
            claimed_at=claimed_at,
            folder=folder,
            via_share=via_share,
            in_spool=not via_share,
            after_gap=after_gap,
        )
        if via_share:
            mover.ready(claim)
        write_durably(folder / _SIDECAR, to_sidecar(claim))
    except BaseException:
        with contextlib.suppress(OSError):
            _remove_folder(folder)
        raise
    return claim


def take(claim: Claim, mover: Mover) -> Claim | Odd:
    """Take a file that has settled.

    Gives the claim with what came of it (`via_share` where the spool turned out to be on another file system, or
    another mount of the same one), or Odd when somebody had put something that is no regular file in the file's place:
    it was set aside in the spool. Raises ClaimLost or ClaimRefused, and the inbox is as it was and nothing is left.
    Raises whatever else a mover raises when it isn't known whether the file was taken: `look_up` finds out.
    """
    try:
        try:
            found = mover.take(claim)
        except OtherFilesystem:
            claim = replace(claim, via_share=True, in_spool=False)
            mover.ready(claim)
            write_durably(claim.folder / _SIDECAR, to_sidecar(claim))
            found = mover.take(claim)
    except (ClaimLost, ClaimRefused):
        with contextlib.suppress(OSError):
            _remove_folder(claim.folder)
        raise
    return _verified(claim, found)


def look_up(claim: Claim, mover: Mover) -> Claim | Odd | None:
    """Find out what became of a claim that broke off: as `take` gives it, or None when the file never left its inbox.

    Raises what the mover raises while that can't be known.
    """
    with contextlib.suppress(FileNotFoundError):
        # It may have turned into one by way of a share at the last moment.
        told = from_sidecar((claim.folder / _SIDECAR).read_bytes(), claim.folder)
        claim = replace(told, after_gap=told.after_gap or claim.after_gap)
    if lies(claim.folder / _ORIGINAL):
        # A fetch that was killed half-way leaves both; and an inbox's file that grew since is fetched again.
        grown = _grown(claim, mover) if claim.via_share else None
        if grown is not None:
            return _verified(claim, grown)
        return _verified(replace(claim, in_spool=True), _found_in_spool(claim))
    found = mover.locate(claim) if claim.via_share else None
    if found is None:
        _remove_folder(claim.folder)
        return None
    return _verified(claim, found)


def fetch(claim: Claim, mover: Mover, progress: Callable[[], None]) -> Claim:
    """Bring a claim by way of a share into the spool; `progress` is called now and then. Raises as the mover does."""
    mover.fetch(claim, progress)
    return replace(claim, in_spool=True)


def release(claim: Claim, size_bytes: int, mtime_ns: int) -> bool:
    """Let go of a claim whose scan is registered: the file first, then the sidecar. Repeated, it does nothing.

    Only for what the archive *and* the database have durably: the file as it was with this size and this time. Gives
    False where it is another by now, for a writer's descriptor survives a rename: it stays. Raises OSError.
    """
    if lies(claim.folder / _ORIGINAL):
        found = _found_in_spool(claim)
        if (found.size, found.mtime_ns) != (size_bytes, mtime_ns):
            return False
    _remove_folder(claim.folder)
    return True


def note_overwritten(claim: Claim, *, after_gap: bool) -> Claim:
    """Have a claim's sidecar say what was really taken, so that it is noticed once that the scan before is lost.

    It comes after a gap from now on, where `after_gap` says so. Raises OSError; then it is noticed again.
    """
    noted = replace(claim, after_gap=claim.after_gap or after_gap, overwritten=False)
    write_durably(claim.folder / _SIDECAR, to_sidecar(noted))
    return noted


def part(claim: Claim) -> Claim:
    """Have a claim come after a gap, durably: it goes on with nobody's papers. Repeated, it does nothing.

    Raises OSError; then it is as it was.
    """
    if claim.after_gap:
        return claim
    parted = replace(claim, after_gap=True)
    write_durably(claim.folder / _SIDECAR, to_sidecar(parted))
    return parted


def renew(claim: Claim, *, scan_id: str, number: int, after_gap: bool) -> Claim:
    """Make a claim in the spool one of another scan: of its file, as it is now, the scan's row has only a part.

    It comes after a gap, where `after_gap` says so: what it begins with follows no paper that was taken last. Raises
    OSError; then it is still the one it was, or the next start finds the new one.
    """
    found = _found_in_spool(claim)
    renewed = replace(
        claim,
        scan_id=scan_id,
        number=number,
        seen=replace(claim.seen, size=found.size, mtime_ns=found.mtime_ns, inode=found.inode),
        via_share=False,
        after_gap=claim.after_gap or after_gap,
        changed=True,
        overwritten=False,
    )
    write_durably(claim.folder / _SIDECAR, to_sidecar(renewed))
    folder = claim.folder.with_name(scan_id)
    rename_durably(claim.folder, folder)
    return replace(renewed, folder=folder)


def open_claims(spool: Path) -> OpenClaims:
    """Find what was claimed and not registered, for a start; call it when nothing is being claimed.

    A sidecar alone is removed: the file never left its inbox, and a sweep finds it there. No inbox is touched, so
    where a claim by way of a share stands, only `look_up` can tell. Raises OSError when the spool can't be read.
    """
    claims: list[Claim] = []
    in_shares: list[Claim] = []
    odd: list[Odd] = []
    damaged: list[str] = []
    for folder in sorted(each for each in spool.iterdir() if each.is_dir() and each.name != _ODD):
        told = _read_sidecar(folder)
        if told is None:
            if lies(folder / _ORIGINAL) or lies(folder / _SIDECAR):
                damaged.append(folder.name)
            else:
                _remove_folder(folder)  # killed before the sidecar was there
        elif told.via_share:
            in_shares.append(told)
        elif not lies(folder / _ORIGINAL):
            _remove_folder(folder)
        else:
            verified = _verified(told, _found_in_spool(told))
            if isinstance(verified, Odd):
                odd.append(verified)
            else:
                claims.append(verified)
    return OpenClaims(
        tuple(sorted(claims, key=lambda each: each.number)),
        tuple(sorted(in_shares, key=lambda each: each.number)),
        tuple(odd),
        tuple(damaged),
    )


def _verified(claim: Claim, found: Found) -> Claim | Odd:
    """Compare what was taken with what had settled: between the listing and the rename anything may have happened."""
    seen = claim.seen
    if not stat.S_ISREG(found.mode):
        # In a share the thing itself stays among the claimed.
        spool = claim.folder.parent
        make_folder(spool / _ODD, spool)
        rename_durably(claim.folder, spool / _ODD / claim.scan_id)
        return Odd(seen.name, odd_kind(found.mode))
    # A copy that was fetched has an inode and a time of its own.
    copied = claim.via_share and claim.in_spool
    overwritten = not copied and is_overwritten(seen, found, via_share=claim.via_share)
    same = found.size == seen.size and (copied or (found.mtime_ns == seen.mtime_ns and not overwritten))
    if overwritten:
        seen = replace(seen, size=found.size, mtime_ns=found.mtime_ns, inode=found.inode)
    return replace(claim, seen=seen, changed=not same, overwritten=overwritten)


def _grown(claim: Claim, mover: Mover) -> Found | None:
    """Have the inbox's file of a claim that the spool has removed; give it instead where it is longer."""
    try:
        mover.clear(claim)
    except ClaimRestless:
        return mover.locate(claim)
    return None


def _found_in_spool(claim: Claim) -> Found:
    return Found.of((claim.folder / _ORIGINAL).lstat())


def _read_sidecar(folder: Path) -> Claim | None:
    try:
        return from_sidecar((folder / _SIDECAR).read_bytes(), folder)
    except (FileNotFoundError, ValueError):
        return None


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
