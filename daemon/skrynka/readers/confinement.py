"""What a reader process may do once it has begun: little, in a folder of its own, and nothing over a network.

Limits on memory, processor time, the length of a file, and no core, which would hold pages. A session of its own, so
that it can be ended with all that it starts; what it starts can't leave that session. Two rules of the kernel, which
whatever is started inherits, are for code that a file brought in:

- A filter of system calls (seccomp, Linux 3.5) refuses networks, local servers, ptrace and its like, ways round it.
- Landlock (Linux 5.13) lets it read its scan, libraries and fonts, write into its work folder, and touch no other file:
  the database, other scans, another process's memory by way of /proc. Linux 6.12's keeps signals from others too.

Without Landlock a reader that was taken over may read, write and remove what the daemon's user may, an SQLite database
and the archive among it; only the memory of the daemon and of readers is shut (they aren't dumpable), but not that of
the programs that readers start. With it, it may still do that user's `chmod`, and on older kernels send signals to the
daemon and cut its own scan's file short, which an audit sees.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Literal

from skrynka.readers import landlock

Kept = Literal["seccomp", "landlock"]
"""A rule of the kernel that keeps readers where they belong."""
SAID = "said"
"""The file in the work folder that takes what libraries print."""
_FILE_BYTES = 8 << 30

# Linux's names and values: linux/prctl.h, linux/seccomp.h, linux/audit.h, linux/bpf_common.h.
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SECCOMP_MODE_FILTER = 2
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4
"""Where in struct seccomp_data."""
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_X32 = 0x40000000
"""Calls of x86-64's other ABI, under other numbers."""

_REFUSED = (
    "socket", "setsid", "setpgid", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "io_uring_setup",
    "bpf", "userfaultfd", "perf_event_open", "keyctl", "add_key", "request_key", "unshare", "setns", "truncate",
)  # fmt: skip
"""Without `socket` there is no network, and no local server, the database's among them. io_uring opens sockets too.
Landlock refuses `truncate` only from Linux 6.2 on."""
_ARCHITECTURES: dict[str, tuple[int, tuple[int, ...]]] = {
    "x86_64": (0xC000003E, (41, 112, 109, 101, 310, 311, 438, 425, 321, 323, 298, 250, 248, 249, 272, 308, 76)),
    "aarch64": (0xC00000B7, (198, 157, 154, 117, 270, 271, 438, 425, 280, 282, 241, 219, 217, 218, 97, 268, 45)),
}
"""By machine: its AUDIT_ARCH, and the numbers of `_REFUSED` (asm/unistd_64.h, asm-generic/unistd.h)."""
_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/fonts", "/var/cache/fontconfig")
"""Where poppler lies, with what it loads. Not all of /etc: our own settings may be there."""
_PYTHON = ("stdlib", "platstdlib")

_PRCTL = ctypes.CDLL(None, use_errno=True).prctl
_PRCTL.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_ulong)


def confine(work: Path, sources: Iterable[Path], memory_bytes: int, cpu_seconds: float) -> dict[Kept, str]:
    """Confine this process for good to reading `sources` and writing in `work`, which becomes its current folder.

    Gives what the kernel refuses of it, with the name of an error for each: all else holds then.
    """
    os.setsid()
    # If the server process that forked us dies, so do we: nobody would read our answers.
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.clear()
    os.environ["PATH"] = os.defpath
    os.umask(0o077)
    os.chdir(work)
    limits = {
        resource.RLIMIT_AS: (memory_bytes, memory_bytes),
        # The first ends it with a signal that says why, the second whatever it does about that.
        resource.RLIMIT_CPU: (int(cpu_seconds) + 1, int(cpu_seconds) + 6),
        resource.RLIMIT_FSIZE: (_FILE_BYTES, _FILE_BYTES),
        resource.RLIMIT_CORE: (0, 0),
    }
    for which, both in limits.items():
        resource.setrlimit(which, both)
    nothing = os.open(os.devnull, os.O_RDONLY)
    said = os.open(SAID, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(nothing, 0)
    os.dup2(said, 1)
    os.dup2(said, 2)
    shut_memory()
    # It is what allows the two rules to anybody but root; and nothing that is started gains rights any more.
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    refused: dict[Kept, str | None] = {"landlock": _keep_to_files(work, sources), "seccomp": _filter_calls()}
    return {kept: why for kept, why in refused.items() if why is not None}


def shut_memory() -> None:
    """Let nobody of our own user, another reader for one, look into this process's memory any more (prctl(2))."""
    _prctl(_PR_SET_DUMPABLE, 0)


def close_all_but(kept: int) -> None:
    """Close every descriptor but this one and the standard three."""
    os.closerange(3, kept)
    os.closerange(kept + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


@contextmanager
def guarded() -> Iterator[None]:
    """Have what this process starts end with it, however it ends: with the daemon killed, nobody else sees to it.

    The signal at a parent's death isn't handed down to poppler. So a guard waits at a pipe for our end, and then ends
    our whole process group, itself included. It comes with the first program that is started: most scans need none.
    For a process that ends soon, since Python's hooks stay for good.
    """
    guard = _Guard()

    def before(event: str, _about: object) -> None:
        if event == "subprocess.Popen":
            guard.stand()

    sys.addaudithook(before)
    try:
        yield
    finally:
        guard.leave()


class _Guard:
    def __init__(self) -> None:
        self._process = 0
        self._ours = -1

    def stand(self) -> None:
        """Begin to wait for this process's end, unless it waits already."""
        if self._process:
            return
        its, ours = os.pipe()
        try:
            self._process = os.fork()
        except OSError:
            os.close(its)
            os.close(ours)
            raise
        self._ours = ours
        if self._process == 0:
            try:
                # Only its own end of the pipe: it must not keep the parent waiting for answers, nor itself for our end.
                close_all_but(its)
                os.read(its, 1)
            finally:
                os.killpg(0, signal.SIGKILL)
        os.close(its)

    def leave(self) -> None:
        """End the guard, if there is one, and nothing else."""
        if self._process:
            # Not left to the pipe: nobody would wait for the guard's end then.
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
            os.close(self._ours)


@cache
def libraries() -> tuple[Path, ...]:
    """Give the folders that whatever is imported only later lies in: those of what is imported by now.

    Not all of sys.path, which may have our current folder in it, and that may be any. Found once, by the process that
    readers are forked from: a look at each module copies its memory.
    """
    packages = [module for name, module in sys.modules.items() if "." not in name and hasattr(module, "__path__")]
    beside = [Path(package.__file__).parents[1] for package in packages if package.__file__]
    return tuple(dict.fromkeys([*beside, *map(Path, map(sysconfig.get_path, _PYTHON))]))


def _keep_to_files(work: Path, sources: Iterable[Path]) -> str | None:
    """Have this process touch no other files; give the name of an error where that can't be."""
    system = {Path(path): landlock.RUN for path in _SYSTEM}
    devices = {Path(os.devnull): landlock.WRITE, Path("/dev/urandom"): landlock.READ}
    ours = {**dict.fromkeys(sources, landlock.READ), work: landlock.WRITE}
    return landlock.keep_to(dict.fromkeys(libraries(), landlock.READ) | system | devices | ours)


def _filter_calls() -> str | None:
    """Put the filter in place; give the name of an error where that can't be."""
    machine = _ARCHITECTURES.get(platform.machine())
    if machine is None or struct.calcsize("P") != 8:  # noqa: PLR2004 - bytes of a pointer: the numbers are of 64 bits
        return "unknown_machine"
    program = _program(*machine)
    held = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(held))
    failed = _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, described)
    return errno.errorcode.get(failed, "unknown_error") if failed else None


def _prctl(option: int, value: int, pointer: bytes | None = None) -> int:
    """Call prctl(2); give 0, or the number of an error."""
    return ctypes.get_errno() if _PRCTL(option, value, pointer, 0, 0) else 0


def _program(architecture: int, refused: tuple[int, ...]) -> bytes:
    """Write the filter: calls of another architecture, of x32 and those refused fail with EPERM, the rest is let by."""
    count = len(refused)
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_IF_EQUAL, 0, count + 3, architecture),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_IF_AT_LEAST, count + 1, 0, _X32),
        *((_IF_EQUAL, count - place, 0, number) for place, number in enumerate(refused)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)
