from __future__ import annotations

import pytest
from alembic import command

from skrynka.core.errors import EnvironmentUnfit
from skrynka.store import case_tables, revision
from skrynka.store.columns import metadata
from skrynka.store.database import Database, open_database
from skrynka.store.views import create_views
from tests.store.schema_dump import dump_postgres, dump_sqlite
from tests.support.databases import Postgres

assert case_tables.case.metadata is metadata


def _declared(url: str) -> Database:
    db = open_database(url, create=True)
    with db.write() as connection:
        metadata.create_all(connection)
        create_views(connection)
    return db


def test_migrations_and_declarations_make_the_same_sqlite_schema(
    sqlite_template: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    migrated = open_database(f"sqlite:///{sqlite_template}")
    declared = _declared(f"sqlite:///{tmp_path_factory.mktemp('declared') / 'declared.db'}")
    dump = dump_sqlite(migrated)
    assert dump == dump_sqlite(declared)
    assert "CHECK (state IN ('received'" in dump["table scan"]
    assert "WHERE duplicate_of IS NULL" in dump["index ix_scan_one_original"]
    migrated.close()
    declared.close()


def test_migrations_and_declarations_make_the_same_postgresql_schema(
    postgres: Postgres, postgres_template: str
) -> None:
    url = postgres.create()
    _declared(url).close()
    migrated = dump_postgres(postgres.url(postgres_template), postgres.bin / "pg_dump")
    assert migrated == dump_postgres(url, postgres.bin / "pg_dump")
    assert any("ck_scan_pages_add_up" in line for line in migrated)
    assert any("WHERE (duplicate_of IS NULL)" in line for line in migrated)


def test_an_empty_database_is_brought_to_the_newest_revision(empty_database_url: str) -> None:
    db = open_database(empty_database_url, create=True)
    assert revision.current_revision(db) is None
    with pytest.raises(EnvironmentUnfit, match="revision none"):
        revision.require_head(db)
    assert revision.upgrade(db) == (None, revision.head_revision())
    revision.require_head(db)
    db.close()


def test_upgrading_again_changes_nothing(database: Database) -> None:
    head = revision.head_revision()
    assert revision.upgrade(database) == (head, head)


def test_a_database_of_a_newer_program_is_refused(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(EnvironmentUnfit, match="doesn't know"):
        revision.require_head(database)
    with pytest.raises(EnvironmentUnfit, match="doesn't know"):
        revision.upgrade(database)


def test_there_is_no_way_back(database: Database) -> None:
    with pytest.raises(NotImplementedError, match="backup"), database.write() as connection:
        command.downgrade(revision._config(connection), "base")  # noqa: SLF001 - what an admin's own alembic would do
    revision.require_head(database)


def test_an_upgrade_that_fails_leaves_everything_as_it_was(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_connection: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(revision, "create_views", fail)
    with pytest.raises(RuntimeError):
        revision.upgrade(database)
    with database.read() as connection:
        connection.exec_driver_sql("SELECT * FROM page_account")
