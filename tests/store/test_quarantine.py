from __future__ import annotations

import pytest
from sqlalchemy import text

from skrynka.core.errors import LeaseLost
from skrynka.core.reasons import QuarantineReason
from skrynka.core.stacking import Assemble, ClosedBy, OpenedBy, Segment
from skrynka.store.assembly import assemble, next_unassembled
from skrynka.store.database import Database
from skrynka.store.listings import quarantined
from skrynka.store.quarantine import quarantine_scan, quarantine_stack, retry_quarantined
from skrynka.store.queue import record_reading, reset_interrupted
from skrynka.store.records import record_filing
from skrynka.store.states import ScanState
from tests.store.asking import events_after, page_accounts
from tests.store.samples import DAY, closed, planned, read, readings, received, stored, taken, taken_stack


def _names(db: Database) -> list[str]:
    return [recorded.event.name for recorded in events_after(db)]


def test_a_scan_in_quarantine_tells_why(db: Database) -> None:
    scan_id = received(db, 7)
    quarantine_scan(db, taken(db), QuarantineReason.PAGE_UNREADABLE, page_number=2, page_count=4)
    (row,) = quarantined(db)
    assert (row.id, row.name, row.reason, row.page, row.page_count) == (scan_id, "A-7", "page_unreadable", 2, 4)
    assert row.original_name == "scan0007.pdf"
    assert "scan0007" not in repr(row)
    (account,) = page_accounts(db)
    assert (account.pages["quarantined"], account.balanced) == (4, True)
    assert _names(db)[-1] == "scan_quarantined"


def test_a_scan_put_into_quarantine_twice_stays_as_it_was(db: Database) -> None:
    received(db, 1)
    scan = taken(db)
    quarantine_scan(db, scan, QuarantineReason.CORRUPT)
    before = len(events_after(db))
    quarantine_scan(db, scan, QuarantineReason.ENCRYPTED)
    assert quarantined(db)[0].reason == "corrupt"
    assert len(events_after(db)) == before


def test_a_worker_that_was_overtaken_puts_nothing_into_quarantine(db: Database) -> None:
    received(db, 1)
    stale = taken(db, 0.0)
    reset_interrupted(db)
    taken(db)
    with pytest.raises(LeaseLost):
        quarantine_scan(db, stale, QuarantineReason.CORRUPT)
    assert quarantined(db) == []


def test_a_scan_that_is_retried_is_read_again_from_the_first_attempt(db: Database) -> None:
    scan_id = received(db, 1)
    quarantine_scan(db, taken(db), QuarantineReason.TOO_LARGE, page_count=3)
    assert retry_quarantined(db, scan_id, "user:t")
    waiting = next_unassembled(db, "OBL-03")
    assert waiting is not None
    assert (waiting.id, waiting.state, waiting.retried) == (scan_id, ScanState.RECEIVED, True)
    scan = taken(db)
    assert scan.attempt == 1
    record_reading(db, scan, readings(3))
    assert page_accounts(db)[0].balanced
    assert [each.actor for each in events_after(db) if each.event.name == "scan_retried"] == ["user:t"]


def test_only_what_is_in_quarantine_is_retried(db: Database) -> None:
    scan_id = received(db, 1)
    assert not retry_quarantined(db, scan_id, "user:t")
    assert not retry_quarantined(db, "0" * 36, "user:t")
    assert "scan_retried" not in _names(db)


def test_a_stack_that_cant_be_filed_takes_its_scan_into_quarantine_and_back(db: Database) -> None:
    closed(db, 1, pages=4)
    stack = taken_stack(db)
    planned(db, stack)
    quarantine_stack(db, stack, QuarantineReason.CUT_FAILED)
    before = len(events_after(db))
    quarantine_stack(db, stack, QuarantineReason.CUT_FAILED)
    assert len(events_after(db)) == before
    (row,) = quarantined(db)
    assert (row.reason, row.page_count) == ("cut_failed", 4)
    assert page_accounts(db)[0].balanced

    assert retry_quarantined(db, row.id, "user:t")
    assert page_accounts(db)[0].state == "read"
    again = taken_stack(db)
    assert (again.id, again.plan, again.attempt) == (stack.id, None, 1)
    judged = planned(db, again)
    record_filing(db, again, judged, stored(judged), DAY)
    assert page_accounts(db)[0].state == "filed"


def test_a_stack_that_was_overtaken_doesnt_go_to_quarantine(db: Database) -> None:
    closed(db, 1)
    stale = taken_stack(db, 0.0)
    reset_interrupted(db)
    taken_stack(db)
    with pytest.raises(LeaseLost):
        quarantine_stack(db, stale, QuarantineReason.CUT_FAILED)


def test_a_stack_that_was_filed_doesnt_go_to_quarantine(db: Database) -> None:
    closed(db, 1)
    stack = taken_stack(db)
    judged = planned(db, stack)
    record_filing(db, stack, judged, stored(judged), DAY)
    with pytest.raises(LeaseLost):
        quarantine_stack(db, stack, QuarantineReason.CUT_FAILED)
    assert page_accounts(db)[0].state == "filed"


@pytest.mark.parametrize("failing_first", [True, False])
def test_a_scan_in_two_stacks_is_finished_with_the_second_and_then_tells_of_quarantine(
    db: Database, *, failing_first: bool
) -> None:
    scan_id = read(db, 1, pages=8)
    runs = [
        Segment(1, 4, OpenedBy.COLLECTION_SHEET, closed_by=ClosedBy.COLLECTION_SHEET),
        Segment(5, 8, OpenedBy.COLLECTION_SHEET, closed_by=ClosedBy.SCAN_END),
    ]
    assemble(db, scan_id, runs, Assemble.FILE)
    for failing in (failing_first, not failing_first):
        assert page_accounts(db)[0].state == "read"
        stack = taken_stack(db)
        judged = planned(db, stack)
        if failing:
            quarantine_stack(db, stack, QuarantineReason.CUT_FAILED)
        else:
            record_filing(db, stack, judged, stored(judged), DAY)
    (account,) = page_accounts(db)
    assert account.pages == {"document": 2, "sheet": 1, "blank": 1, "duplicate": 0, "quarantined": 4}
    assert (account.state, account.balanced) == ("quarantined", True)

    retry_quarantined(db, scan_id, "user:t")
    again = taken_stack(db)
    judged = planned(db, again)
    record_filing(db, again, judged, stored(judged), DAY)
    (account,) = page_accounts(db)
    assert account.pages == {"document": 4, "sheet": 2, "blank": 2, "duplicate": 0, "quarantined": 0}
    with db.read() as connection:
        assert connection.scalar(text('SELECT count(*) FROM "case"')) == 2
