"""The queue of stacks that wait to be filed, what lies in them, and the plans stored before anything is cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Connection, Row, Select, Update, and_, bindparam, or_, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from skrynka.core.errors import LeaseLost
from skrynka.core.formats import FileType
from skrynka.core.model import PageRef, StackPage
from skrynka.core.naming import scan_name
from skrynka.core.reasons import QuarantineReason
from skrynka.store.conditions import STACK_WAITS
from skrynka.store.database import Database
from skrynka.store.events import NewEvent, record_events
from skrynka.store.leases import NOT_TAKEN, TakenStack, is_exhausted, is_given_up, last, lease_end, one_row, taking
from skrynka.store.page_rows import reading_of
from skrynka.store.quarantine import set_stack_aside
from skrynka.store.states import StackState
from skrynka.store.tables import page, scan, stack

__all__ = [
    "StackScan",
    "TakenStack",
    "release_stack",
    "renew_stack",
    "stack_pages",
    "stack_scans",
    "store_plan",
    "take_stack",
]

_PAGES = select(page).where(page.c.stack_id == bindparam("of_stack")).order_by(page.c.position)
_SCANS = (
    select(scan)
    .where(scan.c.id.in_(select(page.c.scan_id).where(page.c.stack_id == bindparam("of_stack"))))
    .order_by(scan.c.number)
)
_STILL = and_(
    stack.c.id == bindparam("of_stack"),
    STACK_WAITS,
    stack.c.epoch == bindparam("of_epoch"),
    # Unlike a scan's, its state doesn't say whether somebody has it: given back twice, it would lose two attempts.
    stack.c.lease_owner.is_not(None),
)
_HAS = select(stack.c.id).where(_STILL)
_RELEASE = update(stack).where(_STILL).values(attempts=stack.c.attempts - bindparam("uncounted"), **NOT_TAKEN)
_PLAN = update(stack).where(_STILL, stack.c.state == StackState.CLOSED.value).values(state=StackState.PLANNED.value)


@lru_cache(maxsize=16)
def _oldest(engine: str, behind: tuple[str, ...]) -> Select[Any]:
    return (
        select(stack)
        .where(STACK_WAITS, or_(stack.c.lease_owner.is_(None), is_given_up(engine, stack)))
        .order_by(*last(stack, behind), stack.c.closed_at, stack.c.station_code, stack.c.number)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


@cache
def _take(engine: str) -> ReturningUpdate[Any]:
    taking_it = update(stack).where(stack.c.id == bindparam("of_stack"))
    return taking_it.values(lease_until=lease_end(engine)).returning(stack)


@cache
def _renew(engine: str) -> Update:
    return update(stack).where(_STILL).values(lease_until=lease_end(engine))


@dataclass(frozen=True, slots=True)
class StackScan:
    """A scan that has pages in a stack."""

    id: str
    name: str
    """Such as "A-4417"."""
    sha256: str
    file_type: FileType | None
    claimed_at: datetime


def take_stack(
    db: Database,
    owner: str,
    lease_seconds: float,
    given_up: Callable[[TakenStack], None] = lambda _stack: None,
    behind: Sequence[str] = (),
) -> TakenStack | None:
    """Take the stack that was closed first, or one whose lease has run out; None when there is none.

    As with scans, the attempt is counted before the work begins, and a stack that broke off three times goes to
    quarantine with its scans (`given_up` is told of it afterwards). Stacks whose ids are in `behind` are taken when no
    other waits, the first of them first. Raises DatabaseAway.
    """

    def work(connection: Connection) -> tuple[TakenStack | None, list[TakenStack]]:
        oldest = _oldest(db.engine, tuple(behind))
        events: list[NewEvent] = []
        taken, exhausted = None, []
        while taken is None and (row := connection.execute(oldest, {"owner": owner}).first()) is not None:
            if is_exhausted(row, owner):
                events += set_stack_aside(connection, row.id, QuarantineReason.ATTEMPTS_EXHAUSTED, db.now())
                exhausted.append(_taken(row, owner))
                continue
            values = {"of_stack": row.id, "lease_seconds": lease_seconds, **taking(row, owner)}
            taken = _taken(connection.execute(_take(db.engine), values).one(), owner)
        record_events(connection, db.now(), owner, events)
        return taken, exhausted

    taken, exhausted = db.transact(work)
    for stack_given_up in exhausted:
        given_up(stack_given_up)
    return taken


def renew_stack(db: Database, taken: TakenStack, lease_seconds: float) -> None:
    """Make the lease last so long from now. Raises LeaseLost, DatabaseAway."""
    with db.write() as connection:
        one_row(connection.execute(_renew(db.engine), {**_of(taken), "lease_seconds": lease_seconds}))


def release_stack(db: Database, taken: TakenStack, *, counted: bool = False) -> None:
    """Give a stack back to the queue; a stored plan stays. Unless `counted`, as if it had not been taken.

    Raises LeaseLost (also where it was given back before, and the answer to that was lost), DatabaseAway.
    """
    with db.write() as connection:
        one_row(connection.execute(_RELEASE, {**_of(taken), "uncounted": 0 if counted else 1}))


def stack_pages(db: Database, stack_id: str) -> list[StackPage]:
    """Give the pages of a stack in the order of the pile, with what was seen on them."""
    with db.read() as connection:
        return [
            StackPage(PageRef(row.scan_id, row.number), reading_of(row), row.after_gap)
            for row in connection.execute(_PAGES, {"of_stack": stack_id})
        ]


def stack_scans(db: Database, stack_id: str) -> list[StackScan]:
    """Give the scans that have pages in a stack, in the order that they were claimed in."""
    with db.read() as connection:
        return [
            StackScan(
                row.id,
                scan_name(row.station_code, row.number),
                row.sha256,
                FileType(row.file_type) if row.file_type else None,
                row.claimed_at,
            )
            for row in connection.execute(_SCANS, {"of_stack": stack_id})
        ]


def store_plan(db: Database, taken: TakenStack, plan: str, config_digest: str) -> None:
    """Store the plan (JSON) and the digest of the configuration it was made by. A plan, once stored, stays.

    Stored before by the same worker, it changes nothing. Raises LeaseLost, DatabaseAway.
    """

    def work(connection: Connection) -> None:
        stored = connection.execute(_PLAN, {**_of(taken), "plan": plan, "config_digest": config_digest})
        if not stored.rowcount:
            if connection.execute(_HAS, _of(taken)).first() is None:
                raise LeaseLost("somebody else has this stack now")
            return
        record_events(
            connection,
            db.now(),
            taken.owner,
            [NewEvent("stack_planned", stack_id=taken.id, data={"config_digest": config_digest})],
        )

    db.transact(work)


def _taken(row: Row[Any], owner: str) -> TakenStack:
    return TakenStack(
        id=row.id,
        station_code=row.station_code,
        number=row.number,
        box_code=row.box_code,
        plan=row.plan,
        config_digest=row.config_digest,
        gap_at_end=row.gap_at_end,
        attempt=row.attempts,
        epoch=row.epoch,
        owner=owner,
    )


def _of(taken: TakenStack) -> dict[str, object]:
    return {"of_stack": taken.id, "of_epoch": taken.epoch}
