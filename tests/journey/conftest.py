"""What every journey is gone in."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module", autouse=True)
def _daemons_start_warm(daemons_start_warm: None) -> None:
    """Most journeys are shorter than the imports of a daemon."""
