"""What was measured, JSON lines: an entry is on the disk before the next trial begins, and isn't measured again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Entry = dict[str, Any]
_KEY = ("part", "source", "seed", "stack", "alternative", "of", "repetition")
"""What tells one trial from another. `of`: how large what is measured was chosen, such as a number of pages."""
_FORGOTTEN = "forgotten"


class Ledger:
    """The entries of all parts."""

    def __init__(self, file: Path) -> None:
        """Read them. A last line that a kill broke off is passed over."""
        self._file = file
        self.entries: list[Entry] = []
        if file.exists():
            for line in file.read_bytes().split(b"\n")[:-1]:
                self._take(json.loads(line))

    def has(self, entry: Entry) -> bool:
        """Say whether a trial with the same key was measured."""
        return key_of(entry) in {key_of(each) for each in self.entries}

    def add(self, entry: Entry) -> None:
        """Put an entry on record."""
        self._write(entry)

    def forget(self, entry: Entry) -> None:
        """Put on record that a trial with this key counts no more: it is to be measured again."""
        self._write({**{name: entry.get(name) for name in _KEY}, _FORGOTTEN: True})

    def _write(self, entry: Entry) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        whole = self._file.read_bytes() if self._file.exists() else b""
        with self._file.open("ab") as file:
            # What a kill broke off is no line, and must not become the beginning of this one.
            file.truncate(whole.rfind(b"\n") + 1)
            file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._take(entry)

    def _take(self, entry: Entry) -> None:
        if entry.get(_FORGOTTEN):
            self.entries = [each for each in self.entries if key_of(each) != key_of(entry)]
        else:
            self.entries.append(entry)

    def begin_anew(self) -> None:
        """Forget everything."""
        self._file.unlink(missing_ok=True)
        self.entries.clear()

    def like(self, **fields: object) -> Iterator[Entry]:
        """Give the entries that have these values."""
        return (each for each in self.entries if all(each.get(name) == value for name, value in fields.items()))


def key_of(entry: Entry) -> tuple[object, ...]:
    """Give what tells a trial from another."""
    return tuple(entry.get(name) for name in _KEY)
