"""What crashes left in the archive goes after a day, and nothing else does."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select, text

from skrynka.core.sidecars import ToldScan, sidecar_of
from skrynka.journey.housekeeping import Housekeeping
from skrynka.logs import Mode
from skrynka.premises import known_archive
from skrynka.steps.archive import Archive, ArchiveAway
from skrynka.store.boxes import sync_boxes
from skrynka.store.case_tables import document
from skrynka.store.database import Database, new_id, open_database
from skrynka.store.queue import record_reading
from skrynka.store.registration import register_scan
from tests.store.samples import BOXES, filed, new_scan, readings, received, taken
from tests.support.log_lines import listening

DAY = 86_400.0


@dataclass(slots=True)
class House:
    """An archive and its database; the clock stands where a test puts it."""

    db: Database
    archive: Archive
    root: Path
    clock: list[float]

    def keeper(self) -> Housekeeping:
        """Begin a service."""
        return Housekeeping(self.db, self.archive, self.root / "archive", lambda: self.clock[0])

    def store(self, content: bytes, age: float) -> Path:
        """Put a document into the archive, so many seconds ago."""
        source = self.root / "source.pdf"
        source.write_bytes(content)
        stored = self.archive.store_document(source)
        path = self.archive.document_path(stored.sha256)
        touch(path, age)
        return path

    def receive(self, number: int) -> None:
        """Have a scan on its way whose original was stored days ago."""
        row = new_scan(number)
        source = self.root / "source.pdf"
        source.write_bytes(f"scan {number}".encode())
        stored = self.archive.store_original(source, scan_id=row.id, file_type="pdf", sidecar={})
        touch(self.archive.original_path(stored.sha256).parent, 2 * DAY)
        assert row.sha256 == stored.sha256
        register_scan(self.db, row)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    for name in ("state", "archive"):
        (tmp_path / name).mkdir()
    db = open_database(database_url)
    sync_boxes(db, "A", "Station A", BOXES)
    yield House(db, known_archive(tmp_path / "state", tmp_path / "archive", "A", lambda: False), tmp_path, [0.0])
    db.close()


def touch(path: Path, age: float) -> None:
    """Have something changed so many seconds ago."""
    changed = time.time() - age
    os.utime(path, (changed, changed))


def whole_round(keeper: Housekeeping, house: House) -> None:
    house.clock[0] += 2 * DAY
    while keeper.do_a_little():
        pass


def test_an_orphan_goes_after_a_day_and_a_young_one_stays(house: House) -> None:
    keeper = house.keeper()
    old, young = house.store(b"old", DAY + 1), house.store(b"young", DAY - 60)
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
    assert old.stat().st_mtime > time.time() - 3 * DAY
    assert old.name == f"{hashlib.sha256(b'again').hexdigest()}.pdf"


def test_nothing_is_done_soon_after_a_start_nor_twice_a_day(house: House) -> None:
    keeper = house.keeper()
    first = house.store(b"first", 2 * DAY)
    assert not keeper.do_a_little()
    whole_round(keeper, house)
    second = house.store(b"second", 2 * DAY)
    assert not keeper.do_a_little()
    assert (first.exists(), second.exists()) == (False, True)


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "never idle"])
def test_nothing_goes_while_the_archive_holds_a_scan_that_the_database_does_not_know_and_it_is_told_once_a_day(
    house: House, *, busy: bool
) -> None:
    keeper = house.keeper()
    source = house.root / "source.pdf"
    source.write_bytes(b"%PDF-1.7 of a day that the backup doesn't have")
    stored = house.archive.store_original(source, scan_id=new_id(), file_type="pdf", sidecar={})
    touch(house.archive.original_path(stored.sha256).parent, 2 * DAY)
    if busy:
        received(house.db, 1)
    stream = listening(Mode.JSON)
    old = house.store(b"cut that day", 2 * DAY)
    for _ in range(25):
        house.clock[0] += 3700
        while keeper.do_a_little():
            pass
    assert old.exists()
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["scans_unregistered"] * 2


def test_an_archive_beside_a_database_that_knows_no_scan_is_compared_at_once(house: House) -> None:
    keeper = house.keeper()
    source = house.root / "source.pdf"
    source.write_bytes(b"%PDF-1.7 of a day before the database was made anew")
    stored = house.archive.store_original(source, scan_id=new_id(), file_type="pdf", sidecar={})
    touch(house.archive.original_path(stored.sha256).parent, 2 * DAY)
    received(house.db, 1)
    stream = listening(Mode.JSON)
    keeper.begin_now()
    while keeper.do_a_little():
        pass
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["scans_unregistered"]


@pytest.mark.parametrize("own", ["whole", "changed", "gone"])
def test_what_was_stored_of_a_scan_before_its_file_grew_keeps_orphans_only_while_the_whole_one_is_not_there(
    house: House, own: str
) -> None:
    keeper = house.keeper()
    row = new_scan(1)
    told = json.loads(
        sidecar_of(
            ToldScan(row.id, row.number, row.station_code, row.box_code, row.original_name, row.claimed_at, "", 0, None)
        )
    )
    source = house.root / "source.pdf"
    stored = {}
    for content in (b"%PDF-1.7 of a", b"%PDF-1.7 of a file that grew"):
        source.write_bytes(content)
        stored[content] = house.archive.store_original(source, scan_id=row.id, file_type="pdf", sidecar=told)
        touch(house.archive.original_path(stored[content].sha256).parent, 2 * DAY)
    whole = stored[b"%PDF-1.7 of a file that grew"]
    register_scan(house.db, replace(row, sha256=whole.sha256, size_bytes=whole.size_bytes))
    with house.db.write() as connection:
        connection.execute(
            text(
                "UPDATE scan SET state = 'quarantined', quarantine_reason = 'corrupt', finished_at = received_at,"
                " page_count = NULL"
            )
        )
    original = house.archive.original_path(whole.sha256)
    if own == "changed":
        original.write_bytes(b"%PDF-1.7 of a file that grow")
        touch(original.parent, 2 * DAY)
    if own == "gone":
        original.unlink()
    stream = listening(Mode.JSON)
    old = house.store(b"old", 2 * DAY)
    whole_round(keeper, house)
    said = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert (old.exists(), said) == ((False, ["orphans_removed"]) if own == "whole" else (True, ["scans_unregistered"]))


def test_a_station_that_is_never_idle_is_compared_with_its_archive_once_a_day_too(house: House) -> None:
    keeper = house.keeper()
    house.receive(1)
    house.receive(2)
    steps = 0
    for _ in range(25):
        house.clock[0] += 3700
        while keeper.do_a_little():
            steps += 1
    assert steps == 2 * 2


def test_nothing_goes_while_a_scan_is_on_its_way_and_it_is_looked_again_within_the_hour(house: House) -> None:
    keeper = house.keeper()
    received(house.db, 1)
    old = house.store(b"perhaps its", 2 * DAY)
    whole_round(keeper, house)
    assert old.exists()
    record_reading(house.db, taken(house.db), readings(1))
    with house.db.write() as connection:
        connection.execute(
            text(
                "UPDATE scan SET state = 'quarantined', quarantine_reason = 'corrupt', finished_at = received_at,"
                " page_count = NULL"
            )
        )
        connection.execute(text("DELETE FROM page"))
    house.clock[0] += 3700
    while keeper.do_a_little():
        pass
    assert not old.exists()


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "never idle"])
def test_a_round_that_breaks_off_begins_anew_an_hour_later(house: House, *, busy: bool) -> None:
    keeper = house.keeper()
    if busy:
        house.receive(1)
    old = house.store(b"old", 2 * DAY)
    (house.root / "archive").rename(house.root / "away")
    (house.root / "archive").mkdir()
    house.clock[0] += 2 * DAY
    with pytest.raises(ArchiveAway):
        keeper.do_a_little()
    (house.root / "archive").rmdir()
    (house.root / "away").rename(house.root / "archive")
    assert not keeper.do_a_little()
    house.clock[0] += 3700
    assert keeper.do_a_little()
    while keeper.do_a_little():
        pass
    assert old.exists() is busy
