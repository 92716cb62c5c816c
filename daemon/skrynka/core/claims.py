"""A file that was taken out of an inbox and isn't registered yet, and how its sidecar says so."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from skrynka.core.entries import Odd, Seen
from skrynka.core.errors import EnvironmentUnfit, SkrynkaError

_ORIGINAL = "original"
_CLAIMED = ".claimed"
"""A dotfile, so listings ignore it."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SCAN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class ClaimLost(SkrynkaError):
    """The file is gone from the inbox: somebody else took it or its writer renamed it. Nothing is wrong."""


class ClaimRefused(EnvironmentUnfit):
    """The file lies in the inbox and can't be taken; it stays there."""

    def __init__(self, why: str) -> None:
        """`why` is the name of an error, such as "EACCES"."""
        self.why = why
        super().__init__(f"A file can't be taken from an inbox ({why}).", "Look at the rights on the inbox's folder.")


class OtherFilesystem(SkrynkaError):
    """The spool lies on another file system than the inbox: nothing moved, and it goes as on a share."""


class ClaimRestless(SkrynkaError):
    """The claimed file changed while it was copied: its writer isn't done. It stays where it is; copy it later."""


@dataclass(frozen=True, slots=True)
class Found:
    """What lies where a claim took it."""

    mode: int
    """As `st_mode`: perhaps no regular file."""
    size: int
    """Bytes."""
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Found:
        """Take it from what `lstat` says."""
        return cls(status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino)


def claimed_folder(inbox: Path, station: str) -> Path:
    """Give where a station's claims lie that stay within their inbox until they are fetched."""
    return inbox / _CLAIMED / station


def is_claimed(name: str) -> bool:
    """Tell whether a name, as seen from an inbox, is among the claimed: a scan that no claim tells of any more."""
    return name.startswith(f"{_CLAIMED}/")


def moment_of(mtime_ns: int) -> datetime | None:
    """Give the time of a change as a moment, to the microsecond; None where no calendar has it."""
    try:
        return _EPOCH + timedelta(microseconds=mtime_ns // 1000)
    except OverflowError:
        return None


def nanoseconds(moment: datetime) -> int:
    """Give a moment as the time of a change."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def is_scan_id(name: str) -> bool:
    """Tell whether a claim may have given this name."""
    return _SCAN_ID.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that is ours and isn't registered yet."""

    scan_id: str
    number: int
    """The station's running scan number."""
    station: str
    box: str
    original_name: str = field(repr=False)
    """Never logged. Bytes that aren't UTF-8 stand as lone surrogates."""
    inbox: Path
    seen: Seen
    """What the listing showed, and what was meant to be taken."""
    claimed_at: datetime
    folder: Path
    """Its folder in the spool."""
    via_share: bool
    """It is renamed within its inbox, for the spool is on another file system."""
    in_spool: bool
    """False: it lies in the inbox's `.claimed`, and is brought from there."""
    after_gap: bool = False
    """Of what lay before it in its box something was lost: it may go on with papers that nobody has."""
    changed: bool = False
    """What was taken isn't what the listing showed: another inode, size or time. Its writer may not be done."""
    overwritten: bool = False
    """What was taken is another scan than the listing showed, under the same name: that one is lost. `seen` is what was
    taken then."""

    @property
    def path(self) -> Path:
        """Where the file is now."""
        return self.folder / _ORIGINAL if self.in_spool else self.path_in_share

    @property
    def written_at(self) -> datetime | None:
        """When it was written, by the clock of its inbox's file system."""
        return moment_of(self.seen.mtime_ns)

    @property
    def path_in_share(self) -> Path:
        """Where the file of a claim by way of a share lies until it is fetched."""
        return claimed_folder(self.inbox, self.station) / self.scan_id


def is_overwritten(seen: Seen, found: Found, *, via_share: bool) -> bool:
    """Tell whether another scan was taken than the listing showed.

    In a share another inode alone says nothing: of a file that is as it was some network file systems give a new one.
    """
    if found.size < seen.size:
        return True
    same = via_share and (found.size, found.mtime_ns) == (seen.size, seen.mtime_ns)
    return seen.inode not in {0, found.inode} and not same


@dataclass(frozen=True, slots=True)
class OpenClaims:
    """What a start finds in the spool."""

    claims: tuple[Claim, ...]
    """To be registered, in the order of their numbers."""
    in_shares: tuple[Claim, ...]
    """Claims by way of a share, in the same order: where their files are must still be asked there."""
    odd: tuple[Odd, ...]
    """Claims that turned out to be no regular file, and were set aside just now."""
    damaged: tuple[str, ...]
    """Folders that hold something and no readable sidecar: left as they are, for a person."""

    def after_gap(self, ordered: Callable[[str], bool]) -> OpenClaims:
        """Give the same, each claim after a gap whose box is `ordered`: its papers go on with nobody's."""

        def parted(claims: tuple[Claim, ...]) -> tuple[Claim, ...]:
            return tuple(replace(claim, after_gap=claim.after_gap or ordered(claim.box)) for claim in claims)

        return replace(self, claims=parted(self.claims), in_shares=parted(self.in_shares))


def to_sidecar(claim: Claim) -> bytes:
    """Say all of a claim but where its folder is; ASCII, so that a name that isn't UTF-8 survives as escapes."""
    told = {
        "scan_id": claim.scan_id,
        "number": claim.number,
        "station": claim.station,
        "box": claim.box,
        "original_name": claim.original_name,
        "inbox": os.fspath(claim.inbox),
        "size": claim.seen.size,
        "mtime_ns": claim.seen.mtime_ns,
        "inode": claim.seen.inode,
        "device": claim.seen.device,
        "claimed_at": claim.claimed_at.isoformat(),
        "via_share": claim.via_share,
        "after_gap": claim.after_gap,
    }
    return json.dumps(told, indent=1).encode("ascii")


def from_sidecar(sidecar: bytes, folder: Path) -> Claim:
    """Read what `to_sidecar` said; `folder` is where it lay. The file is taken to be where it was renamed to.

    Raises ValueError when it says something else; its text doesn't echo what.
    """
    try:
        told: dict[str, Any] = json.loads(sidecar)
        name, via_share = str(told["original_name"]), bool(told["via_share"])
        return Claim(
            scan_id=str(told["scan_id"]),
            number=int(told["number"]),
            station=str(told["station"]),
            box=str(told["box"]),
            original_name=name,
            inbox=Path(told["inbox"]),
            seen=Seen(name, int(told["size"]), int(told["mtime_ns"]), int(told["inode"]), int(told["device"])),
            claimed_at=datetime.fromisoformat(told["claimed_at"]),
            folder=folder,
            via_share=via_share,
            in_spool=not via_share,
            after_gap=bool(told.get("after_gap")),
        )
    except (ValueError, KeyError, TypeError):
        raise ValueError("no sidecar of a claim") from None
