from __future__ import annotations

import stat
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import TimeoutError as PoolExhausted

from skrynka.core.errors import ConfigurationError, DatabaseAway, DatabaseRefused, EnvironmentUnfit
from skrynka.store import database, revision
from skrynka.store.database import Database, open_database
from skrynka.store.failures import translated
from skrynka.store.registration import register_scan
from tests.store.samples import new_scan, received

CANARY = "Шевченко-00123456"


def test_a_refused_row_isnt_quoted_anywhere(db: Database) -> None:
    received(db, 1)
    attempts = {
        "unique": "INSERT INTO station (code, name, created_at) SELECT code, :canary, created_at FROM station",
        "check": "UPDATE scan SET original_name = :canary, state = :canary",
        "foreign_key": "UPDATE scan SET original_name = :canary, box_code = :canary",
        "not_null": "UPDATE scan SET original_name = :canary, sha256 = NULL",
        "other": "UPDATE scan SET no_such_column = :canary",
    }
    for kind, statement in attempts.items():
        with pytest.raises(DatabaseRefused) as refused, db.write() as connection:
            connection.execute(text(statement), {"canary": CANARY})
        assert refused.value.kind == kind
        assert CANARY not in "".join(traceback.format_exception(refused.value))


def test_a_refused_registration_quotes_nothing(db: Database) -> None:
    scan = new_scan(1, box=CANARY)
    with pytest.raises(DatabaseRefused) as refused:
        register_scan(db, scan)
    printed = "".join(traceback.format_exception(refused.value))
    assert CANARY not in printed
    assert scan.sha256 not in printed


def test_a_transaction_that_raises_changes_nothing(db: Database) -> None:
    def work(connection: Connection) -> None:
        connection.execute(text("UPDATE station SET name = 'X'"))
        raise KeyError

    with pytest.raises(KeyError):
        db.transact(work)
    with db.read() as connection:
        assert connection.scalar(text("SELECT name FROM station")) == "Станція А"


def test_a_reading_transaction_is_undone(db: Database) -> None:
    with db.read() as connection:
        connection.execute(text("UPDATE station SET name = 'X'"))
    with db.read() as connection:
        assert connection.scalar(text("SELECT name FROM station")) == "Станція А"


def test_many_writers_at_once_lose_nothing(db: Database) -> None:
    with db.write() as connection:
        connection.execute(text("INSERT INTO sheet_number (series, last_number) VALUES ('A', 0)"))

    def add(_: int) -> None:
        db.transact(
            lambda connection: connection.execute(text("UPDATE sheet_number SET last_number = last_number + 1"))
        )

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(add, range(60)))
    with db.read() as connection:
        assert connection.scalar(text("SELECT last_number FROM sheet_number")) == 60


@pytest.mark.parametrize("engine", ["postgresql"])
def test_a_deadlock_is_tried_again(db: Database) -> None:
    together = threading.Barrier(2)
    tries: list[str] = []

    def cross(first: str, second: str) -> None:
        def work(connection: Connection) -> None:
            tries.append(first)
            statement = text("UPDATE drop_box SET centre = centre || :mark WHERE code = :code")
            connection.execute(statement, {"mark": first[0], "code": first})
            if len(tries) <= 2:
                together.wait(10)
            connection.execute(statement, {"mark": first[0], "code": second})

        db.transact(work)

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(cross, *order) for order in (("OBL-03", "POD-01"), ("POD-01", "OBL-03"))]
        for run in runs:
            run.result()
    # PostgreSQL ends one of the two, or each of them for the other.
    assert len(tries) > len(runs)
    with db.read() as connection:
        marks = connection.scalars(text("SELECT centre FROM drop_box")).all()
    assert sorted(mark[-2:] for mark in marks) in (["OP", "OP"], ["PO", "PO"])


@pytest.mark.parametrize("engine", ["postgresql"])
def test_a_connection_that_was_cut_is_the_database_away_and_then_back(db: Database) -> None:
    with pytest.raises(DatabaseAway) as away, db.write() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert away.value.remedy
    with db.read() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


@pytest.mark.parametrize("engine", ["postgresql"])
def test_a_connection_that_was_cut_while_nobody_used_it_is_replaced_without_a_word(
    db: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skrynka.store.database._FRESH_SECONDS", 0.0)
    ask = text("SELECT pg_backend_pid()")
    with db.read() as connection:
        cut = connection.scalar(ask)
    with closing(open_database(database_url)) as other, other.read() as connection:
        assert connection.scalar(text("SELECT pg_terminate_backend(:cut, 10000)"), {"cut": cut})
    with db.read() as connection:
        assert connection.scalar(ask) != cut


def test_connections_that_are_all_in_use_are_the_database_away() -> None:
    with pytest.raises(DatabaseAway, match="in use"), translated():
        raise PoolExhausted


@pytest.mark.parametrize("engine", ["postgresql"])
def test_a_statement_that_takes_too_long_is_the_database_away(db: Database) -> None:
    with pytest.raises(DatabaseAway, match="57014"), db.write() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 1; SELECT pg_sleep(30)")


@pytest.mark.parametrize("engine", ["postgresql"])
def test_nothing_waits_for_ever_on_postgresql(db: Database) -> None:
    with db.read() as connection:
        limits = [
            connection.scalar(text(f"SHOW {name}"))
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "timezone")
        ]
    assert limits == ["1min", "15s", "1min", "UTC"]


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_server_that_isnt_there_is_the_database_away(scheme: str) -> None:
    db = open_database(f"{scheme}://nobody:{CANARY}@127.0.0.1:1/x")
    with pytest.raises(DatabaseAway) as away:
        revision.current_revision(db)
    assert CANARY not in "".join(traceback.format_exception(away.value))


@pytest.mark.parametrize("engine", ["sqlite"])
def test_sqlite_is_set_up_to_lose_nothing(db: Database) -> None:
    with db.read() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert pragmas == ["wal", 2, 1, 30000]


@pytest.mark.parametrize("engine", ["sqlite"])
def test_another_process_that_writes_too_long_is_the_database_away(
    db: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0)
    other = open_database(database_url)
    with db.write(), pytest.raises(DatabaseAway, match="SQLITE_BUSY"), other.write():
        pass
    other.close()


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_reader_sees_one_moment_and_never_waits_for_the_writer(db: Database) -> None:
    with db.write() as writer, db.read() as reader:
        writer.execute(text("UPDATE station SET name = 'X'"))
        assert reader.scalar(text("SELECT name FROM station")) == "Станція А"


def test_a_new_database_is_for_its_owner_and_group(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    url = f"sqlite:///{path}"
    with pytest.raises(EnvironmentUnfit, match="isn't there"):
        open_database(url)
    assert not path.exists()
    db = open_database(url, create=True)
    revision.upgrade(db)
    db.close()
    assert stat.S_IMODE(path.stat().st_mode) & 0o137 == 0


def test_a_folder_that_isnt_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentUnfit, match="folder"):
        open_database(f"sqlite:///{tmp_path / 'no' / 'x.db'}", create=True)


def test_sqlite_on_a_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "network_filesystem", lambda _folder: "nfs4")
    with pytest.raises(EnvironmentUnfit, match="nfs4"):
        open_database(f"sqlite:///{tmp_path / 'x.db'}", create=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:"])
def test_a_url_that_cant_be_used_is_told_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError) as wrong:
        open_database(url)
    assert wrong.value.remedy
    with pytest.raises(ConfigurationError) as wrong:
        open_database("oracle://me:secret@host/name")
    assert "secret" not in str(wrong.value)
