"""What was seen so far, as JSON lines: an image that was looked at isn't looked at again, in this call or the next.

Two files: what the program made of an image counts for one state of the program, what the engines alone made of it for
every state in which the image is the same. All of it can be packed, as the record that a run goes on from elsewhere.
"""

from __future__ import annotations

import fcntl
import json
import lzma
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

from tests.benchmarks.reading.images import NO_SHEET, Key
from tests.benchmarks.reading.looking import Alone, Seen, Verdict
from tests.benchmarks.reading.running import Engines, Todo


class Taken(Exception):
    """Another process looks at images now."""


class Ledger:
    """What is known of images."""

    def __init__(
        self, folder: Path, source: str, images: str, *, record: Path | None = None, fresh: bool = False
    ) -> None:
        """Read it from `folder`, made when it isn't there; `source` and `images` are the states that count now.

        `record` is the folder that `pack` wrote to, here or elsewhere. With `fresh`, what was seen in these states is
        looked at again, and what is seen then counts.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.seen: dict[Key, Seen] = {}
        self.alone: dict[Key, Alone] = {}
        self._source, self._images = source, images
        self._program_file = folder / "program.jsonl"
        self._engines_file = folder / "engines.jsonl"
        if fresh:
            return
        for told in [*_packed(record, self._program_file), *_lines(self._program_file)]:
            if told.pop("source") == source and told.pop("images") == images:
                key = Key(**told.pop("key"))
                codes = tuple(tuple(code) for code in told.pop("codes"))
                self.seen[key] = Seen(verdict=Verdict(told.pop("verdict")), codes=codes, **told)
        for told in [*_packed(record, self._engines_file), *_lines(self._engines_file)]:
            if told.pop("images") == images:
                key = Key(**told.pop("key"))
                self.alone[key] = Alone(**told)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Keep other processes from writing into it. Raises Taken."""
        with self._program_file.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Taken from None
            _mend(self._program_file)
            _mend(self._engines_file)
            yield

    def missing(self, keys: Iterable[Key], compared: frozenset[Key]) -> list[Todo]:
        """Give what is still to do, in order; the engines are put before those to be compared, and sheets not read."""
        wanted = [(key, key not in self.seen, self._engines(key, compared)) for key in keys]
        return [todo for todo in wanted if todo[1] or todo[2] is Engines.ALWAYS]

    def _engines(self, key: Key, compared: frozenset[Key]) -> Engines:
        if key in self.alone:
            return Engines.NEVER
        if key in compared:
            return Engines.ALWAYS
        if key.axis == NO_SHEET:
            return Engines.NEVER
        if key in self.seen:
            return Engines.NEVER if self.seen[key].verdict is Verdict.READ else Engines.ALWAYS
        return Engines.WHERE_UNREAD

    def add(self, key: Key, seen: Seen | None, alone: Alone | None) -> None:
        """Keep what was seen of an image; only while it is taken."""
        if seen is not None:
            self.seen[key] = seen
            _append(self._program_file, self._by_program(key))
        if alone is not None:
            self.alone[key] = alone
            _append(self._engines_file, self._by_engines(key))

    def pack(self, record: Path) -> None:
        """Write all that is known of images to the record, in the place of what it had."""
        record.mkdir(exist_ok=True)
        _pack(record, self._program_file, map(self._by_program, sorted(self.seen, key=astuple)))
        _pack(record, self._engines_file, map(self._by_engines, sorted(self.alone, key=astuple)))

    def _by_program(self, key: Key) -> bytes:
        return _line({"key": asdict(key), "source": self._source, "images": self._images, **asdict(self.seen[key])})

    def _by_engines(self, key: Key) -> bytes:
        return _line({"key": asdict(key), "images": self._images, **asdict(self.alone[key])})


def _lines(path: Path) -> list[dict[str, Any]]:
    """Read what was written; a last line that a kill broke off is passed over."""
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]


def _mend(path: Path) -> None:
    """Cut off what a kill broke off: it is no line, and must not become the beginning of the next."""
    if path.exists():
        with path.open("r+b") as file:
            file.truncate(path.read_bytes().rfind(b"\n") + 1)


def _append(path: Path, line: bytes) -> None:
    with path.open("ab") as file:
        file.write(line)


def _line(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode() + b"\n"


def _packed(record: Path | None, path: Path) -> list[dict[str, Any]]:
    """Read from the record what a file of this name had."""
    if record is None or not (packed := record / f"{path.name}.xz").exists():
        return []
    return [json.loads(line) for line in lzma.decompress(packed.read_bytes()).splitlines()]


def _pack(record: Path, path: Path, lines: Iterable[bytes]) -> None:
    packed = record / f"{path.name}.xz"
    unfinished = packed.with_suffix(".tmp")
    unfinished.write_bytes(lzma.compress(b"".join(lines), preset=lzma.PRESET_EXTREME))
    unfinished.replace(packed)
