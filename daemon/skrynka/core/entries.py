"""What lies in an inbox: the values that pass from listing it to claiming from it."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Seen:
    """A regular file in an inbox, as its folder's listing found it."""

    name: str = field(repr=False)
    """As Python decodes file names: bytes that aren't UTF-8 stand as lone surrogates. Never logged."""
    size: int
    """Bytes."""
    mtime_ns: int
    inode: int
    device: int


class OddKind(StrEnum):
    """What an entry is that can never be a scan."""

    SYMLINK = "symlink"
    FOLDER = "folder"
    FIFO = "fifo"
    SOCKET = "socket"
    DEVICE = "device"


def odd_kind(mode: int) -> OddKind:
    """Name what an entry is, from the `st_mode` of something that is no regular file."""
    if stat.S_ISLNK(mode):
        return OddKind.SYMLINK
    if stat.S_ISDIR(mode):
        return OddKind.FOLDER
    if stat.S_ISFIFO(mode):
        return OddKind.FIFO
    return OddKind.SOCKET if stat.S_ISSOCK(mode) else OddKind.DEVICE


@dataclass(frozen=True, slots=True)
class Odd:
    """An entry of an inbox that is no regular file: never opened, and told to a person."""

    name: str = field(repr=False)
    """Never logged."""
    what: OddKind


@dataclass(frozen=True, slots=True)
class Ends:
    """The first and the last bytes of a file in an inbox: 1024 each, less where the file is shorter."""

    head: bytes = field(repr=False)
    tail: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Listing:
    """One look at one inbox."""

    seen: tuple[Seen, ...]
    """Oldest first, by time of modification, then by name: the order in which the paper went through the scanner."""
    odd: tuple[Odd, ...]
    """By name."""
    folder: tuple[int, int] = (0, 0)
    """Which folder it was: device and inode."""
    changed_ns: int = 0
    """When an entry last came to it or left it, before it was listed; nanoseconds since 1970 by its file system."""
    ends: dict[str, Ends] | None = field(default=None, repr=False)
    """From a share only: by name, of the files that are new or changed since the look before and could be read."""
    closed: frozenset[str] | None = field(default=None, repr=False)
    """From a share only: the names of the files that may not be read."""
