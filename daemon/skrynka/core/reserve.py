"""Whether there is room for one more scan: those that were taken come first.

A scan that is taken will be written again on its way: as the original in the archive, as its documents there, and in
pieces in the work folder. So the room for all that is set aside before the next one is taken, and on top of it a
reserve stays free, which the databases, logs and everybody else on the disk live from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_RESERVE_FILES = 1000
"""A scan of a hundred cases makes some hundreds of files on its way."""


@dataclass(frozen=True, slots=True)
class Volume:
    """A folder of the station, and the room where it lies."""

    name: str
    """What people call the folder: "spool", "archive"."""
    device: int
    """The file system: folders on one share its room."""
    free_bytes: int
    free_files: int | None = None
    """How many files can still be made (inodes); None where the file system doesn't count them."""

    @property
    def short_of_files(self) -> bool:
        """Say whether too few files can still be made, however much room there is."""
        return self.free_files is not None and self.free_files < _RESERVE_FILES


@dataclass(frozen=True, slots=True)
class InWork:
    """What was taken and isn't filed."""

    claimed_bytes: int = 0
    """Of scans that aren't in the archive yet."""
    registered_bytes: int = 0
    """Of scans whose documents aren't all in the archive yet."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """Why a scan waits for room."""

    volume: Volume
    needed_bytes: int
    """How much would have to be free there: for the scan, for all that is in work, and the reserve."""


def shortage(volumes: Sequence[Volume], reserve_bytes: int, in_work: InWork, scan_bytes: int) -> Shortage | None:
    """Give the volume on which a scan of this size would leave less than the reserve; None: there is room for it."""
    wanted = {
        "spool": scan_bytes,
        "archive": in_work.registered_bytes + 2 * (in_work.claimed_bytes + scan_bytes),
        "work": scan_bytes,
    }
    by_device = _sums(volumes, wanted)
    for volume in volumes:
        needed = by_device[volume.device] + reserve_bytes
        if volume.short_of_files or volume.free_bytes < needed:
            return Shortage(volume, needed)
    return None


def _sums(volumes: Sequence[Volume], wanted: Mapping[str, int]) -> dict[int, int]:
    sums: dict[int, int] = {}
    for volume in volumes:
        sums[volume.device] = sums.get(volume.device, 0) + wanted.get(volume.name, 0)
    return sums
