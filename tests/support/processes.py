"""The processes of a daemon, or of a test that starts readers itself: which there are, and waiting until they aren't.

Told by parentage; a reader is told by the session that it leads.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable

import psutil

LIMIT = 30.0
"""Seconds until a test gives up on what should come true."""
_LOOKING_SHARE = 0.1
"""Of the time that is waited: looking at all processes takes a processor as long as the shortest pause is."""
_LONGEST_PAUSE = 0.2
"""Seconds: one slow look says nothing of the next."""


def await_that(true: Callable[[], bool], what: str, limit: float = LIMIT, *, every: float = 0.005) -> None:
    """Wait for what has no event to wait for, such as another process's child."""
    ends = time.monotonic() + limit
    while True:
        began = time.thread_time()
        if true():
            return
        assert time.monotonic() < ends, f"it never came true within {limit} s: {what}"
        pause = min((time.thread_time() - began) / _LOOKING_SHARE, _LONGEST_PAUSE, ends - time.monotonic())
        threading.Event().wait(max(every, pause))


def descendants(pid: int | None = None) -> list[psutil.Process]:
    """Give the processes below this one (below the test, without a number), that aren't zombies."""
    found = []
    for process in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def readers(pid: int | None = None) -> list[psutil.Process]:
    """Give the reader processes below a process: each leads a session of its own."""
    return [process for process in descendants(pid) if _leads_a_session(process)]


def drawers(pid: int | None = None) -> list[psutil.Process]:
    """Give the processes of poppler that draw a page below a process; those that only say a version are passed over."""
    return [process for process in descendants(pid) if {"pdftoppm", "-r"} <= set(_words(process))]


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Give those that still run; a zombie doesn't."""
    return [process for process in processes if process.is_running() and _status(process) != psutil.STATUS_ZOMBIE]


def _leads_a_session(process: psutil.Process) -> bool:
    try:
        return os.getsid(process.pid) == process.pid
    except ProcessLookupError:
        return False


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def _status(process: psutil.Process) -> str:
    try:
        return process.status()
    except psutil.NoSuchProcess:
        return psutil.STATUS_DEAD
