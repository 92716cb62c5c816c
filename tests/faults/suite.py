"""A row's share of the suite: its first faults."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from types import GeneratorType
from typing import cast

import pytest

from tests.faults.row import CannotInject, Inject, Injected


def first_faults(inject: Inject, folder: Path, count: int, seed: int = 1, first: int = 1) -> list[Injected]:
    """Inject some faults, up to the first that isn't survived; the test is skipped where this machine can't."""
    return until_one_fails(inject(folder, seed, first), count)


def until_one_fails(faults: Iterator[Injected], count: int | None = None) -> list[Injected]:
    """The same, of faults as they come; without a count all of them."""
    return list(_until_one_fails(faults, count))


def _until_one_fails(faults: Iterator[Injected], count: int | None) -> Iterator[Injected]:
    with closing(cast("GeneratorType[Injected, None, None]", faults)):
        try:
            for injected in islice(faults, count):
                yield injected
                if injected.wrong:
                    return
        except CannotInject as why:
            pytest.skip(str(why))
