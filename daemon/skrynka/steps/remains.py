"""What lies in a station's spool and work folder, and among the claimed files of its inboxes; nothing is touched.

The spool's own door (`claiming.open_claims`) tidies up on the way: this one only looks.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from skrynka.core.claims import Claim, from_sidecar
from skrynka.core.errors import EnvironmentUnfit

_WORK = re.compile(r"(?P<id>[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})(\.[0-9]+)?")
"""An id, and the epoch that the work was taken with: an earlier version named its folders without."""
_ODD = ".odd"


@dataclass(frozen=True, slots=True)
class SpoolFolder:
    """A folder of the spool."""

    scan_id: str
    """Its name."""
    claim: Claim | None
    """None where nothing readable tells of it."""
    bare: bool
    """No file of a scan and no sidecar lies in it: a claim that had hardly begun, or hardly ended."""


@dataclass(frozen=True, slots=True)
class WorkFolder:
    """A reader's folder."""

    path: Path
    work_id: str
    """The scan's or stack's."""


def spool_folders(spool: Path) -> Iterator[SpoolFolder]:
    """Give the claims in the spool, in the order of their ids. Raises EnvironmentUnfit when it can't be listed."""
    for entry in _entries(spool):
        if entry.name == _ODD or not entry.is_dir(follow_symlinks=False):
            continue
        folder = Path(entry.path)
        sidecar = folder / "claim.json"
        try:
            claim = from_sidecar(sidecar.read_bytes(), folder)
        except (OSError, ValueError):
            claim = None
        bare = not sidecar.is_file() and not (folder / "original").exists()
        yield SpoolFolder(entry.name, claim, bare)


def odd_claims(spool: Path) -> list[str]:
    """Name the claims that turned out to be no regular file."""
    return [entry.name for entry in _entries(spool / _ODD)]


def strangers(spool: Path) -> list[Path]:
    """Give what lies in the spool and is no folder of ours."""
    return [Path(entry.path) for entry in _entries(spool) if not entry.is_dir(follow_symlinks=False)]


def work_folders(work: Path) -> Iterator[WorkFolder]:
    """Give the readers' folders: ours are named by ids of scans and stacks. Raises EnvironmentUnfit, see above."""
    for entry in _entries(work):
        if named := _WORK.fullmatch(entry.name):
            yield WorkFolder(Path(entry.path), named["id"])


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "OSError")
        raise EnvironmentUnfit(f"{folder} can't be listed ({name}).", "Look at its disk and its rights.") from None
