"""An audit beside a daemon and other stations: what is on its way isn't told, and what is theirs isn't touched."""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from skrynka.core.auditing import Report
from skrynka.core.errors import DatabaseAway
from skrynka.core.flaws import Flaw
from skrynka.core.formats import FileType
from skrynka.core.sidecars import ToldScan, sidecar_of
from skrynka.journey import repairing
from skrynka.journey.auditing import Audit
from skrynka.journey.auditing_remains import AuditedStation
from skrynka.journey.repairing import Mended, Repair
from skrynka.steps.archive import Archive
from skrynka.steps.archive.mending import ArchiveMending
from skrynka.steps.archive.walk import ArchiveWalk
from skrynka.store.boxes import Box, sync_boxes
from skrynka.store.database import Database, new_id
from skrynka.store.records import record_filing
from skrynka.store.registration import NewScan, register_scan
from tests.store.samples import BOXES, CLAIMED, DAY, closed, planned, stored, taken_stack, with_boxes

LONG_AGO = time.time() - 3 * 86400


@dataclass(slots=True)
class House:
    """Station A with its folders, and an archive that it may share with others."""

    db: Database
    folder: Path
    runs: bool = False
    waited: list[float] = field(default_factory=list)
    meanwhile: list[Path] = field(default_factory=list)
    """What comes to lie there while the audit waits, put aside as `<name>.later`."""

    @property
    def archive(self) -> Path:
        """The archive."""
        return self.folder / "archive"

    def look(self, *, quick: bool = False, most: int | None = 1000) -> Report:
        """Audit."""
        walk = ArchiveWalk(self.archive)
        return Audit(self.db, walk, self.station, lambda: None, quick=quick, most=most, wait=self._wait).look()

    def mend(self, report: Report) -> list[Mended]:
        """Repair."""
        archive, mending = Archive(self.archive), ArchiveMending(self.archive)
        return list(Repair(self.db, archive, mending, self.station, "Станція А", BOXES, "audit:olena").mend(report))

    @property
    def station(self) -> AuditedStation:
        """Station A."""
        state, spool, work = (self.folder / name for name in ("state", "spool", "work"))
        return AuditedStation("A", state, spool, work, (), "A", self.runs)

    def keep(self, number: int, *, station: str = "A", register: bool = True) -> Path:
        """Put a scan's original and sidecar into the archive, and its row into the database; give the sidecar."""
        content = f"scan {number} of {station}".encode()
        source = self.folder / "source"
        source.write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        box = "OBL-03" if station == "A" else "DAR-01"
        told = ToldScan(new_id(), number, station, box, "scan.pdf", CLAIMED, sha256, len(content), FileType.PDF)
        sidecar = json.loads(sidecar_of(told))
        Archive(self.archive).store_original(source, scan_id=told.id, file_type="pdf", sidecar=sidecar)
        if register:
            register_scan(
                self.db,
                NewScan(told.id, station, number, box, "scan.pdf", sha256, len(content), FileType.PDF, CLAIMED),
            )
        (self.folder / "state" / "scan_number").write_text("9\n", encoding="ascii")
        return self.archive / "originals" / sha256[:2] / sha256 / f"{told.id}.json"

    def document(self, content: bytes) -> Path:
        """Put an old document into the archive."""
        source = self.folder / "source"
        source.write_bytes(content)
        sha256 = Archive(self.archive).store_document(source).sha256
        path = self.archive / "documents" / sha256[:2] / f"{sha256}.pdf"
        os.utime(path, (LONG_AGO, LONG_AGO))
        return path

    def _wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        for path in self.meanwhile:
            path.with_suffix(".later").rename(path)


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    for name in ("archive", "state", "spool", "work"):
        (tmp_path / name).mkdir()
    with_boxes(database)
    return House(database, tmp_path)


def flaws(report: Report) -> list[tuple[Flaw, str]]:
    return [(found.flaw, found.about) for found in report.found if found.flaw is not Flaw.SCAN_NUMBERS_MISSING]


def test_what_is_only_on_its_way_while_the_daemon_works_is_not_told(house: House) -> None:
    house.runs = True
    late, gone = house.keep(1), house.keep(2)
    late.rename(late.with_suffix(".later"))
    gone.unlink()
    house.meanwhile.append(late)
    assert flaws(house.look()) == [(Flaw.SIDECAR_MISSING, "A-2")]
    assert len(house.waited) == 1


def test_where_nobody_works_nothing_is_waited_for(house: House) -> None:
    house.keep(1).unlink()
    assert flaws(house.look()) == [(Flaw.SIDECAR_MISSING, "A-1")]
    assert bool(house.waited) == house.db.shared, "other stations may work on a shared database"


def test_what_is_wrong_with_bytes_is_told_though_nothing_is_hashed_twice(house: House) -> None:
    house.runs = True
    sidecar = house.keep(1)
    original = sidecar.with_name("original.pdf")
    original.write_bytes(original.read_bytes().swapcase())
    assert flaws(house.look()) == [(Flaw.ORIGINAL_CHANGED, "A-1")]
    assert flaws(house.look(quick=True)) == []


def test_scans_of_another_station_are_told_when_they_are_old_and_left_to_it(house: House) -> None:
    sync_boxes(house.db, "B", "Станція Б", [Box("DAR-01", "Скринька 1", "Дарниця")])
    theirs, ours = house.keep(1, station="B", register=False), house.keep(2, register=False)
    assert flaws(house.look()) == [(Flaw.SCAN_UNREGISTERED, "A-2")], "a young one may be in their spool"
    os.utime(theirs, (LONG_AGO, LONG_AGO))
    report = house.look()
    assert sorted(flaws(report)) == [(Flaw.SCAN_UNREGISTERED, "A-2"), (Flaw.SCAN_UNREGISTERED, "B-1")]
    assert [(each.found.about, each.done) for each in house.mend(report)] == [("B-1", False), ("A-2", True)]
    assert flaws(house.look()) == [(Flaw.SCAN_UNREGISTERED, "B-1")]
    assert ours.exists()


def test_a_document_that_a_case_got_meanwhile_is_put_back(house: House) -> None:
    path = house.document(b"a paper")
    report = house.look()
    assert [flaw for flaw, _ in flaws(report)] == [Flaw.DOCUMENT_ORPHANED]
    closed(house.db, 1)
    stack = taken_stack(house.db)
    judged = planned(house.db, stack)
    sha256 = path.stem
    documents = {place: type(each)(sha256, 7) for place, each in stored(judged).items()}
    assert [each.done for each in house.mend(report)] == [False], "its stack is in work"
    record_filing(house.db, stack, judged, documents, DAY)
    assert [each.done for each in house.mend(report)] == [False], "a case has it"
    assert path.read_bytes() == b"a paper"
    assert list((house.archive / ".incoming").iterdir()) == []


def test_a_document_that_was_stored_again_while_it_was_set_aside_is_there_once(house: House) -> None:
    path = house.document(b"a paper")
    mending = ArchiveMending(house.archive)
    aside = mending.set_document_aside(path.stem)
    house.document(b"a paper")
    mending.put_back(aside)
    assert path.read_bytes() == b"a paper"
    assert not aside.exists()


def test_an_original_that_changed_is_never_registered(house: House) -> None:
    sidecar = house.keep(1, register=False)
    report = house.look()
    original = sidecar.with_name("original.pdf")
    original.write_bytes(original.read_bytes().swapcase())
    (mended,) = house.mend(report)
    assert (mended.done, mended.said) == (False, "left: its original isn't what its hash says")
    assert (Flaw.ORIGINAL_CHANGED, "A-1") not in flaws(house.look(quick=True))


def test_scans_come_back_in_the_order_of_their_numbers(house: House) -> None:
    for number in (3, 11, 1, 7, 10, 2):
        house.keep(number, register=False)
    mended = house.mend(house.look())
    assert [each.found.about for each in mended] == ["A-1", "A-2", "A-3", "A-7", "A-10", "A-11", "A"]
    assert (house.folder / "state" / "scan_number").read_text(encoding="ascii") == "11\n"


def test_documents_stay_while_a_scan_that_only_the_archive_knows_cannot_come_back(house: House) -> None:
    sidecar = house.keep(1, register=False)
    sidecar.write_bytes(sidecar.read_bytes().replace(b"OBL-03", b"OBL-99"))
    path = house.document(b"a paper")
    report = house.look()
    assert [flaw for flaw, _ in flaws(report)] == [Flaw.SCAN_OF_UNKNOWN_BOX, Flaw.DOCUMENT_ORPHANED]
    assert [each.done for each in house.mend(report)] == [False]
    assert path.exists()


def test_many_flaws_are_counted_and_some_kept(house: House) -> None:
    for number in range(1, 6):
        house.keep(number).unlink()
    report = house.look(most=2)
    assert len(flaws(report)) == 2
    assert report.more == {Flaw.SIDECAR_MISSING: 3}


def test_an_archive_of_many_rows_is_looked_through_piece_by_piece(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skrynka.store.archived._ROWS_AT_A_TIME", 3)
    for number in range(1, 8):
        house.keep(number)
    house.document(b"a paper")
    looked: list[str] = []
    audit = Audit(
        house.db, ArchiveWalk(house.archive), house.station, lambda: None,
        progress=lambda part, *_: looked.append(part), wait=lambda _: None,
    )  # fmt: skip
    assert [found.flaw for found in audit.look().found] == [Flaw.DOCUMENT_ORPHANED, Flaw.SCAN_NUMBERS_MISSING]
    assert set(looked) == {"account", "spool", "originals", "documents", "archive", "numbers"}


def test_old_claims_of_time_that_stood_still_are_told_with_their_age(house: House) -> None:
    assert house.db.now() - timedelta(days=1) > CLAIMED, "the samples are old"
    folder = house.folder / "spool" / new_id()
    folder.mkdir()
    assert flaws(house.look()) == [], "a folder that a claim had hardly begun"
    (folder / "original").write_bytes(b"x")
    assert flaws(house.look()) == [(Flaw.CLAIM_DAMAGED, f"spool/{folder.name}")]


def test_a_database_that_goes_in_mid_repair_ends_it_and_leaves_no_document_out_of_sight(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = house.document(b"a paper")
    report = house.look()

    def lost(*_: object) -> NoReturn:
        raise DatabaseAway("It is away.")

    with monkeypatch.context() as patched:
        patched.setattr(repairing, "has_document", lost)
        with pytest.raises(DatabaseAway):
            house.mend(report)
    assert path.read_bytes() == b"a paper"
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert [each.done for each in house.mend(report)] == [True]
