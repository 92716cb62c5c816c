"""Numbers as people say them."""

from __future__ import annotations

from datetime import date


def scan_name(station: str, number: int) -> str:
    """Name a scan by its station's running number: "ST-1-417"."""
    return f"{station}-{number}"


def case_number_on_sheet(number: str) -> str:
    """Write a case's number as a routing code can carry it: "OBL-03/2026/000123" as "OBL-03-2026-000123"."""
    return number.replace("/", "-")


def case_number_from_sheet(claim: str) -> str:
    """Give the case's number back; something that is no case's number where the claim isn't one."""
    return "/".join(claim.rsplit("-", 2))


def received_on(emptied_on: date | None, claimed_on: date) -> date:
    """Give the day a case was received: when the box was emptied where that is known, else when it was claimed.

    `claimed_on` is the day in Europe/Kyiv.
    """
    return emptied_on or claimed_on
