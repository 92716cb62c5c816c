"""A station in a folder, and the real daemon on it: the command as an admin starts it, its log as an admin reads it."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

from tests.support.units import SERVICE, settings

COMMAND = (sys.executable, "-m", "skrynka")
CONFIG = Path(__file__).parents[2] / "config"
_LIMIT_SECONDS = 120.0


@dataclass(slots=True)
class Station:
    """A station in a folder of a test's own."""

    folder: Path
    database_url: str
    """As configured."""
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "skrynka.toml"

    @property
    def archive(self) -> Path:
        """The archive."""
        return self.folder / "archive"

    @property
    def database(self) -> str | Path:
        """The database, as the oracle asks for it."""
        if self.database_url.startswith("sqlite"):
            return Path(self.database_url.removeprefix("sqlite:///"))
        return self.database_url

    @property
    def leftovers(self) -> list[Path]:
        """The folders in which nothing may be left when all is done."""
        return [self.folder / "spool", self.folder / "work", *self.inboxes]

    @property
    def inboxes(self) -> list[Path]:
        """The inboxes of all boxes."""
        return list((self.folder / "inbox").iterdir())

    def inbox(self, box: str = "OBL-01") -> Path:
        """The inbox of a box."""
        return self.folder / "inbox" / box

    def drop(self, data: bytes, name: str = "scan0001.pdf", box: str = "OBL-01") -> Path:
        """Move a scan into an inbox, whole."""
        outside = self.folder / f".outside-{name}"
        outside.write_bytes(data)
        return outside.rename(self.inbox(box) / name)

    def run(self, *words: str, check: bool = True, limit: float = _LIMIT_SECONDS) -> subprocess.CompletedProcess[str]:
        """Run a command on the station to its end."""
        done = (usual_run or _run)([*words, "--config", str(self.config)], self._env(), limit)
        if check and done.returncode:
            raise AssertionError(
                f"skrynka {' '.join(words)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
            )
        return done

    def once(self, limit: float = _LIMIT_SECONDS) -> list[dict[str, Any]]:
        """Take what is there, finish it, end; give the log's lines."""
        daemon = Daemon(self, words=("run", "--once"))
        try:
            daemon.finish(limit)
        finally:
            daemon.kill()
        return daemon.lines

    @contextmanager
    def running(self, *before: str) -> Iterator[Daemon]:
        """Run the daemon; end it with SIGTERM, and see that it ends well. `before` are words before the command."""
        daemon = Daemon(self, before)
        try:
            daemon.wait_for("service_ready")
            yield daemon
        except BaseException:
            daemon.kill()
            raise
        daemon.end()

    def _env(self) -> dict[str, str]:
        return {**os.environ, **self.environment}


class Process(Protocol):
    """A process as `subprocess` gives it, as far as it is used."""

    @property
    def pid(self) -> int:
        """Give its number."""

    @property
    def returncode(self) -> int | None:
        """Give its exit code once it was waited for."""

    @property
    def stderr(self) -> IO[str] | None:
        """Give the pipe that its log comes through."""

    def send_signal(self, sig: int, /) -> None:
        """Send it a signal."""

    def kill(self) -> None:
        """Kill it."""

    def poll(self) -> int | None:
        """Give its exit code, if it has ended."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; give its exit code."""


Start = Callable[[Sequence[str], Mapping[str, str]], Process]
"""Starts the command with these words, and these variables beside those of the process that it is started from.

A warm daemon doesn't see those that a test sets later.
"""


usual_start: Start | None = None
"""How daemons are started where nothing else is said; None: as an admin does."""

Run = Callable[[Sequence[str], Mapping[str, str], float], "subprocess.CompletedProcess[str]"]
"""Runs the command with these words to its end, in this environment and no other, so many seconds at most."""

usual_run: Run | None = None
"""How commands are run; None: as an admin does."""


def _run(words: Sequence[str], environment: Mapping[str, str], limit: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words], env=environment, capture_output=True, text=True, timeout=limit, check=False
    )


class Daemon:
    """A daemon that runs, and what it has logged."""

    def __init__(
        self,
        station: Station,
        before: Sequence[str] = (),
        start: Start | None = None,
        words: Sequence[str] = ("run",),
    ) -> None:
        """Run it; `before` are words before the command's own, which are `words`; `start` starts it in another way.

        Without either it is started as `usual_start` says.
        """
        self.lines: list[dict[str, Any]] = []
        self.raw: list[str] = []
        self.strange: list[str] = []
        """What it said that is no line of the log: a traceback, or why it couldn't begin."""
        self._new: queue.Queue[dict[str, Any] | None] = queue.Queue()
        words = [*words, "--config", str(station.config)]
        start = start or (None if before else usual_start)
        self.process: Process = (
            start(words, station.environment)
            if start is not None
            else subprocess.Popen(
                [*before, *COMMAND, *words],
                env=station._env(),  # noqa: SLF001 - the two are one
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, event: str, limit: float = _LIMIT_SECONDS, **fields: object) -> dict[str, Any]:
        """Wait for the next line of this event with these fields; lines that came before are passed over."""
        return self.wait_for_any({event}, limit, **fields)

    def wait_for_any(self, events: AbstractSet[str], limit: float = _LIMIT_SECONDS, **fields: object) -> dict[str, Any]:
        """Wait as `wait_for` does, for the next line of any of these events."""
        wanted = " or ".join(sorted(events))
        ends = time.monotonic() + limit
        while True:
            try:
                line = self._new.get(timeout=max(0.0, ends - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {wanted} within {limit} s; the log:\n" + "\n".join(self.raw)) from None
            if line is None:
                raise AssertionError(f"the daemon ended before {wanted}; the log:\n" + "\n".join(self.raw))
            if line["event"] in events and all(line.get(name) == value for name, value in fields.items()):
                return line

    @property
    def ended(self) -> bool:
        """Say whether it has ended, and everything that writes into its log with it."""
        return not self._reader.is_alive()

    def end(self) -> None:
        """Ask it to end, and see that it does, with exit code 0. Raises AssertionError."""
        self.process.send_signal(signal.SIGTERM)
        self.finish(60)

    def finish(self, limit: float) -> None:
        """Wait until it ends by itself, with exit code 0, and nothing holds its log any more. Raises AssertionError."""
        try:
            code = self.process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the daemon didn't end within {limit} s; the log:\n" + "\n".join(self.raw)) from None
        self._reader.join(timeout=10)
        if code:
            raise AssertionError(f"the daemon ended with {code}; the log:\n" + "\n".join(self.raw))
        if not self.ended:
            raise AssertionError("the daemon ended, and something still holds its log:\n" + "\n".join(self.raw))
        if self.strange:
            raise AssertionError("the daemon said what is no line of its log:\n" + "\n".join(self.strange))

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(timeout=10)
        self._reader.join(timeout=10)

    def keep_log(self, file: Path) -> None:
        """Put all that it has said into a file, for a look."""
        file.write_text("".join(f"{line}\n" for line in self.raw), encoding="utf-8")

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as log:
            for text in log:
                self.raw.append(text.rstrip())
                try:
                    line = json.loads(text)
                except json.JSONDecodeError:
                    self.strange.append(text.rstrip())
                    continue
                self.lines.append(line)
                self._new.put(line)
        self._new.put(None)


def environment_of_the_unit() -> dict[str, str]:
    """Give what the unit sets for the service: a test's daemon is to be what runs at a station."""
    pairs = (pair.partition("=") for pair in settings(SERVICE)["Environment"])
    return {name: value for name, _, value in pairs}


def make_station(
    folder: Path,
    boxes: Mapping[str, Mapping[str, str]] | Sequence[str] = ("OBL-01",),
    *,
    database_url: str | None = None,
    options: Mapping[str, str] | None = None,
) -> Station:
    """Make a station by hand, as an admin would: folders, configuration, database (SQLite's is a copy of the first).

    `boxes` are codes, or codes with further keys of boxes.toml as TOML literals. `options` are configuration values by
    environment name, without the prefix: {"INTAKE__QUIET_SECONDS": "0.2"}.
    """
    told = boxes if isinstance(boxes, Mapping) else {box: {} for box in boxes}
    url = database_url or f"sqlite:///{folder / 'skrynka.db'}"
    for box in told:
        (folder / "inbox" / box).mkdir(parents=True)
    for name in ("spool", "work", "archive", "state"):
        (folder / name).mkdir(exist_ok=True)  # it may be a disk of its own
    (folder / "skrynka.toml").write_text(
        f'[station]\ncode = "ST"\n[database]\nurl = "{url}"\n[logs]\nmode = "json"\nlevel = "debug"\n', encoding="utf-8"
    )
    entries = [
        "\n".join(
            [
                "[[box]]",
                f'code = "{box}"',
                f'inbox = "inbox/{box}"',
                *(f"{key} = {value}" for key, value in keys.items()),
            ]
        )
        for box, keys in told.items()
    ]
    (folder / "boxes.toml").write_text("\n\n".join(entries), encoding="utf-8")
    shutil.copy(CONFIG / "case_types.toml", folder / "case_types.toml")
    defaults = {"INTAKE__QUIET_SECONDS": "0.3", "INTAKE__SWEEP_SECONDS": "0.5", "INTAKE__GIVE_UP_SECONDS": "1"}
    environment = {f"SKRYNKA_{name}": value for name, value in {**defaults, **(options or {})}.items()}
    station = Station(folder, url, {**environment_of_the_unit(), **environment})
    if isinstance(station.database, Path) and _new_sqlite:
        station.database.touch(mode=0o640)
        station.database.write_bytes(_new_sqlite[0])
        return station
    station.run("db", "upgrade")
    if isinstance(station.database, Path):
        _new_sqlite.append(station.database.read_bytes())
    return station


_new_sqlite: list[bytes] = []
"""The first that was made: the hundreds of a run begin alike, and how they are made other tests look at."""
