"""Insert, or do something else where the row is there already: both engines can, each by a construct of its own."""

from __future__ import annotations

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Give the engine's INSERT that has `on_conflict_do_update`, spelled the same on both."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
