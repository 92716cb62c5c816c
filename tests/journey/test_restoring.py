"""The drill: a database is lost, an old backup or none takes its place, and everything comes back from the archive."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from tests.journey.drawn_piles import File, Pile, draw_pile
from tests.support import scans
from tests.support.databases import MakeDatabase, Postgres
from tests.support.oracle import dropped, misfits, query
from tests.support.processes import await_that
from tests.support.skipped_faults import skip_fault
from tests.support.stations import COMMAND, Station, make_station

DPI = 100
BOXES = {"OBL-01": {}, "OBL-02": {"assemble": '"stack"'}}
OPTIONS = {"FILING__STACK_QUIET_SECONDS": "60", "FILING__END_SHEET_QUIET_SECONDS": "0.3", "SHEETS__SERIES": "Z"}
DONE = {"scan_finished", "scan_duplicated", "scan_quarantined"}
BEFORE = 1
"""So many of the files were dropped before the backup was made."""


@dataclass(frozen=True, slots=True)
class Day:
    """What is dropped, in order, into which boxes, and the page ids of the cases that come of it."""

    files: list[tuple[str, File]]
    cases: list[list[int]]


@dataclass(frozen=True, slots=True)
class Lived:
    """A station after that day, and its database as it was in the morning."""

    station: Station
    backup: Callable[[Path], str]
    """Brings the backup back, for a station in this folder; gives the URL."""
    empty: Callable[[Path], str]
    """Makes a database anew, the same way."""


@pytest.fixture(scope="module")
def day() -> Day:
    words = ("C1 x _ C2 x x", "C1 x:CERT x H x", "x C1 x")
    first, second, third = (draw_pile(number, told, dpi=DPI) for number, told in enumerate(words, start=1))
    crossing = draw_pile(4, "B C1 x x C2 x E", box="OBL-02", dpi=DPI)
    data = scans.encrypted(first.file.data)
    locked = File(data, dropped(data, spoilt=True))
    files = [first.file, second.file, second.file, first.file, locked, third.file]
    return Day(
        [("OBL-01", file) for file in files] + [("OBL-02", crossing.part(1, 3)), ("OBL-02", crossing.part(4))],
        [
            *cases_of(first, [1, 2], [4, 5, 6]),
            *cases_of(second, [1, 2, 3], [4, 5]),
            *cases_of(third, [1], [2, 3]),
            *cases_of(crossing, [2, 3, 4], [5, 6]),
        ],
    )


def cases_of(pile: Pile, *cases: list[int]) -> list[list[int]]:
    return [[100 * pile.number + place for place in case] for case in cases]


@pytest.fixture(scope="module")
def on_sqlite(day: Day, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    folder = tmp_path_factory.mktemp("lived")
    station = make_station(folder / "station", BOXES, options=OPTIONS)
    new, morning = folder / "new.db", folder / "morning.db"
    back_up(folder / "station" / "skrynka.db", new)
    live(station, day.files[:BEFORE])
    back_up(folder / "station" / "skrynka.db", morning)
    live(station, day.files[BEFORE:])

    def bring(backup: Path, into: Path) -> str:
        for old in into.glob("skrynka.db*"):
            old.unlink()
        shutil.copy(backup, into / "skrynka.db")
        return f"sqlite:///{into / 'skrynka.db'}"

    return Lived(station, lambda into: bring(morning, into), lambda into: bring(new, into))


@pytest.fixture(scope="module")
def on_postgresql(
    day: Day,
    make_database: MakeDatabase,
    postgres: Postgres,
    postgres_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Lived]:
    with ExitStack() as databases:
        url = databases.enter_context(make_database("postgresql"))
        station = make_station(tmp_path_factory.mktemp("lived") / "station", BOXES, database_url=url, options=OPTIONS)
        live(station, day.files[:BEFORE])
        morning = str(make_url(postgres.create(str(make_url(url).database))).database)
        live(station, day.files[BEFORE:])
        yield Lived(station, lambda _into: postgres.create(morning), lambda _into: postgres.create(postgres_template))


def back_up(database: Path, backup: Path) -> None:
    """Do what the README's command does, while the daemon may work."""
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)


def live(station: Station, files: list[tuple[str, File]]) -> None:
    with station.running() as daemon:
        for number, (box, file) in enumerate(files, start=1):
            station.drop(file.data, f"scan{number:04d}.pdf", box)
            await_that(
                lambda: sum(line["event"] == "scan_claimed" for line in daemon.lines) == number,  # noqa: B023 - awaited here
                f"scan {number} is claimed",
            )
        await_that(
            lambda: sum(line["event"] in DONE for line in daemon.lines) == len(files), "all scans are finished", 90
        )


@pytest.fixture(params=["an old backup, SQLite", "an empty database, SQLite", "an old backup, PostgreSQL"])
def restored(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Station, set[str]]:
    """A copy of the station with a restored database, and the names of the scans that the database doesn't know."""
    what, _, engine = str(request.param).partition(", ")
    lived: Lived = request.getfixturevalue(f"on_{engine.lower()}")
    station = copy_of(lived, tmp_path, lived.backup if what == "an old backup" else lived.empty)
    known = BEFORE if what == "an old backup" else 0
    return station, {f"ST-{number}" for number in range(known + 1, 9)}


def copy_of(lived: Lived, tmp_path: Path, bring: Callable[[Path], str]) -> Station:
    folder = tmp_path / "station"
    shutil.copytree(lived.station.folder, folder, symlinks=True)
    url = bring(folder)
    config = (folder / "skrynka.toml").read_text(encoding="utf-8").replace(lived.station.database_url, url)
    (folder / "skrynka.toml").write_text(config, encoding="utf-8")
    return Station(folder, url, dict(lived.station.environment))


def audit(station: Station, *words: str) -> dict[str, Any]:
    """Audit, and see that the exit code is what the answer says."""
    done = station.run("audit", "--json", *words, check=False)
    told: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if told["good"] else 1)
    return told


def flaws(told: dict[str, Any]) -> set[tuple[str, str]]:
    return {(each["flaw"], each["about"]) for each in told["flaws"]}


def documents(station: Station) -> list[str]:
    return sorted(path.name for path in (station.archive / "documents").rglob("*.pdf"))


def assert_all_is_back(station: Station, day: Day) -> None:
    before = documents(station)
    station.once()
    assert flaws(audit(station)) == set()
    truth = [file.truth for _, file in day.files]
    assert misfits(station.database, station.archive, truth, day.cases, empty_folders=station.leftovers) == []
    assert documents(station) == before, "what is filed again is cut into the same files"
    rows = query(station.database, "SELECT number, state FROM scan ORDER BY number")
    assert [(row["number"], row["state"]) for row in rows] == list(
        enumerate(["filed", "filed", "duplicate", "duplicate", "quarantined", "filed", "filed", "filed"], start=1)
    )


def test_a_day_of_everything_has_no_flaw(on_sqlite: Lived, on_postgresql: Lived) -> None:
    for lived in (on_sqlite, on_postgresql):
        assert flaws(audit(lived.station)) == set()


def test_what_came_after_the_backup_comes_back_from_the_archive_and_is_filed_again(
    restored: tuple[Station, set[str]], day: Day
) -> None:
    station, lost = restored
    names = {row["number"]: row for row in query(station.database, "SELECT * FROM scan")}
    found = audit(station)
    assert flaws(found) == {("scan_unregistered", name) for name in lost}
    mended = audit(station, "--repair")
    assert [(each["flaw"], each["done"]) for each in mended["repairs"]] == [("scan_unregistered", True)] * len(lost)
    assert [each["about"] for each in mended["repairs"]] == sorted(lost), "in the order of their numbers"
    assert flaws(mended) == set()
    assert len(query(station.database, "SELECT * FROM scan")) == len(names) + len(lost)
    actors = {row["actor"] for row in query(station.database, "SELECT * FROM event WHERE name = 'scan_received'")}
    assert any(actor.startswith("audit:") for actor in actors)
    assert_all_is_back(station, day)


def test_a_repair_that_is_killed_again_and_again_is_done_in_the_end(on_sqlite: Lived, day: Day, tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        skip_fault("strace isn't installed")
    station = copy_of(on_sqlite, tmp_path, on_sqlite.empty)
    shutil.rmtree(station.folder / "state")
    next(station.archive.rglob("reason.txt")).unlink()
    calls = "fsync,fdatasync,unlink,rename"
    killed = []
    for call in (1, 2, 3, 4, 5):
        inject = f"inject={calls}:signal=KILL:when={call}"
        command = [strace, "-o", "/dev/null", "-e", f"trace={calls}", "-e", inject, *COMMAND, "audit", "--repair"]
        done = subprocess.run(
            [*command, "--config", station.config],
            check=False,
            capture_output=True,
            env=station._env(),  # noqa: SLF001
        )
        if b"ptrace" in done.stderr:
            skip_fault("strace can't trace here (ptrace is forbidden)")
        killed.append(done.returncode == -signal.SIGKILL)
    assert killed.count(True) > 2, "it was killed on its way"
    audit(station, "--repair")
    assert_all_is_back(station, day)
