from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from skrynka.core.errors import DatabaseRefused
from skrynka.store.database import Database, open_database
from skrynka.store.events import NewEvent, record_events
from tests.store.asking import events_after
from tests.store.samples import filed


@pytest.mark.parametrize("change", ["UPDATE event SET actor = 'nobody'", "DELETE FROM event"])
def test_the_history_is_never_changed(db: Database, change: str) -> None:
    before = events_after(db)
    assert before
    with pytest.raises(DatabaseRefused), db.write() as connection:
        connection.execute(text(change))
    assert events_after(db) == before


def test_the_history_tells_a_scans_way_in_order(db: Database) -> None:
    filed(db, 1)
    told = events_after(db)
    names = [each.event.name for each in told]
    assert names == [
        "box_activated",
        "box_activated",
        "scan_received",
        "scan_read",
        "stack_opened",
        "stack_closed",
        "stack_planned",
        "case_recorded",
        "scan_filed",
        "stack_filed",
    ]
    scan_id, stack_id = told[2].event.scan_id, told[4].event.stack_id
    assert [each.event.name for each in events_after(db, scan_id=scan_id)] == [
        "scan_received",
        "scan_read",
        "scan_filed",
    ]
    assert [each.event.name for each in events_after(db, stack_id=stack_id)][-1] == "stack_filed"
    assert [each.event.name for each in events_after(db, told[-2].number)] == ["stack_filed"]
    assert len(events_after(db, limit=3)) == 3
    assert {each.actor.partition(":")[0] for each in told} == {"station", "worker"}
    assert all(each.at.tzinfo is not None for each in told)


def test_an_event_keeps_what_it_was_told(db: Database) -> None:
    event = NewEvent("sheet_burnt", "A", data={"count": 3, "why": None, "sure": True, "kind": "C"})
    at = db.now()
    with db.write() as connection:
        record_events(connection, at, "user:t", [event])
    last = events_after(db)[-1]
    assert (last.at, last.actor, last.event) == (at, "user:t", event)


@pytest.mark.parametrize("engine", ["postgresql"])
def test_a_reader_that_follows_the_numbers_misses_none(db: Database, database_url: str) -> None:
    # The first writer has its number and hasn't committed: the second must wait, else its number would be seen first.
    start = events_after(db)[-1].number
    numbered, may_commit = threading.Event(), threading.Event()

    def first() -> None:
        with db.write() as connection:
            record_events(connection, db.now(), "user:first", [NewEvent("told", "A")])
            numbered.set()
            assert may_commit.wait(30)

    def second() -> None:
        with db.write() as connection:
            record_events(connection, db.now(), "user:second", [NewEvent("told", "A")])

    onlooker = open_database(database_url)
    with ThreadPoolExecutor(2) as pool:
        begun = pool.submit(first)
        assert numbered.wait(30)
        waiting = pool.submit(second)
        with onlooker.read() as connection:
            # Until the second one stands at the lock, or is wrongly done.
            while not waiting.done() and not connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                pass
        assert not waiting.done()
        assert events_after(onlooker, start) == []
        may_commit.set()
        begun.result()
        waiting.result()
    assert [each.actor for each in events_after(onlooker, start)] == ["user:first", "user:second"]
    onlooker.close()
