from __future__ import annotations

import fcntl
import sqlite3
from contextlib import closing
from pathlib import Path

from skrynka.store.revision import head_revision
from tests.cli.conftest import Skrynka


def empty(station: Path) -> None:
    (station / "skrynka.db").unlink()
    (station / "skrynka.db").touch(mode=0o640)


def test_a_station_without_a_database_gets_one(skrynka: Skrynka, station: Path) -> None:
    (station / "skrynka.db").unlink()
    assert skrynka("db", "upgrade").out == f"The database was empty, and is now at {head_revision()}.\n"
    assert skrynka("check").code == 0


def test_at_the_newest_revision_nothing_is_done(skrynka: Skrynka, station: Path) -> None:
    before = (station / "skrynka.db").read_bytes()
    told = skrynka("db", "upgrade")
    assert (told.code, told.out) == (0, f"The database is at revision {head_revision()}, the newest: nothing to do.\n")
    assert (station / "skrynka.db").read_bytes() == before


def test_a_database_in_use_is_not_upgraded(skrynka: Skrynka, station: Path) -> None:
    empty(station)
    with (station / "state" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert skrynka("db", "upgrade").code == 3
    with closing(sqlite3.connect(station / "skrynka.db")) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)


def test_the_revision_is_told_and_whether_it_is_the_newest(skrynka: Skrynka, station: Path) -> None:
    told = skrynka("db", "revision", "--json")
    assert (told.code, told.json) == (0, {"engine": "sqlite", "current": head_revision(), "head": head_revision()})
    empty(station)
    told = skrynka("db", "revision", "--json")
    assert (told.code, told.json["current"]) == (1, None)
    assert "skrynka db upgrade" in skrynka("db", "revision").out


def test_a_command_that_needs_the_newest_revision_says_so(skrynka: Skrynka, station: Path) -> None:
    empty(station)
    told = skrynka("cases", "list")
    assert told.code == 3
    assert "skrynka db upgrade" in told.err


def test_the_status_says_what_is_known_while_the_database_is_away(skrynka: Skrynka, station: Path) -> None:
    (station / "skrynka.db").unlink()
    (station / "spool" / "some-scan").mkdir()
    (station / "spool" / "some-scan" / "claim.json").write_text("{}", encoding="ascii")
    told = skrynka("status", "--json")
    assert told.code == 3
    assert (told.json["claims"], told.json["database"], told.json["scans"]) == (1, None, None)
    assert "1 to be registered" in skrynka("status").out
