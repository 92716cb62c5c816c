"""What isn't finished, in the very words of the partial indexes in `tables`.

SQLite uses a partial index only where its condition stands in the query as it stands in the index: not for a parameter,
nor for a narrower condition, nor for two of them in one `OR`. Each is said beside whatever narrows it, so that what
looks for work never looks at an archive's worth of finished rows.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BindParameter, ColumnElement, Table, and_, literal_column

from skrynka.store.states import ScanState, StackState
from skrynka.store.tables import scan, stack


def _literal(state: StrEnum) -> ColumnElement[str]:
    return literal_column(f"'{state.value}'")


SCAN_WAITS = scan.c.state.in_([_literal(ScanState.RECEIVED), _literal(ScanState.READING)])
"""A reader will have it, or has it."""
SCAN_IS_UNPLACED = and_(
    scan.c.assembled_at.is_(None),
    scan.c.state.in_([ScanState.RECEIVED.value, ScanState.READING.value, ScanState.READ.value]),
)
"""Its pages will lie in stacks."""
STACK_IS_OPEN = stack.c.state == _literal(StackState.OPEN)
STACK_WAITS = stack.c.state.in_([_literal(StackState.CLOSED), _literal(StackState.PLANNED)])
"""It is closed, and its cases aren't recorded yet."""


def of_station(table: Table, code: str | BindParameter[str]) -> ColumnElement[bool]:
    """Give the condition that a row is a station's, beside one of those above.

    In words that no index answers to: SQLite would take that of the station's numbers, which holds all there ever were.
    """
    return (table.c.station_code + "") == code
