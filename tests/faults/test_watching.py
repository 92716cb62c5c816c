"""What befalls inboxes, and writers that take their time: the suite's share of the rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.row import CannotInject
from tests.faults.suite import first_faults
from tests.faults.watching_rows import TROUBLES, WRITERS_AT_ONCE, writers
from tests.support.skipped_faults import skip_fault

pytestmark = pytest.mark.usefixtures("daemons_start_warm")

WRITERS = 20


@pytest.mark.parametrize("name", TROUBLES)
def test_every_scan_is_found_once_and_the_trouble_told_with(name: str, tmp_path: Path) -> None:
    try:
        assert TROUBLES[name](tmp_path, 1) == []
    except CannotInject as why:
        skip_fault(why)


def test_a_scan_is_taken_when_its_writer_is_done_however_slowly_he_writes(tmp_path: Path) -> None:
    found = first_faults(writers, tmp_path, WRITERS)
    assert [injected for injected in found if injected.wrong] == []
    assert (len(found), WRITERS % WRITERS_AT_ONCE) == (WRITERS, 0)
