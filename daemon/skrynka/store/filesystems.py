"""Which kind of file system a path lies on: SQLite's locks mean nothing on a network's."""

from __future__ import annotations

import os
import re
from pathlib import Path

_REMOTE = re.compile(r"(nfs|smb|cifs|afs|ceph|gfs|glusterfs|lustre|ncp|9p|virtiofs|fuse$|fuse\.)")
_ESCAPED = re.compile(r"\\([0-7]{3})")
_MOUNTS = Path("/proc/self/mountinfo")


def network_filesystem(path: Path) -> str | None:
    """Give the type of the network file system that a path lies on, such as "nfs4", or None where it lies on none.

    FUSE counts as one: what is behind it can't be known. `fuseblk`, a local disk, doesn't.
    """
    kind = _type_at(os.path.realpath(path), _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape"))
    return kind if kind is not None and _REMOTE.match(kind) else None


def _type_at(path: str, mountinfo: str) -> str | None:
    """Find the mount that a path lies under: the longest, and of those mounted over each other the last.

    The format is that of proc(5), `/proc/pid/mountinfo`: the fifth field is the mount point, with octal escapes for
    blanks; the type follows a lone hyphen.
    """
    best, found = "", None
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        point = _ESCAPED.sub(lambda match: chr(int(match[1], 8)), before.split(" ")[4])
        if (path + "/").startswith(point.rstrip("/") + "/") and len(point) >= len(best):
            best, found = point, after.split(" ")[0]
    return found
