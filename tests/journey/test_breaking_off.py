"""Work that breaks off: whose fault it was, whether it counts, and that no other work waits behind it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from skrynka.catalogue_file import load_catalogue
from skrynka.core.errors import DatabaseAway, EnvironmentUnfit, LeaseLost
from skrynka.core.formats import FileType
from skrynka.core.model import Symbology
from skrynka.core.signing import Signing
from skrynka.core.stacking import Assemble, ClosedBy, OpenedBy, Segment
from skrynka.journey.filing import Filing, FilingRules
from skrynka.journey.reading import Reading, ReadingRules
from skrynka.journey.unfinished import Unfinished
from skrynka.readers import child, entry
from skrynka.readers.messages import PageLimits
from skrynka.readers.processes import ProcessLimits, Readers
from skrynka.steps.archive import Archive, ArchiveAway, ArchiveDamaged
from skrynka.store.assembly import assemble
from skrynka.store.database import Database, new_id
from skrynka.store.registration import NewScan, register_scan
from tests.readers import misbehaving
from tests.store.samples import CLAIMED, HOUR, somebody, with_boxes
from tests.support.pdf_pages import numbered_pdf
from tests.support.processes import LIMIT, await_that

CASE_TYPES = Path(__file__).parents[2] / "config" / "case_types.toml"
LIMITS = PageLimits(1 << 30, 120_000_000, 60.0)
ENOUGH_TRIES = 6
"""More than three attempts and two other pieces of work."""


@dataclass
class Bench:
    """Reading and filing, with scans that lie in the archive and in the queue."""

    db: Database
    archive: Archive
    folder: Path

    def __post_init__(self) -> None:
        (self.folder / "work").mkdir()
        readers = Readers(ProcessLimits(60.0, 60.0, 4 << 30))
        work = self.folder / "work"
        rules = ReadingRules(frozenset({Symbology.QR}), frozenset(), LIMITS, HOUR)
        self.reading, self.other_reading = (
            Reading(self.db, self.archive, readers, work, somebody(), rules) for _ in range(2)
        )
        filing_rules = FilingRules(
            page_limit=20, lease_seconds=HOUR, limits=LIMITS, signing=Signing(), config_digest=""
        )
        self.filing = Filing(self.db, self.archive, readers, load_catalogue(CASE_TYPES), work, somebody(), filing_rules)

    def scan(self, number: int, end: bytes = b"") -> str:
        """Put a scan of one page into the archive and the queue; its file ends with these bytes."""
        source = numbered_pdf([number], self.folder / "source.pdf")
        source.write_bytes(source.read_bytes() + end)
        scan_id = new_id()
        stored = self.archive.store_original(source, scan_id=scan_id, file_type="pdf", sidecar={})
        new = NewScan(
            scan_id, "A", number, "OBL-03", "scan.pdf", stored.sha256, stored.size_bytes, FileType.PDF, CLAIMED
        )
        register_scan(self.db, new)
        return scan_id

    def stack(self, number: int, end: bytes = b"") -> str:
        """Have a scan read, and make a stack of it; give the scan's id."""
        scan_id = self.scan(number, end)
        assert self.reading.read_next()
        assemble(self.db, scan_id, [Segment(1, 1, OpenedBy.SCAN, closed_by=ClosedBy.SCAN_END)], Assemble.FILE)
        return scan_id

    def do(self, work: Callable[[], bool], times: int = ENOUGH_TRIES) -> list[Exception]:
        """Do this so often, as a loop does; give what was raised."""
        raised = []
        for _ in range(times):
            try:
                work()
            except (OSError, EnvironmentUnfit) as error:
                raised.append(error)
        return raised

    def scans(self) -> dict[str, tuple[str, str | None, int]]:
        """Give the scans' states, reasons and attempts."""
        with self.db.read() as connection:
            rows = connection.execute(text("SELECT id, state, quarantine_reason, attempts FROM scan"))
            return {row.id: (row.state, row.quarantine_reason, row.attempts) for row in rows}

    def epochs(self) -> dict[str, int]:
        """Give how often each scan was taken."""
        with self.db.read() as connection:
            return {row.id: row.epoch for row in connection.execute(text("SELECT id, epoch FROM scan"))}

    def original(self, scan_id: str) -> Path:
        """Find a scan's original."""
        with self.db.read() as connection:
            sha256 = connection.execute(text("SELECT sha256 FROM scan WHERE id = :id"), {"id": scan_id}).scalar_one()
        return self.archive.original_path(sha256)

    def stacks(self) -> list[tuple[str, int]]:
        """Give the stacks' states and attempts, in their order."""
        with self.db.read() as connection:
            rows = connection.execute(text("SELECT state, attempts FROM stack ORDER BY number"))
            return [(row.state, row.attempts) for row in rows]


@pytest.fixture
def bench(database: Database, tmp_path: Path) -> Bench:
    (tmp_path / "archive").mkdir()
    return Bench(with_boxes(database), Archive(tmp_path / "archive"), tmp_path)


@pytest.fixture
def _some_hinder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "run", misbehaving.is_hindered_by_some)


@pytest.mark.usefixtures("_some_hinder")
def test_a_scan_whose_reader_is_hindered_by_what_nobody_else_meets_is_counted_and_holds_no_other_up(
    bench: Bench,
) -> None:
    hindered, other = bench.scan(1, b"%hinders EIO"), bench.scan(2)
    bench.do(bench.reading.read_next, 2)
    assert bench.scans()[other][0] == "read"
    bench.do(bench.reading.read_next)
    assert bench.scans()[hindered] == ("quarantined", "attempts_exhausted", 3)


@pytest.mark.usefixtures("_some_hinder")
def test_a_scan_that_wants_more_room_than_there_is_waits_behind_the_others_and_is_never_counted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "_AMPLE_BYTES", 1 << 60)
    large, *others = bench.scan(1, b"%hinders ENOSPC"), bench.scan(2), bench.scan(3)
    assert len(bench.do(bench.reading.read_next)) == ENOUGH_TRIES - len(others)
    found = bench.scans()
    assert [found[other][0] for other in others] == ["read", "read"]
    assert found[large] == ("received", None, 0)


@pytest.mark.usefixtures("_some_hinder")
def test_a_disk_that_fails_the_service_too_is_no_scans_doing_and_the_oldest_stays_first(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    oldest, other = bench.scan(1, b"%hinders EROFS"), bench.scan(2, b"%hinders EROFS")

    def fails(_target: object) -> None:
        raise OSError(errno.EROFS, "read-only")

    monkeypatch.setattr(child, "fsync_file", fails)
    raised = bench.do(bench.reading.read_next)
    assert [getattr(error, "errno", None) for error in raised] == [errno.EROFS] * ENOUGH_TRIES
    assert set(bench.scans().values()) == {("received", None, 0)}
    assert [bench.epochs()[each] for each in (oldest, other)] == [ENOUGH_TRIES, 0]
    assert list((bench.folder / "work").iterdir()) == []


@pytest.mark.usefixtures("_some_hinder")
def test_a_reader_without_its_programs_is_no_scans_doing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    hindered, other = bench.scan(1, b"%hinders EnvironmentUnfit"), bench.scan(2)
    with monkeypatch.context() as without:
        without.setenv("PATH", "/nowhere")
        raised = bench.do(bench.reading.read_next)
    assert "poppler" in str(raised[0])
    assert (bench.scans()[hindered], bench.scans()[other][0]) == (("received", None, 0), "read")
    # They are there: then nobody else misses them.
    bench.do(bench.reading.read_next)
    assert bench.scans()[hindered] == ("quarantined", "attempts_exhausted", 3)


@pytest.mark.usefixtures("_some_hinder")
def test_a_reader_without_its_library_is_no_scans_doing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    hindered, other = bench.scan(1, b"%hinders EnvironmentUnfit"), bench.scan(2)
    monkeypatch.setattr(child, "_LIBRARY", "zbar-that-nobody-installs")

    raised = bench.do(bench.reading.read_next)

    assert "libzbar0" in str(getattr(raised[0], "remedy", ""))
    assert (bench.scans()[hindered], bench.scans()[other][0]) == (("received", None, 0), "read")


def test_a_stack_whose_original_has_rotted_is_counted_and_holds_no_other_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotten, other = bench.stack(1, b"%hinders EIO"), bench.stack(2)
    original = bench.original(rotten)
    original.write_bytes(original.read_bytes().replace(b"%PDF", b"%pdf"))
    monkeypatch.setattr(entry, "run", misbehaving.is_hindered_by_some)
    raised = bench.do(bench.filing.file_next)
    assert {type(error) for error in raised} == {ArchiveDamaged}
    assert bench.scans()[rotten][0] == "quarantined"
    assert bench.scans()[other][0] == "filed"
    assert [state for state, _ in bench.stacks()] == ["quarantined", "filed"]


def test_a_stack_that_wants_more_room_than_there_is_waits_behind_the_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.stack(1, b"%hinders ENOSPC")
    bench.stack(2)
    monkeypatch.setattr(child, "_AMPLE_BYTES", 1 << 60)
    monkeypatch.setattr(entry, "run", misbehaving.is_hindered_by_some)
    bench.do(bench.filing.file_next)
    assert bench.stacks() == [("planned", 0), ("filed", 1)]


def test_two_readers_of_one_station_never_work_in_one_folder_not_even_with_the_same_scan(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = bench.scan(1)
    monkeypatch.setattr(entry, "run", misbehaving.is_overtaken)
    with ThreadPoolExecutor(1) as thread:
        overtaken = thread.submit(bench.reading.read_next)
        await_that((bench.folder / "begun").exists, "the first reader works")
        with bench.db.write() as connection:
            # As when its lease is over; SQLite has none.
            connection.execute(text("UPDATE scan SET state = 'received', lease_owner = NULL, lease_until = NULL"))
        assert bench.other_reading.read_next()
        (bench.folder / "overtaken").touch()
        assert isinstance(overtaken.exception(timeout=LIMIT), LeaseLost)
    assert (bench.folder / "kept").exists()
    assert bench.scans()[scan] == ("read", None, 2)
    assert list((bench.folder / "work").iterdir()) == []


@pytest.mark.parametrize(
    ("lost", "counted"),
    [
        (ArchiveAway("EROFS"), False),
        (OSError(errno.EIO, "failing"), False),
        (EnvironmentUnfit("Something is away."), False),
        (ArchiveDamaged("It is gone."), True),
        (ValueError("a defect"), True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_fails_when_a_result_that_is_owed_is_recorded_counts_as_it_would_have_before(
    lost: Exception, *, counted: bool
) -> None:
    unfinished = Unfinished()
    released: list[bool] = []
    said = iter([DatabaseAway("It is away."), lost])

    def write() -> None:
        raise next(said)

    with pytest.raises(DatabaseAway), unfinished.work("scan", released.append) as record:
        record(write)
    with pytest.raises(type(lost)):
        unfinished.settle()
    unfinished.settle()
    assert released == [counted]
