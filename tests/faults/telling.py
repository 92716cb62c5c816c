"""How the long run speaks: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tests.support.speaking import EVERY_SECONDS, Speaker


class Teller(Speaker):
    """Says what happens."""

    def __init__(self) -> None:
        super().__init__()
        self._progress: Progress | None = None
        self._told_at = time.monotonic()

    @contextmanager
    def row(self, title: str, wanted: int | None) -> Iterator[None]:
        """Show how a row goes on."""
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))
        with Progress(
            *columns, TimeElapsedColumn(), console=self.console, transient=True, disable=not self.lively
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
        if not self.lively and time.monotonic() - self._told_at >= EVERY_SECONDS:
            self._told_at = time.monotonic()
            self.say(f"{row}: {told}")
