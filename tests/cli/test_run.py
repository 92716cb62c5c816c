from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Skrynka
from tests.support.stations import make_station

COMMAND = [sys.executable, "-m", "skrynka", "run"]


def run(*words: str, config: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words, "--config", config], capture_output=True, text=True, timeout=60, check=False
    )


def test_it_ends_well_when_asked_to_and_nobody_runs_beside_it(skrynka: Skrynka, tmp_path: Path) -> None:
    station = make_station(tmp_path / "station")
    with station.running() as daemon:
        assert skrynka("status", "--json", "--config", station.config).json["daemon"] == daemon.process.pid
        second = station.run("run", "--once", check=False)
        assert second.returncode == 3
        assert "Another skrynka runs" in second.stderr
    # Leaving `running` sends SIGTERM, and sees that the daemon ends with 0.
    assert daemon.lines[-1]["event"] == "service_stopped"
    assert skrynka("status", "--json", "--config", station.config).json["daemon"] is None


def test_once_ends_by_itself_where_nothing_is_to_be_done(skrynka: Skrynka, station: Path) -> None:
    done = run("--once", config=station / "skrynka.toml")
    assert done.returncode == 0
    events = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert (events[0], events[-1]) == ("service_started", "service_stopped")
    (loaded,) = [line for line in map(json.loads, done.stderr.splitlines()) if line["event"] == "settings_loaded"]
    assert (loaded["boxes"], loaded["inboxes"], loaded["database"], len(loaded["digest"])) == (2, 2, "sqlite", 64)
    assert done.stdout == ""
    assert [box["code"] for box in skrynka("status", "--json").json["boxes"]] == ["OBL-01", "OBL-02"]


def test_a_configuration_that_cannot_be_used_is_one_line(station: Path) -> None:
    (station / "boxes.toml").write_text("", encoding="utf-8")
    done = run("--once", config=station / "skrynka.toml")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_a_database_at_another_revision_is_told(station: Path) -> None:
    (station / "skrynka.db").unlink()
    (station / "skrynka.db").touch()
    done = run("--once", config=station / "skrynka.toml")
    assert done.returncode == 3
    assert "skrynka db upgrade" in done.stderr.splitlines()[-1]


def test_it_ends_though_asked_while_its_log_is_being_written(station: Path) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"\n" * 4096)
    os.set_blocking(writing, True)
    # Nobody reads, so its first line can't be finished.
    daemon = subprocess.Popen([*COMMAND, "--config", station / "skrynka.toml"], stderr=writing)
    os.close(writing)
    ends_at = time.monotonic() + 60
    while "pipe" not in Path(f"/proc/{daemon.pid}/wchan").read_text(encoding="ascii"):
        assert time.monotonic() < ends_at, "it never came to write"
        with contextlib.suppress(subprocess.TimeoutExpired):
            daemon.wait(0.01)
            pytest.fail("it ended before it came to write")
    daemon.send_signal(signal.SIGTERM)
    limit = threading.Timer(60, daemon.kill)
    limit.start()
    with os.fdopen(reading) as log:
        told = [json.loads(line)["event"] for line in log if line.strip()]
    limit.cancel()
    assert daemon.wait(60) == 0
    assert told[-2:] == ["service_stopping", "service_stopped"]
