"""What trials come to: rates, ratios with their spread, the marginal cost. Pure."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DAEMON, NAIVE, RUNS, LIMIT = "daemon", "naive", "runs", "limit"
AGAINST = {"a": NAIVE, "b": RUNS, "c": LIMIT}
"""What the daemon, d, is compared with."""


_NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class Spread:
    """Several values of one thing."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Take at least one value."""
        known = sorted(values)
        return cls(statistics.median(known), known[0], known[-1])

    def written(self, digits: int = 1) -> str:
        """Write it: `31.2 (29.8–33.0)`; a single value without its spread."""
        middle = f"{self.median:.{digits}f}"
        return middle if self.least == self.most else f"{middle} ({self.least:.{digits}f}–{self.most:.{digits}f})"


def rate(entry: Mapping[str, Any]) -> float:
    """Give pages a second."""
    return float(entry["pages"]) / float(entry["seconds"])


def cpu_a_page(entry: Mapping[str, Any]) -> float:
    """Give milliseconds of processor time for a page: what other work on the machine changes least."""
    return 1000 * float(entry["cpu_seconds"]) / float(entry["pages"])


def ratios(
    entries: Iterable[Mapping[str, Any]], *, cost: Callable[[Mapping[str, Any]], float] | None = None
) -> dict[str, Spread]:
    """Compare the daemon's rate with each alternative's, within each repetition; `entries` are one stack's.

    Keys are those of AGAINST. With `cost`, what an alternative costs is compared with what the daemon does. What was
    measured in one repetition was measured in turn, so noise that lasts hits both sides; a repetition that lacks a side
    is left out.
    """
    by_repetition: dict[int, dict[str, float]] = {}
    for entry in entries:
        by_repetition.setdefault(int(entry["repetition"]), {})[str(entry["alternative"])] = (
            rate(entry) if cost is None else 1 / max(cost(entry), _NOTHING)
        )
    found = {}
    for letter, other in AGAINST.items():
        values = [each[DAEMON] / each[other] for each in by_repetition.values() if DAEMON in each and other in each]
        if values:
            found[letter] = Spread.of(values)
    return found


def marginal(points: Mapping[int, Sequence[float]]) -> dict[tuple[int, int], float]:
    """Give the seconds that one more costs between neighbouring sizes: `points` are seconds by size, of repetitions."""
    middle = {size: statistics.median(seconds) for size, seconds in sorted(points.items()) if seconds}
    sizes = list(middle)
    return {
        (smaller, larger): (middle[larger] - middle[smaller]) / (larger - smaller)
        for smaller, larger in itertools.pairwise(sizes)
    }


def spread_out(total: int, wanted: int, run: int = 1) -> list[int]:
    """Choose 1-based pages, in whole runs, evenly over a stack: the slow alternatives get so many of all."""
    runs = max(1, min(wanted, total) // run)
    step = (total - run) / max(1, runs - 1) if runs > 1 else 0
    chosen: list[int] = []
    for number in range(runs):
        begin = max(round(number * step) + 1, chosen[-1] + 1 if chosen else 1)
        chosen += range(begin, min(begin + run, total + 1))
    return chosen
