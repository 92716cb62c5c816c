"""What a tree of processes costs: memory as PSS, sampled while it runs, and processor time.

PSS counts a page of memory that several processes share once, in shares (proc(5), smaps_rollup). Pages of files that
are mapped count too, though the kernel takes them back when it wants them; they are told apart.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_EVERY_SECONDS = 0.2
_TICKS = os.sysconf("SC_CLK_TCK")
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes (of 10^6 bytes) of a tree of processes at one moment."""

    total: float = 0.0
    anonymous: float = 0.0
    """Nobody else's, and on no disk."""
    files: float = 0.0
    """Mapped from files: programs, libraries, and a scan that is read."""
    processes: int = 0


@dataclass(slots=True)
class Watch:
    """What was seen so far."""

    pid: int
    peak: Memory = field(default_factory=Memory)
    peak_anonymous: float = 0.0
    unreadable: bool = False
    """Another account's processes, or ones that closed themselves up: then nothing can be said."""

    def look(self) -> Memory:
        """Add up what the tree has now, and note it."""
        tree = tree_of(self.pid)
        looks = [self._look_at(pid) for pid in tree]
        sums = [sum(each[place] for each in looks) for place in range(3)]
        now = Memory(*(round(value / _MEGABYTE, 1) for value in sums), len(tree))
        self.peak = max(self.peak, now, key=lambda each: each.total)
        self.peak_anonymous = max(self.peak_anonymous, now.anonymous)
        return now

    def look_alone(self) -> float:
        """Give the megabytes of this process without those below it."""
        return round(self._look_at(self.pid)[0] / _MEGABYTE, 1)

    def _look_at(self, pid: int) -> tuple[int, int, int]:
        try:
            found = rollup(Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii"))
        except PermissionError:
            self.unreadable = True
        except OSError:
            pass  # it has just ended
        else:
            return found["Pss"], found.get("Pss_Anon", 0), found.get("Pss_File", 0)
        return 0, 0, 0


@contextmanager
def watched(pid: int) -> Iterator[Watch]:
    """Look at a process and all below it, several times a second, for as long as this lasts."""
    watch = Watch(pid)
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            watch.look()
            over.wait(_EVERY_SECONDS)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()


def rollup(text: str) -> dict[str, int]:
    """Read a smaps_rollup: bytes by name."""
    found = {}
    for line in text.splitlines()[1:]:
        name, _, value = line.partition(":")
        if value.endswith(" kB"):
            found[name] = int(value.split()[0]) * 1024
    return found


def tree_of(pid: int) -> list[int]:
    """Give a process and all below it."""
    try:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def cpu_seconds(pid: int) -> float:
    """Add up the processor time of a tree: of the living, and of the dead that somebody of the tree has waited for."""
    ticks = 0
    for each in tree_of(pid):
        with contextlib.suppress(OSError):
            ticks += sum(ticks_of(Path(f"/proc/{each}/stat").read_text(encoding="utf-8", errors="replace")))
    return ticks / _TICKS


def own_cpu_seconds(pid: int) -> float:
    """Give the processor time of one living process alone."""
    return sum(ticks_of(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace"))[:2]) / _TICKS


def ticks_of(stat: str) -> tuple[int, int, int, int]:
    """Read a line of /proc/PID/stat: ticks in user mode and in the kernel, its own and then its dead children's."""
    # The name stands in brackets, and may have anything in it.
    own_user, own_system, dead_user, dead_system = map(int, stat.rpartition(")")[2].split()[11:15])
    return own_user, own_system, dead_user, dead_system
