"""The station's disks: whether one more scan may be taken, and telling people when none may."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import structlog

from skrynka.core.outages import Change, Outage, observe
from skrynka.core.reserve import InWork, Shortage, Volume, shortage

_LOG = structlog.get_logger(__name__)
_MEASURE_SECONDS = 1.0


class Room:
    """The room on the disks that a station's folders lie on. Safe to use from several threads, `tell` from one."""

    def __init__(
        self, folders: Mapping[str, Path], reserve_bytes: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`folders` by what people call them; `clock` gives monotonic seconds."""
        self._folders = folders
        self._reserve_bytes = reserve_bytes
        self._clock = clock
        self._waiting: dict[str, Shortage] = {}
        """By box of which a scan waits for room: where there is too little."""
        self._outage: Outage | None = None
        self._volumes = self._measured(*folders)
        self._measured_at = clock()

    def measure(self) -> None:
        """Look at the disks again, once a second at most.

        From one thread alone: an archive that hangs holds up whoever asks for its room, and no inbox must wait for it.
        """
        if self._clock() - self._measured_at >= _MEASURE_SECONDS:
            self._measured_at = self._clock()
            self._volumes = self._measured(*self._folders)

    def is_there_for(self, box: str, scan_bytes: int, in_work: InWork) -> bool:
        """Say whether a scan of a box, of this size, may be taken beside what is in work; else it waits from now on."""
        return not self._waits(box, shortage(self._volumes, self._reserve_bytes, in_work, scan_bytes))

    def ran_out(self, box: str, scan_bytes: int, in_work: InWork) -> bool:
        """Say whether the spool's disk has no room for a claimed scan of a box: it waits from now on, as others do.

        Looks at that disk at once, and at no other.
        """
        return self._waits(box, shortage(self._measured("spool"), self._reserve_bytes, in_work, scan_bytes))

    def nothing_waits(self, box: str) -> None:
        """Note that no scan of this box waits for room."""
        self._waiting.pop(box, None)

    def tell(self) -> None:
        """Tell people when scans begin to wait for room, now and then while they do, and when none does any more."""
        self.measure()
        self._outage, telling = observe(self._outage, self._clock(), away=bool(self._waiting))
        if telling is None:
            return
        if telling.change is Change.BACK:
            _LOG.info("disk_freed", seconds=telling.seconds)
            return
        waiting = list(self._waiting.items())
        if not waiting:
            return  # room was made in this moment, and the next call says so
        inbox, short = min(waiting, key=lambda each: (not each[1].volume.short_of_files, each[1].volume.free_bytes))
        volume = short.volume
        _LOG.warning(
            "disk_low",
            volume=volume.name,
            inbox=inbox,
            free_bytes=volume.free_bytes,
            free_files=volume.free_files if volume.short_of_files else None,
            needed_bytes=None if volume.short_of_files else short.needed_bytes,
            seconds=telling.seconds or None,
        )

    def _waits(self, box: str, short: Shortage | None) -> bool:
        """Have a scan of a box wait where there is too little room for it; say whether it does."""
        if short is not None:
            self._waiting[box] = short
        return short is not None

    def _measured(self, *names: str) -> list[Volume]:
        found = []
        for name in names:
            folder = self._folders[name]
            # A folder that is away has its own words, and says nothing about room.
            with suppress(OSError):
                room = os.statvfs(folder)
                files = room.f_favail if room.f_files else None
                found.append(Volume(name, folder.stat().st_dev, room.f_bavail * room.f_frsize, files))
        return found
