from __future__ import annotations

from functools import partial
from pathlib import Path

from tests.faults.database_outages import IN_TRANSACTION, away, kills, lost_answers
from tests.faults.suite import first_faults

AWAY_SECONDS = 60.0
BUSY_MACHINE_SECONDS = 90.0
"""Here other tests run beside it: how soon it is on a machine of its own is the long run's affair."""
KILLS = LOST_ANSWERS = 20
RETRY_SECONDS = 0.5
"""So long it waits after a failure here, or for what nobody woke it for; in the long run, as long as it always does."""


def test_while_the_database_is_away_two_hundred_scans_are_claimed_and_afterwards_all_are_filed_in_order(
    tmp_path: Path,
) -> None:
    assert away(tmp_path / "station", AWAY_SECONDS, within=BUSY_MACHINE_SECONDS) == []


def test_a_server_that_dies_in_the_middle_of_a_transaction_loses_and_doubles_nothing(tmp_path: Path) -> None:
    found = first_faults(partial(kills, retry_seconds=RETRY_SECONDS), tmp_path, KILLS)
    assert [injected for injected in found if injected.wrong] == []
    assert [injected for injected in found if not injected.at.startswith(IN_TRANSACTION)] == []
    assert len(found) == KILLS


def test_a_commit_that_nobody_hears_of_loses_and_doubles_nothing(tmp_path: Path) -> None:
    found = first_faults(lost_answers, tmp_path, LOST_ANSWERS)
    assert [injected for injected in found if injected.wrong] == []
    assert len({injected.number for injected in found}) == LOST_ANSWERS
