from __future__ import annotations

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from skrynka.core.errors import LeaseLost
from skrynka.core.formats import FileType
from skrynka.core.model import Code, Engine, Standing, Symbology
from skrynka.store.assembly import scan_readings
from skrynka.store.database import Database
from skrynka.store.leases import TakenScan
from skrynka.store.listings import quarantined
from skrynka.store.queue import record_reading, release_scan, renew_scan, reset_interrupted, take_scan
from tests.store.asking import events_after, page_accounts
from tests.store.samples import HOUR, readings, received, somebody, taken

OVER = 0.0
"""A lease that has run out when it begins."""


LEASED = pytest.mark.parametrize("engine", ["postgresql"])
"""SQLite has no leases."""


def test_the_scan_that_has_waited_longest_is_taken_first(db: Database) -> None:
    ids = [received(db, number) for number in (2, 1, 3)]
    assert [taken(db).id for _ in ids] == ids
    assert take_scan(db, somebody(), HOUR) is None


def test_scans_that_stand_behind_are_taken_when_no_other_waits_in_the_order_given(db: Database) -> None:
    first, second, third = (received(db, number) for number in (1, 2, 3))
    worker = somebody()
    took = []
    for _ in range(3):
        scan = take_scan(db, worker, HOUR, behind=(second, first, "another's"))
        assert scan is not None
        took.append(scan.id)
        record_reading(db, scan, readings(1))
    assert took == [third, second, first]


def test_whoever_takes_a_scan_is_told_what_it_needs(db: Database) -> None:
    scan_id = received(db, 4417)
    scan = taken(db)
    assert (scan.id, scan.name, scan.box_code, scan.file_type) == (scan_id, "A-4417", "OBL-03", FileType.PDF)
    assert (scan.size_bytes, scan.attempt, scan.epoch) == (5417, 1, 1)
    assert len(scan.sha256) == 64


def test_no_two_workers_get_the_same_scan(db: Database) -> None:
    ids = {received(db, number) for number in range(1, 31)}
    together = threading.Barrier(4)

    def take_all() -> list[str]:
        together.wait(10)
        mine = []
        while (scan := take_scan(db, somebody(), HOUR)) is not None:
            mine.append(scan.id)
        return mine

    with ThreadPoolExecutor(4) as pool:
        got = [scan_id for each in [pool.submit(take_all) for _ in range(4)] for scan_id in each.result()]
    assert len(got) == 30
    assert set(got) == ids


def test_a_worker_that_never_heard_that_it_got_a_scan_gets_it_again_and_no_attempt_is_counted(db: Database) -> None:
    scan_id = received(db, 1)
    received(db, 2)
    worker = somebody()
    took = [take_scan(db, worker, HOUR) for _ in range(4)]
    assert [(scan.id, scan.attempt, scan.epoch) for scan in took if scan] == [
        (scan_id, 1, epoch) for epoch in range(1, 5)
    ]
    assert took[0] is not None
    with pytest.raises(LeaseLost):
        record_reading(db, took[0], readings(1))


def test_a_reading_is_kept_as_it_was(db: Database) -> None:
    scan_id = received(db, 1)
    seen = readings(2)
    own = Code(Symbology.QR, (Engine.ZXING, Engine.ZBAR), "SKR1/P/Z:00", Standing.OWN, corners=((0.1, 0.2),) * 4)
    seen[0] = dataclasses.replace(seen[0], codes=(own,), marked=True)
    record_reading(db, taken(db), seen)
    assert scan_readings(db, scan_id) == seen


def test_the_text_of_a_foreign_code_is_never_stored(db: Database) -> None:
    scan_id = received(db, 1)
    seen = readings(1)
    foreign = Code(Symbology.QR, (Engine.ZXING,), "CANARY-PAYMENT", Standing.FOREIGN)
    seen[0] = dataclasses.replace(seen[0], codes=(foreign,))
    record_reading(db, taken(db), seen)
    assert scan_readings(db, scan_id)[0].codes[0].text is None
    with db.read() as connection:
        assert "CANARY" not in str(connection.execute(text("SELECT * FROM page")).all())


def test_a_reading_recorded_twice_changes_nothing(db: Database) -> None:
    received(db, 1)
    scan = taken(db)
    record_reading(db, scan, readings(3))
    before = len(events_after(db))
    record_reading(db, scan, readings(3))
    assert len(events_after(db)) == before
    assert page_accounts(db)[0].page_count == 3


def test_readings_must_be_of_every_page_in_order(db: Database) -> None:
    received(db, 1)
    scan = taken(db)
    for wrong in ([], readings(3)[1:], readings(3)[::-1]):
        with pytest.raises(ValueError, match="in order"):
            record_reading(db, scan, wrong)


@LEASED
def test_a_lease_that_ran_out_lets_the_next_worker_take_the_scan(db: Database) -> None:
    received(db, 1)
    first = taken(db, OVER)
    second = taken(db)
    assert (second.id, second.attempt, second.epoch) == (first.id, 2, 2)
    assert take_scan(db, somebody(), HOUR) is None


@LEASED
def test_a_lease_that_is_renewed_doesnt_run_out(db: Database) -> None:
    received(db, 1)
    scan = taken(db, OVER)
    renew_scan(db, scan, HOUR)
    assert take_scan(db, somebody(), HOUR) is None


def _overtaken(db: Database) -> TakenScan:
    """Give a scan that somebody else has taken since."""
    received(db, 1)
    stale = taken(db, OVER)
    reset_interrupted(db)
    taken(db)
    return stale


def test_a_worker_that_was_overtaken_records_nothing(db: Database) -> None:
    stale = _overtaken(db)
    with pytest.raises(LeaseLost):
        record_reading(db, stale, readings(3))
    with pytest.raises(LeaseLost):
        renew_scan(db, stale, HOUR)
    with pytest.raises(LeaseLost):
        release_scan(db, stale)
    assert page_accounts(db)[0].state == "reading"
    assert page_accounts(db)[0].page_count is None


def test_a_worker_that_was_overtaken_by_one_that_finished_records_nothing(db: Database) -> None:
    received(db, 1)
    stale = taken(db, OVER)
    reset_interrupted(db)
    record_reading(db, taken(db), readings(2))
    with pytest.raises(LeaseLost):
        record_reading(db, stale, readings(3))
    assert page_accounts(db)[0].page_count == 2


def test_a_scan_that_is_given_back_hasnt_lost_an_attempt(db: Database) -> None:
    received(db, 1)
    for _ in range(5):
        release_scan(db, taken(db))
    scan = taken(db)
    assert (scan.attempt, scan.epoch) == (1, 6)


def test_work_that_broke_off_three_times_goes_to_quarantine_and_the_queue_goes_on(db: Database) -> None:
    poison = received(db, 1)
    other = received(db, 2)
    for attempt in (1, 2, 3):
        assert taken(db, OVER).attempt == attempt
        reset_interrupted(db)
    told: list[TakenScan] = []
    following = take_scan(db, somebody(), HOUR, told.append)
    assert following is not None
    assert following.id == other
    assert [(scan.id, scan.attempt) for scan in told] == [(poison, 3)]
    (row,) = quarantined(db)
    assert (row.id, row.reason, row.attempts) == (poison, "attempts_exhausted", 3)
    assert take_scan(db, somebody(), HOUR, told.append) is None
    assert len(told) == 1


def test_a_start_on_sqlite_sets_back_what_was_taken(db: Database) -> None:
    received(db, 1)
    taken(db)
    assert reset_interrupted(db) == (0 if db.shared else 1)
    assert (take_scan(db, somebody(), HOUR) is None) == db.shared
