"""The fields that a log line may carry, and the shape of each: nothing else gets into a line.

A field that isn't in the table is dropped, and so is a value that hasn't its field's shape. A person's name, an
address, a line of text from a page or the name that somebody gave a file have spaces, other letters, or no field, so
that a careless call loses a field and not a secret.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

Value = str | int | float | bool | datetime | date | tuple[str, ...]
"""What a field holds once it is admitted."""


class Shape(StrEnum):
    """What a field may hold."""

    CODE = "code"
    """Letters, digits and `_ . : + / -`, ASCII, no spaces, 100 characters at most; or up to 50 of them."""
    COUNT = "count"
    """A whole number."""
    NUMBER = "number"
    """Any finite number; three decimals are kept."""
    TIME = "time"
    """A date, or a time with its zone; lines show times in UTC."""
    FLAG = "flag"
    """True or false."""
    PHRASE = "phrase"
    """A fixed phrase of ours or of a library on the allow-list, 200 characters at most, escaped."""


_NAMES: Mapping[Shape, str] = {
    Shape.CODE: """
        station version role mode database revision digest box inbox volume work stage reader
        scan_id scan_number duplicate_of file_type stack_id stack_number case_id case_number document_id sheet_serial
        first_serial last_serial kind kinds case_type branch providers completeness missing reason reasons findings
        continues error cause location logger severity module signal actor setting
    """,
    Shape.COUNT: """
        pages document sheet blank duplicate quarantined cases reviews incomplete documents scans sheets boxes
        inboxes submissions counted page line lines attempt attempts epoch exit_code pid size_bytes free_bytes
        needed_bytes         free_files queued waiting orphans ordinal dropped_fields
    """,
    Shape.NUMBER: "seconds waited_seconds quiet_seconds left_seconds",
    Shape.TIME: "claimed_at opened_at emptied_on oldest_at",
    Shape.FLAG: "unfinished uncatalogued",
    Shape.PHRASE: "detail said advice",
}

FIELDS: Mapping[str, Shape] = MappingProxyType(
    {name: shape for shape, names in _NAMES.items() for name in names.split()}
)
"""Every field that a line may carry."""

_CODE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:+/-]{0,99}", re.ASCII)
_MOST_CODES = 50
_LONGEST_PHRASE = 200


def admit(name: str, value: object) -> Value | None:
    """Give the value as it may stand in a line; None when it may not."""
    shape = FIELDS.get(name)
    return None if shape is None else _ADMISSIONS[shape](value)


def escape(text: str) -> str:
    """Give a text as printable ASCII on one line, the rest as escapes, cut at 200 characters."""
    return text[:_LONGEST_PHRASE].encode("unicode_escape").decode("ascii")[:_LONGEST_PHRASE]


def as_text(value: Value) -> str:
    """Write an admitted value: times as ISO 8601 in UTC, flags in lower case, several codes with commas."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _codes(value: object) -> str | tuple[str, ...] | None:
    if isinstance(value, tuple | list | AbstractSet):
        items = tuple(_code(item) for item in (sorted(value, key=str) if isinstance(value, AbstractSet) else value))
        codes = tuple(item for item in items if item is not None)
        return codes if len(codes) == len(items) <= _MOST_CODES else None
    return _code(value)


def _code(value: object) -> str | None:
    if not isinstance(value, str | UUID):
        return None
    text = str(value)
    return text if _CODE.fullmatch(text) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, float | int):
        return None
    return round(value, 3) if math.isfinite(value) else None


def _time(value: object) -> datetime | date | None:
    if isinstance(value, datetime):
        return value if value.utcoffset() is not None else None
    return value if isinstance(value, date) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _phrase(value: object) -> str | None:
    return escape(value) if isinstance(value, str) else None


_ADMISSIONS: Mapping[Shape, Callable[[object], Value | None]] = {
    Shape.CODE: _codes,
    Shape.COUNT: _count,
    Shape.NUMBER: _number,
    Shape.TIME: _time,
    Shape.FLAG: _flag,
    Shape.PHRASE: _phrase,
}
