"""A SQLite database whose file goes from under the daemon: renamed away, or with another file in its place."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.journey.drawn_piles import Pile, draw_pile
from tests.journey.mailroom import Mailroom
from tests.support.oracle import misfits
from tests.support.processes import await_that
from tests.support.stations import Daemon, make_station

DPI = 100
PAGE = 4096
"""Bytes of SQLite's pages, where nobody says otherwise."""


@pytest.fixture
def mailroom(tmp_path: Path) -> Mailroom:
    return Mailroom(make_station(tmp_path))


@pytest.fixture
def daemon(mailroom: Mailroom) -> Iterator[Daemon]:
    with mailroom.station.running() as running:
        yield running


@pytest.fixture(scope="module")
def piles() -> list[Pile]:
    return [draw_pile(number, f"C{number} x", dpi=DPI) for number in (1, 2, 3)]


def file_of(mailroom: Mailroom) -> Path:
    return mailroom.station.folder / "skrynka.db"


def back_up(file: Path) -> None:
    """Back a database up, while it is worked with, to the file `backup` beside it."""
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(file.with_name("backup"))) as backup:
        source.backup(backup)


def finish(mailroom: Mailroom, daemon: Daemon, pile: Pile) -> None:
    mailroom.drop_all([pile])
    daemon.wait_for("scan_finished")


def claim(mailroom: Mailroom, daemon: Daemon, pile: Pile) -> None:
    mailroom.drop_all([pile])
    daemon.wait_for("scan_claimed")


def move_away(mailroom: Mailroom, *, with_log: bool) -> Path:
    """Rename the file into a folder beside it; with what belongs to it, as `mv skrynka.db*` does."""
    file, folder = file_of(mailroom), mailroom.station.folder / "elsewhere"
    folder.mkdir()
    for each in sorted(file.parent.glob("skrynka.db*")) if with_log else [file]:
        each.rename(folder / each.name)
    return folder


def bring_back(mailroom: Mailroom, folder: Path) -> None:
    # The database last: with its name it has its log.
    for each in sorted(folder.iterdir(), reverse=True):
        each.rename(mailroom.station.folder / each.name)


def lose_beside_its_log(mailroom: Mailroom, daemon: Daemon, piles: list[Pile]) -> tuple[Path, bytes]:
    """Put a backup between two piles in the file's place, as `mv` over it does: the log stays.

    Gives where the file is now, and the backup's bytes.
    """
    file = file_of(mailroom)
    finish(mailroom, daemon, piles[0])
    back_up(file)
    finish(mailroom, daemon, piles[1])
    backed_up = file.with_name("backup").read_bytes()
    elsewhere = file.rename(file.with_name("lost.db"))
    file.with_name("backup").rename(file)
    assert daemon.wait_for("database_lost")["error"] in {"not_there", "another_file"}
    return elsewhere, backed_up


def await_return(daemon: Daemon) -> None:
    """Wait for the line that the database is back; it may come before those of the scans, or after them."""
    await_that(lambda: any(line["event"] == "database_returned" for line in daemon.lines), "the database is back")


def test_while_the_file_is_away_scans_are_claimed_and_all_are_registered_when_it_is_back(
    mailroom: Mailroom, daemon: Daemon, piles: list[Pile]
) -> None:
    finish(mailroom, daemon, piles[0])
    elsewhere = move_away(mailroom, with_log=False)
    assert daemon.wait_for("database_lost")["error"] == "not_there"
    claim(mailroom, daemon, piles[1])
    claim(mailroom, daemon, piles[2])
    assert not file_of(mailroom).exists()
    bring_back(mailroom, elsewhere)
    for _ in range(2):
        daemon.wait_for("scan_finished")
    await_return(daemon)
    assert [mailroom.told(pile) for pile in piles] == [[f"{number}: COVER 1, UNSORTED 2"] for number in (1, 2, 3)]
    assert mailroom.misfits() == []


def test_a_file_that_is_no_database_of_the_station_is_left_alone_until_its_own_is_back(
    mailroom: Mailroom, daemon: Daemon, piles: list[Pile]
) -> None:
    finish(mailroom, daemon, piles[0])
    elsewhere = move_away(mailroom, with_log=True)
    with closing(sqlite3.connect(file_of(mailroom))) as other:
        other.execute("CREATE TABLE of_somebody_else (name TEXT)")
        other.commit()
    before = file_of(mailroom).read_bytes()
    assert daemon.wait_for("database_lost")["error"] in {"not_there", "another_file"}
    claim(mailroom, daemon, piles[1])
    with closing(sqlite3.connect(file_of(mailroom))) as other:
        assert other.execute("SELECT name FROM sqlite_schema").fetchall() == [("of_somebody_else",)]
    assert file_of(mailroom).read_bytes()[100:] == before[100:], "the head apart: SQLite counts who opens it"
    file_of(mailroom).unlink()
    bring_back(mailroom, elsewhere)
    daemon.wait_for("scan_finished")
    await_return(daemon)
    assert mailroom.misfits() == []


def test_no_command_touches_a_file_that_lies_in_the_place_of_the_daemons(
    mailroom: Mailroom, daemon: Daemon, piles: list[Pile]
) -> None:
    file = file_of(mailroom)
    elsewhere, _ = lose_beside_its_log(mailroom, daemon, piles)
    log = file.with_name("skrynka.db-wal")
    before = file.read_bytes(), log.read_bytes()
    assert before[1]
    for command in ("check", "status", "cases list", "db revision", "db upgrade", "audit"):
        asked = mailroom.station.run(*command.split(), check=False)
        assert asked.returncode == 3, command
        assert "Another file lies in the database's place" in asked.stdout + asked.stderr, command
        assert (file.read_bytes(), log.read_bytes()) == before, command
    elsewhere.rename(file)
    finish(mailroom, daemon, piles[2])
    await_return(daemon)
    assert mailroom.misfits() == []


def test_a_damaged_file_is_an_outage_that_commands_and_the_log_call_by_its_name(
    mailroom: Mailroom, daemon: Daemon, piles: list[Pile]
) -> None:
    finish(mailroom, daemon, piles[0])
    back_up(file_of(mailroom))
    daemon.end()
    whole = file_of(mailroom).with_name("backup").read_bytes()
    with file_of(mailroom).open("r+b") as file:
        # Its head and the table of tables are whole.
        file.seek(2 * PAGE)
        file.write(b"\xff" * (len(whole) - 2 * PAGE))
    for command in ("check", "status", "cases list"):
        asked = mailroom.station.run(*command.split(), check=False)
        assert (asked.returncode, "The database is damaged" in asked.stdout + asked.stderr) == (3, True), command
    with mailroom.station.running() as another:
        assert [line["error"] for line in another.lines if line["event"] == "database_lost"] == ["damaged"]
        claim(mailroom, another, piles[1])
        another.end()
    file_of(mailroom).write_bytes(whole)
    with mailroom.station.running() as another:
        another.wait_for("scan_finished")
    assert mailroom.misfits() == []


def test_a_file_beside_the_log_of_the_lost_one_is_not_mixed_with_it(
    mailroom: Mailroom, daemon: Daemon, piles: list[Pile]
) -> None:
    file = file_of(mailroom)
    elsewhere, backed_up = lose_beside_its_log(mailroom, daemon, piles)
    claim(mailroom, daemon, piles[2])
    assert file.read_bytes() == backed_up
    elsewhere.rename(file)
    daemon.wait_for("scan_finished")
    await_return(daemon)
    assert mailroom.misfits() == []


def test_a_backup_brought_back_as_the_readme_says_is_worked_with_at_once(
    mailroom: Mailroom, daemon: Daemon, piles: list[Pile]
) -> None:
    file = file_of(mailroom)
    finish(mailroom, daemon, piles[0])
    back_up(file)
    finish(mailroom, daemon, piles[1])
    move_away(mailroom, with_log=True)
    file.with_name("backup").rename(file)
    finish(mailroom, daemon, piles[2])
    assert mailroom.station.run("status", check=False).returncode == 0, "commands take it for the daemon's, too"
    numbers = [row["number"] for row in mailroom.query("SELECT number FROM scan ORDER BY number")]
    assert len(numbers) == 2, "the second came after the backup was made"
    found = misfits(mailroom.station.database, mailroom.station.archive, [mailroom.dropped[0], mailroom.dropped[2]])
    assert found == ["2 documents in the archive that no row knows"], "the second's: `skrynka audit` tells of it"


def test_nothing_is_made_in_the_place_of_a_file_that_a_daemon_still_has(
    mailroom: Mailroom, daemon: Daemon, piles: list[Pile]
) -> None:
    finish(mailroom, daemon, piles[0])
    elsewhere = move_away(mailroom, with_log=False)
    told = mailroom.station.run("db", "upgrade", check=False)
    assert (told.returncode, "daemon runs" in told.stderr) == (3, True), told.stderr
    assert not file_of(mailroom).exists()
    bring_back(mailroom, elsewhere)
    assert json.loads(mailroom.station.run("status", "--json").stdout)["scans"]["filed"] == 1


def test_nothing_is_made_beside_the_log_of_a_file_that_has_gone(
    mailroom: Mailroom, piles: list[Pile], tmp_path: Path
) -> None:
    daemon = Daemon(mailroom.station)
    try:
        finish(mailroom, daemon, piles[0])
    finally:
        daemon.kill()
    file = file_of(mailroom)
    log = file.with_name("skrynka.db-wal")
    kept = log.read_bytes()
    assert kept
    file.rename(tmp_path / "lost.db")
    for touched in (False, True):
        if touched:
            file.touch()
        told = mailroom.station.run("db", "upgrade", check=False)
        assert (told.returncode, "skrynka.db-wal" in told.stderr) == (3, True), told.stderr
        assert log.read_bytes() == kept
    (tmp_path / "lost.db").rename(file)
    mailroom.once()
    assert mailroom.misfits() == []
