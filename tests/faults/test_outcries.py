"""Every judge of the fault tests hears what a daemon says outside its log, whatever else is well."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults import inbox_troubles, mutations, power_cut
from tests.faults.bench import bench
from tests.faults.disks import require_power_cuts
from tests.faults.outcries import outcries
from tests.faults.row import CannotInject
from tests.faults.sources import draw_sources
from tests.support.processes import await_that
from tests.support.skipped_faults import skip_fault
from tests.support.stations import Daemon, make_station

STRANGE = "Traceback (most recent call last):"
SENTENCE = f"the daemon says {STRANGE}"


def say(daemon: Daemon, line: str) -> None:
    """Write a line where the daemon and all its processes write, and wait until it was read."""
    said = len(daemon.raw)
    with Path(f"/proc/{daemon.process.pid}/fd/2").open("w", encoding="utf-8") as log:
        log.write(f"{line}\n")
    await_that(lambda: line in daemon.raw[said:], "the line is read")


@contextmanager
def running(folder: Path) -> Iterator[Daemon]:
    daemon = Daemon(make_station(folder / "station"))
    try:
        daemon.wait_for("service_ready")
        yield daemon
    finally:
        daemon.kill()


def test_a_daemon_that_has_nothing_strange_to_say_is_left_in_peace_and_each_thing_is_told_once(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        assert outcries([daemon]) == []
        say(daemon, STRANGE)
        say(daemon, STRANGE)
        say(daemon, json.dumps({"event": "work_failed", "level": "error", "message": "filing failed: E at f.py:1"}))
        assert outcries([daemon, daemon]) == [SENTENCE, "the log says work_failed: filing failed: E at f.py:1"]


def test_on_a_bench_the_one_that_was_killed_is_heard_and_so_is_the_one_that_lives(tmp_path: Path) -> None:
    with bench(tmp_path / "kept") as on:
        # Before that its standard error isn't its own yet.
        on.start().wait_for("service_ready")
        say(on.daemon, STRANGE)
        on.daemon.kill()
        on.await_end()
        assert on.recover() == (SENTENCE,)
        assert on.outlived() == ()
        say(on.daemon, STRANGE)
        assert on.outlived() == (SENTENCE,)
        assert not on.sound


def test_where_the_power_was_cut_all_are_heard(tmp_path: Path) -> None:
    try:
        require_power_cuts(tmp_path)
    except CannotInject as why:
        skip_fault(why)
    powered = power_cut.Powered(tmp_path / "station", apart=False)
    try:
        say(powered.start(), STRANGE)
        injected = power_cut._cut(powered, 1, random.Random(1))  # noqa: S311, SLF001 - no secret
        assert injected.wrong == (SENTENCE,)
    finally:
        powered.close()


def test_where_an_inbox_is_in_trouble_it_is_heard(tmp_path: Path) -> None:
    scene = inbox_troubles.make_scene(tmp_path, 1, {"OBL-01": {}})
    daemon = Daemon(scene.station)
    try:
        daemon.wait_for("service_ready")
        assert scene.verdict(daemon) == []
        say(daemon, STRANGE)
        assert scene.verdict(daemon) == [SENTENCE]
    finally:
        daemon.kill()


def test_where_scans_are_mutated_it_is_heard(tmp_path: Path) -> None:
    desk = mutations._Desk(make_station(tmp_path / "station", ("OBL-01", "OBL-02")), draw_sources(), 1)  # noqa: SLF001
    try:
        say(desk.daemon, STRANGE)
        assert desk.finish(desk.drop(range(1, 3))).wrong == [SENTENCE]
    finally:
        desk.daemon.kill()
