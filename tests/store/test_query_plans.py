"""What looks for work again and again looks at what isn't finished, not at an archive's worth of finished rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event

from skrynka.store import archived, assembly, listings, queue, stacks
from skrynka.store.database import Database, open_database
from skrynka.store.revision import upgrade

LOOKS: dict[str, Callable[[Database], object]] = {
    "a scan to read": lambda db: queue.take_scan(db, "worker", 60),
    "a scan to read, others last": lambda db: queue.take_scan(db, "worker", 60, behind=("a", "b")),
    "a stack to file": lambda db: stacks.take_stack(db, "worker", 60),
    "boxes with pages to place": lambda db: assembly.boxes_to_place(db, "A"),
    "boxes with an open stack": lambda db: assembly.boxes_with_open_stack(db, "A"),
    "a scan to place": lambda db: assembly.next_unassembled(db, "OBL-01"),
    "an open stack": lambda db: assembly.open_stack(db, "OBL-01"),
    "the room that unfinished work takes": lambda db: listings.unfiled_bytes(db, "A"),
    "what is left": lambda db: listings.work_left(db, "A"),
    "whether documents may still come": archived.unfinished,
}
WHOLE_TABLE = re.compile(r"SCAN (scan|stack|page|case)|SEARCH .*\(station_code=\?\)")
"""A station's rows are a whole table's, where a database has one station."""


@pytest.mark.parametrize("what", LOOKS)
def test_a_look_for_work_goes_by_an_index(tmp_path: Path, what: str) -> None:
    url = f"sqlite:///{tmp_path / 'skrynka.db'}"
    said: list[tuple[str, Any]] = []

    def note(*of: Any) -> None:  # noqa: ANN401 - connection, cursor, statement, parameters, and more
        said.append((of[2], of[3]))

    with closing(open_database(url, create=True)) as db:
        upgrade(db)
        # Of every engine: the database doesn't show its own.
        event.listen(Engine, "before_cursor_execute", note)
        try:
            LOOKS[what](db)
        finally:
            event.remove(Engine, "before_cursor_execute", note)
    queries = [each for each in said if each[0].lstrip().startswith("SELECT")]
    assert queries
    with create_engine(url).connect() as connection:
        for query, parameters in queries:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", parameters).all()
            assert [row.detail for row in plan if WHOLE_TABLE.fullmatch(row.detail)] == [], query
