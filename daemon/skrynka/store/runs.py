"""Long lists, a piece at a time: a statement holds only so many values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def runs_of(values: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    """Give the values in their order, in runs of so many at most."""
    return (values[start : start + most] for start in range(0, len(values), most))
