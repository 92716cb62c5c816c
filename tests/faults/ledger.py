"""What was injected so far, a file of JSON lines for each row: an entry is on the disk before the next fault begins."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.faults.row import Injected

_DAEMON = Path(__file__).parents[2] / "daemon"
_DIGITS = 12


class Taken(Exception):
    """Another process injects faults of this row now."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A fault that was injected."""

    number: int
    seed: int
    at: str
    wrong: tuple[str, ...]
    seconds: float
    """From the fault before, preparations included."""
    source: str
    """Which source was tested: see `source_digest`."""

    @classmethod
    def of(cls, injected: Injected, seed: int, seconds: float) -> Entry:
        """Note a fault just injected into the source as it is now."""
        return cls(injected.number, seed, injected.at, tuple(injected.wrong), round(seconds, 2), source_digest())


class Ledger:
    """The entries of one row."""

    def __init__(self, folder: Path, row: str) -> None:
        """Read them from `folder`. A last line that a kill broke off is passed over."""
        self.row = row
        self._file = folder / f"{row}.jsonl"
        self.entries: list[Entry] = []
        self.complete = False
        """No fault is left to inject: the row came to its end by itself."""
        self.unable = ""
        """Why this machine couldn't inject any, when it was tried last."""
        lines = self._file.read_bytes().split(b"\n")[:-1] if self._file.exists() else []
        for line in lines:
            self._take(json.loads(line))

    @property
    def next_number(self) -> int:
        """The number of the first fault that isn't injected yet."""
        return self.entries[-1].number + 1 if self.entries else 1

    @property
    def failed(self) -> int:
        """How many times the invariant failed."""
        return sum(bool(entry.wrong) for entry in self.entries)

    @property
    def minutes(self) -> float:
        """How long all of it took."""
        return sum(entry.seconds for entry in self.entries) / 60

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Keep other processes from this row. Raises Taken."""
        with self._file.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Taken(self.row) from None
            yield

    def add(self, entry: Entry) -> None:
        """Put an entry on record."""
        self._write({**asdict(entry), "wrong": list(entry.wrong)})

    def finish(self) -> None:
        """Put on record that no fault is left."""
        self._write({"complete": True})

    def give_up(self, why: str) -> None:
        """Put on record that this machine can't inject any."""
        self._write({"unable": why})

    def begin_anew(self) -> None:
        """Forget everything."""
        self._file.unlink(missing_ok=True)
        self.entries, self.complete, self.unable = [], False, ""

    def _take(self, told: dict[str, Any]) -> None:
        if "number" in told:
            self.entries.append(Entry(**{**told, "wrong": tuple(told["wrong"])}))
        self.complete = told.get("complete", self.complete)
        self.unable = told.get("unable", "")

    def _write(self, told: dict[str, Any]) -> None:
        whole = self._file.read_bytes() if self._file.exists() else b""
        with self._file.open("ab") as file:
            # What a kill broke off is no line, and must not become the beginning of this one.
            file.truncate(whole.rfind(b"\n") + 1)
            file.write(json.dumps(told, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._take(told)


def source_digest() -> str:
    """Tell one state of the program's source from another: the beginning of a SHA-256 over all of it."""
    digest = hashlib.sha256()
    for path in sorted(_DAEMON.rglob("*.py")):
        digest.update(f"{path.relative_to(_DAEMON)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:_DIGITS]
