from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.clocks import clocks, wrong_clocks
from tests.faults.suite import first_faults


@pytest.mark.parametrize(
    "number", range(1, len(clocks()) + 1), ids=lambda number: clocks()[number - 1].told.replace(" ", "-")
)
def test_a_clock_that_is_wrong_or_set_loses_nothing_and_closes_no_stack_early_or_never(
    tmp_path: Path, number: int
) -> None:
    assert [injected.wrong for injected in first_faults(wrong_clocks, tmp_path, 1, first=number)] == [()]
