"""How the long run speaks: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

_EVERY_SECONDS = 10.0
_PIPE_WIDTH = 10_000
"""In a pipe no line is broken."""


class Teller:
    """Says what happens."""

    def __init__(self) -> None:
        self._lively = sys.stdout.isatty()
        self._console = Console(width=None if self._lively else _PIPE_WIDTH, highlight=False, markup=False)
        self._progress: Progress | None = None
        self._told_at = time.monotonic()

    def say(self, text: str) -> None:
        """Say something that must be heard."""
        self._console.print(text, soft_wrap=True)
        sys.stdout.flush()

    @contextmanager
    def row(self, title: str, wanted: int | None) -> Iterator[None]:
        """Show how a row goes on."""
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))
        with Progress(
            *columns, TimeElapsedColumn(), console=self._console, transient=True, disable=not self._lively
        ) as progress:
            progress.add_task(title, total=wanted, told="")
            self._progress = progress
            yield
        self._progress = None

    def injected(self, row: str, count: int, wanted: int | None, failed: int) -> None:
        """Say how many faults of a row there were."""
        told = f"{count} of {wanted}" if wanted is not None else str(count)
        told += f", the invariant failed {failed} times" if failed else ""
        if self._progress is not None:
            self._progress.update(self._progress.task_ids[0], completed=count, told=told)
        if not self._lively and time.monotonic() - self._told_at >= _EVERY_SECONDS:
            self._told_at = time.monotonic()
            self.say(f"{row}: {told}")
