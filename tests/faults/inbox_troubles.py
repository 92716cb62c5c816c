"""What can happen to inboxes, each on a station of its own, and what must be true of it afterwards.

Each trouble is a function: given a folder and a seed it lets it happen, waits until the station has everything, and
says all that isn't as it must be.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np

from tests.faults.disks import Disk, Ext4, require_mounting
from tests.faults.outcries import outcries
from tests.faults.row import CannotInject
from tests.support.databases import memory_folder
from tests.support.drawn_sheets import SheetFields
from tests.support.oracle import Dropped, dropped, misfits, query
from tests.support.processes import await_that
from tests.support.scans import pdf_of
from tests.support.stacks import Envelope, Paper, draw_stack
from tests.support.stations import Daemon, Station, make_station

MARKER = ".skrynka-share"
SHARE = {"kind": '"share"', "marker": f'"{MARKER}"'}
SWEEP_SECONDS = 0.5
SILENT_SECONDS = 2.0
FOUND_SECONDS = 30.0
"""Long enough for a sweep and all that follows it on a busy machine; far shorter than what a person would take."""
_AWAY_SECONDS = 60.0
_MANY = 10_000
_BURST = timedelta(seconds=59)
"""Overflows closer together than a minute are told once; lines are dated a moment after they are due."""
_QUEUE = Path("/proc/sys/fs/inotify/max_queued_events")


@dataclass(slots=True)
class Scene:
    """A station, what was saved into its inboxes, and what was noticed to be wrong."""

    station: Station
    random: np.random.Generator
    dropped: list[Dropped] = field(default_factory=list)
    cases: list[list[int]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def scan(self, box: str) -> bytes:
        """Draw a submission and scan it; it counts as dropped."""
        number = next(self.numbers)
        envelope = Envelope((Paper("CERT"), Paper("SEAL")), SheetFields(serial=f"A{number:06d}", box=box))
        stack = draw_stack([envelope], self.random, dpi=100, first_id=10 * number)
        data = pdf_of(stack.scanned)
        self.dropped.append(dropped(data, stack.pages))
        self.cases += [case.page_ids for case in stack.cases]
        return data

    def save(self, box: str, folder: Path | None = None) -> None:
        """Move a new scan into an inbox, or into the folder that lies behind it."""
        data, where = self.scan(box), folder or self.station.inbox(box)
        fresh = where / f".{len(self.dropped)}"
        fresh.write_bytes(data)
        fresh.rename(where / f"scan{len(self.dropped):04d}.pdf")

    def expect(self, daemon: Daemon, event: str, **fields: object) -> None:
        """Wait for a line of the log."""
        daemon.wait_for(event, FOUND_SECONDS, **fields)

    def verdict(self, daemon: Daemon, *allowed: str) -> list[str]:
        """Say all that is wrong; `allowed` are the warnings and errors that belong to the trouble."""
        station = self.station
        folders = [station.folder / "spool", station.folder / "work"]
        self.wrong += misfits(station.database, station.archive, self.dropped, self.cases, empty_folders=folders)
        for inbox in (station.folder / "inbox").iterdir():
            left = [each for each in inbox.rglob("*") if not each.is_dir() and each.name != MARKER]
            self.wrong += [f"left in {inbox.name}: {len(left)} files"] if left else []
        loud = {line["event"] for line in daemon.lines if line["level"] in {"warning", "error"}}
        self.wrong += [f"no line {event}" for event in sorted(set(allowed) - loud)]
        self.wrong += [
            f"a line {line['event']}: {line['message']}"
            for line in daemon.lines
            if line["event"] in loud - set(allowed) and line["level"] in {"warning", "error"}
        ]
        self.wrong += outcries([daemon])
        return self.wrong


def make_scene(folder: Path, seed: int, boxes: Mapping[str, Mapping[str, str]], **options: object) -> Scene:
    """Make a station with these boxes, and empty inboxes."""
    seconds: dict[str, object] = {
        "SWEEP_SECONDS": SWEEP_SECONDS,
        "SHARE_SWEEP_SECONDS": SWEEP_SECONDS,
        "SHARE_QUIET_SECONDS": SWEEP_SECONDS,
        "SHARE_SILENT_SECONDS": SILENT_SECONDS,
        **options,
    }
    told = {f"INTAKE__{name}": str(value) for name, value in seconds.items()}
    station = make_station(folder / "station", boxes, options=told)
    return Scene(station, np.random.default_rng(seed))


def many_at_once(folder: Path, seed: int) -> list[str]:
    """Move so many files in at once, into a box whose scans go on in one stack; the kernel's queue holds 16 events.

    They are no scans, and it is the taking that is looked at: each must be claimed once, in the order of its name. They
    lie in memory, for how fast a disk fsyncs has no part in that; where something was wrong, `folder` gets the station.
    """
    made, wrong = memory_folder("skrynka-many-"), ["it broke off"]
    try:
        wrong = _many_at_once(made, seed)
    finally:
        if wrong:
            shutil.copytree(made / "station", folder / "station", symlinks=True)
        shutil.rmtree(made, ignore_errors=True)
    return wrong


def _many_at_once(folder: Path, seed: int) -> list[str]:
    scene = make_scene(folder, seed, {"OBL-01": {"assemble": '"stack"'}, "OBL-02": {}}, QUIET_SECONDS=1)
    station = scene.station
    outside = folder / "outside"
    outside.mkdir()
    names = [f"{number:05d}.pdf" for number in range(_MANY)]
    for number, name in enumerate(names):
        (outside / name).write_bytes(f"no scan: {seed} {number}".encode())
        os.utime(outside / name, ns=(number, number * 1_000_000))
    with ExitStack() as running:
        with _queue_of(16):
            daemon = running.enter_context(station.running())
        # Stopped: else it may be done with a part of them, and its queue never be full.
        daemon.process.send_signal(signal.SIGSTOP)
        try:
            for name in names:
                (outside / name).rename(station.inbox() / name)
        finally:
            daemon.process.send_signal(signal.SIGCONT)
        # Meanwhile another box's scan waits for none of them.
        began = time.monotonic()
        scene.save("OBL-02")
        await_that(lambda: _claimed(daemon, "OBL-02") == 1, "the other box's scan is claimed")
        if time.monotonic() - began > FOUND_SECONDS / 2:
            scene.wrong.append("a box waited for another one's files")
        if _claimed(daemon, "OBL-01") >= _MANY:
            scene.wrong.append("a box's scan came after all of another one's")
        await_that(lambda: _claimed(daemon, "OBL-01") >= _MANY, "every file is claimed", limit=60 + _MANY / 10)
    overflows = [datetime.fromisoformat(line["time"]) for line in daemon.lines if line["event"] == "watch_overflowed"]
    # Where the machine is slow its own claims' renames may fill so short a queue again, once this was over.
    if not overflows or any(later - before < _BURST for before, later in pairwise(overflows)):
        scene.wrong.append(f"lines of an overflow at {overflows}")
    taken = [(row["number"], row["original_name"]) for row in query(station.database, "SELECT * FROM scan")]
    for sidecar in (station.folder / "spool").glob("*/claim.json"):
        told = json.loads(sidecar.read_bytes())
        taken.append((told["number"], told["original_name"]))
    wanted = set(names)
    in_order = [name for _, name in sorted(set(taken)) if name in wanted]
    if in_order != names:
        scene.wrong.append(f"{len(in_order)} files taken, {len(set(in_order))} different ones, or out of order")
    if any(station.inbox().iterdir()):
        scene.wrong.append("files were left in the inbox")
    return scene.wrong + outcries([daemon])


def folder_replaced(folder: Path, seed: int) -> list[str]:
    """Put another folder in an inbox's place, in each of the ways there are, with a scan in it."""
    # Swept so seldom that what comes later is found by events or not at all.
    scene = make_scene(folder, seed, {"OBL-01": {}}, SWEEP_SECONDS=10)
    inbox = scene.station.inbox()
    with scene.station.running() as daemon:
        for replace in (_renamed_away, _made_anew, _linked_elsewhere):
            replace(inbox)
            scene.save("OBL-01")
            scene.expect(daemon, "inbox_watched", inbox="OBL-01")
            scene.expect(daemon, "stack_filed", box="OBL-01")
            began = time.monotonic()
            scene.save("OBL-01")
            scene.expect(daemon, "scan_claimed", box="OBL-01")
            if time.monotonic() - began > 5:
                scene.wrong.append(f"{replace.__name__}: the new folder isn't watched")
            scene.expect(daemon, "stack_filed", box="OBL-01")
    return scene.verdict(daemon, "inbox_replaced")


def share_away(folder: Path, seed: int) -> list[str]:
    """Unmount a share for so long while others go on scanning into it and into another box."""
    scene = make_scene(folder, seed, {"OBL-01": SHARE, "OBL-02": {}})
    behind, share = _behind(folder, scene.station.inbox())
    with _mounted(folder, share):
        (behind / MARKER).touch()
        with scene.station.running() as daemon:
            scene.save("OBL-01", behind)
            scene.expect(daemon, "stack_filed", box="OBL-01")
            share.detach()
            scene.expect(daemon, "inbox_vanished", inbox="OBL-01", error="no_marker")
            ends = time.monotonic() + _AWAY_SECONDS
            for _ in range(3):
                scene.save("OBL-01", behind)
            scene.save("OBL-02")
            scene.expect(daemon, "stack_filed", box="OBL-02")
            await_that(lambda: time.monotonic() > ends, "the share was away for long enough", limit=_AWAY_SECONDS + 1)
            share.mount()
            scene.expect(daemon, "inbox_returned", inbox="OBL-01")
            for _ in range(3):
                scene.expect(daemon, "stack_filed", box="OBL-01")
        return scene.verdict(daemon, "inbox_vanished")


def share_hangs(folder: Path, seed: int) -> list[str]:
    """Let a share hang while a claim is made in it; meanwhile the service is killed, started again, and ended."""
    scene = make_scene(folder, seed, {"OBL-01": SHARE, "OBL-02": {}}, SHARE_QUIET_SECONDS=3)
    share = Ext4(scene.station.inbox(), folder / "image")
    with _mounted(folder, share):
        (scene.station.inbox() / "lost+found").rmdir()
        (scene.station.inbox() / MARKER).touch()
        with _killed(scene.station) as daemon:
            scene.save("OBL-01")
            share.freeze()
            scene.expect(daemon, "inbox_vanished", inbox="OBL-01", error="hung")
            scene.save("OBL-02")
            scene.expect(daemon, "stack_filed", box="OBL-02")
        # The rename of the one that was killed still hangs in the kernel, and will be carried out.
        with scene.station.running() as again:
            scene.expect(again, "inbox_vanished", inbox="OBL-01", error="hung")
            scene.save("OBL-02")
            scene.expect(again, "stack_filed", box="OBL-02")
            began = time.monotonic()
        if time.monotonic() - began > 10:
            scene.wrong.append("the service didn't end while a share hung")
        with scene.station.running() as last:
            scene.expect(last, "inbox_vanished", inbox="OBL-01", error="hung")
            share.thaw()
            scene.expect(last, "inbox_returned", inbox="OBL-01")
            scene.expect(last, "stack_filed", box="OBL-01")
        daemon.lines += again.lines + last.lines
        daemon.strange += again.strange + last.strange
        return scene.verdict(daemon, "inbox_vanished")


def watches_exhausted(folder: Path, seed: int) -> list[str]:
    """Give the service one watch for two inboxes, and more of them later."""
    scene = make_scene(folder, seed, {"OBL-01": {}, "OBL-02": {}})
    limit = "/proc/sys/user/max_inotify_watches"
    # In a user namespace of its own the limit is the service's alone.
    words = ("unshare", "--user", "--map-root-user", "sh", "-c", f'echo 1 > {limit}; exec "$@"', "sh")
    if os.geteuid() != 0 or subprocess.run([*words, "true"], check=False, capture_output=True).returncode:
        raise CannotInject("no user namespace can be made here")
    with scene.station.running(*words) as daemon:
        for box in ("OBL-01", "OBL-02"):
            scene.save(box)
            scene.expect(daemon, "stack_filed", box=box)
        inside = ["nsenter", "--user", "--preserve-credentials", "--target", str(daemon.process.pid)]
        subprocess.run([*inside, "sh", "-c", f"echo 100 > {limit}"], check=True)
        scene.expect(daemon, "inbox_watched", inbox="OBL-02")
    if _told(daemon, "watch_failed") != ["OBL-02"]:
        scene.wrong.append(f"told of watches that failed: {_told(daemon, 'watch_failed')}")
    return scene.verdict(daemon, "watch_failed")


def inbox_appears(folder: Path, seed: int) -> list[str]:
    """Start the service without an inbox's folder, and make it later."""
    scene = make_scene(folder, seed, {"OBL-01": {}, "OBL-02": {}}, SWEEP_SECONDS=10)
    scene.station.inbox("OBL-02").rmdir()
    with scene.station.running() as daemon:
        await_that(lambda: _told(daemon, "inbox_vanished") == ["OBL-02"], "the inbox is missed")
        scene.station.inbox("OBL-02").mkdir(mode=0o750)
        scene.save("OBL-02")
        scene.expect(daemon, "inbox_watched", inbox="OBL-02")
        scene.expect(daemon, "stack_filed", box="OBL-02")
        began = time.monotonic()
        scene.save("OBL-02")
        scene.expect(daemon, "scan_claimed", box="OBL-02")
        if time.monotonic() - began > 5:
            scene.wrong.append("the new folder isn't watched")
        scene.expect(daemon, "stack_filed", box="OBL-02")
    return scene.verdict(daemon, "inbox_vanished")


def local_unmounted(folder: Path, seed: int) -> list[str]:
    """Unmount the file system that a local inbox lies on, and mount it again; others go on scanning into it."""
    scene = make_scene(folder, seed, {"OBL-01": {}})
    behind, disk = _behind(folder, scene.station.inbox())
    with _mounted(folder, disk):
        with scene.station.running() as daemon:
            scene.save("OBL-01")
            scene.expect(daemon, "stack_filed", box="OBL-01")
            disk.detach()
            scene.save("OBL-01", behind)
            scene.expect(daemon, "inbox_replaced", inbox="OBL-01")
            disk.mount()
            scene.expect(daemon, "inbox_replaced", inbox="OBL-01")
            scene.expect(daemon, "stack_filed", box="OBL-01")
        return scene.verdict(daemon, "inbox_replaced")


def _behind(folder: Path, inbox: Path) -> tuple[Path, Disk]:
    """Make a folder that others go on writing into while it is unmounted from an inbox."""
    behind = folder / "behind"
    behind.mkdir(mode=0o750)
    return behind, Disk(inbox, "--bind", str(behind))


@contextmanager
def _mounted(folder: Path, disk: Disk) -> Iterator[None]:
    require_mounting(folder)
    disk.mount()
    try:
        yield
    finally:
        with suppress(OSError):
            if isinstance(disk, Ext4):
                disk.thaw()
        with suppress(OSError):
            disk.detach()


@contextmanager
def _killed(station: Station) -> Iterator[Daemon]:
    daemon = Daemon(station)
    try:
        daemon.wait_for("service_ready")
        yield daemon
    finally:
        daemon.kill()


@contextmanager
def _queue_of(events: int) -> Iterator[None]:
    """Let the kernel's queues that are made meanwhile, on all the machine, hold no more than this."""
    if os.geteuid() != 0:
        raise CannotInject("the kernel's limits are set by root only")
    before = _QUEUE.read_text(encoding="ascii")
    _QUEUE.write_text(f"{events}\n", encoding="ascii")
    try:
        yield
    finally:
        _QUEUE.write_text(before, encoding="ascii")


def _told(daemon: Daemon, event: str) -> list[str]:
    """Give the inboxes that lines of this event name."""
    return [line["inbox"] for line in list(daemon.lines) if line["event"] == event]


def _claimed(daemon: Daemon, box: str) -> int:
    return sum(line["event"] == "scan_claimed" and line["box"] == box for line in list(daemon.lines))


def _renamed_away(inbox: Path) -> None:
    inbox.rename(inbox.parent.parent / "renamed away")
    inbox.mkdir(mode=0o750)


def _made_anew(inbox: Path) -> None:
    shutil.rmtree(inbox)
    inbox.mkdir(mode=0o750)


def _linked_elsewhere(inbox: Path) -> None:
    elsewhere = inbox.parent.parent / "elsewhere"
    elsewhere.mkdir(mode=0o750)
    inbox.rmdir()
    inbox.symlink_to(elsewhere)
