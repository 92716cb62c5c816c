"""Faults at a process's durable calls, counted over all its threads: see durable_calls.c, which is loaded into it.

Durable are the calls that change what a crash leaves: names and bytes of files below a folder, their fsyncs, and what
is sent to PostgreSQL. `strace -f` counts per thread and skips calls; this counts all of them in one row.
"""

from __future__ import annotations

import ctypes
import errno
import itertools
import mmap
import subprocess
from enum import IntEnum
from pathlib import Path

_SOURCE = Path(__file__).with_suffix(".c")
_ANY_PROCESS = 2**32 - 1
_TOLD = 256
_TRACED = 16384
FOR_EVER = 2**32 - 1
"""As the last call to fail: all of them do, until `stop`."""

NAMES = (
    "fsync", "fdatasync", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "unlink",
    "unlinkat", "rmdir", "mkdir", "mkdirat", "openat", "write", "pwrite64", "writev", "pwritev", "ftruncate",
    "truncate", "copy_file_range", "sendfile", "sendto", "sendmsg",
)  # fmt: skip
"""The system calls that are counted; openat only where it may make a file, sendto and sendmsg only to PostgreSQL."""


class Action(IntEnum):
    """What becomes of the process at the call that is hit."""

    NOTHING = 0
    KILL = 1
    FAIL = 2


class _Traced(ctypes.Structure):
    _fields_ = (("call", ctypes.c_uint32), ("path", ctypes.c_char * 124))


class _Control(ctypes.Structure):
    _fields_ = (
        ("process", ctypes.c_uint32),
        ("count", ctypes.c_uint32),
        ("at", ctypes.c_uint32),
        ("last", ctypes.c_uint32),
        ("action", ctypes.c_uint32),
        ("error", ctypes.c_uint32),
        ("sends", ctypes.c_uint32),
        ("hits", ctypes.c_uint32),
        ("hit", ctypes.c_uint32),
        ("below", ctypes.c_char * _TOLD),
        ("path", ctypes.c_char * _TOLD),
        ("trace", _Traced * _TRACED),
    )


def build(folder: Path) -> Path:
    """Compile the library that is loaded into the daemon; give its file in `folder`."""
    made = folder / "durable_calls.so"
    if not made.exists():
        command = ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", made, _SOURCE, "-ldl"]
        subprocess.run(command, check=True)
    return made


class DurableCalls:
    """Counts the durable calls of one process at a time."""

    def __init__(self, folder: Path) -> None:
        """Make the library and the file that is shared with it in `folder`, which must outlive the processes."""
        self._library = build(folder)
        self._file = folder / "durable_calls"
        self._file.write_bytes(bytes(ctypes.sizeof(_Control)))
        with self._file.open("r+b") as file:
            self._control = _Control.from_buffer(mmap.mmap(file.fileno(), 0))

    @property
    def environment(self) -> dict[str, str]:
        """Give what a process must have in its environment when it is started."""
        return {"LD_PRELOAD": str(self._library), "DURABLE_CALLS": str(self._file)}

    def count(self, process: int | None, below: Path, *, sends: bool = True) -> None:
        """Count the calls of a process (None: of the next that is started) to what lies below the folder."""
        self._set(process, below, sends=sends)

    def kill(self, process: int | None, below: Path, at: int) -> None:
        """Have a process killed right before the call of that number; its next one is the first."""
        self._set(process, below, at=at, last=at, action=Action.KILL)

    def fail(
        self, process: int | None, below: Path, at: int, error: int, *, last: int | None = None, sends: bool = True
    ) -> None:
        """Have the call of that number fail with this errno, and those after it up to `last`."""
        self._set(process, below, at=at, last=last or at, action=Action.FAIL, error=error, sends=sends)

    def stop(self) -> None:
        """Count and hit nothing any more."""
        self._control.process = 0
        self._control.at = 0

    @property
    def counted(self) -> int:
        """Say how many calls there were."""
        return int(self._control.count)

    @property
    def hits(self) -> int:
        """Say how many of them were hit."""
        return int(self._control.hits)

    @property
    def hit(self) -> str:
        """Name the first call that was hit, and the path below the folder that it was about."""
        return f"{NAMES[self._control.hit]} {self._control.path.decode(errors='backslashreplace')}"

    @property
    def trace(self) -> list[tuple[str, str]]:
        """Give the calls so far in their order, the first `_TRACED`: name, and path below the folder."""
        told = itertools.takewhile(lambda traced: traced.call, self._control.trace)
        return [(NAMES[traced.call - 1], traced.path.decode(errors="backslashreplace")) for traced in told]

    def _set(
        self,
        process: int | None,
        below: Path,
        *,
        at: int = 0,
        last: int = 0,
        action: Action = Action.NOTHING,
        error: int = errno.EIO,
        sends: bool = True,
    ) -> None:
        control = self._control
        control.process = 0
        control.count = control.hits = 0
        control.path = b""
        ctypes.memset(control.trace, 0, ctypes.sizeof(control.trace))
        control.below = bytes(below)
        control.at, control.last, control.action, control.error = at, last, action, error
        control.sends = sends
        # Last of all: from here on it counts.
        control.process = _ANY_PROCESS if process is None else process
