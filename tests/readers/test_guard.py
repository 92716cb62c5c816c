"""Who ends what a reader started, when nobody else can: only there where something is started."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from skrynka.readers.confinement import guarded
from tests.support.processes import alive, await_that


def in_a_session(work: Callable[[], None]) -> int:
    """Start a process that leads a session and does this, guarded; give its id."""
    process = os.fork()
    if process == 0:
        ended = 1
        try:
            os.setsid()
            with guarded():
                work()
            ended = 0
        finally:
            os._exit(ended)
    return process


def require_no_child() -> None:
    """Raise unless this process has no child."""
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def require_one_child_more() -> None:
    """Raise unless something else runs beside a program that was started and is over, and all is gone afterwards."""
    subprocess.run(["true"], check=True)
    assert os.waitpid(-1, os.WNOHANG) == (0, 0)


def test_a_process_that_starts_nothing_has_no_guard() -> None:
    assert os.waitpid(in_a_session(require_no_child), 0)[1] == 0


def test_a_guard_comes_with_the_first_program_that_is_started_and_goes_with_its_process(tmp_path: Path) -> None:
    told = tmp_path / "guard"

    def work() -> None:
        require_one_child_more()
        require_one_child_more()
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
        told.write_text(" ".join(children), encoding="ascii")

    assert os.waitpid(in_a_session(work), 0)[1] == 0
    (guard,) = map(int, told.read_text(encoding="ascii").split())
    assert not psutil.pid_exists(guard)


def test_what_a_process_started_ends_with_it_when_it_is_killed(tmp_path: Path) -> None:
    told = tmp_path / "started"

    def work() -> None:
        started = subprocess.Popen(["sleep", "600"])
        told.write_text(str(started.pid), encoding="ascii")
        signal.pause()

    process = in_a_session(work)
    await_that(lambda: told.exists() and told.read_text(encoding="ascii") != "", "it has started something")
    started = [psutil.Process(int(told.read_text(encoding="ascii")))]
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    await_that(lambda: not alive(started), "what it started has ended")
