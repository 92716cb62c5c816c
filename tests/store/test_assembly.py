from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import text

from skrynka.core.errors import ConservationBroken
from skrynka.core.reasons import QuarantineReason
from skrynka.core.stacking import Assemble, ClosedBy, OpenedBy, Segment
from skrynka.store.assembly import (
    OpenedStack,
    assemble,
    boxes_to_place,
    boxes_with_open_stack,
    close_quiet_stack,
    close_stack,
    next_unassembled,
    open_stack,
    pass_scan,
    scan_readings,
)
from skrynka.store.database import Database
from skrynka.store.quarantine import quarantine_scan, retry_quarantined
from skrynka.store.queue import record_reading
from skrynka.store.registration import register_scan
from skrynka.store.stacks import stack_pages, stack_scans
from skrynka.store.states import ScanState
from tests.store.samples import new_scan, read, readings, received, taken, taken_stack

BOX = "OBL-03"


def _first(pages: int) -> list[Segment]:
    return [Segment(1, pages, OpenedBy.SCAN)]


def _further(pages: int, closed_by: ClosedBy | None = None) -> list[Segment]:
    return [Segment(1, pages, None, closed_by=closed_by)]


def _in_quarantine(db: Database, number: int) -> str:
    scan_id = received(db, number)
    quarantine_scan(db, taken(db), QuarantineReason.CORRUPT)
    return scan_id


def _after_gap(db: Database, number: int, *, content: str) -> str:
    new = replace(new_scan(number, content=content), after_gap=True)
    register_scan(db, new)
    return new.id


def test_scans_are_assembled_in_the_order_they_were_claimed_in(db: Database) -> None:
    later = read(db, 12)
    assert (waiting := next_unassembled(db, BOX)) is not None
    assert waiting.id == later
    earlier = received(db, 11)
    assert (waiting := next_unassembled(db, BOX)) is not None
    assert (waiting.id, waiting.name, waiting.state) == (earlier, "A-11", "received")
    assert next_unassembled(db, "POD-01") is None


def test_a_duplicate_is_passed_and_leaves_a_gap_in_the_open_stack(db: Database) -> None:
    first = read(db, 1)
    again = received(db, 2, content="scan 1")
    assemble(db, first, _first(3), Assemble.STACK)
    passed = next_unassembled(db, BOX)
    assert passed is not None
    assert (passed.id, passed.state) == (again, ScanState.DUPLICATE)
    assert pass_scan(db, again)
    assert next_unassembled(db, BOX) is None
    assert not pass_scan(db, again)


def test_a_duplicate_of_blank_pages_is_passed_and_leaves_no_gap(db: Database) -> None:
    first = read(db, 1)
    again = received(db, 2, content="scan 1")
    (stack,) = assemble(db, first, _first(3), Assemble.STACK)
    passed = next_unassembled(db, BOX)
    assert passed is not None
    assert (passed.id, passed.duplicate_of) == (again, first)
    assert not pass_scan(db, again, blank=True)
    assert next_unassembled(db, BOX) is None
    assemble(db, read(db, 3, 1), _further(1, ClosedBy.END_SHEET), Assemble.STACK)
    assert not any(page.after_gap for page in stack_pages(db, stack.id))


@pytest.mark.parametrize("blank", [True, False])
def test_a_duplicate_that_comes_after_a_gap_leaves_it_in_the_open_stack_even_if_it_is_blank(
    db: Database, *, blank: bool
) -> None:
    first = read(db, 1)
    again = _after_gap(db, 2, content="scan 1")
    (stack,) = assemble(db, first, _first(3), Assemble.STACK)
    assert pass_scan(db, again, blank=blank)
    assemble(db, read(db, 3, 1), _further(1, ClosedBy.END_SHEET), Assemble.STACK)
    assert [page.after_gap for page in stack_pages(db, stack.id)] == [False, False, False, True]
    assert not taken_stack(db).gap_at_end


def test_a_duplicate_of_blank_pages_leaves_the_gap_of_a_scan_that_was_passed_before_it(db: Database) -> None:
    first = read(db, 1)
    (stack,) = assemble(db, first, _first(3), Assemble.STACK)
    assert pass_scan(db, _in_quarantine(db, 2))
    assert not pass_scan(db, received(db, 3, content="scan 1"), blank=True)
    assemble(db, read(db, 4, 1), _further(1, ClosedBy.END_SHEET), Assemble.STACK)
    assert [page.after_gap for page in stack_pages(db, stack.id)] == [False, False, False, True]


def test_a_gap_before_a_passed_scan_marks_nothing_where_no_stack_is_open(db: Database) -> None:
    first = read(db, 1)
    again = _after_gap(db, 2, content="scan 1")
    assemble(db, first, _first(3), Assemble.STACK)
    close_stack(db, BOX, ClosedBy.QUIET_TIME)
    assert not pass_scan(db, again, blank=True)
    (begun,) = assemble(db, read(db, 3, 1), _first(1), Assemble.STACK)
    assert not any(page.after_gap for page in stack_pages(db, begun.id))
    assert not taken_stack(db).gap_at_end


def test_a_scan_that_goes_back_into_quarantine_leaves_no_gap_in_a_stack_it_was_never_part_of(db: Database) -> None:
    spoilt = received(db, 1)
    quarantine_scan(db, taken(db), QuarantineReason.CORRUPT)
    assert not pass_scan(db, spoilt)
    assemble(db, read(db, 2), _first(3), Assemble.STACK)
    assert retry_quarantined(db, spoilt, "user:olena")
    quarantine_scan(db, taken(db), QuarantineReason.CORRUPT)
    assert not pass_scan(db, spoilt)
    assert next_unassembled(db, BOX) is None


def test_boxes_with_work_are_told_whether_or_not_anybody_configures_them(db: Database) -> None:
    def with_work(station: str) -> tuple[list[str], list[str]]:
        return boxes_to_place(db, station), boxes_with_open_stack(db, station)

    assert with_work("A") == ([], [])
    scan = read(db, 1)
    read(db, 2)
    assert with_work("A") == ([BOX], [])
    assemble(db, scan, _first(3), Assemble.STACK)
    assert with_work("A") == ([BOX], [BOX])
    assert with_work("B") == ([], [])
    close_stack(db, BOX, ClosedBy.QUIET_TIME)
    assert with_work("A") == ([BOX], [])


def test_a_stack_goes_on_in_the_next_scan(db: Database) -> None:
    one, two = read(db, 1, 3), read(db, 2, 2)
    (opened,) = assemble(db, one, _first(3), Assemble.STACK, bare=True)
    stack = open_stack(db, BOX)
    assert stack is not None
    assert (stack.id, stack.name, stack.pages, stack.bare, stack.ended) == (opened.id, "A/1", 3, True, False)
    assert stack.last_page == scan_readings(db, one)[2]
    assert assemble(db, two, _further(2), Assemble.STACK) == (opened,)
    assert [(page.ref.scan_id, page.ref.number) for page in stack_pages(db, opened.id)] == [
        (one, 1),
        (one, 2),
        (one, 3),
        (two, 1),
        (two, 2),
    ]
    assert [scan.name for scan in stack_scans(db, opened.id)] == ["A-1", "A-2"]
    stack = open_stack(db, BOX)
    assert stack is not None
    assert not stack.bare


def test_a_scan_may_end_one_stack_and_begin_others(db: Database) -> None:
    assemble(db, read(db, 1, 2), _first(2), Assemble.STACK)
    runs = [
        Segment(1, 1, None, ended=True, closed_by=ClosedBy.END_SHEET),
        Segment(2, 3, OpenedBy.COLLECTION_SHEET, "B000007", closed_by=ClosedBy.REPEAT_SHEET),
        Segment(4, 5, OpenedBy.REPEAT_SHEET),
    ]
    stacks = assemble(db, read(db, 2, 5), runs, Assemble.STACK)
    assert [stack.name for stack in stacks] == ["A/1", "A/2", "A/3"]
    assert [len(stack_pages(db, stack.id)) for stack in stacks] == [3, 2, 2]
    with db.read() as connection:
        rows = connection.execute(
            text(
                "SELECT state, opened_by, closed_by, ended_at IS NOT NULL, collection_serial FROM stack ORDER BY number"
            )
        ).all()
    assert [(row[0], row[1], row[2], bool(row[3]), row[4]) for row in rows] == [
        ("closed", "scan", "end_sheet", True, None),
        ("closed", "collection_sheet", "repeat_sheet", False, "B000007"),
        ("open", "repeat_sheet", None, False, None),
    ]


def test_a_stack_that_gets_no_page_may_still_be_closed(db: Database) -> None:
    (first,) = assemble(db, read(db, 1, 2), _first(2), Assemble.STACK)
    runs = [Segment(1, 0, None, closed_by=ClosedBy.COLLECTION_SHEET), Segment(1, 2, OpenedBy.COLLECTION_SHEET)]
    assemble(db, read(db, 2, 2), runs, Assemble.STACK)
    assert taken_stack(db).id == first.id
    assert len(stack_pages(db, first.id)) == 2


def test_a_scan_is_assembled_once(db: Database) -> None:
    scan_id = read(db, 1)
    assemble(db, scan_id, _first(3), Assemble.STACK)
    assert assemble(db, scan_id, _first(3), Assemble.STACK) == ()


@pytest.mark.parametrize(
    "runs",
    [
        [Segment(1, 2, OpenedBy.SCAN)],
        [Segment(2, 3, OpenedBy.SCAN)],
        [Segment(1, 2, OpenedBy.SCAN, closed_by=ClosedBy.END_SHEET), Segment(2, 3, OpenedBy.SCAN)],
        [Segment(1, 4, OpenedBy.SCAN)],
        [Segment(1, 3, None)],
    ],
)
def test_runs_that_arent_the_scans_pages_are_refused(db: Database, runs: list[Segment]) -> None:
    scan_id = read(db, 1, 3)
    with pytest.raises(ConservationBroken):
        assemble(db, scan_id, runs, Assemble.STACK)
    assert open_stack(db, BOX) is None
    assert (waiting := next_unassembled(db, BOX)) is not None
    assert waiting.id == scan_id


def test_the_page_after_a_scan_in_quarantine_comes_after_a_gap(db: Database) -> None:
    (stack,) = assemble(db, read(db, 1, 2), _first(2), Assemble.STACK)
    lost = _in_quarantine(db, 2)
    assert (waiting := next_unassembled(db, BOX)) is not None
    assert (waiting.id, waiting.state) == (lost, "quarantined")
    assert pass_scan(db, lost)
    assert not pass_scan(db, lost)
    assert next_unassembled(db, BOX) is None
    assemble(db, read(db, 3, 2), _further(2, ClosedBy.END_SHEET), Assemble.STACK)
    assert [page.after_gap for page in stack_pages(db, stack.id)] == [False, False, True, False]
    assert not taken_stack(db).gap_at_end


def test_a_stack_that_ends_with_a_scan_in_quarantine_says_so(db: Database) -> None:
    assemble(db, read(db, 1, 2), _first(2), Assemble.STACK)
    pass_scan(db, _in_quarantine(db, 2))
    close_stack(db, BOX, ClosedBy.QUIET_TIME)
    assert taken_stack(db).gap_at_end


def test_a_scan_in_quarantine_leaves_no_gap_where_no_stack_is_open(db: Database) -> None:
    lost = _in_quarantine(db, 1)
    assert not pass_scan(db, lost)
    assert next_unassembled(db, BOX) is None


def test_a_scan_out_of_quarantine_makes_its_stack_beside_the_open_one(db: Database) -> None:
    (open_one,) = assemble(db, read(db, 1, 2), _first(2), Assemble.STACK)
    late = _in_quarantine(db, 2)
    pass_scan(db, late)
    retry_quarantined(db, late, "user:t")
    record_reading(db, taken(db), readings(2))
    alone = [Segment(1, 2, OpenedBy.SCAN, closed_by=ClosedBy.SCAN_END)]
    (made,) = assemble(db, late, alone, Assemble.FILE)
    assert made != open_one
    stack = open_stack(db, BOX)
    assert stack is not None
    assert (stack.id, stack.pages) == (open_one.id, 2)


def test_a_quiet_stack_is_closed_only_if_it_is_still_as_it_was_seen_and_no_scan_is_on_its_way(db: Database) -> None:
    (stack,) = assemble(db, read(db, 1), _first(3), Assemble.STACK)
    before = _open(db)
    assemble(db, read(db, 2), [Segment(1, 3, None)], Assemble.STACK)
    assert close_quiet_stack(db, BOX, before) is None, "a page was added"
    seen = _open(db)
    waiting = received(db, 3)
    assert close_quiet_stack(db, BOX, seen) is None, "a scan is on its way to it"
    quarantine_scan(db, taken(db), QuarantineReason.CORRUPT)
    pass_scan(db, waiting)
    assert close_quiet_stack(db, BOX, seen) == stack
    assert close_quiet_stack(db, BOX, seen) is None
    assert taken_stack(db).id == stack.id


def test_a_stack_is_closed_on_demand_once(db: Database) -> None:
    (stack,) = assemble(db, read(db, 1), _first(3), Assemble.STACK)
    assert close_stack(db, "POD-01", ClosedBy.QUIET_TIME) is None
    assert close_stack(db, BOX, ClosedBy.SCAN_END) == stack
    assert close_stack(db, BOX, ClosedBy.SCAN_END) is None


def test_stacks_are_numbered_for_the_whole_station(db: Database) -> None:
    names = [
        assemble(db, read(db, number, 1, box=box), _first(1), Assemble.STACK)[0].name
        for number, box in ((1, "OBL-03"), (2, "POD-01"))
    ]
    assert names == ["A/1", "A/2"]


def test_stacks_that_are_made_at_once_have_numbers_of_their_own(db: Database) -> None:
    alone = [Segment(1, 1, OpenedBy.SCAN, closed_by=ClosedBy.SCAN_END)]
    scans = [read(db, number, 1, box=("OBL-03", "POD-01")[number % 2]) for number in range(1, 17)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda scan_id: assemble(db, scan_id, alone, Assemble.FILE)[0].name, scans))
    assert sorted(made) == sorted(f"A/{number}" for number in range(1, 17))


def _open(db: Database) -> OpenedStack:
    stack = open_stack(db, BOX)
    assert stack is not None
    return stack
