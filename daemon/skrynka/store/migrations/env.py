"""Alembic runs this to migrate: on the connection, and in the transaction, that `skrynka.store.revision` opened."""

from __future__ import annotations

from alembic import context

from skrynka.store import case_tables, tables
from skrynka.store.columns import metadata

# Both declare tables; the metadata is complete once they are imported.
assert case_tables.case.metadata is tables.scan.metadata is metadata  # noqa: S101 - says why they are imported

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
