from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from skrynka.core.errors import DatabaseRefused, EnvironmentUnfit
from skrynka.store import case_tables, revision
from skrynka.store.columns import metadata
from skrynka.store.database import Database, open_database
from skrynka.store.views import create_views
from tests.store.schema_dump import dump_postgres, dump_sqlite
from tests.support.databases import Postgres

assert case_tables.case.metadata is metadata

_FIRST_ROWS = Path(__file__).parent / "revision_0001.sql"


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


def test_a_database_of_the_first_revision_is_upgraded_with_all_its_rows(empty_database_url: str) -> None:
    db = open_database(empty_database_url, create=True)
    with db.write() as connection:
        command.upgrade(revision._config(connection), "0001")  # noqa: SLF001 - what the program of that time called
        for statement in _FIRST_ROWS.read_text(encoding="utf-8").split(";\n\n"):
            connection.exec_driver_sql(statement)
    assert revision.upgrade(db) == ("0001", revision.head_revision())
    with db.write() as connection:
        (row,) = connection.exec_driver_sql("SELECT reason, page_number FROM case_review").all()
        assert tuple(row) == ("no_sheet", 1)
        (row,) = connection.exec_driver_sql("SELECT serial, expires_on FROM sheet").all()
        assert tuple(row) == ("A000001", None)
        (row,) = connection.exec_driver_sql("SELECT number, review_reasons, follows FROM case_overview").all()
        assert tuple(row) == ("OBL-03/2026/000001", "no_sheet", None)
    with pytest.raises(DatabaseRefused), db.write() as connection:
        connection.exec_driver_sql("UPDATE case_review SET reason = 'whatever'")
    with pytest.raises(DatabaseRefused), db.write() as connection:
        connection.exec_driver_sql("UPDATE case_review SET page_number = 2")
    db.close()


def test_the_files_of_migrations_tell_their_revisions() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(revision.__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    assert [script.revision for script in scripts.walk_revisions()][::-1] == revision._revisions()  # noqa: SLF001 - alone
    assert scripts.get_current_head() == revision.head_revision()
