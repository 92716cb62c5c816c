from __future__ import annotations

import re

import pytest
from sqlalchemy import inspect, text

from skrynka.core.reasons import QuarantineReason
from skrynka.store import views
from skrynka.store.database import Database
from skrynka.store.quarantine import quarantine_scan
from tests.store.samples import closed, filed, read, received, taken


def test_an_overview_has_a_row_per_case_with_what_it_holds(db: Database) -> None:
    (case,) = filed(db, 1, pages=4)
    with db.read() as connection:
        (row,) = connection.execute(text("SELECT * FROM case_overview")).all()
    assert (row.number, row.box_code, row.box_name, row.centre) == (case.number, "OBL-03", "Скринька 3", "Оболонь")
    assert (row.station_code, row.stack_number, row.ordinal, str(row.received_on)) == ("A", 1, 1, "2026-03-02")
    assert (row.case_type, row.branch, row.branch_source, row.completeness) == ("VER", "DIS", "inferred", "incomplete")
    assert (bool(row.held), bool(row.needs_review)) == (False, True)
    assert (row.review_reasons, row.providers) == ("always_reviewed+serial_repeated", "KTE+KVK")
    assert (row.document_count, row.page_count, row.account, row.sheet_serial) == (2, 3, "00123456", "A000123")


def test_a_documents_view_has_a_row_per_document(db: Database) -> None:
    (case,) = filed(db, 1, pages=4)
    with db.read() as connection:
        rows = connection.execute(text("SELECT * FROM case_document ORDER BY ordinal")).all()
    assert [(row.case_number, row.kinds, row.page_count) for row in rows] == [
        (case.number, "COVER", 1),
        (case.number, "CERT+UNSORTED", 2),
    ]


def test_the_account_balances_at_every_step(db: Database) -> None:
    filed(db, 1)
    closed(db, 2)
    read(db, 3)
    received(db, 4)
    quarantine_scan(db, taken(db), QuarantineReason.CORRUPT)
    received(db, 5)
    received(db, 6, content="scan 3")
    with db.read() as connection:
        scans = connection.execute(text("SELECT state, balanced, pending_rows FROM page_account ORDER BY scan_number"))
        assert [(row[0], bool(row[1]), row[2]) for row in scans] == [
            ("filed", True, 0),
            ("read", True, 3),
            ("read", True, 3),
            ("quarantined", True, 0),
            ("received", True, 0),
            ("duplicate", True, 0),
        ]
        stacks = connection.execute(
            text(
                "SELECT state, page_rows, document_pages, sheet_pages, blank_pages, case_count, balanced"
                " FROM stack_account ORDER BY stack_number"
            )
        )
        assert [tuple(row) for row in stacks] == [("filed", 3, 1, 1, 1, 1, True), ("closed", 3, 0, 0, 0, 0, True)]


@pytest.mark.parametrize(
    "forgery",
    [
        "DELETE FROM page WHERE scan_id = (SELECT id FROM scan WHERE number = 2) AND number = 3",
        "UPDATE scan SET page_count = 4 WHERE number = 2",
        "UPDATE scan SET blank_pages = blank_pages + 1, sheet_pages = sheet_pages - 1 WHERE number = 1",
        "UPDATE page SET disposition = 'sheet' WHERE disposition = 'document'",
    ],
)
def test_an_account_that_was_tampered_with_doesnt_balance(db: Database, forgery: str) -> None:
    filed(db, 1)
    read(db, 2)
    with db.write() as connection:
        assert connection.execute(text(forgery)).rowcount == 1
        unbalanced = connection.execute(text("SELECT scan_number FROM page_account WHERE NOT balanced")).all()
    assert len(unbalanced) == 1


def test_a_stack_whose_page_was_forgotten_doesnt_balance(db: Database) -> None:
    filed(db, 1)
    with db.write() as connection:
        connection.execute(text("UPDATE page SET disposition = NULL WHERE disposition = 'blank'"))
        assert connection.scalar(text("SELECT count(*) FROM stack_account WHERE NOT balanced")) == 1


def test_every_column_of_a_view_is_documented(db: Database) -> None:
    documented = set(re.findall(r"\w+", views.__doc__ or ""))
    with db.read() as connection:
        for view in views.VIEWS:
            columns = {column["name"] for column in inspect(connection).get_columns(view)}
            assert columns <= documented, view
