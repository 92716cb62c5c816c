"""What the canonical log line of a scan tells: its account, once all of its pages are filed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, distinct, func, select

from skrynka.core.model import Disposition
from skrynka.core.naming import scan_name
from skrynka.store.case_tables import case
from skrynka.store.database import Database
from skrynka.store.states import ScanState
from skrynka.store.tables import page, scan

_FILED = (
    select(scan)
    .where(scan.c.id.in_(bindparam("of_scans", expanding=True)), scan.c.state == ScanState.FILED.value)
    .order_by(scan.c.number)
)
_IN_CASES = (
    select(page.c.scan_id, case.c.needs_review, func.count(distinct(case.c.id)).label("cases"))
    .join(case, case.c.id == page.c.case_id)
    .where(page.c.scan_id.in_(bindparam("of_scans", expanding=True)))
    .group_by(page.c.scan_id, case.c.needs_review)
)


@dataclass(frozen=True, slots=True)
class FinishedScan:
    """A scan that is filed."""

    id: str
    name: str
    claimed_at: datetime
    pages: int
    counts: dict[str, int]
    """Pages by disposition; no zeros."""
    cases: int
    """Cases that have pages of this scan."""
    reviews: int
    """Those of them that a person must look at."""


def finished_scans(db: Database, scan_ids: Collection[str]) -> list[FinishedScan]:
    """Give those of these scans that are filed, in the order of their claims."""
    asked = {"of_scans": list(scan_ids)}
    with db.read() as connection:
        rows = connection.execute(_FILED, asked).all()
        cases = {(row.scan_id, bool(row.needs_review)): row.cases for row in connection.execute(_IN_CASES, asked)}
    return [
        FinishedScan(
            id=row.id,
            name=scan_name(row.station_code, row.number),
            claimed_at=row.claimed_at,
            pages=row.page_count,
            counts={each.value: count for each in Disposition if (count := getattr(row, f"{each.value}_pages"))},
            cases=cases.get((row.id, True), 0) + cases.get((row.id, False), 0),
            reviews=cases.get((row.id, True), 0),
        )
        for row in rows
    ]
