"""Run a command on a kernel without seccomp filters (setting one fails with EINVAL), or without Landlock (ENOSYS)."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

_PRCTL = {"x86_64": 157, "aarch64": 167}
_SET_SECCOMP, _NO_NEW_PRIVS, _FILTER = 22, 38, 2
_CREATE_RULESET = 444
_STEPS = {
    "seccomp": (
        (0x20, 0, 0, 0),  # the call's number
        (0x15, 0, 3, _PRCTL[platform.machine()]),
        (0x20, 0, 0, 16),  # its first argument
        (0x15, 0, 1, _SET_SECCOMP),
        (0x06, 0, 0, 0x00050000 | errno.EINVAL),
        (0x06, 0, 0, 0x7FFF0000),
    ),
    "landlock": (
        (0x20, 0, 0, 0),  # the call's number
        (0x15, 0, 1, _CREATE_RULESET),
        (0x06, 0, 0, 0x00050000 | errno.ENOSYS),
        (0x06, 0, 0, 0x7FFF0000),
    ),
}


def main() -> None:
    """Take away what sets filters, or makes rules of Landlock, and become the command."""
    without, *command = sys.argv[1:]
    steps = _STEPS[without]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    described = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(program))
    libc = ctypes.CDLL(None)
    assert libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert libc.prctl(_SET_SECCOMP, _FILTER, described, 0, 0) == 0
    os.execv(command[0], command)  # noqa: S606 - a test's own command


if __name__ == "__main__":
    main()
