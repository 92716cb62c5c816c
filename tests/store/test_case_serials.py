from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import text

from skrynka.core.judging import JudgedPlan
from skrynka.core.model import Disposition, Plan, PlannedCase, PlannedDocument, PlannedPage, RoutingCode, SheetKind
from skrynka.core.reasons import ReviewReason
from skrynka.core.requirements import Completeness, CompletenessState
from skrynka.store.case_listings import CaseDetail, find_case
from skrynka.store.case_serials import seen_serials
from skrynka.store.database import Database, open_database
from skrynka.store.events import hold_history
from skrynka.store.plan_json import plan_to_json
from skrynka.store.records import FiledCase, record_filing
from skrynka.store.sheets import PrintedSheet, record_sheets
from skrynka.store.stacks import TakenStack, stack_pages, store_plan
from tests.store.asking import events_after
from tests.store.samples import BOXES, DAY, closed, filed, stored, taken_stack

SERIAL = "A000007"
REPEATED = (ReviewReason.SERIAL_REPEATED,)

Planned = tuple[TakenStack, JudgedPlan]


def planned(
    db: Database, number: int, *serials: str | None, box: str = "OBL-03", follows: str | None = None
) -> Planned:
    """Plan a scan as a case of one page for each serial, with nothing to review, and store the plan."""
    closed(db, number, len(serials), box=box)
    stack = taken_stack(db)
    plan = JudgedPlan(
        Plan(
            cases=tuple(
                PlannedCase(
                    place,
                    (PlannedDocument(("UNSORTED",), (page.ref,)),),
                    (),
                    held=False,
                    serial=serial,
                    follows=follows,
                )
                for place, (serial, page) in enumerate(zip(serials, stack_pages(db, stack.id), strict=True), start=1)
            ),
            pages=tuple(
                PlannedPage(page.ref, Disposition.DOCUMENT, case=place, document=1, page_in_document=1)
                for place, page in enumerate(stack_pages(db, stack.id), start=1)
            ),
        ),
        (Completeness(CompletenessState.UNDETERMINED),) * len(serials),
    )
    store_plan(db, stack, plan_to_json(plan), "digest")
    return stack, plan


def recorded(db: Database, plan: Planned) -> tuple[FiledCase, ...]:
    stack, judged = plan
    return record_filing(db, stack, judged, stored(judged), DAY)


def detail(db: Database, case: FiledCase) -> CaseDetail:
    found = find_case(db, case.number)
    assert found is not None
    return found


def test_serials_are_seen_on_cases_of_other_stacks(db: Database) -> None:
    filed(db, 1)
    assert seen_serials(db, {"A000123", "A000999"}, excluding_stack="") == frozenset({"A000123"})
    closed(db, 2)
    mine = taken_stack(db)
    assert seen_serials(db, {"A000123"}, excluding_stack=mine.id) == frozenset({"A000123"})
    with db.read() as connection:
        filed_stack = connection.exec_driver_sql("SELECT id FROM stack WHERE state = 'filed'").scalar_one()
    assert seen_serials(db, {"A000123"}, excluding_stack=filed_stack) == frozenset()
    assert seen_serials(db, set(), excluding_stack="") == frozenset()


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_stacks_that_were_planned_by_one_sheet_the_one_that_is_filed_second_is_for_review(
    db: Database, first: int
) -> None:
    plans = [planned(db, number, SERIAL) for number in (1, 2)]
    (early,), (late,) = recorded(db, plans[first]), recorded(db, plans[1 - first])
    assert (early.reviews, late.reviews) == ((), REPEATED)
    assert [detail(db, each).case.needs_review for each in (early, late)] == [False, True]
    assert [detail(db, each).sheet_serial for each in (early, late)] == [SERIAL, SERIAL]
    told = {each.event.case_id: each.event.data["reviews"] for each in events_after(db) if "reviews" in each.event.data}
    assert told == {early.id: 0, late.id: 1}


def test_only_the_cases_by_that_sheet_are_for_review(db: Database) -> None:
    first, second = planned(db, 1, "A000001", SERIAL, None), planned(db, 2, None, SERIAL, "A000002")
    recorded(db, first)
    assert [case.reviews for case in recorded(db, second)] == [(), REPEATED, ()]


def test_recording_it_again_reviews_nothing_twice_and_gives_the_same(db: Database) -> None:
    first, second = planned(db, 1, SERIAL), planned(db, 2, SERIAL)
    recorded(db, first)
    assert recorded(db, second) == recorded(db, second)
    assert recorded(db, first)[0].reviews == ()


def test_a_sheet_that_came_before_links_nothing_though_its_first_case_followed_up_none(db: Database) -> None:
    (earlier,) = recorded(db, planned(db, 1, None))
    sheet = PrintedSheet(1, RoutingCode(SheetKind.CASE, "A000001", follow_up="X"), "SKR1/C", date(2026, 6, 1))
    record_sheets(db, "A", "user:t", lambda _last: [sheet])
    late = planned(db, 2, "A000001", follows=earlier.number)
    # A copy on which nobody believed what it follows up: it was filed while the other one waited.
    recorded(db, planned(db, 3, "A000001"))
    (case,) = recorded(db, late)
    assert case.reviews == (ReviewReason.FOLLOW_UP_REPEATED, ReviewReason.SERIAL_REPEATED)
    assert (detail(db, case).follows, detail(db, earlier).followed_by) == (None, ())


def test_many_record_copies_of_one_sheet_at_once_and_all_but_one_are_for_review(db: Database) -> None:
    boxes = [box.code for box in BOXES] * 4
    plans = [planned(db, number, SERIAL, None, box=box) for number, box in enumerate(boxes, start=1)]
    with ThreadPoolExecutor(len(plans)) as pool:
        cases = list(pool.map(lambda each: recorded(db, each)[0], plans))
    assert sorted(len(case.reviews) for case in cases) == [0] + [1] * (len(plans) - 1)


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_two_stations_that_record_copies_of_one_sheet_in_the_same_moment_put_one_of_them_to_review(
    db: Database, database_url: str
) -> None:
    """Both have written all of their cases, and neither has committed, when they are let go."""
    plans = [planned(db, number, SERIAL, box=box.code) for number, box in enumerate(BOXES, start=1)]
    stations = [open_database(database_url) for _ in plans]
    with ThreadPoolExecutor(len(plans)) as pool, db.read() as onlooker:
        with db.write() as holder:
            hold_history(holder)
            filing = [pool.submit(recorded, *each) for each in zip(stations, plans, strict=True)]
            waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            while not any(each.done() for each in filing) and onlooker.scalar(waiting) != len(plans):
                pass
            assert not any(each.done() for each in filing)
        cases = [each.result()[0] for each in filing]
    for station in stations:
        station.close()
    assert sorted(case.reviews for case in cases) == [(), REPEATED]
    assert sorted(detail(db, case).case.needs_review for case in cases) == [False, True]
