"""A pile that was scanned again while its first scan waited: two cases by one sheet, and the second is for review."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from skrynka.core.errors import EnvironmentUnfit
from skrynka.core.formats import FileType
from skrynka.core.reasons import ReviewReason
from skrynka.core.stacking import Assemble, ClosedBy, OpenedBy, Segment
from skrynka.steps.archive import Archive
from skrynka.store.assembly import assemble
from skrynka.store.case_listings import list_cases
from skrynka.store.database import Database, new_id
from skrynka.store.registration import NewScan, register_scan
from tests.journey.drawn_piles import Pile, draw_pile
from tests.journey.test_breaking_off import Bench
from tests.store.samples import CLAIMED, with_boxes


@pytest.fixture
def bench(database: Database, tmp_path: Path) -> Bench:
    (tmp_path / "archive").mkdir()
    return Bench(with_boxes(database), Archive(tmp_path / "archive"), tmp_path)


def waiting(bench: Bench, number: int, pile: Pile) -> Path:
    """Have a pile read, and make a stack of it; give its original."""
    source, scan_id = bench.folder / "source.pdf", new_id()
    source.write_bytes(pile.file.data)
    kept = bench.archive.store_original(source, scan_id=scan_id, file_type="pdf", sidecar={})
    register_scan(
        bench.db,
        NewScan(scan_id, "A", number, "OBL-03", "scan.pdf", kept.sha256, kept.size_bytes, FileType.PDF, CLAIMED),
    )
    assert bench.reading.read_next()
    whole = Segment(1, len(pile.pages), OpenedBy.SCAN, closed_by=ClosedBy.SCAN_END)
    assemble(bench.db, scan_id, [whole], Assemble.FILE)
    return bench.archive.original_path(kept.sha256)


def test_a_stack_that_stood_back_after_it_was_planned_is_for_review_once_its_pile_was_scanned_again(
    bench: Bench,
) -> None:
    original = waiting(bench, 1, draw_pile(1, "C1 x", box="OBL-03"))
    away = original.rename(bench.folder / "away")
    with pytest.raises((OSError, EnvironmentUnfit)):
        bench.filing.file_next()
    assert bench.stacks()[0][0] == "planned"
    waiting(bench, 2, draw_pile(2, "C1 x", serials_of=1, box="OBL-03"))
    bench.do(bench.filing.file_next, 1)
    assert [state for state, _ in bench.stacks()] == ["planned", "filed"]
    away.rename(original)
    with capture_logs() as told:
        assert bench.filing.file_next()
    stood_back, scanned_again = sorted(list_cases(bench.db), key=lambda case: case.stack)
    assert (scanned_again.reviews, scanned_again.needs_review) == ((), False)
    assert (stood_back.reviews, stood_back.needs_review) == ((ReviewReason.SERIAL_REPEATED,), True)
    said = {line["event"]: line for line in told}
    assert said["case_created"]["reasons"] == ("serial_repeated",)
    assert said["stack_filed"]["reviews"] == 1
