"""Follow-ups: a case sheet that says whose missing papers lie with it, and when it is believed.

A link to another person's case is worth forging, so a claim counts only when the sheet's signature verifies, the
sheet was printed here, it comes for the first time, and before its last day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from skrynka.core.model import RoutingCode
from skrynka.core.reasons import ReviewReason


@dataclass(frozen=True, slots=True)
class FollowUpSheet:
    """What is known of a follow-up sheet that was printed here."""

    claim: str
    """What its `F` tag says."""
    follows: str | None
    """The number of that case, such as "OBL-03/2026/000123"; None: the box has no such case."""
    expires_on: date
    """The last day, inclusive, on which it is honoured."""
    used: bool
    """A case was linked by it before."""


def follow_up_doubt(
    code: RoutingCode, sheet: FollowUpSheet | None, *, verified: bool, repeated: bool, on: date
) -> ReviewReason | None:
    """Say why a follow-up isn't honoured; None: it is.

    `verified`: the signature that was read is good. `repeated`: the serial was seen before. `on`: the day that the
    scan was claimed. `sheet` None: no follow-up sheet with this serial was printed here.
    """
    if not verified or sheet is None or sheet.claim != code.follow_up:
        return ReviewReason.FOLLOW_UP_UNVERIFIED
    if repeated or sheet.used:
        return ReviewReason.FOLLOW_UP_REPEATED
    if on > sheet.expires_on:
        return ReviewReason.FOLLOW_UP_EXPIRED
    if sheet.follows is None:
        return ReviewReason.FOLLOW_UP_CASE_UNKNOWN
    return None
