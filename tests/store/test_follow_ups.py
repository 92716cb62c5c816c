from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import insert, select, text

from skrynka.core.errors import DatabaseRefused
from skrynka.core.follow_ups import FollowUpSheet
from skrynka.core.judging import JudgedPlan
from skrynka.core.model import RoutingCode, SheetKind
from skrynka.core.reasons import ReviewReason
from skrynka.store.case_listings import CaseDetail, find_case
from skrynka.store.case_tables import case_review, follow_up
from skrynka.store.database import Database, new_id
from skrynka.store.follow_ups import follow_up_sheets
from skrynka.store.plan_json import plan_to_json
from skrynka.store.records import FiledCase, record_filing
from skrynka.store.sheets import PrintedSheet, record_sheets
from skrynka.store.stacks import TakenStack, stack_pages, store_plan
from tests.store.asking import events_after
from tests.store.samples import DAY, closed, filed, judged_plan, stored, taken_stack

LAST_DAY = date(2026, 6, 1)
EARLIER = "OBL-03/2026/000001"


def printed(db: Database, *claims: str | None, expires_on: date | None = LAST_DAY) -> None:
    """Print case sheets A000001 and on that make these claims."""
    sheets = [
        PrintedSheet(
            number, RoutingCode(SheetKind.CASE, f"A{number:06}", "OBL-03", "VER", follow_up=claim), "SKR1/C", expires_on
        )
        for number, claim in enumerate(claims, start=1)
    ]
    record_sheets(db, "A", "user:t", lambda _last: sheets)


def following(db: Database, number: int, serial: str = "A000001", box: str = "OBL-03") -> tuple[TakenStack, JudgedPlan]:
    """Plan a scan whose case follows up the first one, and store the plan."""
    closed(db, number, box=box)
    stack = taken_stack(db)
    whole = judged_plan([page.ref for page in stack_pages(db, stack.id)])
    case = dataclasses.replace(whole.plan.cases[0], serial=serial, follows=EARLIER)
    judged = dataclasses.replace(whole, plan=dataclasses.replace(whole.plan, cases=(case,)))
    store_plan(db, stack, plan_to_json(judged), "digest")
    return stack, judged


def recorded(db: Database, planned: tuple[TakenStack, JudgedPlan]) -> FiledCase:
    stack, judged = planned
    return record_filing(db, stack, judged, stored(judged), DAY)[0]


def detail(db: Database, case: str) -> CaseDetail:
    found = find_case(db, case)
    assert found is not None
    return found


def test_what_is_known_of_a_follow_up_sheet_is_told_by_its_serial(db: Database) -> None:
    filed(db, 1)
    filed(db, 2, box="POD-01")
    printed(db, "OBL-03-2026-000001", "POD-01-2026-000001", "OBL-03-2026-000099", "no number", None)
    serials = [f"A{number:06}" for number in range(1, 9)]
    assert follow_up_sheets(db, serials, "OBL-03") == {
        "A000001": FollowUpSheet("OBL-03-2026-000001", EARLIER, LAST_DAY, used=False),
        "A000002": FollowUpSheet("POD-01-2026-000001", None, LAST_DAY, used=False),
        "A000003": FollowUpSheet("OBL-03-2026-000099", None, LAST_DAY, used=False),
        "A000004": FollowUpSheet("no number", None, LAST_DAY, used=False),
    }
    assert follow_up_sheets(db, [], "OBL-03") == {}


def test_a_sheet_without_a_last_day_is_no_follow_up_sheet(db: Database) -> None:
    """Whoever printed it hadn't this version."""
    filed(db, 1)
    printed(db, "OBL-03-2026-000001", expires_on=None)
    assert follow_up_sheets(db, ["A000001"], "OBL-03") == {}


def test_a_honoured_follow_up_links_its_case_to_the_earlier_one(db: Database) -> None:
    filed(db, 1)
    printed(db, "OBL-03-2026-000001")
    case = recorded(db, following(db, 2))
    assert (detail(db, case.number).follows, detail(db, EARLIER).follows) == (EARLIER, None)
    assert (detail(db, EARLIER).followed_by, detail(db, case.number).followed_by) == ((case.number,), ())
    assert follow_up_sheets(db, ["A000001"], "OBL-03")["A000001"].used
    with db.read() as connection:
        rows = connection.execute(text("SELECT number, follows FROM case_overview ORDER BY number")).all()
    assert [tuple(row) for row in rows] == [(EARLIER, None), (case.number, EARLIER)]
    told = {each.event.name: (each.event.case_id, dict(each.event.data)) for each in events_after(db)}
    assert told["follow_up_honoured"] == (case.id, {"follows": EARLIER})
    assert told["case_followed_up"] == (detail(db, EARLIER).case.id, {"sheet": "A000001"})


def test_recording_it_again_links_nothing_twice(db: Database) -> None:
    filed(db, 1)
    printed(db, "OBL-03-2026-000001")
    planned = following(db, 2)
    assert recorded(db, planned) == recorded(db, planned)
    assert len(detail(db, EARLIER).followed_by) == 1


def test_of_two_stacks_that_were_planned_by_copies_of_one_sheet_one_is_linked_and_one_is_for_review(
    db: Database,
) -> None:
    filed(db, 1)
    printed(db, "OBL-03-2026-000001")
    first, second = following(db, 2), following(db, 3)
    linked, late = recorded(db, second), recorded(db, first)
    assert detail(db, EARLIER).followed_by == (linked.number,)
    assert detail(db, late.number).follows is None
    assert ReviewReason.FOLLOW_UP_REPEATED in late.reviews
    assert ReviewReason.FOLLOW_UP_REPEATED not in linked.reviews
    assert detail(db, late.number).case.needs_review


def test_the_one_that_comes_late_is_for_review_though_nothing_else_was(db: Database) -> None:
    filed(db, 1)
    printed(db, "OBL-03-2026-000001")
    recorded(db, following(db, 2))
    stack, judged = following(db, 3)
    plain = dataclasses.replace(judged.plan.cases[0], reviews=())
    judged = dataclasses.replace(judged, plan=dataclasses.replace(judged.plan, cases=(plain,)))
    case = recorded(db, (stack, judged))
    assert case.reviews == (ReviewReason.FOLLOW_UP_REPEATED, ReviewReason.SERIAL_REPEATED)
    assert detail(db, case.number).case.needs_review


def test_many_record_copies_of_one_sheet_at_once_and_one_is_linked(db: Database) -> None:
    filed(db, 1)
    printed(db, "OBL-03-2026-000001")
    planned = [following(db, number, box=box) for number, box in enumerate(["OBL-03", "POD-01"] * 4, start=2)]
    with ThreadPoolExecutor(8) as pool:
        cases = list(pool.map(lambda each: recorded(db, each), planned))
    late = [ReviewReason.FOLLOW_UP_REPEATED in case.reviews for case in cases]
    assert sorted(late) == [False] + [True] * 7
    assert detail(db, EARLIER).followed_by == (cases[late.index(False)].number,)


def test_the_database_refuses_a_second_link_by_one_sheet(db: Database) -> None:
    filed(db, 1)
    printed(db, "OBL-03-2026-000001")
    recorded(db, following(db, 2))
    other, earlier = filed(db, 3)[0].id, detail(db, EARLIER).case.id
    row = {"case_id": other, "follows_case_id": earlier, "sheet_serial": "A000001"}
    with pytest.raises(DatabaseRefused) as refused, db.write() as connection:
        connection.execute(insert(follow_up).values(row))
    assert refused.value.kind == "unique"


@pytest.mark.parametrize("wrong", ["itself", "no case", "no sheet"])
def test_the_database_refuses_a_link_that_makes_no_sense(wrong: str, db: Database) -> None:
    earlier, later = (filed(db, number)[0].id for number in (1, 2))
    printed(db, "OBL-03-2026-000001")
    row = {"case_id": later, "follows_case_id": earlier, "sheet_serial": "A000001"} | {
        "itself": {"follows_case_id": later},
        "no case": {"follows_case_id": new_id()},
        "no sheet": {"sheet_serial": "A999999"},
    }[wrong]
    with pytest.raises(DatabaseRefused), db.write() as connection:
        connection.execute(insert(follow_up).values(row))


def test_every_reason_for_review_can_be_written_down(db: Database) -> None:
    case_id = filed(db, 1)[0].id
    with db.write() as connection:
        had = set(connection.scalars(select(case_review.c.reason)))
        rows = [{"case_id": case_id, "reason": reason.value} for reason in ReviewReason if reason.value not in had]
        connection.execute(insert(case_review), rows)
