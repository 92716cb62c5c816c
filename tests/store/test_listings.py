from __future__ import annotations

import dataclasses

import pytest

from skrynka.core.reasons import QuarantineReason
from skrynka.core.stacking import Assemble, OpenedBy, Segment
from skrynka.store.assembly import assemble, pass_scan
from skrynka.store.boxes import Box, sync_boxes
from skrynka.store.case_listings import find_case, list_cases
from skrynka.store.database import Database
from skrynka.store.finished import finished_scans
from skrynka.store.listings import WorkLeft, find_scan, status, work_left
from skrynka.store.quarantine import quarantine_scan
from skrynka.store.registration import register_scan
from tests.store.asking import page_accounts
from tests.store.samples import CLAIMED, closed, filed, new_scan, read, received, taken


def test_the_work_that_is_left_is_counted(db: Database) -> None:
    assert work_left(db) == WorkLeft(0, 0, 0)
    filed(db, 1)
    assert work_left(db) == WorkLeft(0, 0, 0)
    assemble(db, read(db, 2), [Segment(1, 3, OpenedBy.SCAN)], Assemble.STACK)
    assert work_left(db) == WorkLeft(0, 0, 1)
    closed(db, 3, box="POD-01")
    read(db, 4)
    lost = received(db, 5)
    quarantine_scan(db, taken(db), QuarantineReason.CORRUPT)
    received(db, 6)
    received(db, 7, content="scan 6")
    assert work_left(db, "A") == WorkLeft(4, 1, 1)
    assert work_left(db, "B") == WorkLeft(0, 0, 0)
    pass_scan(db, lost)
    assert work_left(db) == WorkLeft(3, 1, 1)


def test_the_status_tells_states_boxes_and_the_oldest(db: Database) -> None:
    empty = status(db)
    assert (empty.cases, empty.oldest_waiting_at, set(empty.scans.values())) == (0, None, {0})
    filed(db, 1)
    assemble(db, read(db, 2), [Segment(1, 3, OpenedBy.SCAN)], Assemble.STACK)
    received(db, 3)
    told = status(db)
    assert told.scans == {"received": 1, "reading": 0, "read": 1, "filed": 1, "quarantined": 0, "duplicate": 0}
    assert told.stacks == {"open": 1, "closed": 0, "planned": 0, "filed": 1, "quarantined": 0}
    assert (told.cases, told.cases_for_review, told.oldest_waiting_at) == (1, 1, CLAIMED)
    busy, idle = told.boxes
    assert (busy.code, busy.last_scan, busy.last_claimed_at) == ("OBL-03", "A-3", CLAIMED)
    assert (busy.open_stack, busy.open_pages, busy.active) == ("A/2", 3, True)
    assert busy.open_since is not None
    assert (idle.code, idle.last_scan, idle.open_stack, idle.open_pages) == ("POD-01", None, None, 0)


@pytest.mark.parametrize(("reference", "found"), [("A-17", True), ("17", True), ("B-17", False), ("A-18", False)])
def test_a_scan_is_found_by_name_or_number(db: Database, reference: str, *, found: bool) -> None:
    scan_id = received(db, 17)
    assert find_scan(db, reference) == (scan_id if found else None)
    assert find_scan(db, scan_id) == scan_id


@pytest.mark.parametrize("reference", ["", "A-", "-", "A-99999999999999999999", "x", "A-1'; --", "A-١"])
def test_what_names_no_scan_finds_none(db: Database, reference: str) -> None:
    received(db, 1)
    assert find_scan(db, reference) is None


def test_cases_are_listed_by_box_and_review_and_newest(db: Database) -> None:
    for number, box in ((1, "OBL-03"), (2, "POD-01"), (3, "OBL-03")):
        filed(db, number, box=box)
    assert [case.number for case in list_cases(db)] == [
        "OBL-03/2026/000001",
        "OBL-03/2026/000002",
        "POD-01/2026/000001",
    ]
    assert [case.stack for case in list_cases(db, box_code="OBL-03")] == ["A/1", "A/3"]
    assert len(list_cases(db, needs_review=True)) == 3
    assert list_cases(db, needs_review=False) == []
    assert [case.number for case in list_cases(db, limit=1)] == ["OBL-03/2026/000002"]
    assert [case.number for case in list_cases(db, limit=1, box_code="POD-01")] == ["POD-01/2026/000001"]
    case = list_cases(db)[0]
    assert (case.documents, case.pages, case.reviews) == (2, 2, ("always_reviewed", "serial_repeated"))


def test_a_case_is_found_by_number_or_id_and_shows_nothing_private_by_itself(db: Database) -> None:
    (filed_case,) = filed(db, 1)
    by_number, by_id = find_case(db, filed_case.number), find_case(db, filed_case.id)
    assert by_number == by_id
    assert by_number is not None
    assert by_number.account == "00123456"
    for private in ("00123456", "ADR-77", "M-778899"):
        assert private not in repr(by_number)
    assert find_case(db, "OBL-03/2026/000099") is None


def test_a_scan_that_is_filed_tells_its_account(db: Database) -> None:
    filed(db, 1, pages=5)
    waiting = received(db, 2)
    ids = [account.scan_id for account in page_accounts(db)]
    (scan,) = finished_scans(db, [*ids, waiting])
    assert (scan.name, scan.pages, scan.cases, scan.reviews) == ("A-1", 5, 1, 1)
    assert scan.counts == {"document": 3, "sheet": 1, "blank": 1}


def test_numbers_of_several_stations_are_told_apart(db: Database) -> None:
    sync_boxes(db, "ST-1", "Станція", [Box("LEV-09", "Скринька", "Лівий берег")])
    mine = received(db, 5)
    theirs = dataclasses.replace(new_scan(5, content="other", box="LEV-09"), station_code="ST-1")
    register_scan(db, theirs)
    assert find_scan(db, "A-5") == mine
    assert find_scan(db, "ST-1-5") == theirs.id
    assert find_scan(db, "5") is None
