"""How a benchmark speaks: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_EVERY_SECONDS = 10.0
_PIPE_WIDTH = 10_000
"""In a pipe no line is broken."""


class Teller:
    """Says what happens."""

    def __init__(self) -> None:
        self._lively = sys.stdout.isatty()
        self._console = Console(width=None if self._lively else _PIPE_WIDTH, highlight=False, markup=False)

    def say(self, text: str) -> None:
        """Say something that must be heard."""
        self._console.print(text, soft_wrap=True)
        sys.stdout.flush()

    @contextmanager
    def progress(self, title: str, whole: int, done: int = 0) -> Iterator[Callable[[str], None]]:
        """Show how work goes on; gives what is called after each piece of it, with a remark."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}"),
        )
        told_at = time.monotonic()
        with Progress(
            *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=self._console, transient=True,
            disable=not self._lively,
        ) as bar:  # fmt: skip
            task = bar.add_task(title, total=whole, completed=done, told="")

            def advance(remark: str) -> None:
                nonlocal done, told_at
                done += 1
                bar.update(task, completed=done, told=remark)
                if not self._lively and time.monotonic() - told_at >= _EVERY_SECONDS:
                    told_at = time.monotonic()
                    self.say(f"{title}: {done} of {whole}{f', {remark}' if remark else ''}")

            yield advance
