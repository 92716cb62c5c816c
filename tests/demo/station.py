"""The demo's station: a folder that the real `skrynka init` makes, the real commands on it, the real daemon."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from skrynka.cli.running import service_pid
from tests.demo.telling import Teller

MARKER = ".made-by-demo"
SHORTER_WAITS: Mapping[str, str] = MappingProxyType(
    {
        "SKRYNKA_INTAKE__QUIET_SECONDS": "2",
        "SKRYNKA_INTAKE__GIVE_UP_SECONDS": "6",
        "SKRYNKA_FILING__END_SHEET_QUIET_SECONDS": "3",
    }
)
"""A station is more patient than whoever watches a demo."""
_END_SECONDS = 40
_COMMAND_SECONDS = 90


class CommandFailed(Exception):
    """A command ended otherwise than it should have."""


class DemoStation:
    """A station in a folder, which is removed first if an earlier demo made it."""

    def __init__(self, folder: Path, teller: Teller) -> None:
        self.folder = folder
        self._teller = teller
        self._program = _program()
        # Nobody's own station may be meant by what stands in the environment.
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("SKRYNKA_")}
        self._environment.pop("CREDENTIALS_DIRECTORY", None)
        self._environment["PYTHONUNBUFFERED"] = "1"

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "skrynka.toml"

    @property
    def archive(self) -> Path:
        """The archive."""
        return self.folder / "archive"

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.folder / "skrynka.db"

    @property
    def must_be_empty(self) -> list[Path]:
        """The folders in which nothing may be left when all is done."""
        return [self.folder / "spool", self.folder / "work", *sorted((self.folder / "inbox").iterdir())]

    def inbox(self, box: str) -> Path:
        """Give a box's inbox."""
        return self.folder / "inbox" / box

    def make(self) -> None:
        """Make the station anew. Raises CommandFailed where a daemon runs in the folder, or no demo made it."""
        if self.folder.exists() and any(self.folder.iterdir()):
            if not (self.folder / MARKER).is_file():
                raise CommandFailed(f"{self.folder} isn't empty, and no demo made it: name another folder.")
            if self.daemon_runs():
                raise CommandFailed(f"A daemon runs on {self.folder} still: end it first.")
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / MARKER).touch()
        self.show("init", str(self.folder), on_station=False)

    def daemon_runs(self) -> bool:
        """Say whether a daemon has this station."""
        return service_pid(self.folder / "state") is not None

    def show(self, *words: str, on_station: bool = True, say: bool = True) -> None:
        """Run a command before the viewer's eyes."""
        command = self._command(words, on_station=on_station)
        if say:
            self._teller.command(command)
        done = subprocess.run(command, env=self._environment, timeout=_COMMAND_SECONDS, check=False)
        self._expect(words, done.returncode)

    def quietly(self, *words: str) -> str:
        """Run a command and give what it prints."""
        command = self._command(words)
        done = subprocess.run(
            command, env=self._environment, timeout=_COMMAND_SECONDS, check=False, stdout=subprocess.PIPE, text=True
        )
        self._expect(words, done.returncode)
        return done.stdout

    def ask(self, *words: str) -> Any:  # noqa: ANN401 - each command has a shape of its own
        """Run a command with --json and give its answer."""
        return json.loads(self.quietly(*words, "--json"))

    def typed(self, *words: str) -> str:
        """Give a command as the viewer would type it."""
        return shlex.join(self._command(words))

    def without_station(self, *words: str) -> str:
        """Give a command that needs no station."""
        return shlex.join(self._command(words, on_station=False))

    @contextmanager
    def daemon(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run the daemon; it writes its log where we write. It is ended with SIGTERM, however the body ends.

        Raises CommandFailed if it didn't end well.
        """
        told = {**SHORTER_WAITS, "SKRYNKA_LOGS__MODE": "console"}
        command = self._command(("run",))
        self._teller.command([*(f"{name}={value}" for name, value in told.items()), *command])
        # Its own session: Ctrl-C reaches us alone, and we end it in order.
        process = subprocess.Popen(
            command, env=self._environment | told, stdout=sys.stdout, stderr=sys.stdout, start_new_session=True
        )
        try:
            # It takes its lock before it looks into the inboxes; until then the scanners wait, so that all can be seen.
            while process.poll() is None and not self.daemon_runs():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)
            yield process
        finally:
            _end(process)
        if process.returncode:
            raise CommandFailed(f"The daemon ended with exit code {process.returncode}.")

    def _command(self, words: Sequence[str], *, on_station: bool = True) -> list[str]:
        return [*self._program, *words, *(("--config", str(self.config)) if on_station else ())]

    def _expect(self, words: Sequence[str], code: int) -> None:
        if code:
            raise CommandFailed(f"`skrynka {words[0]}` ended with exit code {code}.")


def _end(process: subprocess.Popen[bytes]) -> None:
    # Whoever presses Ctrl-C twice waits a moment longer, and leaves no daemon behind.
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _program() -> list[str]:
    """Give the command as set up; its path is short where that is possible."""
    installed = Path(sys.executable).parent / "skrynka"
    if not installed.exists():
        return [sys.executable, "-m", "skrynka"]
    with contextlib.suppress(ValueError):
        installed = installed.relative_to(Path.cwd())
    return [str(installed)]
