"""A row of the fault table: faults injected one after another, and what was wrong after each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


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

It may be closed after any fault and taken up again at the next number, in another folder and another process.
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
