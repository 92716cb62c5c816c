"""The history: what happened, when, and who did it. Rows are added and never changed; triggers see to it.

Events are the last thing that a transaction writes. On PostgreSQL they are numbered under a lock that is held until
the commit: else a reader that follows the numbers would miss rows that were numbered early and committed late.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from skrynka.store.tables import event

_NUMBERING = 0x536B72796E6B61
"""The advisory lock's key: "Skrynka" in ASCII."""

# Made once, as elsewhere what is asked for each scan: to make a statement takes about as long as to have it answered.
_HOLD = select(func.pg_advisory_xact_lock(_NUMBERING))
_ADD = insert(event)

Value = str | int | bool | None


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happened. `data` holds ids, codes and counts; never anything private."""

    name: str
    """snake_case, past tense."""
    station_code: str | None = None
    scan_id: str | None = None
    stack_id: str | None = None
    case_id: str | None = None
    data: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as the history has it; numbers rise, and may have gaps."""

    number: int
    at: datetime
    actor: str
    event: NewEvent


def recorded(row: Row[Any]) -> RecordedEvent:
    """Give what a row of the history tells."""
    new = NewEvent(row.name, row.station_code, row.scan_id, row.stack_id, row.case_id, json.loads(row.data))
    return RecordedEvent(row.id, row.at, row.actor, new)


def hold_history(connection: Connection) -> None:
    """Keep others from adding to the history until the commit: from here on, what they recorded is seen.

    Nothing that another transaction might hold is waited for after this, else the two would wait for each other.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_HOLD)


def record_events(
    connection: Connection, at: datetime, actor: str, events: Sequence[NewEvent], *, held: bool = False
) -> None:
    """Add to the history: the last thing in a transaction. `held`: it holds the history already."""
    if not events:
        return
    if not held:
        hold_history(connection)
    connection.execute(
        _ADD,
        [
            {
                "at": at,
                "name": new.name,
                "actor": actor,
                "station_code": new.station_code,
                "scan_id": new.scan_id,
                "stack_id": new.stack_id,
                "case_id": new.case_id,
                "data": json.dumps(dict(new.data), sort_keys=True),
            }
            for new in events
        ],
    )
