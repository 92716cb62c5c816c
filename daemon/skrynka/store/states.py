"""The states that rows go through."""

from __future__ import annotations

from enum import StrEnum


class ScanState(StrEnum):
    """Where a scan is on its way."""

    RECEIVED = "received"
    """In the archive; waits for a reader."""
    READING = "reading"
    """A worker has it."""
    READ = "read"
    """Its pages are in `page`; they wait for their stacks to be filed."""
    FILED = "filed"
    """Every page is accounted for."""
    QUARANTINED = "quarantined"
    DUPLICATE = "duplicate"
    """Byte by byte the same as an earlier scan."""


class StackState(StrEnum):
    """Where a stack is on its way."""

    OPEN = "open"
    """Pages may still come."""
    CLOSED = "closed"
    """Waits to be planned."""
    PLANNED = "planned"
    """Its plan is stored: whoever cuts, cuts by it."""
    FILED = "filed"
    """Its cases are recorded."""
    QUARANTINED = "quarantined"
    """It couldn't be filed; its pages' scans are in quarantine."""
