"""Who has a piece of work, for how long, and how a worker that was overtaken finds out.

On PostgreSQL a lease ends by the database's own clock, which all stations share. On SQLite there is one service: what
it had taken when it died is set back when it starts again (`reset_interrupted`), and a lease has no end.
Every taking raises the epoch, and what a worker writes in the end names the epoch it took the work with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, CursorResult, Table, false, func

from skrynka.core.errors import LeaseLost
from skrynka.core.formats import FileType
from skrynka.core.naming import scan_name
from skrynka.store.columns import Timestamp

ATTEMPTS = 3
"""Work that broke off so often goes to quarantine instead of breaking off once more."""


@dataclass(frozen=True, slots=True)
class TakenScan:
    """A scan that a worker has, to read it."""

    id: str
    station_code: str
    number: int
    box_code: str
    sha256: str
    size_bytes: int
    file_type: FileType | None
    attempt: int
    """1-based; counted before the work begins."""
    epoch: int
    owner: str

    @property
    def name(self) -> str:
        """Give the name that people use, such as "A-4417"."""
        return scan_name(self.station_code, self.number)


@dataclass(frozen=True, slots=True)
class TakenStack:
    """A stack that a worker has, to plan, cut and record it."""

    id: str
    station_code: str
    number: int
    box_code: str
    plan: str | None = field(repr=False)
    """The stored plan's JSON: whoever finds one, cuts by it."""
    config_digest: str | None
    gap_at_end: bool
    """The last scan that came while it was open is in quarantine."""
    attempt: int
    """1-based; counted before the work begins."""
    epoch: int
    owner: str

    @property
    def name(self) -> str:
        """Give the name that people use, such as "A/417"."""
        return f"{self.station_code}/{self.number}"


def lease_end(connection: Connection, seconds: float) -> ColumnElement[datetime] | None:
    """Give when a lease that begins now ends, as the database will reckon it; None on SQLite."""
    if connection.dialect.name == "sqlite":
        return None
    return func.clock_timestamp(type_=Timestamp()) + func.make_interval(0, 0, 0, 0, 0, 0, seconds)


def lease_is_over(connection: Connection, table: Table) -> ColumnElement[bool]:
    """Give the condition that a row's lease has run out; never so on SQLite."""
    if connection.dialect.name == "sqlite":
        return false()
    return table.c.lease_until < func.clock_timestamp(type_=Timestamp())


def one_row(result: CursorResult[object]) -> None:
    """Raise LeaseLost unless exactly one row was touched: the fence."""
    if result.rowcount != 1:
        raise LeaseLost("somebody else has this work now")
