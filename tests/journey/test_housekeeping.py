"""What crashes left in the archive goes after a day, and nothing else does."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from skrynka.journey.housekeeping import Housekeeping
from skrynka.premises import known_archive
from skrynka.steps.archive import Archive
from skrynka.store.boxes import sync_boxes
from skrynka.store.case_tables import document
from skrynka.store.database import Database, open_database
from tests.store.samples import BOXES, filed

DAY = 86_400.0
NOW = time.time()


@dataclass(slots=True)
class House:
    """An archive and its database; the clocks stand where a test puts them."""

    db: Database
    archive: Archive
    root: Path
    clock: list[float]

    def keeper(self, station: str = "A") -> Housekeeping:
        """Begin a service."""
        return Housekeeping(self.db, self.archive, station, lambda: self.clock[0], lambda: NOW)

    def store(self, content: bytes, age: float) -> Path:
        """Put a document into the archive, so many seconds ago."""
        source = self.root / "source.pdf"
        source.write_bytes(content)
        stored = self.archive.store_document(source)
        path = self.archive.document_path(stored.sha256)
        os.utime(path, (NOW - age, NOW - age))
        return path


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    for name in ("state", "archive"):
        (tmp_path / name).mkdir()
    db = open_database(database_url)
    sync_boxes(db, "A", "Station A", BOXES)
    yield House(db, known_archive(tmp_path / "state", tmp_path / "archive", "A"), tmp_path, [0.0])
    db.close()


def whole_round(keeper: Housekeeping, house: House) -> None:
    house.clock[0] += 2 * DAY
    while keeper.do_a_little():
        pass


def test_an_orphan_goes_after_a_day_and_a_young_one_stays(house: House) -> None:
    keeper = house.keeper()
    old, young = house.store(b"old", DAY + 1), house.store(b"young", DAY - 1)
    whole_round(keeper, house)
    assert (old.exists(), young.exists()) == (False, True)


def test_a_document_of_a_case_stays_however_old(house: House) -> None:
    keeper = house.keeper()
    filed(house.db, 1)
    with house.db.read() as connection:
        sha256 = str(connection.scalars(select(document.c.sha256)).first())
    path = house.root / "archive" / "documents" / sha256[:2] / f"{sha256}.pdf"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"a case's")
    os.utime(path, (0, 0))
    whole_round(keeper, house)
    assert path.exists()


def test_an_orphan_that_is_stored_again_is_young_again(house: House) -> None:
    old = house.store(b"again", 3 * DAY)
    source = house.root / "source.pdf"
    house.archive.store_document(source)
    assert old.stat().st_mtime > NOW - 3 * DAY
    assert old.name == f"{hashlib.sha256(b'again').hexdigest()}.pdf"


def test_nothing_is_done_soon_after_a_start_nor_twice_a_day(house: House) -> None:
    keeper = house.keeper()
    first = house.store(b"first", 2 * DAY)
    assert not keeper.do_a_little()
    whole_round(keeper, house)
    second = house.store(b"second", 2 * DAY)
    assert not keeper.do_a_little()
    assert (first.exists(), second.exists()) == (False, True)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_an_archive_that_another_station_made_is_left_to_it_where_databases_are_not_shared(house: House) -> None:
    keeper = house.keeper("B")
    old = house.store(b"the other's", 2 * DAY)
    whole_round(keeper, house)
    assert old.exists()
