from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

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
