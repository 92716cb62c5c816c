"""Each wrong state, and the constraint that makes it impossible."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import CheckConstraint, text

from skrynka.core.errors import DatabaseRefused
from skrynka.store.columns import metadata
from skrynka.store.database import Database, open_database
from skrynka.store.follow_ups import NewFollowUp, honour
from skrynka.store.sheets import record_sheets
from tests.store.samples import case_sheet, closed, filed, read, received, taken, with_boxes
from tests.support.databases import MakeDatabase

# The rows that `rows` makes: scans 1, 7 and 9 filed (stacks 1 to 3), 2 in a closed stack (4), 3 read, 4 being read,
# 5 received, 6 a duplicate of 5, 8 a duplicate of 3. Every change here is refused, so they are made once.
_CHECKS = {
    # scan
    "a scan has a known state": ("scan", "state = 'lost' WHERE number = 5"),
    "a scan has a known type": ("scan", "file_type = 'docx' WHERE number = 5"),
    "a scan's number counts from 1": ("scan", "number = 0 WHERE number = 5"),
    "a scan's id is a UUID": ("scan", "id = 'x' WHERE number = 3"),
    "a scan's hash is a SHA-256": ("scan", "sha256 = 'x' WHERE number = 5"),
    "a scan has no negative size": ("scan", "size_bytes = -1 WHERE number = 5"),
    "attempts can't be negative": ("scan", "attempts = -1 WHERE number = 5"),
    "a scan that was read has pages": ("scan", "page_count = NULL WHERE number = 3"),
    "a scan doesn't have zero pages": ("scan", "page_count = 0 WHERE number = 3"),
    "a scan that waits has no pages yet": ("scan", "page_count = 3 WHERE number = 5"),
    "a filed scan's pages add up": ("scan", "blank_pages = blank_pages + 1 WHERE number = 1"),
    "counters aren't negative": ("scan", "blank_pages = -1, sheet_pages = sheet_pages + 2 WHERE number = 1"),
    "nothing is counted before it is filed": ("scan", "document_pages = 3 WHERE number = 3"),
    "a duplicate is of something": ("scan", "duplicate_of = NULL WHERE number = 6"),
    "a duplicate's pages add up": ("scan", "page_count = 4 WHERE number = 6"),
    "a duplicate isn't of itself": ("scan", "duplicate_of = id WHERE number = 6"),
    "nothing is in quarantine without a reason": (
        "scan",
        "state = 'quarantined', lease_owner = NULL, lease_until = NULL, finished_at = claimed_at WHERE number = 4",
    ),
    "a quarantine reason is known": (
        "scan",
        "state = 'quarantined', finished_at = claimed_at, quarantine_reason = 'bad' WHERE number = 5",
    ),
    "only quarantine is about a page": ("scan", "quarantine_page = 1 WHERE number = 5"),
    "a filed scan was finished at a time": ("scan", "finished_at = NULL WHERE number = 1"),
    "a scan that waits isn't finished": ("scan", "finished_at = claimed_at WHERE number = 5"),
    "a scan isn't assembled before it is read": ("scan", "assembled_at = claimed_at WHERE number = 5"),
    "a scan isn't filed before it is assembled": ("scan", "assembled_at = NULL WHERE number = 1"),
    "a scan is read by somebody": ("scan", "lease_owner = NULL, lease_until = NULL WHERE number = 4"),
    "nobody has a scan that waits": ("scan", "lease_owner = 'x' WHERE number = 5"),
    "nothing that waits has a lease": ("scan", "lease_until = claimed_at WHERE number = 5"),
    # stack
    "a stack has a known state": ("stack", "state = 'lost' WHERE number = 4"),
    "a stack was opened by something known": ("stack", "opened_by = 'wind' WHERE number = 4"),
    "a stack was closed by something known": ("stack", "closed_by = 'wind' WHERE number = 4"),
    "a stack is assembled in a known way": ("stack", "assemble = 'hand' WHERE number = 4"),
    "a stack's number counts from 1": ("stack", "number = 0 WHERE number = 4"),
    "no negative number of envelopes": ("stack", "counted = -1 WHERE number = 1"),
    "an open stack has no end": ("stack", "state = 'open' WHERE number = 4"),
    "a closed stack was closed by something": ("stack", "closed_by = NULL WHERE number = 4"),
    "a closed stack isn't filed": ("stack", "filed_at = closed_at WHERE number = 4"),
    "a filed stack was filed at a time": ("stack", "filed_at = NULL WHERE number = 1"),
    "a plan comes with its configuration": ("stack", "config_digest = NULL WHERE number = 1"),
    "a planned stack has a plan": ("stack", "state = 'planned' WHERE number = 4"),
    "a closed stack has none": ("stack", "plan = '{}', config_digest = 'x' WHERE number = 4"),
    "a stack in quarantine has a reason": ("stack", "state = 'quarantined' WHERE number = 4"),
    "a stack's quarantine reason is known": (
        "stack",
        "state = 'quarantined', quarantine_reason = 'bad' WHERE number = 4",
    ),
    "a lease is somebody's": ("stack", "lease_until = closed_at WHERE number = 4"),
    "nobody works on a filed stack": ("stack", "lease_owner = 'x' WHERE number = 1"),
    "a stack's attempts can't be negative": ("stack", "attempts = -1 WHERE number = 4"),
    # page
    "a page has a known disposition": ("page", "disposition = 'lost' WHERE disposition = 'blank'"),
    "a page's number counts from 1": ("page", "number = 0 WHERE disposition = 'blank'"),
    "a page's place counts from 1": ("page", "position = 0 WHERE disposition = 'blank'"),
    "a page's place in a document counts from 1": ("page", "page_in_document = 0 WHERE disposition = 'document'"),
    "pages turn by right angles": ("page", "rotation = 45 WHERE disposition = 'blank'"),
    "ink is a share": ("page", "ink = 1.5 WHERE disposition = 'blank'"),
    "pixels come from somewhere known": ("page", "source = 'camera' WHERE disposition = 'blank'"),
    "a reading is whole": ("page", "codes = NULL WHERE disposition = 'blank'"),
    "a page in a stack has a place": ("page", "position = NULL WHERE disposition = 'blank'"),
    "a document's page is in a document": (
        "page",
        "document_id = NULL, case_id = NULL, page_in_document = NULL WHERE disposition = 'document'",
    ),
    "a blank page is in none": ("page", "disposition = 'blank' WHERE disposition = 'document'"),
    "a page in a document has a disposition": ("page", "disposition = NULL WHERE disposition = 'document'"),
    "a page in a document has a number in it": ("page", "page_in_document = NULL WHERE disposition = 'document'"),
    "a blank page isn't held": ("page", "held = true WHERE disposition = 'blank'"),
    "a page of no stack isn't filed": (
        "page",
        "disposition = 'blank' WHERE stack_id IS NULL AND disposition IS NULL",
    ),
    "a page that nobody read is set aside": ("page", "disposition = NULL WHERE disposition = 'duplicate'"),
    "a page that nobody read is in no stack": (
        "page",
        """stack_id = (SELECT id FROM stack WHERE number = 1), position = 99
        WHERE disposition = 'duplicate' AND number = 1""",
    ),
    # case and what belongs to it
    "a case has a known completeness": ('"case"', "completeness = 'maybe'"),
    "a branch comes from somewhere": ('"case"', "branch_source = NULL"),
    "a branch comes from somewhere known": ('"case"', "branch_source = 'dice'"),
    "a case's ordinal counts from 1": ('"case"', "ordinal = 0"),
    "a held case needs review": ('"case"', "held = true, needs_review = false"),
    "a document has pages": ("document", "page_count = 0"),
    "a document has a size": ("document", "size_bytes = 0"),
    "a document's hash is a SHA-256": ("document", "sha256 = 'x'"),
    "a document's ordinal counts from 1": ("document", "ordinal = 0 WHERE ordinal = 1"),
    "a review has a known reason": ("case_review", "reason = 'mood' WHERE reason = 'always_reviewed'"),
    "a review's page is of a scan": ("case_review", "scan_id = NULL WHERE reason = 'serial_repeated'"),
    "a finding has a known reason": ("stack_finding", "reason = 'mood'"),
    "a finding's page is of a scan": ("stack_finding", "scan_id = NULL"),
    "a finding's ordinal counts from 1": ("stack_finding", "ordinal = 0"),
    "a counter can't be negative": ("case_number", "last_number = -1"),
    "a case's id is a UUID": ('"case"', "id = 'x'"),
    "a stack's id is a UUID": ("stack", "id = 'x' WHERE number = 1"),
    "a document's id is a UUID": ("document", "id = 'x'"),
    "a meter's id is a UUID": ("meter", "id = 'x'"),
    # sheet
    "a sheet has a known kind": ("sheet", "kind = 'Q'"),
    "a sheet's serial counts from 1": ("sheet", "serial_number = 0"),
    "a sheet's order is a UUID": ("sheet", "order_id = 'x'"),
    "a counter of serials can't be negative": ("sheet_number", "last_number = -1"),
    "a case doesn't follow itself": ("follow_up", "follows_case_id = case_id"),
}
_UNIQUE = {
    "a station's scans have numbers of their own": ("scan", "number = 3 WHERE number = 5"),
    "one scan is the original of its bytes": (
        "scan",
        "state = 'received', duplicate_of = NULL, finished_at = NULL WHERE number = 6",
    ),
    "a station's stacks have numbers of their own": ("stack", "number = 1 WHERE number = 4"),
    "a place in a stack is one page's": ("page", "position = 1 WHERE disposition = 'blank'"),
    "a place in a document is one page's": ("page", "page_in_document = 1 WHERE disposition = 'document'"),
    "a document's ordinal is its own": ("document", "ordinal = 1"),
    "a sheet links one case to another once": ("follow_up", "sheet_serial = 'A000001' WHERE sheet_serial = 'A000002'"),
}
_FOREIGN = {
    "a scan is of a known box": ("scan", "box_code = 'X' WHERE number = 5"),
    "a scan is of a known station": ("scan", "station_code = 'X' WHERE number = 5"),
    "a duplicate is of a known scan": ("scan", f"duplicate_of = '{'0' * 36}' WHERE number = 6"),
    "a page can't be in another stack's case": (
        "page",
        """stack_id = (SELECT id FROM stack WHERE number = 2), position = 77
        WHERE page_in_document = 2 AND scan_id = (SELECT id FROM scan WHERE number = 1)""",
    ),
    "a page can't be in another case's document": (
        "document",
        """case_id = (SELECT id FROM "case" WHERE number LIKE '%2'), ordinal = 9
        WHERE ordinal = 1 AND case_id = (SELECT id FROM "case" WHERE number LIKE '%1')""",
    ),
    "a follow-up is of a printed sheet": ("follow_up", "sheet_serial = 'A999999' WHERE sheet_serial = 'A000002'"),
    "a follow-up is of a known case": ("follow_up", f"follows_case_id = '{'0' * 36}'"),
    "a review is of a page that is there": ("case_review", "page_number = 99 WHERE reason = 'serial_repeated'"),
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def rows(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database with a row in each state."""
    make: MakeDatabase = request.getfixturevalue("make_database")
    with make(request.param) as url:
        db = with_boxes(open_database(url))
        first, *later = [filed(db, number, pages=4)[0] for number in (1, 7, 9)]
        closed(db, 2)
        read(db, 3)
        received(db, 4)
        taken(db)
        received(db, 5)
        received(db, 6, content="scan 5")
        received(db, 8, content="scan 3")
        record_sheets(db, "A", "user:t", lambda last: [case_sheet(last + 1), case_sheet(last + 2)])
        with db.write() as connection:
            honour(
                connection,
                [NewFollowUp(case.id, first.number, f"A{number:06}") for number, case in enumerate(later, 1)],
                repeated=(),
            )
        yield db
        db.close()


def _change(db: Database, table: str, change: str) -> None:
    with db.write() as connection:
        touched = connection.execute(text(f"UPDATE {table} SET {change}"))  # noqa: S608 - our own words
        # Reached only where nothing refused. A condition that meets no row is a mistake in the test.
        raise AssertionError(f"nothing refused the change of {touched.rowcount} rows")


@pytest.mark.parametrize("wrong", _CHECKS)
def test_a_check_refuses_the_opposite_of(rows: Database, wrong: str) -> None:
    with pytest.raises(DatabaseRefused) as refused:
        _change(rows, *_CHECKS[wrong])
    assert refused.value.kind == "check"


def test_every_check_was_tried(rows: Database) -> None:
    tried = set()
    for table, change in _CHECKS.values():
        with pytest.raises(DatabaseRefused) as refused:
            _change(rows, table, change)
        tried.add(refused.value.constraint)
    declared = {
        str(constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    flags = {name for name in declared if name.endswith("_flag")}
    assert declared - flags - tried == set()


@pytest.mark.parametrize("wrong", _UNIQUE)
def test_uniqueness_refuses_the_opposite_of(rows: Database, wrong: str) -> None:
    with pytest.raises(DatabaseRefused) as refused:
        _change(rows, *_UNIQUE[wrong])
    assert refused.value.kind == "unique"


@pytest.mark.parametrize("wrong", _FOREIGN)
def test_references_refuse_the_opposite_of(rows: Database, wrong: str) -> None:
    with pytest.raises(DatabaseRefused) as refused:
        _change(rows, *_FOREIGN[wrong])
    assert refused.value.kind == "foreign_key"


def test_a_box_has_one_open_stack(rows: Database) -> None:
    opening = """state = 'open', closed_at = NULL, closed_by = NULL, filed_at = NULL, plan = NULL, config_digest = NULL
        WHERE number IN (1, 2)"""
    with pytest.raises(DatabaseRefused) as refused:
        _change(rows, "stack", opening)
    assert refused.value.kind == "unique"


@pytest.mark.parametrize(
    ("table", "change", "kind"),
    [
        ("scan", "page_count = 'many' WHERE number = 3", "other"),
        ("drop_box", "active = 2", "check"),
        ("page", "blank = 7 WHERE blank IS NOT NULL", "check"),
        ("stack", "gap_at_end = 2", "check"),
    ],
)
@pytest.mark.parametrize("rows", ["sqlite"], indirect=True)
def test_sqlite_keeps_types_strictly(rows: Database, table: str, change: str, kind: str) -> None:
    with pytest.raises(DatabaseRefused) as refused:
        _change(rows, table, change)
    assert refused.value.kind == kind
