"""The power is cut: ext4 is shut down at a random moment with all that no fsync made durable, and the station started.

    python -m tests.faults.power_cut --points 20 [--seed N] [--source DIR | --broken]

Exit code 1 where something was lost. `--source` is a folder with another state of the program, as `daemon/` has it;
`--broken` is this one without its fsyncs of folders.

A scan counts as dropped once its bytes and its name in the inbox are durable, which is the scanner's affair. Two
stations take turns, because a journal hides a lot: what is fsynced on a disk makes every earlier change of a name on
that disk durable too. One station has all of it on one disk; the other has the archive and the database each on a
disk of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import random
import secrets
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path

import psutil

from tests.faults.disks import Ext4, NameChanges, require_power_cuts, unmounted
from tests.faults.outcries import outcries
from tests.faults.row import Injected, Row
from tests.faults.stream import BOXES, OPTIONS, Stream, TinyScan
from tests.support.processes import alive, await_that, descendants
from tests.support.stations import Daemon, Start, make_station
from tests.support.warm_daemons import WarmDaemons

_DAEMON = Path(__file__).parents[2] / "daemon"
_POINTS_OF_A_STATION = 10
_CHANGES = 220
"""So often a name changes while a block is worked off."""
_EVENTS = ("scan_claimed", "scan_registered", "scan_read", "stack_closed", "case_created", "stack_filed")
_LONGEST_SECONDS = 4.0
"""So long a block takes at most; the power is cut then at the latest, when all is done."""
_RECOVERY_SECONDS = 60.0
_SHOWN = 3
_AGAIN = 0.25
"""How often the power is cut once more in the recovery."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When the power is cut."""

    told: str
    seconds: float = _LONGEST_SECONDS
    """After the first scan of the block was dropped, at the latest."""
    changes: int = 0
    """After so many changes of names; 0: they don't matter."""
    event: str = ""
    """After so many lines with this event in the log."""
    times: int = 0

    @classmethod
    def drawn(cls, rng: random.Random) -> Moment:
        """Draw one."""
        match rng.choice(["time", "change", "change", "event"]):
            case "time":
                seconds = rng.uniform(0, 3)
                return cls(f"after {seconds:.2f} s", seconds)
            case "change":
                changes = rng.randint(1, _CHANGES)
                return cls(f"after change {changes} of a name", changes=changes)
            case _:
                event, times = rng.choice(_EVENTS), rng.randint(1, 3)
                return cls(f"after {event} {times}", event=event, times=times)


@dataclass(slots=True)
class Powered:
    """A station on disks whose power is cut together, and its daemon."""

    folder: Path
    apart: bool
    start_daemon: Start | None = None
    disks: list[Ext4] = field(default_factory=list)
    stream: Stream = field(init=False)
    daemon: Daemon | None = None
    _heard: list[str] = field(default_factory=list)
    """What those said that none should whose power was cut."""

    def __post_init__(self) -> None:
        """Make the disks and the station."""
        try:
            self._make()
        except BaseException:
            unmounted(self.disks)
            raise

    def _make(self) -> None:
        place = self.folder / "station"
        self.folder.mkdir()
        for name in ("", "archive", "database") if self.apart else ("",):
            disk = Ext4(place / name, self.folder / f"disk-{name or 'station'}.img")
            disk.mount()
            self.disks.append(disk)
        (place / "database").mkdir(exist_ok=True)
        options = {**OPTIONS, "LIMITS__FREE_MEGABYTES": "1"}
        station = make_station(place, BOXES, database_url=f"sqlite:///{place}/database/skrynka.db", options=options)
        self.stream = Stream(station)
        os.sync()

    def start(self) -> Daemon:
        """Start the daemon."""
        self.daemon = Daemon(self.stream.station, start=self.start_daemon)
        return self.daemon

    def cut(self) -> None:
        """Cut the power of all disks, end every process, and bring the disks back as they are found."""
        # What is said between the cut and the end is no daemon's whose machine is without power.
        self._heard += outcries([self.daemon] if self.daemon else [])
        for disk in self.disks:
            disk.cut()
        self.kill()
        for disk in reversed(self.disks):
            disk.unmount()
        for disk in self.disks:
            disk.mount()

    def kill(self) -> None:
        """End the daemon and its readers."""
        if self.daemon is None:
            return
        left = []
        with contextlib.suppress(psutil.NoSuchProcess):
            left = descendants(self.daemon.process.pid)
        self.daemon.kill()
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        await_that(lambda: not alive(left), "no process of the daemon is left")
        self.daemon = None

    def knows(self, scan: TinyScan) -> bool:
        """Say whether a scan that wasn't durable yet when the power was cut is there all the same."""
        station, digest = self.stream.station, scan.file.truth.sha256
        spooled = (station.folder / "spool").glob("*/original")
        return (
            (station.inbox(scan.box) / scan.name).exists()
            or (station.archive / "originals" / digest[:2] / digest).exists()
            or any(hashlib.sha256(path.read_bytes()).hexdigest() == digest for path in spooled)
        )

    def wrong(self) -> tuple[str, ...]:
        """Say what isn't as it must be once all is finished."""
        heard = [*self._heard, *outcries([self.daemon] if self.daemon else [])]
        return (*self.stream.wrong(), *dict.fromkeys(heard))

    def close(self) -> None:
        """End the daemon and unmount the disks; the files they lie in stay."""
        self.kill()
        unmounted(self.disks)


def cuts(folder: Path, seed: int, first: int, source: Path | None = None) -> Generator[Injected, None, None]:
    """Cut the power again and again, from the fault of number `first` on."""
    require_power_cuts(folder)
    powered: Powered | None = None
    with contextlib.closing(WarmDaemons({"PYTHONPATH": str(source)} if source else {})) as warm:
        try:
            for number in count(first):
                turn, place = divmod(number - 1, _POINTS_OF_A_STATION)
                if powered is not None and place == 0:
                    powered.close()
                    powered = None
                if powered is None:
                    powered = Powered(folder / f"station-{number}", apart=turn % 2 == 0, start_daemon=warm.start)
                injected = _cut(powered, number, random.Random(f"{seed} {number}"))  # noqa: S311 - no secret
                yield injected
                if injected.wrong:
                    powered.close()
                    powered = None
        finally:
            if powered is not None:
                powered.close()


def _cut(powered: Powered, number: int, rng: random.Random) -> Injected:
    moment = Moment.drawn(rng)
    # A daemon that starts warm is ready after a quarter of a second, and done after two.
    again = rng.uniform(0.05, 1.6) if rng.random() < _AGAIN else None
    told = f"{moment.told}, {'three disks' if powered.apart else 'one disk'}"
    told += f", and once more {again:.2f} s into the recovery" if again else ""
    stream = powered.stream
    daemon = powered.daemon
    if daemon is None:
        daemon = powered.start()
        daemon.wait_for("service_ready", 30)
    scans = stream.block()
    scanner = _Scanner(stream, scans, [rng.choice([0, 0, 0.05, 0.3]) for _ in scans])
    _await(moment, powered, daemon)
    powered.cut()
    scanner.join()
    if again is not None:
        powered.start()
        threading.Event().wait(again)
        powered.cut()
    rest = scans[len(scanner.dropped) :]
    if scanner.in_hand is not None and powered.knows(scanner.in_hand):
        stream.note(rest.pop(0))
    daemon = powered.start()
    try:
        daemon.wait_for("service_ready", 30)
        stream.drop_all(rest)
        stream.await_end(_RECOVERY_SECONDS)
    except AssertionError as error:
        return Injected(number, told, (str(error).splitlines()[0], *powered.wrong()))
    return Injected(number, told, powered.wrong())


class _Scanner(threading.Thread):
    """Saves scans one after the other until its disk is gone."""

    def __init__(self, stream: Stream, scans: Sequence[TinyScan], pauses: Sequence[float]) -> None:
        super().__init__(daemon=True)
        self.dropped: list[TinyScan] = []
        self.in_hand: TinyScan | None = None
        """Neither there for certain nor certainly not."""
        self._stream = stream
        self._todo = list(zip(scans, pauses, strict=True))
        self.start()

    def run(self) -> None:
        """Save them."""
        with contextlib.suppress(OSError):
            for scan, pause in self._todo:
                threading.Event().wait(pause)
                self.in_hand = scan
                self._stream.drop(scan)
                self.in_hand = None
                self.dropped.append(scan)


def _await(moment: Moment, powered: Powered, daemon: Daemon) -> None:
    """Wait until the power is to be cut."""
    ends = time.monotonic() + moment.seconds
    changes = NameChanges(powered.disks)
    began = len(daemon.lines)
    try:
        while time.monotonic() < ends and daemon.process.poll() is None:
            if moment.changes:
                changes.wait(max(0.0, ends - time.monotonic()))
                if changes.count >= moment.changes:
                    return
            else:
                threading.Event().wait(min(0.002, max(0.0, ends - time.monotonic())))
                said = [line["event"] for line in daemon.lines[began:]]
                if moment.event and said.count(moment.event) >= moment.times:
                    return
    finally:
        changes.close()


ROWS = (
    Row(
        "power-cut",
        "The power of ext4 is cut at a random moment, every fourth time once more in the recovery",
        500,
        cuts,
    ),
)


def without_folder_fsyncs(folder: Path) -> Path:
    """Copy the program and take every fsync of a folder out of it; gives the copy, for `--source`."""
    source = folder / "daemon"
    shutil.copytree(_DAEMON, source, ignore=shutil.ignore_patterns("__pycache__"))
    durable = source / "skrynka" / "durable.py"
    text = durable.read_text(encoding="utf-8")
    head = "def fsync_folder(folder: Path) -> None:\n"
    if text.count(head) != 1:
        raise ValueError("durable.py fsyncs folders in another way now")
    durable.write_text(
        text.replace(head, f"{head}    return\n\n\ndef _no_more(folder: Path) -> None:\n"), encoding="utf-8"
    )
    return source


def main(words: Sequence[str]) -> int:
    """Cut the power some times; gives 1 where something was lost."""
    parser = argparse.ArgumentParser("python -m tests.faults.power_cut", description="Cut the power of a station.")
    parser.add_argument("--points", type=int, default=20, help="how often")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--source", type=Path, help="a folder with another state of the program, as daemon/ has it")
    parser.add_argument("--broken", action="store_true", help="without the fsyncs of folders: something must be lost")
    options = parser.parse_args(words)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="skrynka-power-cut-") as name:
        folder = Path(name)
        source = without_folder_fsyncs(folder) if options.broken else options.source and options.source.absolute()
        with contextlib.closing(cuts(folder, options.seed, 1, source)) as faults:
            for injected in islice(faults, options.points):
                failed += bool(injected.wrong)
                told = "; ".join(injected.wrong[:_SHOWN]) or "nothing lost"
                print(f"{injected.number}. {injected.at}: {told}", flush=True)  # noqa: T201 - its output
    print(f"{options.points} power cuts, seed {options.seed}: the invariant failed {failed} times")  # noqa: T201 - so too
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
