"""A process that confines itself as a reader does, and then tries what a reader mustn't; run with a folder to work in.

What became of each is written to its standard output, as JSON: "done", or the exception's name.
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


def main() -> None:
    """Confine this process, stop being root, try everything."""
    out = os.dup(1)
    refused = confine(Path(sys.argv[1]), 1 << 30, 60)
    seen: dict[str, object] = {"": [refused, str(Path.cwd()), dict(os.environ), os.getsid(0) == os.getpid()]}
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    for what, attempt in TRIES.items():
        try:
            attempt()
            seen[what] = "done"
        except (OSError, MemoryError, ValueError) as error:
            seen[what] = type(error).__name__
    os.write(out, json.dumps(seen).encode())


if __name__ == "__main__":
    main()
