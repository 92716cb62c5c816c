"""How the benchmark speaks: a line that moves on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_PIPE_WIDTH = 10_000
"""In a pipe no line is broken."""


class Teller:
    """Says what happens."""

    def __init__(self) -> None:
        self._lively = sys.stdout.isatty()
        self._console = Console(width=None if self._lively else _PIPE_WIDTH, highlight=False, markup=False)
        self._progress: Progress | None = None

    def say(self, text: str) -> None:
        """Say something that stays."""
        self._console.print(text, soft_wrap=True)
        sys.stdout.flush()

    def now(self, text: str) -> None:
        """Say what is being done."""
        if self._progress is not None:
            self._progress.update(self._progress.task_ids[0], description=text)
        else:
            self.say(f"… {text}")

    def done(self, text: str) -> None:
        """Say what a trial came to."""
        if self._progress is not None:
            self._progress.advance(self._progress.task_ids[0])
        self.say(f"  {text}")

    @contextmanager
    def trials(self, title: str, count: int) -> Iterator[None]:
        """Show how the trials of a part go on."""
        if not self._lively:
            self.say(f"{title}: {count} trials")
            yield
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._console, transient=True) as self._progress:
            self._progress.add_task(title, total=count)
            yield
        self._progress = None
