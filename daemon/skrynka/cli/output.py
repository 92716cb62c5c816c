"""Tables for people, JSON for programs: one set of rows, shown either way.

On a terminal a table has colour and fits the width; in a pipe it is plain lines, columns padded, nothing cut.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

JSON = typer.Option("--json", help="JSON instead of a table; its shape is stable and documented in the README.")


def show_json(value: object) -> None:
    """Print one JSON value."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def show_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "", empty: str = "") -> None:
    """Print a table; `empty` is what is said when there are no rows."""
    if not rows:
        typer.echo(empty or "nothing")
        return
    words = [[word(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        table = Table(
            box=box.SIMPLE_HEAD,
            title=title or None,
            title_justify="left",
            title_style="bold",
            pad_edge=False,
            collapse_padding=True,
        )
        for place, column in enumerate(columns):
            # The first names the thing: people copy it.
            table.add_column(column, overflow="fold", no_wrap=place == 0)
        for row in words:
            table.add_row(*(Text(cell) for cell in row))
        Console().print(table)
        return
    if title:
        typer.echo(title)
    widths = [max(len(cell) for cell in column) for column in zip(columns, *words, strict=True)]
    for row in (list(columns), *words):
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def show_facts(facts: Sequence[tuple[str, object]]) -> None:
    """Print names with what is so, one below the other."""
    widest = max(len(name) for name, _ in facts)
    for name, told in facts:
        typer.echo(f"{typer.style(f'{name:<{widest}}', bold=True)}  {word(told)}")


def moment(at: datetime | None) -> str | None:
    """Write a moment for JSON: ISO 8601 in UTC."""
    return None if at is None else at.astimezone(UTC).isoformat()


def size(size_bytes: int) -> str:
    """Write a size for people: "73.5 kB", "1.3 MB", "72.0 GB"."""
    for factor, unit in ((10**9, "GB"), (10**6, "MB")):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f} {unit}"
    return f"{size_bytes / 1000:.1f} kB"


def counted(number: int, one: str, many: str = "") -> str:
    """Write a count with its noun: "1 scan", "2 scans", "2 boxes"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def printable(text: str) -> str:
    """Write text of others so that it can't steer the terminal: whatever isn't printable stands as an escape."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )


def word(cell: object) -> str:
    """Write a value for people, on one line."""
    match cell:
        case None:
            return "-"
        case bool():
            return "yes" if cell else "no"
        case datetime():
            return cell.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        case list() | tuple() | set() | frozenset():
            return ", ".join(str(part) for part in cell) or "-"
        case _:
            # A control character in a name must not steer the terminal.
            return "".join(letter if letter.isprintable() else "�" for letter in str(cell))
