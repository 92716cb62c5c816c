"""What every fault test is run in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

_MEASURED = "COVERAGE_PROCESS_CONFIG"
"""Tells a process that is started to measure its own coverage."""


@pytest.fixture(scope="module", autouse=True)
def _daemons_are_as_fast_as_an_admins() -> Iterator[None]:
    """Start the daemons of fault tests unmeasured: a thousand starts, most of them killed before they could tell."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(_MEASURED, raising=False)
        yield
