"""Daemons and commands that start in a few hundredths of a second: forked from a process that has all imported.

What isn't as in a daemon of its own: it doesn't import, and what is read when an interpreter begins (of locale, memory,
Python's own variables) is that process's; its environment, umask and folder are those of that process, but for the
variables that it is given (a command's environment and folder are its own); its fork server is a fork of itself, so
that readers too have all imported and are larger; all share one resource tracker. What it does from `main` on, its
pipes and signals are the same.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import multiprocessing.util
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from multiprocessing import resource_tracker
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, NoReturn, TextIO

import psutil

from tests.support.processes import await_that, descendants

_LONGEST = 1 << 18
"""Bytes of an order: a command's has all of its environment."""
_PR_SET_CHILD_SUBREAPER = 36


class WarmDaemons:
    """Starts them; a process of its own, which ends with `close`."""

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        *,
        retry_seconds: float | None = None,
        look_seconds: float | None = None,
    ) -> None:
        """Import everything, with these variables beside our own.

        `retry_seconds` is how long a daemon's loop waits after a failure until it tries again, `look_seconds` how long
        it waits with nothing to do, until it looks unasked; None: the same. Injected like a clock; without
        `retry_seconds` both are what the program says.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        waits = [] if retry_seconds is None else [retry_seconds, look_seconds or retry_seconds]
        self._line = ours
        self._asks = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno()), *map(str, waits)],
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", **(environment or {})},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd=Path(__file__).parents[2],
            )
        self._ask({})
        self._own = descendants(self._process.pid)

    def start(self, words: Sequence[str], environment: Mapping[str, str]) -> WarmProcess:
        """Run the command with these words and variables; what it says on standard error comes through a pipe."""
        reading, writing = os.pipe()
        try:
            answer = self._ask({"words": list(words), "environment": dict(environment)}, writing)
        finally:
            os.close(writing)
        return WarmProcess(self, answer["pid"], os.fdopen(reading, encoding="utf-8"))

    def run(self, words: Sequence[str], environment: Mapping[str, str], limit: float) -> CompletedProcess[str]:
        """Run the command to its end, in this environment and no other, in the folder that the test is in.

        Raises TimeoutExpired after `limit` seconds.
        """
        file = partial(tempfile.TemporaryFile, "w+", encoding="utf-8")
        with file() as out, file() as err:
            order = {"words": list(words), "environment": dict(environment), "folder": str(Path.cwd())}
            answer = self._ask(order, err.fileno(), out.fileno())
            command = WarmProcess(self, answer["pid"], err)
            try:
                code = command.wait(limit)
            except subprocess.TimeoutExpired:
                command.kill()
                command.wait()
                raise
            out.seek(0)
            err.seek(0)
            return CompletedProcess(["skrynka", *words], code, out.read(), err.read())

    def wait(self, pid: int) -> int:
        """Wait for the end of one; give its exit code as `subprocess` does."""
        return int(self._ask({"wait": pid})["code"])

    def left(self) -> list[psutil.Process]:
        """Give what is left of all daemons: they, and the processes that outlived them."""
        return [process for process in descendants(self._process.pid) if process not in self._own]

    def close(self) -> None:
        """End the process; daemons that still run are left alone."""
        self._line.close()
        self._process.wait(timeout=30)

    def _ask(self, question: Mapping[str, Any], *descriptors: int) -> dict[str, Any]:
        with self._asks:
            socket.send_fds(self._line, [json.dumps(question).encode()], descriptors)
            answer = self._line.recv(_LONGEST)
        assert answer, "the process that daemons are forked from has ended"
        found: dict[str, Any] = json.loads(answer)
        return found


class WarmProcess:
    """One of them; to be used as what `subprocess.Popen` gives."""

    def __init__(self, daemons: WarmDaemons, pid: int, stderr: TextIO) -> None:
        self.pid = pid
        self.stderr = stderr
        self.returncode: int | None = None
        self._daemons = daemons

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def poll(self) -> int | None:
        """Give its exit code, if it has ended."""
        return self.wait() if self.returncode is not None or self._has_ended() else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, so many seconds at most. Raises TimeoutExpired."""
        if self.returncode is None:
            if timeout is not None:
                # Asked for one that runs, the process that all are forked from would hear nobody else.
                try:
                    await_that(self._has_ended, "the daemon ends", timeout)
                except AssertionError:
                    raise subprocess.TimeoutExpired("skrynka", timeout) from None
            self.returncode = self._daemons.wait(self.pid)
        return self.returncode

    def _has_ended(self) -> bool:
        try:
            return psutil.Process(self.pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True


def _serve(line: socket.socket) -> list[str]:
    """Fork a process for each order. Comes back in these only, with their command's words."""
    ended: dict[int, int] = {}
    while True:
        text, descriptors, _, _ = socket.recv_fds(line, _LONGEST, 2)
        if not text:
            sys.exit(0)
        order = json.loads(text)
        if "wait" in order:
            while order["wait"] not in ended:
                # Orphans of daemons too: nobody else would bury them.
                pid, status = os.wait()
                ended[pid] = os.waitstatus_to_exitcode(status)
            answer = {"code": ended.pop(order["wait"])}
        elif "words" in order:
            pid = os.fork()
            if not pid:
                line.close()
                for place, descriptor in zip((2, 1), descriptors, strict=False):
                    os.dup2(descriptor, place)
                    os.close(descriptor)
                if "folder" in order:
                    # A command: what it is given is all of its environment.
                    os.chdir(order["folder"])
                    os.environ.clear()
                os.environ.update(order["environment"])
                _count()
                words: list[str] = order["words"]
                return words
            for descriptor in descriptors:
                os.close(descriptor)
            # An orphan that was buried long ago may have had this number.
            ended.pop(pid, None)
            answer = {"pid": pid}
        else:
            answer = {}
        line.send(json.dumps(answer).encode())


def _count() -> None:
    """Do in a fork what the counter of durable calls, where it is loaded, does when a process begins."""
    begin = getattr(ctypes.CDLL(None), "begin_counting", None)
    if begin is not None:
        begin()


def _fork_instead(_path: str, words: Sequence[str], descriptors: Sequence[int]) -> int:
    """Start what multiprocessing runs in a new interpreter in a fork of this one."""
    pid = os.fork()
    if not pid:
        _become(words[-1], descriptors)
    return pid


def _become(code: str, descriptors: Sequence[int]) -> NoReturn:
    try:
        begin = 3
        for descriptor in sorted(descriptors):
            os.closerange(begin, descriptor)
            begin = descriptor + 1
        os.closerange(begin, 1 << 16)
        # It is imported for what it does at that.
        sys.modules.pop("skrynka.readers.server", None)
        exec(code, {})  # noqa: S102 - the standard library's own
    except SystemExit:
        # So a fork server ends when its daemon has.
        os._exit(0)
    except BaseException:  # noqa: BLE001 - said as an interpreter of its own would
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def _main() -> None:
    import alembic.script  # noqa: F401, PLC0415 - what a daemon imports when it is asked for
    import typst  # noqa: F401, PLC0415 - and what a command does
    import zxingcpp  # noqa: F401, PLC0415
    from PIL import Image  # noqa: PLC0415
    from pyzbar import pyzbar  # noqa: F401, PLC0415

    import skrynka.cli  # noqa: PLC0415 - this module is imported by tests too
    import skrynka.loops  # noqa: PLC0415
    import skrynka.readers.confinement  # noqa: PLC0415
    import skrynka.readers.tasks  # noqa: PLC0415
    from skrynka.readers.looking import QUICK_DPI  # noqa: PLC0415
    from skrynka.steps import marks  # noqa: PLC0415

    # As a fork server does, each anew; the import above starts a program to find libzbar.
    Image.preinit()
    skrynka.readers.confinement.libraries()
    marks.draw_ahead(QUICK_DPI)

    if sys.argv[2:]:
        # Names that are set must be there.
        assert skrynka.loops._RETRY_SECONDS == skrynka.loops._LONGEST_WAIT_SECONDS  # noqa: SLF001
        skrynka.loops._RETRY_SECONDS, skrynka.loops._LONGEST_WAIT_SECONDS = map(float, sys.argv[2:])  # noqa: SLF001
        assert skrynka.loops._RECONNECT_SECONDS  # noqa: SLF001
        skrynka.loops._RECONNECT_SECONDS = skrynka.loops._RETRY_SECONDS  # noqa: SLF001

    resource_tracker.ensure_running()
    # What outlives a daemon becomes a child of ours, and can be seen.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    multiprocessing.util.spawnv_passfds = _fork_instead  # type: ignore[attr-defined]
    gc.freeze()
    sys.argv = ["skrynka", *_serve(socket.socket(fileno=int(sys.argv[1])))]
    skrynka.cli.main()


if __name__ == "__main__":
    _main()
