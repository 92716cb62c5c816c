"""Lists of personalised case sheets, as CSV: one sheet per row.

    account,address_code,meter_serials,box,case_type,branch,providers
    0012345678,80391-117,19054321+19054322,OBL-03,VER,DIS,KTE+KVK

The header is required; columns come in any order, and may be left out, as may values: what a row doesn't say is as
ordered for all. Commas, semicolons and tabs separate (whichever the header holds), UTF-8 with or without a byte order
mark. Values of a set are separated by `+` or `;`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from skrynka.core.errors import ConfigurationError
from skrynka.core.routing_code import GRAMMAR

ACCOUNT_PATTERN = r"^\d{5,12}$"
"""Accounts are digits, leading zeros kept; a provider may have another pattern."""
_TAGS = {
    "account": "A",
    "address_code": "M",
    "meter_serials": "X",
    "box": "B",
    "case_type": "T",
    "branch": "R",
    "providers": "P",
}
_ROWS = {row.tag: row for row in GRAMMAR}


class ListRejected(ConfigurationError):
    """A list that can't be used; line and column (both 1-based, the header is line 1) say where it goes wrong."""

    def __init__(self, message: str, remedy: str, line: int, column: int | None = None) -> None:
        """Say where; the value itself is personal, and stays out of the message."""
        self.line = line
        self.column = column
        where = f"Line {line}" + (f", column {column}" if column is not None else "")
        super().__init__(f"{where}: {message}", remedy)


@dataclass(frozen=True, slots=True)
class PersonalRow:
    """What one row says; None or empty where it says nothing."""

    line: int
    """Where the row begins, 1-based."""
    account: str | None = None
    address_code: str | None = None
    meter_serials: tuple[str, ...] = ()
    box: str | None = None
    case_type: str | None = None
    branch: str | None = None
    providers: tuple[str, ...] = ()


def read_rows(content: bytes, account_pattern: str = ACCOUNT_PATTERN) -> list[PersonalRow]:
    """Read a list, checking every value against the routing code's grammar; lower-case ASCII letters become capitals.

    Raises ListRejected, which never echoes a value.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ListRejected("this isn't UTF-8.", "Save the list as CSV UTF-8.", line) from None
    lines = _lines(text)
    _, header = next(lines, (1, []))
    columns = _columns(header)
    rows = [_row(line, columns, cells, account_pattern) for line, cells in lines if any(cells)]
    if not rows:
        raise ListRejected("the list has a header and no rows.", "Write a row for each sheet.", 1)
    return rows


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Give each row's first line and its cells."""
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    begins = 1
    try:
        for cells in reader:
            yield begins, [cell.strip() for cell in cells]
            begins = reader.line_num + 1
    except csv.Error:
        raise ListRejected("a quotation mark is open or misplaced.", 'Write values as "…" or bare.', begins) from None


def _columns(header: list[str]) -> list[str]:
    names = [name.lower() for name in header]
    for place, name in enumerate(names, start=1):
        if name not in _TAGS or names.index(name) != place - 1:
            problem = "is there twice" if name in _TAGS else "isn't one that is known"
            raise ListRejected(f"this column {problem}.", f"The columns are: {', '.join(_TAGS)}.", 1, place)
    if not names:
        raise ListRejected("the list is empty.", f"Begin with a header; the columns are: {', '.join(_TAGS)}.", 1)
    return names


def _row(line: int, columns: list[str], cells: list[str], account_pattern: str) -> PersonalRow:
    if len(cells) > len(columns):
        raise ListRejected("more values than columns.", "Quote values that hold a separator.", line, len(columns) + 1)
    found: dict[str, tuple[str, ...]] = {}
    for place, (name, cell) in enumerate(zip(columns, cells, strict=False), start=1):
        tag = _ROWS[_TAGS[name]]
        many = tag.most > 1
        values = [item.strip().upper() for item in re.split(r"[+;]", cell)] if many else [cell.upper()]
        values = [value for value in values if value]
        if len(values) > tag.most or len(set(values)) != len(values):
            raise ListRejected(f"at most {tag.most} values, none of them twice.", "Print two sheets.", line, place)
        if not all(len(value) <= tag.longest and re.fullmatch(tag.pattern, value, re.ASCII) for value in values):
            remedy = (
                f"At most {tag.longest} Latin letters, digits, - and . (watch for Cyrillic letters that look Latin)."
            )
            raise ListRejected(f"this is no {name} that a code can carry.", remedy, line, place)
        if name == "account" and values and re.search(account_pattern, values[0]) is None:
            remedy = "Leading zeros count: a spreadsheet may have taken them away."
            raise ListRejected("this isn't what an account looks like.", remedy, line, place)
        found[name] = tuple(values)
    return PersonalRow(
        line=line,
        account=_one(found.get("account")),
        address_code=_one(found.get("address_code")),
        meter_serials=found.get("meter_serials", ()),
        box=_one(found.get("box")),
        case_type=_one(found.get("case_type")),
        branch=_one(found.get("branch")),
        providers=found.get("providers", ()),
    )


def _one(values: tuple[str, ...] | None) -> str | None:
    return values[0] if values else None
