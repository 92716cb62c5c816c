"""What a long command says: on a terminal, or as plain lines in a pipe."""

from __future__ import annotations

import sys

from rich.console import Console

EVERY_SECONDS = 10.0
"""In a pipe a line tells so often how the work goes on."""
_PIPE_WIDTH = 10_000
"""In a pipe no line is broken."""


class Speaker:
    """Says what happens."""

    def __init__(self) -> None:
        self.lively = sys.stdout.isatty()
        """It speaks on a terminal, which can show a bar."""
        self.console = Console(width=None if self.lively else _PIPE_WIDTH, highlight=False, markup=False)

    def say(self, text: str) -> None:
        """Say something that must be heard."""
        self.console.print(text, soft_wrap=True)
        sys.stdout.flush()
