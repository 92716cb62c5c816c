"""How a benchmark speaks: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.support.speaking import EVERY_SECONDS, Speaker


class Teller(Speaker):
    """Says what happens."""

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
            *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=self.console, transient=True,
            disable=not self.lively,
        ) as bar:  # fmt: skip
            task = bar.add_task(title, total=whole, completed=done, told="")

            def advance(remark: str) -> None:
                nonlocal done, told_at
                done += 1
                bar.update(task, completed=done, told=remark)
                if not self.lively and time.monotonic() - told_at >= EVERY_SECONDS:
                    told_at = time.monotonic()
                    self.say(f"{title}: {done} of {whole}{f', {remark}' if remark else ''}")

            yield advance
