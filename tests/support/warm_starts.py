"""Fixtures for tests to which it doesn't matter how a daemon or a command comes to run, but what it does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.support import stations
from tests.support.warm_daemons import WarmDaemons


@pytest.fixture(scope="session")
def warm_daemons() -> Iterator[WarmDaemons]:
    """What daemons are forked from: the imports of each alone would take longer than most of what is tried on them."""
    with closing(WarmDaemons()) as daemons:
        yield daemons


@pytest.fixture(scope="module")
def daemons_start_warm(warm_daemons: WarmDaemons) -> Iterator[None]:
    """Have all of a module's stations start theirs so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stations, "usual_start", warm_daemons.start)
        patch.setattr(stations, "usual_run", warm_daemons.run)
        yield
