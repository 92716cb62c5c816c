"""A database that is ready for scans."""

from __future__ import annotations

import pytest

from skrynka.store.database import Database
from tests.store.samples import with_boxes


@pytest.fixture
def db(database: Database) -> Database:
    """A fresh database with station A and its boxes, on each engine in turn."""
    return with_boxes(database)
