"""What a look at one thing found: good or not, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from skrynka.cli.exits import ENVIRONMENT, FOUND, GOOD, USAGE


class State(StrEnum):
    """How a thing is, the worst last."""

    GOOD = "good"
    NOTE = "note"
    """Good, and worth knowing."""
    WARNING = "warning"
    """The daemon works, and a person should look."""
    MISSING = "missing"
    """Something outside is missing or away: the daemon can't do its work."""
    WRONG = "wrong"
    """The configuration can't be used."""


_EXITS = {
    State.GOOD: GOOD,
    State.NOTE: GOOD,
    State.WARNING: FOUND,
    State.MISSING: ENVIRONMENT,
    State.WRONG: USAGE,
}


@dataclass(frozen=True, slots=True)
class Checked:
    """One line of `skrynka check`."""

    what: str
    """A word or two that stay the same: "poppler", "inbox OBL-03"."""
    state: State
    said: str
    remedy: str = ""


def exit_code(checks: Iterable[Checked]) -> int:
    """Give the exit code: that of the worst."""
    order = list(State)
    return _EXITS[max((check.state for check in checks), key=order.index, default=State.GOOD)]
