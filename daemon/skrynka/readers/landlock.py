"""Which files a process may touch, whatever its user may: Landlock (Linux 5.13), a rule in the kernel for good.

Inherited by whatever is started. From its third version on (Linux 6.2) it also refuses to cut files short, from its
sixth (6.12) to send signals to processes outside. No version covers rights and times of files: `chmod` goes on
working on the user's files.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

# linux/landlock.h, and asm-generic/unistd.h: the numbers are the same on every machine.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE, _READ, _LIST, _REMOVE_FOLDER, _REMOVE_FILE = (1 << bit for bit in range(6))
_MAKE_FOLDER, _MAKE_FILE, _TRUNCATE = 1 << 7, 1 << 8, 1 << 14
_FIRST_VERSION = (1 << 13) - 1
"""All that the first version can refuse: the above but the last, and to make devices, sockets, pipes and links."""
_OF_FILES = _EXECUTE | _WRITE | _READ | _TRUNCATE
_NO_ABSTRACT_SOCKETS, _NO_SIGNALS = 1, 2
_TRUNCATES_FROM, _SCOPES_FROM = 3, 6
"""Versions."""

READ = _READ | _LIST
RUN = READ | _EXECUTE
WRITE = READ | _WRITE | _TRUNCATE | _REMOVE_FOLDER | _REMOVE_FILE | _MAKE_FOLDER | _MAKE_FILE
"""No links, pipes or sockets: who reads what lies there mustn't be led elsewhere."""

_SYSCALL = ctypes.CDLL(None, use_errno=True).syscall


def keep_to(allowed: Mapping[Path, int]) -> str | None:
    """Keep this process, for good, to these files and folders with all in them, each with READ, RUN or WRITE.

    Those that aren't there are passed over. The process can't gain rights any more (PR_SET_NO_NEW_PRIVS), else the
    kernel refuses. Gives None, or the name of an error where it does, or knows no Landlock: nothing is kept then.
    """
    try:
        version = _checked(_CREATE_RULESET, None, 0, _ASK_VERSION)
        handled = _FIRST_VERSION | (_TRUNCATE if version >= _TRUNCATES_FROM else 0)
        described = struct.pack("=Q", handled)
        if version >= _SCOPES_FROM:
            described += struct.pack("=QQ", 0, _NO_ABSTRACT_SOCKETS | _NO_SIGNALS)
        rules = _checked(_CREATE_RULESET, described, len(described), 0)
        try:
            for path, rights in allowed.items():
                _allow(rules, path, rights & handled)
            _checked(_RESTRICT_SELF, rules, 0)
        finally:
            os.close(rules)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "unknown_error")
    return None


def _allow(rules: int, path: Path, rights: int) -> None:
    with suppress(FileNotFoundError, NotADirectoryError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not stat.S_ISDIR(os.fstat(place).st_mode):
                rights &= _OF_FILES
            _checked(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
        finally:
            os.close(place)


def _checked(*words: object) -> int:
    """Call the kernel. Raises OSError."""
    given: int = _SYSCALL(*words)
    if given < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return given
