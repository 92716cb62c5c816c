from __future__ import annotations

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from skrynka.core.errors import DatabaseRefused
from skrynka.core.reasons import QuarantineReason
from skrynka.store.database import Database, new_id
from skrynka.store.quarantine import quarantine_scan, retry_quarantined
from skrynka.store.queue import record_reading
from skrynka.store.registration import Registered, Registration, last_scan_number, register_scan, registered_sha256
from skrynka.store.states import ScanState
from tests.store.asking import events_after, page_accounts
from tests.store.samples import new_scan, read, readings, received, taken


def _rows(db: Database) -> int:
    with db.read() as connection:
        return connection.scalar(text("SELECT count(*) FROM scan")) or 0


def test_a_new_scan_is_received(db: Database) -> None:
    assert register_scan(db, new_scan(1)) == Registration(Registered.RECEIVED)
    (account,) = page_accounts(db)
    assert (account.name, account.state, account.page_count, account.balanced) == ("A-1", "received", None, True)


def test_the_same_scan_again_is_known_and_changes_nothing(db: Database) -> None:
    scan = new_scan(1)
    register_scan(db, scan)
    before = len(events_after(db))
    assert register_scan(db, scan) == Registration(Registered.KNOWN)
    assert _rows(db) == 1
    assert len(events_after(db)) == before


def test_the_same_scan_with_other_bytes_is_told_and_changes_nothing(db: Database) -> None:
    scan = new_scan(1)
    assert registered_sha256(db, scan.id) is None
    register_scan(db, scan)
    other = dataclasses.replace(scan, sha256=new_scan(2).sha256)
    assert register_scan(db, other) == Registration(Registered.OTHER_BYTES)
    assert _rows(db) == 1
    assert registered_sha256(db, scan.id) == scan.sha256


def test_the_same_bytes_again_are_a_duplicate_by_name(db: Database) -> None:
    received(db, 1, content="x")
    assert register_scan(db, new_scan(2, content="x")) == Registration(Registered.DUPLICATE, "A-1")
    again = new_scan(3, content="x")
    register_scan(db, again)
    assert register_scan(db, again) == Registration(Registered.KNOWN, "A-1")


def test_the_pages_of_a_duplicate_are_accounted_for_at_once_when_their_number_is_known(db: Database) -> None:
    read(db, 1, pages=4)
    received(db, 2, content="scan 1")
    duplicate = page_accounts(db)[1]
    assert (duplicate.state, duplicate.page_count, duplicate.pages["duplicate"]) == (ScanState.DUPLICATE, 4, 4)
    assert duplicate.balanced


def test_the_pages_of_duplicates_are_accounted_for_once_the_original_is_read(db: Database) -> None:
    received(db, 1, content="x")
    received(db, 2, content="x")
    received(db, 3, content="x")
    assert page_accounts(db)[1].page_count is None
    record_reading(db, taken(db), readings(3))
    for duplicate in page_accounts(db)[1:]:
        assert (duplicate.page_count, duplicate.pages["duplicate"], duplicate.balanced) == (3, 3, True)


def test_the_pages_of_a_duplicate_are_accounted_for_when_the_original_goes_to_quarantine(db: Database) -> None:
    original = received(db, 1, content="x")
    received(db, 2, content="x")
    quarantine_scan(db, taken(db), QuarantineReason.PAGE_UNREADABLE, page_number=2, page_count=5)
    assert page_accounts(db)[1].pages["duplicate"] == 5
    received(db, 3, content="x")
    assert page_accounts(db)[2].pages["duplicate"] == 5
    retry_quarantined(db, original, "user:t")
    record_reading(db, taken(db), readings(5))
    assert all(account.balanced for account in page_accounts(db))


def test_the_pages_of_a_duplicate_of_an_unknown_number_wait_for_a_retry(db: Database) -> None:
    original = received(db, 1, content="x")
    quarantine_scan(db, taken(db), QuarantineReason.ENCRYPTED)
    received(db, 2, content="x")
    assert page_accounts(db)[1].page_count is None
    retry_quarantined(db, original, "user:t")
    record_reading(db, taken(db), readings(2))
    assert page_accounts(db)[1].pages["duplicate"] == 2


def test_a_number_that_another_scan_has_is_refused(db: Database) -> None:
    received(db, 1)
    with pytest.raises(DatabaseRefused):
        register_scan(db, new_scan(1))


def test_a_box_that_nobody_knows_is_refused(db: Database) -> None:
    with pytest.raises(DatabaseRefused) as refused:
        register_scan(db, new_scan(1, box="NONE"))
    assert refused.value.kind == "foreign_key"


def test_a_name_that_isnt_utf8_is_kept_readable(db: Database) -> None:
    scan = dataclasses.replace(new_scan(1), original_name=b"\xd1\x82\xff.pdf".decode("utf-8", "surrogateescape"))
    register_scan(db, scan)
    with db.read() as connection:
        assert connection.scalar(text("SELECT original_name FROM scan")) == "т\\xff.pdf"
    assert "\\xff" not in repr(scan)


def test_of_many_that_bring_the_same_bytes_at_once_one_is_the_original(db: Database) -> None:
    """On PostgreSQL six have seen that there is no original before any of them writes down that it is one."""
    scans = [new_scan(number, content="x") for number in range(1, 13)]
    together, met = threading.Barrier(6), threading.local()

    def meet(*of: Any) -> None:  # noqa: ANN401 - connection, cursor, statement, parameters, and more
        if db.shared and of[2].startswith("INSERT INTO scan ") and not hasattr(met, "once"):
            met.once = True
            together.wait(10)

    # Of every engine: the database doesn't show its own.
    event.listen(Engine, "before_cursor_execute", meet)
    try:
        with ThreadPoolExecutor(6) as pool:
            outcomes = [each.outcome for each in pool.map(lambda scan: register_scan(db, scan), scans)]
    finally:
        event.remove(Engine, "before_cursor_execute", meet)
    assert sorted(outcomes) == [Registered.DUPLICATE] * 11 + [Registered.RECEIVED]


def test_a_duplicate_that_comes_while_the_original_is_being_read_is_accounted_for(db: Database) -> None:
    with ThreadPoolExecutor(2) as pool:
        for number in range(1, 21, 2):
            received(db, number, content=f"pair {number}")
            reading = pool.submit(record_reading, db, taken(db), readings(2))
            duplicate = pool.submit(register_scan, db, new_scan(number + 1, content=f"pair {number}"))
            reading.result()
            assert duplicate.result().outcome is Registered.DUPLICATE
    assert [account.page_count for account in page_accounts(db)] == [2] * 20
    assert all(account.balanced for account in page_accounts(db))


def test_the_last_number_of_a_station_is_told(db: Database) -> None:
    assert last_scan_number(db, "A") == 0
    received(db, 7)
    received(db, 5)
    assert last_scan_number(db, "A") == 7
    assert last_scan_number(db, "B") == 0


def test_ids_sort_by_the_time_they_were_made() -> None:
    ids = [new_id() for _ in range(100)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 100
    assert {len(each) for each in ids} == {36}
