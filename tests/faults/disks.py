"""Disks of a station's own that can be taken away: ext4 in a file, whose power is cut, and small ones in memory.

A power cut is ext4's own shutdown without a flush of its journal: what no fsync made durable is gone, as if the current
had failed. `commit=600` keeps the journal's timer from making anything durable by luck.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import select
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.faults.row import CannotInject
from tests.support.processes import await_that

_SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN."""
_WITHOUT_FLUSH = 2
"""EXT4_GOING_FLAGS_NOLOGFLUSH."""
_BUSY_SECONDS = 20.0

# <linux/fanotify.h>
_REPORT_NAMES = 0x0400 | 0x0800
_ADD_FILESYSTEM = 0x0001 | 0x0100
_NAME_CHANGES = 0x0040 | 0x0080 | 0x0100 | 0x0200 | 0x40000000
"""Moved from, moved to, created, deleted; folders too."""
_AT_FDCWD = -100
_HEAD = struct.Struct("=IBBHQii")


class Disk:
    """A file system of its own, mounted or not."""

    def __init__(self, place: Path, *options: str) -> None:
        """`place` is where it is mounted; `options` are what `mount` is told."""
        self.place = place
        self._options = options

    def mount(self) -> None:
        """Mount it; the journal is replayed."""
        self.place.mkdir(parents=True, exist_ok=True)
        _run("mount", *self._options, self.place)

    def again(self, options: str) -> bool:
        """Mount it anew with other options, such as `ro`, while it is in use; False where it is in the wrong use."""
        return _ends_well("mount", "-o", f"remount,{options}", self.place)

    def unmount(self) -> None:
        """Unmount it once nobody uses it any more."""
        await_that(lambda: _ends_well("umount", self.place), f"{self.place} is unmounted", _BUSY_SECONDS)

    def detach(self) -> None:
        """Take it out of its place at once; whoever has something open on it keeps that."""
        _run("umount", "--lazy", self.place)


class Memory(Disk):
    """A small disk in memory; what is on it goes with it."""

    def __init__(self, place: Path, size: str = "16M", inodes: int = 10_000) -> None:
        super().__init__(place, "-t", "tmpfs", "-o", f"size={size},nr_inodes={inodes},mode=0755", "tmpfs")


class Ext4(Disk):
    """An ext4 in a file."""

    def __init__(self, place: Path, image: Path, megabytes: int = 64) -> None:
        """`image` is made, and everything on it is gone."""
        super().__init__(place, "-o", "loop,commit=600", str(image))
        with image.open("wb") as file:
            file.truncate(megabytes << 20)
        _run("mkfs.ext4", "-q", "-F", "-J", "size=8", image)

    def cut(self) -> None:
        """Cut its power: nothing can be read or written until it is mounted again."""
        descriptor = os.open(self.place, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _WITHOUT_FLUSH))
        finally:
            os.close(descriptor)

    def freeze(self) -> None:
        """Let everybody sleep who writes or renames there, unkillably, as on a server that doesn't answer."""
        _run("fsfreeze", "--freeze", self.place)

    def thaw(self) -> None:
        """Wake them up: what they were about to do is done, even by those that were killed meanwhile."""
        _run("fsfreeze", "--unfreeze", self.place)


class NameChanges:
    """Counts how often a name was made, moved or removed on some disks, as the kernel tells it."""

    def __init__(self, disks: Sequence[Disk]) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.fanotify_mark.argtypes = [ctypes.c_int, ctypes.c_uint, ctypes.c_uint64, ctypes.c_int, ctypes.c_char_p]
        self._told = libc.fanotify_init(_REPORT_NAMES, os.O_RDONLY)
        if self._told < 0:
            raise OSError(ctypes.get_errno(), "fanotify_init")
        for disk in disks:
            if libc.fanotify_mark(self._told, _ADD_FILESYSTEM, _NAME_CHANGES, _AT_FDCWD, os.fsencode(disk.place)):
                raise OSError(ctypes.get_errno(), "fanotify_mark")
        self.count = 0

    def wait(self, seconds: float) -> None:
        """Wait for the next changes, but no longer than this, and count them."""
        ready, _, _ = select.select([self._told], [], [], seconds)
        told = os.read(self._told, 1 << 16) if ready else b""
        while told:
            self.count += 1
            told = told[_HEAD.unpack_from(told)[0] :]

    def close(self) -> None:
        """Count no more: a disk that is watched can be unmounted, but a watch on it costs memory."""
        os.close(self._told)


def require_mounting(folder: Path) -> None:
    """Raise CannotInject where no disk can be mounted."""
    if os.geteuid() != 0:
        raise CannotInject("disks are mounted by root only")
    probe = Memory(folder / "probe")
    try:
        probe.mount()
    except OSError as error:
        raise CannotInject(f"no disk can be mounted here: {error}") from None
    probe.unmount()


def require_power_cuts(folder: Path) -> None:
    """Raise CannotInject where no ext4 can be mounted from a file, and cut off."""
    require_mounting(folder)
    try:
        probe = Ext4(folder / "probe", folder / "probe.img")
        probe.mount()
    except OSError as error:
        raise CannotInject(f"no ext4 can be mounted from a file here: {error}") from None
    try:
        changes = NameChanges([probe])
        changes.close()
        probe.cut()
    except OSError as error:
        raise CannotInject(f"the power of an ext4 can't be cut here: {error}") from None
    finally:
        probe.unmount()
        (folder / "probe.img").unlink()


def unmounted(disks: Sequence[Disk]) -> None:
    """Unmount what is mounted, the innermost first, whatever state it is in."""
    for disk in reversed(disks):
        with contextlib.suppress(AssertionError):
            while disk.place.is_mount():
                disk.unmount()


def _run(*words: str | Path) -> None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise OSError(f"{words[0]} isn't installed") from None
    if done.returncode:
        raise OSError(done.stderr.strip() or f"{words[0]} ended with {done.returncode}")


def _ends_well(*words: str | Path) -> bool:
    return subprocess.run(words, capture_output=True, check=False).returncode == 0
