"""What a piece of Python asks of the kernel, in order: told by strace."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.skipped_faults import skip_fault

_TRACED = "fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat"
_BROKEN_OFF = re.compile(r"^(?P<thread>\d+) +(?P<begun>\w+\(.*) <unfinished \.\.\.>$")
_GONE_ON = re.compile(r"^(?P<thread>\d+) +<\.\.\. \w+ resumed>(?P<rest>.*)$")
_CALL = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+)")


@dataclass(frozen=True, slots=True)
class Call:
    """A system call that succeeded: descriptors stand with their paths, as in `fsync(3</a/b>)`."""

    name: str
    arguments: str

    def __str__(self) -> str:
        return f"{self.name}({self.arguments})"


def calls_that_last(code: str, log: Path, *arguments: str | Path) -> list[Call]:
    """Run Python `code` under strace and give its successful calls that make or change names durably, in order."""
    command = [_strace(), "-f", "-y", "-s", "4096", "-e", f"trace={_TRACED}", "-o", log]
    subprocess.run([*command, sys.executable, "-I", "-c", code, *arguments], check=True)
    matches = [_CALL.match(line) for line in _whole(log.read_text(encoding="utf-8", errors="replace").splitlines())]
    return [Call(each["name"], each["arguments"]) for each in matches if each is not None and each["result"] == "0"]


def _whole(lines: Iterable[str]) -> Iterator[str]:
    """Put calls together that strace tells in two lines, for another thread's came between; where they ended."""
    begun: dict[str, str] = {}
    for line in lines:
        if broken_off := _BROKEN_OFF.match(line):
            begun[broken_off["thread"]] = broken_off["begun"]
        elif gone_on := _GONE_ON.match(line):
            yield f"{gone_on['thread']} {begun.pop(gone_on['thread'])}{gone_on['rest']}"
        else:
            yield line


def killed_at(call: str, number: int, code: str, *arguments: str | Path) -> bool:
    """Run Python `code` and kill it as it makes this call for this time, from 1; say whether it came so far.

    For a program of one thread: strace counts each thread's calls on their own.
    """
    command = [_strace(), "-f", "-o", "/dev/null", "-e", f"trace={call}"]
    command += ["-e", f"inject={call}:signal=SIGKILL:when={number}", sys.executable, "-I", "-c", code]
    return subprocess.run([*command, *arguments], check=False, capture_output=True).returncode == -signal.SIGKILL


def _strace() -> str:
    strace = shutil.which("strace")
    if strace is None:
        skip_fault("strace isn't installed")
    probe = subprocess.run([strace, "-o", "/dev/null", "true"], check=False, capture_output=True)
    if probe.returncode != 0:
        skip_fault("strace can't trace here (ptrace is forbidden)")
    return strace


def position(calls: list[Call], name: str, part: str, after: int = -1) -> int:
    """Find the first call of this name, later than `after`, with `part` in its arguments; fail the test if none is."""
    for number, call in enumerate(calls):
        if number > after and call.name == name and part in call.arguments:
            return number
    told = "\n".join(str(call) for call in calls)
    pytest.fail(f"no {name} of {part} after call {after} in:\n{told}")
