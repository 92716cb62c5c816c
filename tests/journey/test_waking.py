"""The stages wake one another: here no loop looks by itself whether there is work, and who isn't woken sleeps on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.journey.drawn_piles import draw_pile
from tests.support.stations import Daemon, Station, make_station
from tests.support.warm_daemons import WarmDaemons

NEVER = 86_400.0
"""Seconds between two looks that nobody asked for."""


@pytest.fixture(scope="module")
def sleepers() -> Iterator[WarmDaemons]:
    with closing(WarmDaemons(retry_seconds=NEVER)) as warm:
        yield warm


@contextmanager
def sleeping(folder: Path, sleepers: WarmDaemons, *, stacked: bool = False) -> Iterator[tuple[Station, Daemon]]:
    """Give a station and its daemon, which is ready and looks for nothing; `stacked`: its box assembles stacks."""
    boxes = {"OBL-01": {"assemble": '"stack"'} if stacked else {}}
    station = make_station(folder, boxes, options={"FILING__END_SHEET_QUIET_SECONDS": "0.5"})
    daemon = Daemon(station, start=sleepers.start)
    try:
        daemon.wait_for("service_ready")
        yield station, daemon
    finally:
        daemon.kill()


def test_each_stage_wakes_the_next_at_each_scan(tmp_path: Path, sleepers: WarmDaemons) -> None:
    with sleeping(tmp_path, sleepers) as (station, daemon):
        for number in (1, 2):
            station.drop(draw_pile(number, "C1 x").file.data, f"{number}.pdf")
            daemon.wait_for("stack_filed")


def test_the_end_of_a_stacks_quiet_time_wakes_whoever_files_it(tmp_path: Path, sleepers: WarmDaemons) -> None:
    with sleeping(tmp_path, sleepers, stacked=True) as (station, daemon):
        station.drop(draw_pile(1, "B C1 x E").file.data, "1.pdf")
        daemon.wait_for("stack_filed")


def test_a_duplicate_has_its_place_at_once(tmp_path: Path, sleepers: WarmDaemons) -> None:
    """Else what comes after it in its box isn't filed."""
    pile = draw_pile(1, "B C1 x E").file.data
    with sleeping(tmp_path, sleepers, stacked=True) as (station, daemon):
        station.drop(pile, "1.pdf")
        daemon.wait_for("scan_read")
        station.drop(pile, "2.pdf")
        daemon.wait_for("scan_duplicated")
        daemon.wait_for("stack_filed")
