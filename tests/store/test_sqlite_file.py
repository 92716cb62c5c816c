from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from skrynka.core.errors import DatabaseAway, DatabaseDamaged, EnvironmentUnfit
from skrynka.store.database import Database, open_database
from skrynka.store.revision import require_head
from tests.support.databases import migrate


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a station's #1 100%" / "skrynka.db"
    path.parent.mkdir()
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def opened(file: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{file}")
    yield database
    database.close()


def add_station(database: Database, code: str) -> None:
    with database.write() as connection:
        connection.execute(text("INSERT INTO station (code, name, created_at) VALUES (:code, '', 0)"), {"code": code})


def stations(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.scalars(text("SELECT code FROM station ORDER BY code")))


def test_what_was_committed_before_the_file_went_is_there_when_it_is_back(file: Path, opened: Database) -> None:
    add_station(opened, "A")
    gone = file.rename(file.with_name("gone.db"))
    for _ in range(2):
        with pytest.raises(DatabaseAway) as away:
            stations(opened)
        assert away.value.why == "not_there"
    assert not file.exists()
    gone.rename(file)
    assert stations(opened) == ["A"]


def test_a_transaction_whose_file_goes_meanwhile_is_not_committed(file: Path, opened: Database) -> None:
    def put_away() -> None:
        with opened.write() as connection:
            connection.execute(text("INSERT INTO station (code, name, created_at) VALUES ('A', '', 0)"))
            file.rename(file.with_name("gone.db"))

    with pytest.raises(DatabaseAway):
        put_away()
    file.with_name("gone.db").rename(file)
    assert stations(opened) == []


def test_another_file_with_the_inode_of_the_removed_one_is_another(file: Path, opened: Database) -> None:
    add_station(opened, "A")
    content = file.read_bytes()
    file.unlink()
    with pytest.raises(DatabaseAway):
        stations(opened)
    # Where nobody holds the inode ext4 and tmpfs give it to the next file.
    file.write_bytes(content)
    assert opened.replaced
    with pytest.raises(DatabaseAway) as away:
        stations(opened)
    assert away.value.why == "another_file"


def test_a_replacement_is_taken_once_nothing_of_the_lost_one_lies_beside_it(file: Path, opened: Database) -> None:
    add_station(opened, "A")
    other = file.with_name("other.db")
    migrate(f"sqlite:///{other}")
    other.replace(file)
    assert opened.replaced
    with pytest.raises(DatabaseAway):
        opened.take_replacement(require_head)
    for ending in ("-wal", "-shm"):
        file.with_name(f"skrynka.db{ending}").unlink()
    opened.take_replacement(require_head)
    add_station(opened, "B")
    assert (opened.replaced, stations(opened)) == (False, ["B"])


def test_a_backup_is_not_taken_beside_the_log_of_the_lost_file_that_is_put_back_meanwhile(
    file: Path, opened: Database
) -> None:
    add_station(opened, "A")
    other = file.with_name("other.db")
    migrate(f"sqlite:///{other}")
    log = file.with_name("skrynka.db-wal")
    log.rename(file.with_name("log"))
    file.with_name("skrynka.db-shm").unlink()
    other.replace(file)

    def while_the_log_is_put_back(looked_at: Database) -> None:
        require_head(looked_at)
        file.with_name("log").rename(log)

    with pytest.raises(DatabaseAway):
        opened.take_replacement(while_the_log_is_put_back)
    log.unlink()
    opened.take_replacement(require_head)
    assert stations(opened) == []


def test_a_look_at_another_file_leaves_alone_the_log_that_is_put_back_meanwhile(file: Path, opened: Database) -> None:
    add_station(opened, "A")
    elsewhere = file.parent / "elsewhere"
    elsewhere.mkdir()
    own = [file, *(file.with_name(f"skrynka.db{ending}") for ending in ("-wal", "-shm"))]
    for each in own:
        each.rename(elsewhere / each.name)
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE of_somebody_else (name TEXT)")
        other.commit()
    with pytest.raises(DatabaseAway):
        stations(opened)

    def until_the_log_is_put_back(looked_at: Database) -> None:
        try:
            require_head(looked_at)
        finally:
            for each in own[1:]:
                (elsewhere / each.name).rename(each)

    with pytest.raises(DatabaseAway) as away:
        opened.take_replacement(until_the_log_is_put_back)
    assert away.value.why == "another_file"
    (elsewhere / file.name).replace(file)
    assert stations(opened) == ["A"]


@pytest.mark.parametrize("content", [b"", b"minutes of a meeting " * 100, None], ids=["nothing", "text", "half"])
def test_a_replacement_that_is_no_database_of_ours_is_not_taken(
    file: Path, opened: Database, content: bytes | None
) -> None:
    half = file.read_bytes()[: file.stat().st_size // 8192 * 4096]
    stations(opened)
    file.rename(file.with_name("gone.db"))
    with pytest.raises(DatabaseAway):
        stations(opened)
    for ending in ("-wal", "-shm"):
        file.with_name(f"skrynka.db{ending}").unlink()
    file.write_bytes(half if content is None else content)
    with pytest.raises(DatabaseAway) as away:
        opened.take_replacement(require_head)
    assert away.value.why == "another_file"
    assert opened.replaced


@pytest.mark.parametrize("given_up", [False, True])
def test_of_a_damaged_file_a_service_asks_nothing_more_until_another_is_taken(file: Path, *, given_up: bool) -> None:
    whole = file.read_bytes()
    with closing(sqlite3.connect(file)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'scan'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with file.open("r+b") as written:
        written.seek((root - 1) * size)
        written.write(b"\xff" * size)
    database = open_database(f"sqlite:///{file}", give_up_damaged=given_up)
    with pytest.raises(DatabaseDamaged), database.read() as connection:
        connection.execute(text("SELECT max(original_name) FROM scan")).all()
    if not given_up:
        assert stations(database) == []
        database.close()
        return
    with pytest.raises(DatabaseDamaged):
        stations(database)
    with pytest.raises(DatabaseDamaged):
        add_station(database, "A")
    replacement = file.with_name("backup")
    replacement.write_bytes(whole)
    for ending in ("-wal", "-shm"):
        file.with_name(f"skrynka.db{ending}").unlink(missing_ok=True)
    replacement.replace(file)
    database.take_replacement(require_head)
    assert stations(database) == []
    database.close()


def test_beside_a_log_no_database_is_made(file: Path) -> None:
    file.unlink()
    file.with_name("skrynka.db-wal").write_bytes(b"committed")
    with pytest.raises(EnvironmentUnfit, match="its log"):
        open_database(f"sqlite:///{file}", create=True)
    assert not file.exists()
