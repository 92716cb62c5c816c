"""A disk of the station is full, or its archive is away: each alone, while scans arrive and others are in work."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

from tests.faults.disks import Disk, Memory, require_mounting, unmounted
from tests.faults.outage_verdicts import disturbing, end_after_repair, said
from tests.faults.row import Injected, Row
from tests.faults.stream import BOXES, OPTIONS, Stream
from tests.support.processes import await_that
from tests.support.stations import Daemon, make_station

VOLUMES = ("work", "archive", "spool", "database")
_MEGABYTES = 64
"""Room for the papers of a whole round of faults on one station."""
_INODES = 3000
_RESERVE_MEGABYTES = 4
_TOLD_SECONDS = 20.0
_LOOK_SECONDS = 1.2
_NOTICED = (
    "service_degraded",
    "disk_low",
    "disk_freed",
    "disk_failed",
    "archive_lost",
    "archive_returned",
    "database_lost",
    "database_returned",
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that befalls one disk for a while."""

    told: str
    disk: str
    begin: Callable[[Disk], AbstractContextManager[None]]
    event: str
    """What the log must say of it,"""
    over: str
    """and what when it is over."""


@contextlib.contextmanager
def full(disk: Disk, *, inodes: bool = False) -> Iterator[None]:
    """Fill a disk to its last byte, or its last inode."""
    filling = disk.place / ".filling"
    filling.mkdir()
    try:
        with contextlib.suppress(OSError):
            if inodes:
                for number in count():
                    (filling / str(number)).touch()
            else:
                with (filling / "all").open("wb", buffering=0) as file:
                    while True:
                        file.write(bytes(1 << 12))
        yield
    finally:
        for each in filling.iterdir():
            each.unlink()
        filling.rmdir()


@contextlib.contextmanager
def read_only(disk: Disk) -> Iterator[None]:
    """Make a disk read-only."""
    await_that(lambda: disk.again("ro"), "nothing on the disk is being written")
    try:
        yield
    finally:
        disk.again("rw")


@contextlib.contextmanager
def gone(disk: Disk) -> Iterator[None]:
    """Take a disk out of its place, where the empty folder below is seen then. It comes back with all it had."""
    aside = Disk(disk.place.with_name(f"{disk.place.name}-aside"), "--bind", str(disk.place))
    aside.mount()
    disk.detach()
    try:
        yield
    finally:
        Disk(disk.place, "--bind", str(aside.place)).mount()
        aside.unmount()
        aside.place.rmdir()


FULL = tuple(Trouble(f"{name} has no room", name, full, "disk_low", "disk_freed") for name in VOLUMES)
NO_INODES = tuple(
    Trouble(f"{name} has no inodes", name, partial(full, inodes=True), "disk_low", "disk_freed") for name in VOLUMES
)
ARCHIVE_AWAY = (
    Trouble("the archive is read-only", "archive", read_only, "archive_lost", "archive_returned"),
    Trouble("the archive isn't mounted", "archive", gone, "archive_lost", "archive_returned"),
)


class Apart:
    """A station with a small disk of its own for each volume, and its daemon."""

    def __init__(self, folder: Path) -> None:
        place = folder / "station"
        self.disks = {name: Memory(place / name, f"{_MEGABYTES}M", _INODES) for name in VOLUMES}
        self.daemon: Daemon | None = None
        try:
            for disk in self.disks.values():
                disk.mount()
            url = f"sqlite:///{place}/database/skrynka.db"
            options = {**OPTIONS, "LIMITS__FREE_MEGABYTES": str(_RESERVE_MEGABYTES)}
            self.stream = Stream(make_station(place, BOXES, database_url=url, options=options))
            self.daemon = Daemon(self.stream.station)
            self.daemon.wait_for("service_ready", 30)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the daemon, unmount the disks."""
        if self.daemon is not None:
            self.daemon.kill()
            self.daemon.keep_log(self.stream.station.folder / "daemon.log")
        unmounted(list(self.disks.values()))


def outages(folder: Path, seed: int, first: int, troubles: tuple[Trouble, ...]) -> Generator[Injected, None, None]:
    """Have one trouble after the other, each once in a round; a round has a station of its own."""
    require_mounting(folder)
    apart: Apart | None = None
    try:
        for number in count(first):
            place = (number - 1) % len(troubles)
            if apart is not None and place == 0:
                apart.close()
                apart = None
            if apart is None:
                apart = Apart(folder / f"station-{number}")
            rng = random.Random(f"{seed} {number}")  # noqa: S311 - no secret
            injected = _outage(apart, number, troubles[place], rng)
            yield injected
            if injected.wrong:
                apart.close()
                apart = None
    finally:
        if apart is not None:
            apart.close()


def _outage(apart: Apart, number: int, trouble: Trouble, rng: random.Random) -> Injected:
    stream, daemon = apart.stream, apart.daemon
    assert daemon is not None
    stream.drop_all(stream.block())
    delay = rng.uniform(0, 1.5)
    threading.Event().wait(delay)
    wrong = []
    since = len(daemon.lines)
    with trouble.begin(apart.disks[trouble.disk]):
        for scan in stream.block():
            stream.drop(scan)
            if trouble.event == "disk_low" and not said(daemon, trouble.event, since):
                # Its room is looked at once a second: until then a scan or two may still be taken.
                threading.Event().wait(_LOOK_SECONDS)
        try:
            await_that(lambda: said(daemon, trouble.event, since) > 0, f"{trouble.event} is said", _TOLD_SECONDS)
        except AssertionError as error:
            wrong.append(str(error))
        threading.Event().wait(rng.uniform(0, 2))
        if trouble.event == "disk_low" and not any(any(inbox.iterdir()) for inbox in stream.station.inboxes):
            wrong.append("scans were claimed though the disk was full")
    wrong += end_after_repair(stream)
    try:
        await_that(lambda: said(daemon, trouble.over, since) > 0, f"{trouble.over} is said", _TOLD_SECONDS)
    except AssertionError as error:
        wrong.append(str(error))
    wrong += [*disturbing(daemon, _NOTICED), *stream.wrong()]
    return Injected(number, f"{trouble.told}, {delay:.2f} s after scans came", tuple(wrong))


ROWS = (
    Row(
        "disk-full",
        "A disk is filled to its last byte or inode: work, archive, spool and database, each alone; and freed later",
        80,
        partial(outages, troubles=(*FULL, *NO_INODES)),
    ),
    Row(
        "archive-away",
        "The archive is read-only, or not mounted, for a while",
        60,
        partial(outages, troubles=ARCHIVE_AWAY),
    ),
)
