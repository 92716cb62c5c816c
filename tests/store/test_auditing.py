"""Every flaw of the account, provoked in rows on both engines: it is found, and nothing else is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from skrynka.core.errors import DatabaseAway, DatabaseRefused
from skrynka.core.flaws import Flaw, FoundFlaw
from skrynka.core.reasons import QuarantineReason
from skrynka.store.auditing import account_flaws
from skrynka.store.database import Database
from skrynka.store.mending import recount
from skrynka.store.quarantine import quarantine_scan
from tests.store.samples import CLAIMED, closed, filed, read, received, taken

LONG_AGO = CLAIMED - timedelta(days=365)


@pytest.fixture
def rows(db: Database) -> Database:
    """Give scans: 1 and 2 filed, 3 a duplicate of 1, 4 in a closed stack, 5 read, 6 in quarantine, 7 received."""
    filed(db, 1, pages=5)
    filed(db, 2)
    received(db, 3, content="scan 1")
    closed(db, 4)
    read(db, 5)
    received(db, 6)
    quarantine_scan(db, taken(db), QuarantineReason.CORRUPT, page_count=2)
    received(db, 7)
    return db


def look(db: Database, since: datetime = LONG_AGO) -> list[FoundFlaw]:
    return list(account_flaws(db, since))


def told(found: Sequence[FoundFlaw]) -> set[tuple[Flaw, str]]:
    return {(each.flaw, each.about) for each in found}


def harm(db: Database, *statements: str) -> None:
    """Change rows behind everybody's back, in one transaction."""
    with db.write() as connection:
        for statement in statements:
            connection.execute(text(statement))


# Statements are put together from words of this file only.
# ruff: noqa: S608
SCAN = "(SELECT id FROM scan WHERE number = {})"
STACK = "(SELECT stack_id FROM page WHERE scan_id = (SELECT id FROM scan WHERE number = {}) AND number = 1)"
ONE, TWO, FOUR, FIVE = (SCAN.format(number) for number in (1, 2, 4, 5))
CASE = "OBL-03/2026/000001"
ITS_ID = f"(SELECT id FROM \"case\" WHERE number = '{CASE}')"

ITS_RECORD = f"SELECT at, name, actor, case_id, data FROM event WHERE case_id = {ITS_ID}"

HARMS: dict[str, tuple[list[str], set[tuple[Flaw, str]]]] = {
    "a page is gone": ([f"DELETE FROM page WHERE scan_id = {FIVE} AND number = 2"], {(Flaw.PAGES_MISSING, "A-5")}),
    "pages of a duplicate are gone": (
        [f"DELETE FROM page WHERE scan_id = {SCAN.format(3)} AND number > 3"],
        {(Flaw.PAGES_MISSING, "A-3")},
    ),
    "a page of a filed scan became nothing": (
        [f"UPDATE page SET disposition = NULL WHERE scan_id = {ONE} AND disposition = 'blank'"],
        {(Flaw.PAGE_UNSETTLED, "A-1"), (Flaw.PAGE_UNSETTLED, "A/1")},
    ),
    "a scan counts otherwise": (
        ["UPDATE scan SET document_pages = document_pages - 1, blank_pages = blank_pages + 1 WHERE number = 1"],
        {(Flaw.COUNTERS_WRONG, "A-1")},
    ),
    "a filed page is in quarantine": (
        [
            f"UPDATE page SET disposition = 'quarantined' WHERE scan_id = {ONE} AND disposition = 'blank'",
            "UPDATE scan SET blank_pages = 0, quarantined_pages = 1 WHERE number = 1",
        ],
        {(Flaw.PAGE_MISPLACED, "A-1"), (Flaw.PAGE_MISPLACED, "A/1")},
    ),
    "everything is accounted for and nothing is finished": (
        [f"UPDATE page SET disposition = 'quarantined' WHERE scan_id IN ({FOUR}, {FIVE})"],
        {(Flaw.UNFINISHED, "A-4"), (Flaw.UNFINISHED, "A-5"), (Flaw.UNFINISHED, "A/3")},
    ),
    "a duplicate is of another scan": (
        [f"UPDATE scan SET duplicate_of = {TWO} WHERE number = 3"],
        {(Flaw.DUPLICATE_OF_NOTHING, "A-3")},
    ),
    "a stack lost its pages": (
        [f"UPDATE page SET stack_id = NULL, position = NULL WHERE scan_id = {FOUR}"],
        {(Flaw.STACK_EMPTY, "A/3")},
    ),
    "a place in a stack is empty": (
        [f"UPDATE page SET position = 9 WHERE scan_id = {FOUR} AND number = 3"],
        {(Flaw.STACK_OUT_OF_ORDER, "A/3")},
    ),
    "two pages changed places": (
        [
            f"UPDATE page SET position = 9 WHERE scan_id = {FOUR} AND number = 1",
            f"UPDATE page SET position = 1 WHERE scan_id = {FOUR} AND number = 2",
            f"UPDATE page SET position = 2 WHERE scan_id = {FOUR} AND number = 1",
        ],
        {(Flaw.STACK_OUT_OF_ORDER, "A/3")},
    ),
    "a stack is of another box": (
        ["UPDATE stack SET box_code = 'POD-01' WHERE number = 3"],
        {(Flaw.STACK_MIXED, "A/3")},
    ),
    "a document says more pages": (
        [f"UPDATE document SET page_count = 9 WHERE ordinal = 2 AND case_id = {ITS_ID}"],
        {(Flaw.DOCUMENT_INCOMPLETE, f"{CASE} document 2")},
    ),
    "a case is the fifth of one": (
        [f"UPDATE \"case\" SET ordinal = 5 WHERE number = '{CASE}'"],
        {(Flaw.ORDINALS_WRONG, "A/1")},
    ),
    "a case's documents begin with the second": (
        [f"UPDATE document SET ordinal = ordinal + 5 WHERE case_id = {ITS_ID}"],
        {(Flaw.ORDINALS_WRONG, CASE)},
    ),
    "a case number was jumped over": (
        [f"UPDATE \"case\" SET number = 'OBL-03/2026/000004' WHERE number = '{CASE}'"],
        {(Flaw.CASE_NUMBERS_WRONG, "OBL-03/2026")},
    ),
    "a case number is another box's": (
        [f"UPDATE \"case\" SET number = 'POD-01/2026/000001' WHERE number = '{CASE}'"],
        {(Flaw.CASE_NUMBERS_WRONG, "OBL-03/2026"), (Flaw.CASE_NUMBERS_WRONG, "OBL-03")},
    ),
    "the counter of case numbers fell behind": (
        ["UPDATE case_number SET last_number = 1"],
        {(Flaw.CASE_NUMBERS_WRONG, "OBL-03/2026")},
    ),
    "the counter of another box counts nothing": (
        ["INSERT INTO case_number (box_code, year, last_number) VALUES ('POD-01', 2025, 2)"],
        {(Flaw.CASE_NUMBERS_WRONG, "POD-01/2025")},
    ),
    "a case was recorded twice": (
        [f"INSERT INTO event (at, name, actor, case_id, data) {ITS_RECORD}"],
        {(Flaw.CASE_EVENT_WRONG, CASE)},
    ),
}


def test_an_account_that_adds_up_has_no_flaw(rows: Database) -> None:
    assert look(rows) == []


@pytest.mark.parametrize("what", HARMS)
def test_each_flaw_is_found_and_nothing_else(rows: Database, what: str) -> None:
    statements, wanted = HARMS[what]
    harm(rows, *statements)
    assert told(look(rows)) == wanted


def test_a_page_of_no_document_is_found(rows: Database) -> None:
    if rows.engine == "sqlite":
        first, last = (f"PRAGMA ignore_check_constraints = {switch}" for switch in ("ON", "OFF"))
    else:
        first, last = "ALTER TABLE page DROP CONSTRAINT ck_page_document_has_place", "SELECT 1"
    harm(
        rows,
        first,
        "UPDATE page SET document_id = NULL, case_id = NULL, page_in_document = NULL"
        f" WHERE scan_id = {ONE} AND disposition = 'document' AND number = 4",
        last,
    )
    wanted = {(Flaw.PAGE_WITHOUT_DOCUMENT, "A-1"), (Flaw.DOCUMENT_INCOMPLETE, f"{CASE} document 2")}
    if rows.engine == "sqlite":
        wanted.add((Flaw.DATABASE_DAMAGED, "database"))
    assert told(look(rows)) == wanted


def test_what_waits_for_long_is_told_and_what_came_out_of_quarantine_a_while_ago_is_not(rows: Database) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    lingering = {(Flaw.SCAN_LINGERS, f"A-{number}") for number in (3, 5, 6, 7)}
    assert told(look(rows, tomorrow)) == lingering | {(Flaw.STACK_LINGERS, "A/3")}
    at = (datetime.now(UTC) + timedelta(days=2)).isoformat(timespec="microseconds")
    harm(
        rows,
        f"INSERT INTO event (at, name, actor, scan_id, data) SELECT '{at}', 'scan_retried', 'x', id, '{{}}' FROM scan"
        " WHERE number = 6",
        "INSERT INTO event (at, name, actor, stack_id, data)"
        f" SELECT '{at}', 'stack_retried', 'x', id, '{{}}' FROM stack WHERE number = 3",
    )
    assert told(look(rows, tomorrow)) == lingering - {(Flaw.SCAN_LINGERS, "A-6")}


def test_a_row_that_points_at_nothing_is_told_on_sqlite(rows: Database) -> None:
    if rows.engine != "sqlite":
        pytest.skip("PostgreSQL never switches its foreign keys off")
    with rows._engine.connect() as connection:  # noqa: SLF001 - a pragma that means nothing within a transaction
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute("UPDATE scan SET duplicate_of = '00000000-0000-7000-8000-000000000000' WHERE number = 3")
        raw.execute("PRAGMA foreign_keys = ON")
    assert told(look(rows)) == {(Flaw.DATABASE_DAMAGED, "database"), (Flaw.DUPLICATE_OF_NOTHING, "A-3")}


def test_nothing_can_be_changed_while_it_is_looked_at_and_everything_afterwards(rows: Database) -> None:
    from skrynka.store.auditing import _snapshot  # noqa: PLC0415 - what it promises is tested here

    with pytest.raises((DatabaseAway, DatabaseRefused)), _snapshot(rows) as connection:
        connection.execute(text("UPDATE scan SET retried = true"))
    harm(rows, "UPDATE scan SET attempts = 1 WHERE number = 7")


def test_counters_are_counted_again_where_the_pages_are_whole_and_only_there(rows: Database) -> None:
    ids = {each.about: each.key[0] for each in _off(rows)}
    harm(rows, f"UPDATE page SET disposition = NULL WHERE scan_id = {TWO} AND disposition = 'blank'")
    assert {name: recount(rows, scan_id, "audit:olena") for name, scan_id in ids.items()} == {"A-1": True, "A-2": False}
    assert told(look(rows)) == {(Flaw.PAGE_UNSETTLED, "A-2"), (Flaw.PAGE_UNSETTLED, "A/2")}
    with rows.read() as connection:
        actors = connection.execute(text("SELECT actor FROM event WHERE name = 'scan_recounted'")).scalars().all()
    assert Counter(actors) == {"audit:olena": 1}
    assert not recount(rows, "no such scan", "audit:olena")


def _off(rows: Database) -> list[FoundFlaw]:
    harm(
        rows,
        "UPDATE scan SET document_pages = document_pages - 1, blank_pages = blank_pages + 1 WHERE number IN (1, 2)",
    )
    found = look(rows)
    assert told(found) == {(Flaw.COUNTERS_WRONG, "A-1"), (Flaw.COUNTERS_WRONG, "A-2")}
    return found
