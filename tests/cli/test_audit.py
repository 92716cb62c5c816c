"""What an audit finds in the files of a station that the real daemon filed, and what a repair makes of it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from skrynka.core.flaws import Flaw
from skrynka.store.database import new_id
from tests.cli.conftest import Answer, Skrynka
from tests.journey.drawn_piles import draw_pile
from tests.support import scans
from tests.support.oracle import Dropped, Row, dropped, misfits, query
from tests.support.stations import Station, make_station

pytestmark = pytest.mark.usefixtures("daemons_start_warm")

LONG_AGO = time.time() - 3 * 86400


@dataclass(frozen=True, slots=True)
class Filed:
    """A station, and what was dropped into its inboxes."""

    station: Station
    truth: tuple[Dropped, ...]

    @property
    def archive(self) -> Path:
        """Its archive."""
        return self.station.archive

    def scan(self, number: int) -> Row:
        """Give a scan's row."""
        (row,) = query(self.station.database, f"SELECT * FROM scan WHERE number = {number}")  # noqa: S608 - a number
        return row

    def folder(self, number: int) -> Path:
        """Give the folder of a scan's original."""
        sha256 = self.scan(number)["sha256"]
        return self.archive / "originals" / sha256[:2] / sha256

    def original(self, number: int) -> Path:
        """Give a scan's original."""
        (found,) = self.folder(number).glob("original.*")
        return found

    def sidecar(self, number: int) -> Path:
        """Give a scan's sidecar."""
        return self.folder(number) / f"{self.scan(number)['id']}.json"

    def document(self) -> Path:
        """Give a document."""
        return min((self.archive / "documents").rglob("*.pdf"))

    def note(self) -> Path:
        """Give the folder of the scan in quarantine."""
        (found,) = (self.archive / "quarantine").iterdir()
        return found

    def forget(self, *statements: str) -> None:
        """Change the database behind everybody's back."""
        with closing(sqlite3.connect(str(self.station.database))) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    def forget_quarantined(self) -> None:
        """Forget the scan in quarantine, as a database does that was restored."""
        about = "SELECT id FROM scan WHERE number = 3"
        self.forget("DROP TRIGGER event_no_delete", f"DELETE FROM event WHERE scan_id IN ({about})",  # noqa: S608 - ours
                    "DELETE FROM scan WHERE number = 3")  # fmt: skip

    def misfits(self) -> list[str]:
        """Ask the oracle."""
        station = self.station
        return misfits(station.database, station.archive, self.truth, empty_folders=station.leftovers)


@pytest.fixture(scope="module")
def filed_once(tmp_path_factory: pytest.TempPathFactory) -> Filed:
    """A station with scans 1 filed, 2 its duplicate, 3 in quarantine, 4 filed from another box."""
    station = make_station(tmp_path_factory.mktemp("audited") / "station", ("OBL-01", "OBL-02"))
    with station.config.open("a", encoding="utf-8") as config:
        config.write('[sheets]\nseries = "Z"\n')
    first, second = draw_pile(1, "C1 x _ C2 x", dpi=100), draw_pile(2, "C1 x _ C2 x", box="OBL-02", dpi=100)
    station.drop(first.file.data)
    station.once()
    station.drop(first.file.data, "again.pdf")
    station.drop(scans.program_bytes(), "later.pdf")
    station.once()
    station.drop(second.file.data, box="OBL-02")
    station.once()
    spoilt = dropped(scans.program_bytes(), spoilt=True)
    return Filed(station, (first.file.truth, first.file.truth, spoilt, second.file.truth))


@pytest.fixture
def filed(filed_once: Filed, tmp_path: Path, skrynka: Skrynka, monkeypatch: pytest.MonkeyPatch) -> Filed:
    """A copy of it for each test, named in the environment."""
    assert skrynka  # which has cleared the environment
    once, folder = filed_once.station, tmp_path / "station"
    shutil.copytree(once.folder, folder, symlinks=True)
    config = folder / "skrynka.toml"
    config.write_text(config.read_text(encoding="utf-8").replace(str(once.folder), str(folder)), encoding="utf-8")
    monkeypatch.setenv("SKRYNKA_CONFIG", str(config))
    return Filed(Station(folder, f"sqlite:///{folder / 'skrynka.db'}", dict(once.environment)), filed_once.truth)


def flaws(answer: Answer) -> set[tuple[str, str]]:
    return {(each["flaw"], each["about"]) for each in answer.json["flaws"]}


def aged(path: Path) -> Path:
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def written(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return aged(path)


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def claim_folder(filed: Filed, *, known: bool = False, number: int = 4) -> Path:
    """Put a claim into the spool, two days old."""
    told = json.loads(filed.sidecar(1).read_text(encoding="ascii"))
    told |= {"claimed_at": "2026-03-02T08:14:05+00:00", "number": number}
    told["scan_id"] = told["scan_id"] if known else new_id()
    folder = filed.station.folder / "spool" / told["scan_id"]
    written(folder / "original")
    (folder / "claim.json").write_text(json.dumps(told), encoding="ascii")
    return folder


def test_a_station_that_is_well_is_good_and_nothing_is_changed(filed: Filed, skrynka: Skrynka) -> None:
    before = {path: path.stat().st_mtime_ns for path in filed.archive.rglob("*")}
    found = skrynka("audit", "--json")
    assert (found.code, found.json["good"], found.json["flaws"], found.json["repairs"]) == (0, True, [], None)
    assert skrynka("audit").out == "All is well.\n"
    assert {path: path.stat().st_mtime_ns for path in filed.archive.rglob("*")} == before
    assert skrynka("audit", "--repair").out == "Nothing to mend.\n\nAll is well.\n"


def stored_before(filed: Filed, content: bytes) -> Path:
    """Have the archive keep what it got of scan 4 before its file changed; give the folder."""
    sha256 = hashlib.sha256(content).hexdigest()
    told = json.loads(filed.sidecar(4).read_text(encoding="ascii"))
    told |= {"sha256": sha256, "size_bytes": len(content)}
    folder = filed.archive / "originals" / sha256[:2] / sha256
    written(folder / "original.pdf", content)
    written(folder / f"{told['scan_id']}.json", json.dumps(told).encode("ascii"))
    return aged(folder)


Harm = Callable[[Filed], object]

HARMS: dict[str, tuple[Harm, set[str]]] = {
    "an original is gone": (lambda it: it.original(4).unlink(), {Flaw.ORIGINAL_MISSING}),
    "an original's folder is gone": (lambda it: shutil.rmtree(it.folder(4)), {Flaw.ORIGINAL_MISSING}),
    "a bit of an original changed": (lambda it: flipped(it.original(4)), {Flaw.ORIGINAL_CHANGED}),
    "an original is shorter": (lambda it: os.truncate(it.original(4), 100), {Flaw.ORIGINAL_CHANGED}),
    "an original is called otherwise": (
        lambda it: it.original(4).rename(it.folder(4) / "original.tiff"), {Flaw.NAME_WRONG}
    ),
    "a sidecar says something else": (
        lambda it: it.sidecar(4).write_bytes(it.sidecar(4).read_bytes().replace(b'"OBL-02"', b'"OBL-01"')),
        {Flaw.SIDECAR_CONTRADICTS},
    ),
    "a sidecar lies with another original": (
        lambda it: it.sidecar(4).rename(it.folder(1) / it.sidecar(4).name),
        {Flaw.SIDECAR_CONTRADICTS, Flaw.SIDECAR_MISSING},
    ),
    "a document is gone": (lambda it: it.document().unlink(), {Flaw.DOCUMENT_MISSING}),
    "a bit of a document changed": (lambda it: flipped(it.document()), {Flaw.DOCUMENT_CHANGED}),
    "a document is shorter": (lambda it: os.truncate(it.document(), 100), {Flaw.DOCUMENT_CHANGED}),
    "a document has another's name": (
        lambda it: written(it.archive / "documents" / "ab" / f"{'ab' * 32}.pdf"), {Flaw.NAME_WRONG}
    ),
    "an original that nothing tells of": (
        lambda it: aged(written(it.archive / "originals" / "ab" / ("ab" * 32) / "original.pdf").parent),
        {Flaw.ORIGINAL_CHANGED, Flaw.ORIGINAL_UNTOLD},
    ),
    "a sidecar alone": (
        lambda it: written(it.archive / "originals" / "ab" / ("ab" * 32) / f"{new_id()}.json"),
        {Flaw.ORIGINAL_MISSING},
    ),
    "strange things in the archive": (
        lambda it: [
            written(it.archive / place)
            for place in (
                f"quarantine/{it.note().name}/Приходько.pdf", it.folder(1).relative_to(it.archive) / "x",
                "notes.txt", ".incoming/x", "originals/readme", "originals/ab/x", "documents/ab/x.pdf",
                "documents/zz/x.pdf", "quarantine/x",
            )
        ],
        {Flaw.ENTRY_UNKNOWN},
    ),
    "a link instead of a document": (
        lambda it: (document := it.document(), document.rename(it.archive.parent / "kept.pdf"),
                    document.symlink_to(it.archive.parent / "kept.pdf")),
        {Flaw.DOCUMENT_MISSING, Flaw.ENTRY_UNKNOWN},
    ),
    "a second original": (lambda it: written(it.folder(1) / "original.tiff"), {Flaw.ENTRY_UNKNOWN}),
    "a note under another number": (
        lambda it: it.note().rename(it.note().with_name(it.note().name.replace("ST-3", "ST-9"))),
        {Flaw.NAME_WRONG, Flaw.NOTE_MISSING},
    ),
    "a claim of long ago": (claim_folder, {Flaw.CLAIM_LINGERS}),
    "a claim that is registered": (lambda it: claim_folder(it, known=True), {Flaw.CLAIM_LEFT}),
    "a claim that nobody can read": (
        lambda it: (claim_folder(it) / "claim.json").write_bytes(b"{"), {Flaw.CLAIM_DAMAGED}
    ),
    "a claim of nothing": (
        lambda it: written(it.station.folder / "spool" / ".odd" / new_id() / "claim.json"), {Flaw.CLAIM_ODD}
    ),
    "a file in the spool": (lambda it: written(it.station.folder / "spool" / "scan.pdf"), {Flaw.ENTRY_UNKNOWN}),
    "a file in an inbox": (lambda it: written(it.station.inbox() / "scan.pdf"), {Flaw.INBOX_LINGERS}),
    "an inbox is away": (lambda it: it.station.inbox("OBL-02").rmdir(), {Flaw.INBOX_UNSEEN}),
    "a claimed file that nobody knows": (
        lambda it: written(it.station.inbox() / ".claimed" / "ST" / new_id()), {Flaw.CLAIM_FORGOTTEN}
    ),
    "a claimed file that is registered": (
        lambda it: written(it.station.inbox() / ".claimed" / "ST" / it.scan(1)["id"]), {Flaw.CLAIM_LEFT}
    ),
    "a number that no scan has": (
        lambda it: (it.station.folder / "state" / "scan_number").write_text("9\n", encoding="ascii"),
        {Flaw.SCAN_NUMBERS_MISSING},
    ),
    "a scan of a box that nobody knows": (
        lambda it: (it.forget_quarantined(), shutil.rmtree(it.note()),
                    [path.write_bytes(path.read_bytes().replace(b'"OBL-01"', b'"OBL-77"'))
                     for path in it.archive.rglob("*.json") if b'"number": 3' in path.read_bytes()]),
        {Flaw.SCAN_OF_UNKNOWN_BOX},
    ),
    "a scan whose number is another's": (
        lambda it: (it.forget_quarantined(), shutil.rmtree(it.note()),
                    it.forget("UPDATE scan SET number = 3 WHERE number = 4")),
        {Flaw.SCAN_NUMBER_TAKEN, Flaw.SIDECAR_CONTRADICTS, Flaw.SCAN_NUMBERS_MISSING},
    ),
    "serials that weren't given here": (
        lambda it: it.station.config.write_text(
            it.station.config.read_text(encoding="utf-8").replace('"Z"', '"A"'), encoding="utf-8"
        ),
        {Flaw.SERIALS_BEHIND},
    ),
}  # fmt: skip
"""What a repair leaves as it is."""


@pytest.mark.parametrize("what", HARMS)
def test_what_only_a_person_can_mend_is_found_and_nothing_else_and_left(
    filed: Filed, skrynka: Skrynka, what: str
) -> None:
    harm, wanted = HARMS[what]
    harm(filed)
    found = skrynka("audit", "--json")
    assert {each["flaw"] for each in found.json["flaws"]} == wanted
    assert found.code == int(any(Flaw(flaw).about.weight != "note" for flaw in wanted))
    again = skrynka("audit", "--repair", "--json")
    mendable = {flaw for flaw in wanted if Flaw(flaw).about.mends}
    assert {each["flaw"] for each in again.json["repairs"]} == mendable
    left = {each["flaw"] for each in again.json["flaws"]}
    assert wanted - mendable <= left <= wanted


MENDED: dict[str, tuple[Harm, set[str]]] = {
    "a sidecar is gone": (lambda it: it.sidecar(4).unlink(), {Flaw.SIDECAR_MISSING}),
    "a sidecar is damaged": (lambda it: it.sidecar(4).write_bytes(b"{"), {Flaw.SIDECAR_DAMAGED}),
    "a part of an original, from before its file grew": (
        lambda it: stored_before(it, it.original(4).read_bytes()[:1000]), {Flaw.ORIGINAL_EARLIER}
    ),
    "the sidecar of such a part, over which a repair was killed": (
        lambda it: (stored_before(it, it.original(4).read_bytes()[:1000]) / "original.pdf").unlink(),
        {Flaw.ORIGINAL_EARLIER},
    ),
    "a note is gone": (lambda it: shutil.rmtree(it.note()), {Flaw.NOTE_MISSING}),
    "a reason is gone": (lambda it: (it.note() / "reason.txt").unlink(), {Flaw.NOTE_MISSING}),
    "a note of a filed scan": (
        lambda it: written(it.archive / "quarantine" / f"ST-1-{it.scan(1)['id']}" / "reason.txt"), {Flaw.NOTE_STRAY}
    ),
    "a note of no scan": (
        lambda it: written(it.archive / "quarantine" / f"ST-9-{new_id()}" / "reason.txt"), {Flaw.NOTE_STRAY}
    ),
    "half-written": (
        lambda it: [written(it.archive / ".incoming" / ("00ff" * 8)), written(it.folder(1) / ".0123456789abcdef.tmp"),
                    aged(it.archive / "originals" / "ab") if (it.archive / "originals" / "ab").exists() else None],
        {Flaw.INCOMING_LEFT},
    ),
    "an original's folder with nothing in it": (
        lambda it: ((it.archive / "originals" / "ab" / ("ab" * 32)).mkdir(parents=True),
                    aged(it.archive / "originals" / "ab" / ("ab" * 32))),
        {Flaw.INCOMING_LEFT},
    ),
    "a work folder": (
        lambda it: written(it.station.folder / "work" / f"{it.scan(1)['id']}.2" / "page.ppm"), {Flaw.WORK_LEFT}
    ),
    "a document that nobody has": (
        lambda it: written(it.archive / "documents" / "2d" / f"{X}.pdf"), {Flaw.DOCUMENT_ORPHANED}
    ),
    "a document that a repair was killed over": (
        lambda it: it.document().rename(it.document().with_suffix(".orphan")),
        {Flaw.INCOMING_LEFT, Flaw.DOCUMENT_MISSING},
    ),
    "the running number fell behind": (
        lambda it: (it.station.folder / "state" / "scan_number").unlink(), {Flaw.SCAN_NUMBER_BEHIND}
    ),
    "a scan counts otherwise": (
        lambda it: it.forget("UPDATE scan SET document_pages = 0, blank_pages = blank_pages + document_pages"
                             " WHERE number = 1"),
        {Flaw.COUNTERS_WRONG},
    ),
    "a scan was forgotten": (
        lambda it: (it.forget_quarantined(), shutil.rmtree(it.note())), {Flaw.SCAN_UNREGISTERED}
    ),
}  # fmt: skip
X = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
"""The hash of an x."""


@pytest.mark.parametrize("what", MENDED)
def test_what_is_safe_is_found_and_nothing_else_and_mended_and_told_in_the_history(
    filed: Filed, skrynka: Skrynka, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "olena")
    harm, wanted = MENDED[what]
    harm(filed)
    found = skrynka("audit", "--json")
    assert {each["flaw"] for each in found.json["flaws"]} == wanted
    again = skrynka("audit", "--repair", "--json")
    assert (again.code, again.json["flaws"]) == (0, [])
    assert all(each["done"] for each in again.json["repairs"])
    assert {each["flaw"] for each in again.json["repairs"]} == wanted - {Flaw.DOCUMENT_MISSING}
    told = query(filed.station.database, "SELECT * FROM event WHERE actor = 'audit:olena'")
    assert len(told) == len(again.json["repairs"])
    if wanted == {Flaw.SCAN_UNREGISTERED}:
        filed.station.once()
        assert skrynka("audit", "--json").json["flaws"] == []
    assert filed.misfits() == []


def _part_of_another_file(filed: Filed) -> None:
    stored_before(filed, b"%PDF-1.7 of another scan")


def _part_of_a_changed_original(filed: Filed) -> None:
    stored_before(filed, filed.original(4).read_bytes()[:1000])
    flipped(filed.original(4))


def _part_that_changed(filed: Filed) -> None:
    flipped(stored_before(filed, filed.original(4).read_bytes()[:1000]) / "original.pdf")


def _part_of_an_original_that_is_gone(filed: Filed) -> None:
    stored_before(filed, filed.original(4).read_bytes()[:1000])
    filed.original(4).unlink()


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (_part_of_another_file, "the scan's own original doesn't begin with its bytes"),
        (_part_of_a_changed_original, "the scan's own original isn't what its hash says"),
        (_part_of_an_original_that_is_gone, "the scan's own original isn't what its hash says"),
        (_part_that_changed, "its bytes aren't what their hash says"),
    ],
)
def test_what_was_stored_before_a_file_changed_stays_unless_all_of_it_is_in_the_scans_own_original(
    filed: Filed, skrynka: Skrynka, harm: Callable[[Filed], None], why: str
) -> None:
    harm(filed)
    before = {path for path in filed.archive.rglob("*") if path.is_file()}
    (mended,) = skrynka("audit", "--repair", "--json").json["repairs"]
    assert (mended["flaw"], mended["done"], mended["said"]) == ("original_earlier", False, f"left: {why}")
    assert {path for path in filed.archive.rglob("*") if path.is_file()} == before
    assert ("original_earlier", "ST-4") in flaws(skrynka("audit", "--json"))


def test_what_is_young_may_be_on_its_way_and_is_not_told(filed: Filed, skrynka: Skrynka) -> None:
    for path in (
        written(filed.archive / "documents" / "2d" / f"{X}.pdf"),
        written(filed.folder(1) / ".0123456789abcdef.tmp"),
        written(filed.archive / "originals" / X[:2] / X / "original.pdf"),
        written(filed.station.inbox() / "scan.pdf"),
    ):
        os.utime(path)
    assert skrynka("audit", "--json").json["flaws"] == []


def test_a_scan_that_lies_in_the_spool_is_on_its_way_whatever_its_age(filed: Filed, skrynka: Skrynka) -> None:
    filed.forget_quarantined()
    sidecar = next(path for path in filed.archive.rglob("*.json") if b'"number": 3' in path.read_bytes())
    folder = filed.station.folder / "spool" / sidecar.stem
    written(folder / "original")
    (folder / "claim.json").write_bytes(sidecar.read_bytes())
    assert {flaw for flaw, _ in flaws(skrynka("audit", "--json"))} == set()


def test_orphans_stay_while_any_scan_is_on_its_way(filed: Filed, skrynka: Skrynka) -> None:
    orphan = written(filed.archive / "documents" / "2d" / f"{X}.pdf")
    filed.forget_quarantined()
    first = skrynka("audit", "--repair", "--json")
    assert [(each["flaw"], each["done"]) for each in first.json["repairs"]] == [
        ("scan_unregistered", True), ("document_orphaned", False)
    ]  # fmt: skip
    second = skrynka("audit", "--repair", "--json")
    assert [(each["flaw"], each["done"]) for each in second.json["repairs"]] == [("document_orphaned", False)]
    assert orphan.read_bytes() == b"x"
    filed.station.once()
    assert skrynka("audit", "--repair").code == 0
    assert not orphan.exists()


def test_a_repair_needs_the_daemon_ended_and_an_audit_does_not(filed: Filed, skrynka: Skrynka) -> None:
    lock = os.open(filed.station.folder / "state" / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    pid = os.fork()
    if pid == 0:  # pragma: no cover - another process holds it
        time.sleep(60)
        os._exit(0)
    os.close(lock)
    try:
        refused = skrynka("audit", "--repair")
        assert skrynka("audit").code == 0
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    assert refused.code == 3
    assert "End it" in refused.err


def test_a_quick_look_hashes_nothing_and_a_repair_is_never_quick(filed: Filed, skrynka: Skrynka) -> None:
    flipped(filed.original(4))
    flipped(filed.document())
    assert skrynka("audit", "--quick").code == 0
    assert {flaw for flaw, _ in flaws(skrynka("audit", "--json"))} == {"original_changed", "document_changed"}
    assert skrynka("audit", "--quick", "--repair").code == 2


def test_an_archive_that_is_not_there_is_away_and_nothing_is_said_to_be_missing(filed: Filed, skrynka: Skrynka) -> None:
    filed.archive.rename(filed.archive.with_name("elsewhere"))
    assert skrynka("audit").code == 3
    filed.archive.mkdir()
    found = skrynka("audit")
    assert (found.code, found.out) == (3, "")
    assert "The archive isn't there" in found.err


def test_a_database_that_is_damaged_is_told(filed: Filed, skrynka: Skrynka) -> None:
    database = filed.station.folder / "skrynka.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'page'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with database.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(os.urandom(size))
    found = skrynka("audit", "--json")
    assert found.code == 1
    assert "database_damaged" in {flaw for flaw, _ in flaws(found)}


def test_people_read_what_is_wrong_how_bad_it_is_and_what_to_do(filed: Filed, skrynka: Skrynka) -> None:
    filed.original(4).unlink()
    filed.note().joinpath("reason.txt").unlink()
    written(filed.archive / "a\x1b[2J.txt")
    told = skrynka("audit").out
    assert told.index("error") < told.index("warning")
    assert "original_missing (1): A scan's original isn't in the archive." in told
    assert "ST-4" in told
    assert "a\\x1b[2J.txt" in told
    assert told.endswith("1 error and 2 warnings.\n")


def test_more_than_people_can_read_is_counted(filed: Filed, skrynka: Skrynka) -> None:
    for number in range(25):
        written(filed.archive / f"notes-{number:02}.txt")
    told = skrynka("audit").out
    assert "entry_unknown (25)" in told
    assert "and 5 more" in told
    assert "notes-20.txt" not in told


def test_a_repair_tells_what_it_mends_line_by_line_and_counts_much_that_it_leaves(
    filed: Filed, skrynka: Skrynka
) -> None:
    claim_folder(filed)
    for number in range(25):
        content = str(number).encode()
        sha256 = hashlib.sha256(content).hexdigest()
        written(filed.archive / "documents" / sha256[:2] / f"{sha256}.pdf", content)
    filed.sidecar(4).unlink()
    told = skrynka("audit", "--repair").out.splitlines()
    assert told[0] == "sidecar_missing  ST-4  written from the scan's row"
    assert [line.startswith("document_orphaned") for line in told[1:22]] == [True] * 21
    assert told[21].startswith("document_orphaned  and 5 more  left: scans are on their way")
    assert told[22] == "1 mended, 25 left."


def test_the_shape_of_the_json_is_as_promised(filed: Filed, skrynka: Skrynka) -> None:
    filed.sidecar(4).unlink()
    found: dict[str, Any] = skrynka("audit", "--repair", "--json").json
    assert list(found) == ["good", "quick", "flaws", "more", "repairs"]
    assert list(found["repairs"][0]) == ["flaw", "about", "done", "said"]
    filed.original(4).unlink()
    (flaw,) = skrynka("audit", "--json").json["flaws"]
    assert list(flaw) == [
        "flaw", "weight", "fault", "about", "detail", "station", "sentence", "remedy", "repairable"
    ]  # fmt: skip
    assert (flaw["weight"], flaw["fault"], flaw["station"], flaw["repairable"]) == ("error", "station", "ST", False)


@pytest.mark.usefixtures("filed")
def test_serials_that_a_lost_database_gave_are_told_when_they_are_printed_again(
    skrynka: Skrynka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "came in that this database didn't give" not in skrynka("sheets", "end", "--numbered").err
    told = skrynka("sheets", "end", "--numbered", "--series", "A", "-o", "again.pdf")
    assert told.code == 0
    assert "another `sheets.series`" in told.err
