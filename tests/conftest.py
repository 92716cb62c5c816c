"""Fixtures that every test may ask for."""

from __future__ import annotations

import gc
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.databases", "tests.support.warm_starts"]

# How long an example takes says how busy the machine is; one that takes seconds would say something of what is tested.
settings.register_profile("busy", deadline=timedelta(seconds=10), suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Count as covered what tests with values of their own reach: drawn ones would take twice as long measured."""
    for item in items:
        if item.get_closest_marker("hypothesis") is not None:
            item.add_marker("no_cover")


def pytest_collection_finish() -> None:
    """Leave what was imported and collected alone: looking through it for garbage takes a tenth of the tests' time."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Let it be collected at the end: libraries tell what they think is leaked."""
    gc.unfreeze()
