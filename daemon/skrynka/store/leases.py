"""Who has a piece of work, for how long, and how a worker that was overtaken finds out.

On PostgreSQL a lease ends by the database's own clock, which all stations share. On SQLite there is one service: what
it had taken when it died is set back when it starts again (`reset_interrupted`), and a lease has no end.
Every taking raises the epoch, and what a worker writes in the end names the epoch it took the work with.
A worker has one piece of work at a time. One that asks for work and has some already never heard that it got it (the
answer to the commit was lost): it gets the same again, and that is no new attempt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Double, Row, Table, bindparam, case, false, func, or_

from skrynka.core.errors import LeaseLost
from skrynka.core.formats import FileType
from skrynka.core.naming import scan_name
from skrynka.store.columns import Timestamp

ATTEMPTS = 3
"""Work that broke off so often goes to quarantine instead of breaking off once more."""

NOT_TAKEN = {"lease_owner": None, "lease_until": None}
"""What a row says that nobody has."""


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


def lease_end(engine: str) -> ColumnElement[datetime] | None:
    """Give when a lease of `lease_seconds` that begins now ends, as the database will reckon it; None on SQLite."""
    if engine == "sqlite":
        return None
    seconds = bindparam("lease_seconds", type_=Double)
    return func.clock_timestamp(type_=Timestamp()) + func.make_interval(0, 0, 0, 0, 0, 0, seconds)


def is_given_up(engine: str, table: Table) -> ColumnElement[bool]:
    """Give the condition that nobody works on a row that was taken: its lease is over, or `owner`, who asks, has it."""
    over = false() if engine == "sqlite" else table.c.lease_until < func.clock_timestamp(type_=Timestamp())
    return or_(over, table.c.lease_owner == bindparam("owner"))


def last(table: Table, behind: Sequence[str]) -> list[ColumnElement[int]]:
    """Give what an order begins with that has rows with these ids come after all others, the first of them first."""
    if not behind:
        return []
    return [case({row_id: place for place, row_id in enumerate(behind)}, value=table.c.id, else_=-1)]


def is_exhausted(row: Row[Any], owner: str) -> bool:
    """Tell whether a row was tried so often that it isn't tried again."""
    return bool(row.attempts >= ATTEMPTS and row.lease_owner != owner)


def taking(row: Row[Any], owner: str) -> dict[str, object]:
    """Give what taking a row writes into it beside the lease's end; the attempt is counted before the work begins."""
    return {
        "attempts": row.attempts + (0 if row.lease_owner == owner else 1),
        "epoch": row.epoch + 1,
        "lease_owner": owner,
    }


def one_row(result: CursorResult[object]) -> None:
    """Raise LeaseLost unless exactly one row was touched: the fence."""
    if result.rowcount != 1:
        raise LeaseLost("somebody else has this work now")
