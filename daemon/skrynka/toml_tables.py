"""A TOML text read table by table, strictly: whatever is wrong is told with the file's name and the line."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skrynka.core.errors import ConfigurationError

Place = tuple[str | int, ...]
"""The keys and indexes that lead to a value: ("case_type", 0, "branch", 1, "evidence")."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table, and where it stands."""

    file_name: str
    text: str = field(repr=False)
    """The whole file."""
    place: Place
    values: Mapping[str, Any] = field(repr=False)

    def wrong(self, message: str, remedy: str, *, at: Place = (), word: str = "") -> ConfigurationError:
        """Make the error that points at the value at `at` within this table, or in it at a quoted `word`."""
        line = line_of(self.text, (*self.place, *at), f'"{word}"' if word else "")
        return ConfigurationError(f"{self.file_name}:{line}: {message}", remedy)

    def allow(self, *keys: str) -> None:
        """Raise ConfigurationError for any other key, so that a misspelt one can't do nothing."""
        for key in self.values:
            if key not in keys:
                raise self.wrong(f'"{key}" means nothing here', suggest(key, keys), at=(key,))

    def words(self, key: str, default: str | None = None) -> str:
        """Give a line of text for people. Raises ConfigurationError where it is missing, empty or no such line."""
        value = self._value(key, default)
        if not isinstance(value, str) or not value.isprintable() or (not value.strip() and value != default):
            raise self.wrong(f'"{key}" is not a line of text', f'Write {key} = "…".', at=(key,))
        return value

    def flag(self, key: str) -> bool:
        """Give true or false; false where it isn't there. Raises ConfigurationError for anything else."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(f'"{key}" is neither true nor false', f"Write {key} = true, or leave it out.", at=(key,))
        return value

    def codes(self, key: str) -> tuple[str, ...]:
        """Give a list of strings; empty where it isn't there. Raises ConfigurationError for anything else."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(f'"{key}" is not a list of codes', f'Write {key} = ["…", "…"].', at=(key,))
        return tuple(value)

    def table(self, key: str) -> Table:
        """Give the table of that name; an empty one where it isn't there. Raises ConfigurationError if it is none."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(f'"{key}" is not a table', f"Write [{self._header(key)}] above what is in it.", at=(key,))
        return Table(self.file_name, self.text, (*self.place, key), value)

    def tables(self, key: str) -> list[Table]:
        """Give every table of that name. Raises ConfigurationError if it isn't written as [[name]]."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(f'"{key}" is not a list of tables', f"Write each as [[{self._header(key)}]].", at=(key,))
        return [Table(self.file_name, self.text, (*self.place, key, index), item) for index, item in enumerate(value)]

    def _header(self, key: str) -> str:
        return ".".join([*(step for step in self.place if isinstance(step, str)), key])

    def _value(self, key: str, default: str | None) -> object:
        if key in self.values:
            return self.values[key]
        if default is None:
            raise self.wrong(f'"{key}" is missing', f'Write {key} = "…" below this line.')
        return default


def read_toml(path: Path) -> Table:
    """Read a file. Raises ConfigurationError where it can't be read, isn't UTF-8 or isn't TOML."""
    try:
        content = path.read_bytes()
    except OSError as failed:
        raise ConfigurationError(
            f"{path.name} can't be read: {failed.strerror}.",
            "`skrynka init` in a new folder writes a commented example.",
        ) from None
    return parse_toml(path.name, content)


def parse_toml(file_name: str, content: bytes) -> Table:
    """Read what stands in a file. Raises ConfigurationError where it isn't UTF-8 or isn't TOML."""
    try:
        # Windows editors put a byte order mark first, and end lines their way.
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as failed:
        line = content.count(b"\n", 0, failed.start) + 1
        raise ConfigurationError(f"{file_name}:{line}: this isn't UTF-8.", "Save the file as UTF-8.") from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as failed:
        place = re.search(r" \(at line (\d+), column \d+\)$", str(failed))
        # "(at end of document)" is the other place that tomllib tells.
        line = int(place[1]) if place else text.rstrip().count("\n") + 1
        what = str(failed).rpartition(" (at ")[0]
        raise ConfigurationError(f"{file_name}:{line}: this isn't TOML: {what}.", "See https://toml.io.") from None
    return Table(file_name, text, (), values)


def suggest(word: str, known: Iterable[str]) -> str:
    """Say what was perhaps meant, or else what there is."""
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1)
    return f'Did you mean "{close[0]}"?' if close else f"There is: {', '.join(names) or 'nothing yet'}."


def line_of(text: str, place: Place, word: str = "") -> int:
    """Give the 1-based line on which the value at `place` begins, or within it the first line that holds `word`.

    A table's line is that of its header; the empty place is line 1. tomllib tells no lines, but it can be asked: the
    statement that sets a value ends with the first line up to which the text is TOML and holds the value, and begins
    after the line up to which it was TOML before. Raises LookupError if the text doesn't hold the place.
    """
    if not place:
        return 1
    lines = text.split("\n")
    begin = 0
    for end in range(1, len(lines) + 1):
        try:
            parsed = tomllib.loads("\n".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue
        if _holds(parsed, place):
            return 1 + next((at for at in range(begin, end) if word and word in lines[at]), begin)
        begin = end
    raise LookupError("the text doesn't hold this place")


def _holds(parsed: Any, place: Place) -> bool:  # noqa: ANN401 (a TOML value can be anything)
    for step in place:
        try:
            parsed = parsed[step]
        except (LookupError, TypeError):
            return False
    return True
