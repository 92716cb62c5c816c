"""How the demo speaks: headings and colour on a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

PIPE_WIDTH = 10_000
"""In a pipe no line is broken: whoever reads it there breaks lines better."""


class Teller:
    """Says what happens; every line is out before the daemon, which writes to the same place, says its next."""

    def __init__(self) -> None:
        self.lively = sys.stdout.isatty()
        self._console = Console(width=None if self.lively else PIPE_WIDTH, highlight=False)
        self._chapters = 0

    def title(self, text: str) -> None:
        """Say what this is all about."""
        self._say(f"[bold]{escape(text)}[/]")

    def chapter(self, text: str) -> None:
        """Begin a chapter."""
        self._chapters += 1
        heading = f"{self._chapters}. {text}"
        self._say("")
        if self.lively:
            self._console.rule(f"[bold cyan]{escape(heading)}[/]", align="left", style="cyan")
        else:
            self._say(f"== {heading}")

    def text(self, text: str = "") -> None:
        """Say a sentence."""
        self._say(escape(text))

    def item(self, name: str, text: str = "", *, bad: bool = False) -> None:
        """Say one of several things."""
        colour = "bold red" if bad else "bold"
        self._say(f"  [{colour}]{escape(name)}[/]{escape(text)}")

    def command(self, words: Sequence[str]) -> None:
        """Show a command as it would be typed."""
        self._say(f"[green]$[/] [bold]{escape(' '.join(words))}[/]")

    def scanner(self, box: str, text: str) -> None:
        """Say what the scanner of a box does, between the lines of the daemon's log."""
        self._say(f"[magenta]{'scanner':>8} {escape(box)}: {escape(text)}[/]")

    def verdict(self, text: str, *, good: bool) -> None:
        """Say how it ended."""
        self._say(f"[bold {'green' if good else 'red'}]{escape(text)}[/]")

    @contextmanager
    def progress(self, of_what: str, total: int) -> Iterator[Progress]:
        """Show a bar while something is made; lines that are said meanwhile stand above it. In a pipe: no bar."""
        with Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self.lively,
        ) as progress:
            progress.add_task(of_what, total=total)
            yield progress

    def _say(self, markup: str) -> None:
        self._console.print(markup, soft_wrap=True)
        sys.stdout.flush()
