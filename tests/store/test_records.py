from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import text

from skrynka.core.errors import ConservationBroken, LeaseLost
from skrynka.core.judging import JudgedPlan
from skrynka.core.model import Disposition, PlannedCase, PlannedDocument, PlannedPage
from skrynka.core.reasons import ReviewReason
from skrynka.core.requirements import Completeness, CompletenessState
from skrynka.core.stacking import Assemble, ClosedBy, OpenedBy, Segment
from skrynka.store.assembly import assemble
from skrynka.store.case_listings import find_case, list_cases
from skrynka.store.database import Database
from skrynka.store.plan_json import plan_to_json
from skrynka.store.queue import reset_interrupted
from skrynka.store.records import FiledCase, StoredDocument, record_filing
from skrynka.store.stacks import TakenStack, stack_pages, store_plan, take_stack
from tests.store.asking import events_after, page_accounts
from tests.store.samples import DAY, HOUR, closed, filed, judged_plan, planned, read, somebody, stored, taken_stack


def _many(db: Database, stack: TakenStack) -> JudgedPlan:
    """Plan a stack with a case per page."""
    refs = [page.ref for page in stack_pages(db, stack.id)]
    whole = judged_plan([refs[0]] * 3)
    plan = dataclasses.replace(
        whole.plan,
        cases=tuple(
            PlannedCase(ordinal, (PlannedDocument(("UNSORTED",), (ref,)),), (), held=False)
            for ordinal, ref in enumerate(refs, start=1)
        ),
        pages=tuple(
            PlannedPage(ref, Disposition.DOCUMENT, case=ordinal, document=1, page_in_document=1)
            for ordinal, ref in enumerate(refs, start=1)
        ),
        findings=(),
    )
    judged = JudgedPlan(plan, (Completeness(CompletenessState.UNDETERMINED),) * len(refs))
    store_plan(db, stack, plan_to_json(judged), "digest")
    return judged


def test_a_filed_stack_is_cases_documents_and_an_account(db: Database) -> None:
    closed(db, 1, pages=4)
    stack = taken_stack(db)
    judged = planned(db, stack)
    documents = stored(judged)
    (case,) = record_filing(db, stack, judged, documents, DAY)
    assert case == FiledCase(
        id=case.id,
        number="OBL-03/2026/000001",
        ordinal=1,
        case_type="VER",
        completeness=CompletenessState.INCOMPLETE,
        held=False,
        reviews=(ReviewReason.ALWAYS_REVIEWED, ReviewReason.SERIAL_REPEATED),
    )
    detail = find_case(db, case.number)
    assert detail is not None
    assert [(paper.ordinal, paper.kinds, paper.page_count) for paper in detail.documents] == [
        (1, ("COVER",), 1),
        (2, ("CERT", "UNSORTED"), 2),
    ]
    assert [paper.sha256 for paper in detail.documents] == [each.sha256 for each in documents.values()]
    assert detail.documents[1].pages == judged.plan.cases[0].documents[1].pages
    assert detail.case.missing == judged.completeness[0].missing
    assert (detail.case.branch, detail.declared_branch, detail.case.branch_source) == ("DIS", None, "inferred")
    assert detail.case.providers == ("KTE", "KVK")
    assert (detail.account, detail.address_code, detail.meter_serials) == ("00123456", "ADR-77", ("M-778899",))
    assert [(review.reason, review.scan, review.page) for review in detail.reviews] == [
        ("always_reviewed", None, None),
        ("serial_repeated", "A-1", 1),
    ]
    (account,) = page_accounts(db)
    assert account.pages == {"document": 2, "sheet": 1, "blank": 1, "duplicate": 0, "quarantined": 0}
    assert (account.state, account.pending, account.balanced) == ("filed", 0, True)
    with db.read() as connection:
        row = connection.execute(text("SELECT reason, page_number FROM stack_finding")).one()
        assert tuple(row) == ("claim_gap", 4)
        row = connection.execute(text("SELECT collection_serial, emptied_on, counted FROM stack")).one()
        assert (row[0], str(row[1]), row[2]) == ("B000001", "2026-03-01", 2)


def test_filing_twice_changes_nothing_and_gives_the_same_cases(db: Database) -> None:
    closed(db, 1)
    stack = taken_stack(db)
    judged = planned(db, stack)
    cases = record_filing(db, stack, judged, stored(judged), DAY)
    before = len(events_after(db))
    assert record_filing(db, stack, judged, stored(judged), DAY) == cases
    assert len(events_after(db)) == before
    assert len(list_cases(db)) == 1


def test_a_worker_that_was_overtaken_files_nothing(db: Database) -> None:
    closed(db, 1)
    stale = taken_stack(db, 0.0)
    judged = planned(db, stale)
    reset_interrupted(db)
    current = taken_stack(db)
    with pytest.raises(LeaseLost):
        record_filing(db, stale, judged, stored(judged), DAY)
    assert list_cases(db) == []
    record_filing(db, current, judged, stored(judged), DAY)
    with pytest.raises(LeaseLost):
        record_filing(db, stale, judged, stored(judged), DAY)
    assert len(list_cases(db)) == 1


def test_nothing_is_filed_without_a_stored_plan(db: Database) -> None:
    closed(db, 1)
    stack = taken_stack(db)
    judged = judged_plan([page.ref for page in stack_pages(db, stack.id)])
    with pytest.raises(LeaseLost):
        record_filing(db, stack, judged, stored(judged), DAY)


def test_a_plan_that_isnt_of_the_stacks_pages_is_refused(db: Database) -> None:
    closed(db, 1, pages=4)
    stack = taken_stack(db)
    judged = planned(db, stack)
    for pages in (judged.plan.pages[:-1], judged.plan.pages[::-1], judged.plan.pages * 2):
        wrong = dataclasses.replace(judged, plan=dataclasses.replace(judged.plan, pages=pages))
        with pytest.raises(ConservationBroken):
            record_filing(db, stack, wrong, stored(judged), DAY)
    assert list_cases(db) == []


def test_numbers_run_per_box_and_year_without_a_gap(db: Database) -> None:
    numbers = []
    for scan, (box, day) in enumerate(
        [
            ("OBL-03", DAY),
            ("OBL-03", DAY),
            ("POD-01", DAY),
            ("OBL-03", date(2027, 1, 1)),
            ("OBL-03", DAY),
        ],
        start=1,
    ):
        closed(db, scan, box=box)
        stack = taken_stack(db)
        judged = _many(db, stack)
        numbers.append([case.number for case in record_filing(db, stack, judged, stored(judged), day)])
    assert [(first, last) for first, _, last in numbers] == [
        ("OBL-03/2026/000001", "OBL-03/2026/000003"),
        ("OBL-03/2026/000004", "OBL-03/2026/000006"),
        ("POD-01/2026/000001", "POD-01/2026/000003"),
        ("OBL-03/2027/000001", "OBL-03/2027/000003"),
        ("OBL-03/2026/000007", "OBL-03/2026/000009"),
    ]


def test_a_filing_that_fails_gives_its_numbers_back(db: Database) -> None:
    closed(db, 1)
    stack = taken_stack(db)
    judged = planned(db, stack)
    with pytest.raises(KeyError):
        record_filing(db, stack, judged, {(1, 1): StoredDocument("0" * 64, 1)}, DAY)
    assert list_cases(db) == []
    assert page_accounts(db)[0].pending == 3
    (case,) = record_filing(db, stack, judged, stored(judged), DAY)
    assert case.number == "OBL-03/2026/000001"


def test_numbers_have_no_gap_when_many_file_at_once_and_some_fail(db: Database) -> None:
    work = []
    for number in range(1, 9):
        closed(db, number, pages=2)
        stack = taken_stack(db)
        work.append((stack, _many(db, stack)))

    def file(place: int) -> None:
        stack, judged = work[place]
        if place % 3 == 0:
            with pytest.raises(KeyError):
                record_filing(db, stack, judged, {(1, 1): StoredDocument("0" * 64, 1)}, DAY)
        record_filing(db, stack, judged, stored(judged), DAY)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(file, range(len(work))))
    assert [case.number for case in list_cases(db)] == [f"OBL-03/2026/{number:06}" for number in range(1, 17)]


def _blank(db: Database, stack: TakenStack) -> JudgedPlan:
    """Plan a stack of blank pages: it makes no case, so it needs no number."""
    refs = [page.ref for page in stack_pages(db, stack.id)]
    pages = tuple(PlannedPage(ref, Disposition.BLANK) for ref in refs)
    plan = dataclasses.replace(judged_plan([refs[0]] * 3).plan, cases=(), pages=pages, findings=())
    store_plan(db, stack, plan_to_json(JudgedPlan(plan, ())), "digest")
    return JudgedPlan(plan, ())


@pytest.mark.parametrize("make", [planned, _blank])
def test_a_scan_in_two_stacks_is_finished_when_both_are_filed_at_once(
    db: Database, make: Callable[[Database, TakenStack], JudgedPlan]
) -> None:
    for number in range(1, 7):
        scan_id = read(db, number, pages=6)
        runs = [
            Segment(1, 3, OpenedBy.SCAN, closed_by=ClosedBy.COLLECTION_SHEET),
            Segment(4, 6, OpenedBy.COLLECTION_SHEET, closed_by=ClosedBy.SCAN_END),
        ]
        assemble(db, scan_id, runs, Assemble.FILE)
    work = []
    while (stack := take_stack(db, somebody(), HOUR)) is not None:
        work.append((stack, make(db, stack)))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda each: record_filing(db, each[0], each[1], stored(each[1]), DAY), work))
    assert [account.state for account in page_accounts(db)] == ["filed"] * 6
    assert all(account.balanced for account in page_accounts(db))


def test_a_stack_without_cases_is_filed_too(db: Database) -> None:
    closed(db, 1, pages=1)
    stack = taken_stack(db)
    assert record_filing(db, stack, _blank(db, stack), {}, DAY) == ()
    assert page_accounts(db)[0].state == "filed"


def test_the_history_tells_of_a_case_what_isnt_private(db: Database) -> None:
    (case,) = filed(db, 1)
    told = events_after(db)
    assert [each.event.name for each in told if each.event.case_id == case.id] == ["case_recorded"]
    assert "00123456" not in str(told)
    assert "M-778899" not in str(told)
    assert "scan0001" not in str(told)
