"""The demo's own hands: a station that leaves nothing running, scanners that lose nothing, a judge that judges."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.demo.material import BOX, GOING_ON_BOX, DemoScan, TrueCase, WriteStyle
from tests.demo.results import judge
from tests.demo.scanners import Scanners
from tests.demo.station import MARKER, CommandFailed, DemoStation
from tests.demo.telling import Teller
from tests.support.drawn_sheets import SheetFields
from tests.support.oracle import dropped
from tests.support.scans import pdf_of
from tests.support.stacks import Envelope, Paper, draw_stack


@pytest.fixture
def station(tmp_path: Path) -> DemoStation:
    return DemoStation(tmp_path / "demo-station", Teller())


def test_a_folder_that_no_demo_made_is_left_alone(station: DemoStation) -> None:
    station.folder.mkdir()
    (station.folder / "skrynka.toml").write_text("mine", encoding="utf-8")

    with pytest.raises(CommandFailed, match="no demo made it"):
        station.make()

    assert station.config.read_text(encoding="utf-8") == "mine"


def test_what_an_earlier_demo_left_is_removed(station: DemoStation) -> None:
    station.folder.mkdir()
    (station.folder / MARKER).touch()
    (station.folder / "old").touch()

    station.make()

    assert not (station.folder / "old").exists()
    assert station.config.is_file()


def test_ctrl_c_leaves_no_daemon(station: DemoStation) -> None:
    station.make()

    def interrupt(daemon: subprocess.Popen[bytes]) -> None:
        assert station.daemon_runs()
        with pytest.raises(CommandFailed, match="runs"):
            station.make()
        os.kill(os.getpid(), signal.SIGINT)
        daemon.wait(30)

    with pytest.raises(KeyboardInterrupt):
        _with_daemon(station, interrupt)

    assert not station.daemon_runs()


def test_a_daemon_that_was_killed_is_a_failure(station: DemoStation) -> None:
    station.make()

    def kill(daemon: subprocess.Popen[bytes]) -> None:
        daemon.kill()
        daemon.wait(30)

    with pytest.raises(CommandFailed, match="exit code -9"):
        _with_daemon(station, kill)


def test_the_environment_of_somebodys_own_station_is_not_used(
    station: DemoStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKRYNKA_DATABASE__URL", "postgresql+psycopg://nobody@127.0.0.1:1/theirs")

    station.make()

    assert station.ask("status")["database"] == "sqlite"


def test_slow_scanners_save_every_scan_whole(tmp_path: Path) -> None:
    scans = [
        _scan(tmp_path / "1", BOX, 70_001, WriteStyle.SLOW),
        _scan(tmp_path / "2", BOX, 5_000, WriteStyle.MOVED),
        _scan(tmp_path / "3", GOING_ON_BOX, 3, WriteStyle.SLOW),
    ]
    inboxes = {box: tmp_path / "inbox" / box for box in (BOX, GOING_ON_BOX)}
    for inbox in inboxes.values():
        inbox.mkdir(parents=True)
    said: list[str] = []

    with Scanners(scans, inboxes.__getitem__, lambda box, _: said.append(box)) as scanners:
        scanners.wait(lambda: True)

    for scan in scans:
        assert (inboxes[scan.box] / scan.path.name).read_bytes() == scan.path.read_bytes()
    assert sorted(said) == [BOX, BOX, GOING_ON_BOX]
    assert sorted(path.name for path in (tmp_path / "inbox").iterdir()) == [BOX, GOING_ON_BOX]


def test_scanners_end_at_once_when_the_daemon_is_gone(tmp_path: Path) -> None:
    scans = [_scan(tmp_path / str(number), BOX, 10, WriteStyle.SLOW) for number in range(200)]
    begun = threading.Event()

    with Scanners(scans, lambda _: tmp_path, lambda *_: begun.set()) as scanners:
        begun.wait(30)
        scanners.wait(lambda: False)

    assert len(list(tmp_path.glob("*.pdf"))) < len(scans)


def test_what_a_scanner_failed_with_is_told(tmp_path: Path) -> None:
    scans = [_scan(tmp_path / "1", BOX, 10, WriteStyle.SLOW)]

    with (
        Scanners(scans, lambda _: tmp_path / "no such inbox", lambda *_: None) as scanners,
        pytest.raises(FileNotFoundError),
    ):
        scanners.wait(lambda: True)


def test_the_judge_says_what_is_not_as_it_was_drawn(station: DemoStation, tmp_path: Path) -> None:
    station.make()
    sheet = SheetFields(serial="D000001", box=BOX, case_type="VER")
    drawn = draw_stack(
        [Envelope((Paper("CERT", declared=("CERT",)),), sheet)], np.random.default_rng(7), dpi=150, first_id=1
    )
    data = pdf_of(drawn.scanned)
    (station.inbox(BOX) / "scan.pdf").write_bytes(data)
    station.quietly("run", "--once")
    truth = TrueCase("VER", ("COVER", "CERT"), tuple(drawn.cases[0].page_ids))
    scan = DemoScan(tmp_path, BOX, "", WriteStyle.MOVED, dropped(data, drawn.pages), (truth,))

    def verdict(case: TrueCase) -> list[str]:
        return judge(station, [replace(scan, cases=(case,))])

    assert verdict(truth) == []
    (of_type,) = verdict(replace(truth, case_type="NUM"))
    assert "is VER with COVER, CERT; it was drawn as NUM" in of_type
    (of_kinds,) = verdict(replace(truth, documents=("COVER", "SEAL")))
    assert "was drawn as VER with COVER, SEAL" in of_kinds
    assert verdict(replace(truth, page_ids=(*truth.page_ids, 99)))


def _with_daemon(station: DemoStation, act: Callable[[subprocess.Popen[bytes]], None]) -> None:
    with station.daemon() as daemon:
        act(daemon)


def _scan(folder: Path, box: str, size: int, style: WriteStyle) -> DemoScan:
    folder.mkdir()
    path = folder / f"{folder.name}.pdf"
    path.write_bytes(os.urandom(size))
    return DemoScan(path, box, "", style, dropped(path.read_bytes()))
