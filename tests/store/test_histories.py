from __future__ import annotations

from datetime import timedelta

import pytest

from skrynka.core.requirements import CompletenessState
from skrynka.store.case_listings import list_cases
from skrynka.store.database import Database
from skrynka.store.histories import case_history, scan_names
from tests.store import samples


def test_a_case_has_the_history_of_its_own_and_of_its_stack(db: Database) -> None:
    (case,) = samples.filed(db, 1)
    samples.filed(db, 2)
    history = case_history(db, case.id)
    names = [each.event.name for each in history]
    assert names[0] == "stack_opened"
    assert names[-1] == "stack_filed"
    assert names.count("case_recorded") == 1
    assert [each.number for each in history] == sorted(each.number for each in history)
    assert case_history(db, "nobody's") == []


def test_scans_are_named_by_station_and_number(db: Database) -> None:
    ids = [samples.received(db, number) for number in (3, 12)]
    assert scan_names(db, ids) == {ids[0]: "A-3", ids[1]: "A-12"}
    assert scan_names(db, []) == {}


@pytest.mark.parametrize(
    ("narrowed", "count"),
    [
        ({"completeness": CompletenessState.INCOMPLETE}, 1),
        ({"completeness": CompletenessState.COMPLETE}, 0),
        ({"case_type": "VER"}, 1),
        ({"case_type": "NUM"}, 0),
        ({"since": samples.DAY}, 1),
        ({"since": samples.DAY + timedelta(days=1)}, 0),
    ],
)
def test_a_list_of_cases_is_narrowed(narrowed: dict[str, object], count: int, db: Database) -> None:
    samples.filed(db, 1)
    assert len(list_cases(db, **narrowed)) == count  # type: ignore[arg-type] - each its own type
