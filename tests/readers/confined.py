"""A process that confines itself as a reader does, and then tries what a reader mustn't; run with a folder to work in.

Beside that folder lie `scan.pdf`, which it may read, and `database`, which it may not. What became of each try is
written to its standard output, as JSON: "done", or the exception's name.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from skrynka.readers.confinement import confine

_PTRACE = {"x86_64": 101, "aarch64": 117}
_IO_URING_SETUP = 425
_ATTACH = 16
_LANDLOCK_CREATE_RULESET, _ASK_VERSION = 444, 1
_GET_DUMPABLE = 3
_NOBODY = 65534


def call(*words: object) -> None:
    """Call the kernel."""
    if ctypes.CDLL(None, use_errno=True).syscall(*words) < 0:
        raise OSError(ctypes.get_errno(), "refused")


def in_a_child(what: Callable[[], None]) -> None:
    """Do it in a process of its own, as a tool that a reader starts would."""
    child = os.fork()
    if child == 0:
        try:
            what()
        except PermissionError:
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise PermissionError


TRIES: dict[str, Callable[[], object]] = {
    "a socket of IPv4": lambda: socket.socket(socket.AF_INET),
    "a socket of IPv6": lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
    "a local socket, as a database has": lambda: socket.socket(socket.AF_UNIX),
    "a network from what it starts": lambda: in_a_child(lambda: socket.socket(socket.AF_INET).close()),
    "a way out of its session": lambda: in_a_child(os.setsid),
    "a way out of its process group": lambda: in_a_child(lambda: os.setpgid(0, 0)),
    "io_uring, which opens sockets too": lambda: call(_IO_URING_SETUP, 1, ctypes.create_string_buffer(256)),
    "another process's memory": lambda: call(_PTRACE[platform.machine()], _ATTACH, os.getppid(), 0, 0),
    "more memory than its limit": lambda: bytearray(2 << 30),
    "a higher limit": lambda: resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30)),
    "a core file": lambda: resource.setrlimit(resource.RLIMIT_CORE, (1, 1)),
}


TRIES_WITH_RIGHTS: dict[str, Callable[[], object]] = {
    "a look into another file": Path("../database").read_bytes,
    "another file to write into": lambda: Path("../database").open("ab").close(),
    "another file to cut short": lambda: os.truncate("../database", 0),
    "another file to remove": Path("../database").unlink,
    "another file to put in its place": lambda: Path("../new").touch(),
    "a list of another folder": lambda: list(Path("..").iterdir()),
    "another file from what it starts": lambda: in_a_child(lambda: Path("../database").open("ab").close()),
    "its own scan to write into": lambda: Path("../scan.pdf").open("ab").close(),
    "its own scan to cut short": lambda: os.truncate("../scan.pdf", 0),
    "a link that leads out of its folder": lambda: Path("link").symlink_to("../database"),
    "another process's memory, as a file": lambda: Path(f"/proc/{os.getppid()}/mem").open("rb").close(),
    "another process's environment": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
}
"""Tried with all the rights that there are, the owner's of those files among them."""
SIGNAL = "a signal to its parent"
"""Tried so too, where Landlock is new enough."""


def main() -> None:
    """Confine this process, try everything that rights would allow, stop being root, try the rest."""
    out = os.dup(1)
    work = Path(sys.argv[1])
    version = ctypes.CDLL(None).syscall(_LANDLOCK_CREATE_RULESET, None, 0, _ASK_VERSION)
    refused = confine(work, [work.parent / "scan.pdf"], 1 << 30, 60)
    seen: dict[str, object] = {
        "refused": refused,
        "landlock": version,
        "place": [str(Path.cwd()), dict(os.environ), os.getsid(0) == os.getpid()],
        "dumpable": ctypes.CDLL(None).prctl(_GET_DUMPABLE, 0, 0, 0, 0),
        "read": Path("../scan.pdf").read_text(encoding="ascii"),
        "written": Path("page.ppm").write_bytes(b"a page"),
    }
    signals = {SIGNAL: lambda: os.kill(os.getppid(), 0)}
    _try(TRIES_WITH_RIGHTS | signals, seen)
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    _try(TRIES, seen)
    os.write(out, json.dumps(seen).encode())


def _try(tries: dict[str, Callable[[], object]], seen: dict[str, object]) -> None:
    for what, attempt in tries.items():
        try:
            attempt()
            seen[what] = "done"
        except (OSError, MemoryError, ValueError) as error:
            seen[what] = type(error).__name__


if __name__ == "__main__":
    main()
