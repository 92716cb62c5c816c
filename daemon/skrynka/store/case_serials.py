"""Case sheets that come again: a serial is printed once, so a second case by it is a copy, or its pile again."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, exists, insert, select, update

from skrynka.core.reasons import ReviewReason
from skrynka.store.case_tables import case, case_review
from skrynka.store.database import Database

_OTHER = case.alias("other")
_ELSEWHERE = exists().where(_OTHER.c.sheet_serial == case.c.sheet_serial, _OTHER.c.stack_id != bindparam("of_stack"))
_TOLD = exists().where(case_review.c.case_id == case.c.id, case_review.c.reason == ReviewReason.SERIAL_REPEATED.value)
_AGAIN = (
    select(case.c.id, case.c.sheet_serial, _TOLD.label("told"))
    .where(case.c.stack_id == bindparam("of_stack"), _ELSEWHERE)
    .order_by(case.c.ordinal)
)

_SEEN = select(case.c.sheet_serial).where(
    case.c.sheet_serial.in_(bindparam("serials", expanding=True)), case.c.stack_id != bindparam("of_stack")
)


def seen_serials(db: Database, serials: Collection[str], *, excluding_stack: str) -> frozenset[str]:
    """Say which of these serials of case sheets are already on cases of other stacks."""
    with db.read() as connection:
        return frozenset(connection.scalars(_SEEN, {"serials": list(serials), "of_stack": excluding_stack}))


def review_repeated(connection: Connection, stack_id: str) -> frozenset[str]:
    """Give the serials of a stack's cases, just recorded, that other stacks' cases have too; those are for review.

    The plan looked before them, and may be days old: whatever was recorded since is seen here only. The history is
    held by the caller, so that of two stacks that are recorded at once the second sees the first.
    """
    rows = connection.execute(_AGAIN, {"of_stack": stack_id}).all()
    for row in rows:
        if not row.told:
            connection.execute(insert(case_review).values(case_id=row.id, reason=ReviewReason.SERIAL_REPEATED.value))
            connection.execute(update(case).where(case.c.id == row.id).values(needs_review=True))
    return frozenset(row.sheet_serial for row in rows)
