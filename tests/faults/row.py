"""A row of the fault table: faults injected one after another, and what was wrong after each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


class CannotInject(Exception):
    """This machine can't inject the row's faults; the argument is a sentence that says why: no root, no loop device."""


@dataclass(frozen=True, slots=True)
class Injected:
    """One fault that was injected, and what the oracle found once the station had recovered."""

    number: int
    """1-based, within its row; the same number and seed give the same fault again."""
    at: str
    """Where it hit, in a few words: "rename 3 of filing", "page 61"."""
    wrong: tuple[str, ...] = ()
    """What isn't as the invariant wants it, a sentence each; empty: the invariant holds."""


Inject = Callable[[Path, int, int], Iterator[Injected]]
"""Given a folder to work in, a seed, and the number of the first fault: injects faults from there on, lazily.

It may be closed after any fault and taken up again at the next number, in another folder and another process. Where
something was wrong it is closed at once, and the folder is kept for a look: a row tidies up when it is asked for the
next fault, and ends only processes when it is closed. Raises CannotInject at the first fault, where the machine can't.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A row: the suite takes its first faults, or some spread over all, and the long run takes all of them."""

    name: str
    """Stable, in small letters and hyphens: "kill-sqlite"."""
    title: str
    """What is done to the station, as a sentence without its full stop."""
    wanted: int | None
    """How many faults the long run injects; None: until none is left to inject, and `inject` then ends by itself."""
    inject: Inject
    minutes: float = 0.0
    """How long one fault of it takes at least, where that is long: with less time than that it isn't begun."""
