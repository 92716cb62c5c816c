from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from skrynka.core.errors import ConservationBroken, LeaseLost
from skrynka.store.database import Database
from skrynka.store.leases import TakenStack
from skrynka.store.plan_json import plan_from_json, plan_to_json
from skrynka.store.queue import reset_interrupted
from skrynka.store.stacks import (
    release_stack,
    renew_stack,
    stack_pages,
    stack_scans,
    store_plan,
    take_stack,
)
from tests.store.asking import events_after, page_accounts
from tests.store.samples import CLAIMED, HOUR, closed, judged_plan, planned, readings, somebody, taken_stack


def test_the_stack_that_was_closed_first_is_taken_first(db: Database) -> None:
    stacks = [closed(db, number) for number in (1, 2)]
    assert [(stack.id, stack.name) for stack in (taken_stack(db), taken_stack(db))] == [
        (stack.id, stack.name) for stack in stacks
    ]
    assert take_stack(db, somebody(), HOUR) is None


def test_a_worker_that_never_heard_that_it_got_a_stack_gets_it_again_and_no_attempt_is_counted(db: Database) -> None:
    closed(db, 1)
    closed(db, 2)
    worker = somebody()
    took = [take_stack(db, worker, HOUR) for _ in range(4)]
    assert [(stack.number, stack.attempt, stack.epoch) for stack in took if stack] == [
        (1, 1, epoch) for epoch in range(1, 5)
    ]


def test_no_two_workers_get_the_same_stack(db: Database) -> None:
    stacks = {closed(db, number, pages=1).id for number in range(1, 13)}
    together = threading.Barrier(4)

    def take_all() -> list[str]:
        together.wait(10)
        mine = []
        while (stack := take_stack(db, somebody(), HOUR)) is not None:
            mine.append(stack.id)
        return mine

    with ThreadPoolExecutor(4) as pool:
        got = [stack_id for each in [pool.submit(take_all) for _ in range(4)] for stack_id in each.result()]
    assert len(got) == 12
    assert set(got) == stacks


def test_a_stack_gives_its_pages_and_scans(db: Database) -> None:
    stack = closed(db, 5, pages=3)
    assert [page.reading for page in stack_pages(db, stack.id)] == readings(3)
    (scan,) = stack_scans(db, stack.id)
    assert (scan.name, scan.claimed_at, scan.file_type) == ("A-5", CLAIMED, "pdf")


def test_a_stored_plan_is_what_the_next_worker_gets(db: Database) -> None:
    closed(db, 1)
    stack = taken_stack(db, 0.0)
    judged = planned(db, stack)
    reset_interrupted(db)
    again = taken_stack(db)
    assert again.plan is not None
    assert plan_from_json(again.plan) == judged
    assert (again.config_digest, again.attempt) == ("digest", 2)
    assert "00123456" not in repr(again)


def test_a_plan_once_stored_stays(db: Database) -> None:
    closed(db, 1)
    stack = taken_stack(db, 0.0)
    planned(db, stack)
    before = len(events_after(db))
    store_plan(db, stack, "{}", "other")
    assert len(events_after(db)) == before
    reset_interrupted(db)
    assert taken_stack(db).config_digest == "digest"


def test_a_worker_that_was_overtaken_stores_no_plan(db: Database) -> None:
    closed(db, 1)
    stale = taken_stack(db, 0.0)
    reset_interrupted(db)
    taken_stack(db)
    with pytest.raises(LeaseLost):
        store_plan(db, stale, "{}", "digest")
    with pytest.raises(LeaseLost):
        renew_stack(db, stale, HOUR)
    with pytest.raises(LeaseLost):
        release_stack(db, stale)


@pytest.mark.parametrize("engine", ["postgresql"])
def test_a_lease_that_is_renewed_doesnt_run_out(db: Database) -> None:
    closed(db, 1)
    renew_stack(db, taken_stack(db, 0.0), HOUR)
    assert take_stack(db, somebody(), HOUR) is None


def test_a_stack_that_is_given_back_hasnt_lost_an_attempt_nor_its_plan(db: Database) -> None:
    closed(db, 1)
    stack = taken_stack(db)
    planned(db, stack)
    release_stack(db, stack)
    again = taken_stack(db)
    assert (again.id, again.attempt, again.plan is None) == (stack.id, 1, False)


def test_a_stack_that_is_given_back_twice_is_given_back_once(db: Database) -> None:
    closed(db, 1)
    first = taken_stack(db)
    release_stack(db, first, counted=True)
    again = taken_stack(db)
    release_stack(db, again)
    with pytest.raises(LeaseLost):
        release_stack(db, again)
    assert taken_stack(db).attempt == 2


def test_a_stack_that_broke_off_three_times_goes_to_quarantine_and_the_queue_goes_on(db: Database) -> None:
    poison, other = closed(db, 1), closed(db, 2)
    for attempt in (1, 2, 3):
        assert taken_stack(db, 0.0).attempt == attempt
        reset_interrupted(db)
    told: list[TakenStack] = []
    following = take_stack(db, somebody(), HOUR, told.append)
    assert following is not None
    assert following.id == other.id
    assert [stack.id for stack in told] == [poison.id]
    account = page_accounts(db)[0]
    assert (account.state, account.pages["quarantined"], account.balanced) == ("quarantined", 3, True)


def test_a_plan_comes_back_from_json_as_it_was(db: Database) -> None:
    closed(db, 1, pages=5)
    judged = judged_plan([page.ref for page in stack_pages(db, taken_stack(db).id)])
    assert plan_from_json(plan_to_json(judged)) == judged


def test_what_isnt_a_plan_is_refused_without_quoting_it() -> None:
    with pytest.raises(ConservationBroken) as broken:
        plan_from_json('{"plan": "CANARY-00123456"}')
    assert "CANARY" not in str(broken.value)
    assert broken.value.__suppress_context__
