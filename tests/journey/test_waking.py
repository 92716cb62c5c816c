"""The stages wake one another: here no loop looks by itself whether there is work, and who isn't woken sleeps on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.journey.drawn_piles import draw_pile
from tests.support.stations import Daemon, make_station
from tests.support.warm_daemons import WarmDaemons

NEVER = 86_400.0
"""Seconds between two looks that nobody asked for."""


@pytest.fixture(scope="module")
def sleepers() -> Iterator[WarmDaemons]:
    with closing(WarmDaemons(retry_seconds=NEVER)) as warm:
        yield warm


def test_each_stage_wakes_the_next_at_each_scan(tmp_path: Path, sleepers: WarmDaemons) -> None:
    station = make_station(tmp_path)
    daemon = Daemon(station, start=sleepers.start)
    try:
        daemon.wait_for("service_ready")
        for number in (1, 2):
            station.drop(draw_pile(number, "C1 x").file.data, f"{number}.pdf")
            daemon.wait_for("stack_filed")
    finally:
        daemon.kill()


def test_the_end_of_a_stacks_quiet_time_wakes_whoever_files_it(tmp_path: Path, sleepers: WarmDaemons) -> None:
    options = {"FILING__END_SHEET_QUIET_SECONDS": "0.5"}
    station = make_station(tmp_path, {"OBL-01": {"assemble": '"stack"'}}, options=options)
    daemon = Daemon(station, start=sleepers.start)
    try:
        daemon.wait_for("service_ready")
        station.drop(draw_pile(1, "B C1 x E").file.data, "1.pdf")
        daemon.wait_for("stack_filed")
    finally:
        daemon.kill()


def test_a_duplicate_has_its_place_at_once(tmp_path: Path, sleepers: WarmDaemons) -> None:
    """Else what comes after it in its box isn't filed."""
    options = {"FILING__END_SHEET_QUIET_SECONDS": "0.5"}
    station = make_station(tmp_path, {"OBL-01": {"assemble": '"stack"'}}, options=options)
    daemon = Daemon(station, start=sleepers.start)
    pile = draw_pile(1, "B C1 x E").file.data
    try:
        daemon.wait_for("service_ready")
        station.drop(pile, "1.pdf")
        daemon.wait_for("scan_read")
        station.drop(pile, "2.pdf")
        daemon.wait_for("scan_duplicated")
        daemon.wait_for("stack_filed")
    finally:
        daemon.kill()
