"""Follow-ups: what is known of their printed sheets, and the links that were honoured, each sheet once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from skrynka.core.follow_ups import FollowUpSheet
from skrynka.core.naming import case_number_from_sheet
from skrynka.core.reasons import ReviewReason
from skrynka.store.case_tables import case, case_review, follow_up, sheet
from skrynka.store.database import Database
from skrynka.store.events import NewEvent


@dataclass(frozen=True, slots=True)
class NewFollowUp:
    """A link that a plan honours."""

    case_id: str
    follows: str
    """The earlier case's number."""
    serial: str
    """Of the sheet."""


def follow_up_sheets(db: Database, serials: Collection[str], box_code: str) -> dict[str, FollowUpSheet]:
    """Give what is known of the follow-up sheets with these serials, by serial; others are left out.

    The case that a sheet names counts where it came through the same box.
    """
    printed = select(sheet.c.serial, sheet.c.follow_up, sheet.c.expires_on).where(
        sheet.c.serial.in_(serials), sheet.c.follow_up.is_not(None), sheet.c.expires_on.is_not(None)
    )
    with db.read() as connection:
        rows = connection.execute(printed).all()
        numbers = {row.serial: case_number_from_sheet(row.follow_up) for row in rows}
        known = set(
            connection.scalars(
                select(case.c.number).where(case.c.number.in_(numbers.values()), case.c.box_code == box_code)
            )
        )
        used = set(
            connection.scalars(select(follow_up.c.sheet_serial).where(follow_up.c.sheet_serial.in_(numbers.keys())))
        )
    return {
        row.serial: FollowUpSheet(
            claim=row.follow_up,
            follows=numbers[row.serial] if numbers[row.serial] in known else None,
            expires_on=row.expires_on,
            used=row.serial in used,
        )
        for row in rows
    }


def honour(connection: Connection, new: Collection[NewFollowUp], repeated: Collection[str]) -> list[NewEvent]:
    """Link cases to earlier ones, both in the database already; give the events.

    A sheet whose serial is among those `repeated`, so that somebody else was faster with it, links nothing: its case
    gets a reason for review.
    """
    events = []
    for link in new:
        if link.serial in repeated:
            reason = ReviewReason.FOLLOW_UP_REPEATED
            connection.execute(insert(case_review).values(case_id=link.case_id, reason=reason))
            connection.execute(update(case).where(case.c.id == link.case_id).values(needs_review=True))
            continue
        earlier = connection.execute(select(case.c.id).where(case.c.number == link.follows)).scalar_one()
        row = {"case_id": link.case_id, "follows_case_id": earlier, "sheet_serial": link.serial}
        connection.execute(insert(follow_up).values(row))
        events.append(NewEvent("follow_up_honoured", case_id=link.case_id, data={"follows": link.follows}))
        events.append(NewEvent("case_followed_up", case_id=earlier, data={"sheet": link.serial}))
    return events
