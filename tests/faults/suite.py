"""A row's share of the suite: its first faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from types import GeneratorType
from typing import cast

from tests.faults.row import CannotInject, Inject, Injected
from tests.support.skipped_faults import skip_fault


def _failed(injected: Injected) -> bool:
    return bool(injected.wrong)


def first_faults(
    inject: Inject,
    folder: Path,
    count: int,
    seed: int = 1,
    first: int = 1,
    last: Callable[[Injected], bool] = _failed,
) -> list[Injected]:
    """Inject some faults, up to the first that isn't survived, or that is the `last` for another reason.

    The test fails where this machine can't inject them, or is skipped where that is allowed.
    """
    return until_one_fails(inject(folder, seed, first), count, last)


def until_one_fails(
    faults: Iterator[Injected], count: int | None = None, last: Callable[[Injected], bool] = _failed
) -> list[Injected]:
    """The same, of faults as they come; without a count all of them."""
    found = []
    with closing(cast("GeneratorType[Injected, None, None]", faults)):
        try:
            for injected in islice(faults, count):
                found.append(injected)
                if last(injected):
                    break
        except CannotInject as why:
            skip_fault(why)
    return found
