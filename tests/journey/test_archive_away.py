"""An archive that is away while no scan is on its way to it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.stations import Daemon, Station, make_station


def take_away(station: Station) -> Path:
    """Leave the empty folder below a mount point; say where the archive is now."""
    elsewhere = station.folder / "elsewhere"
    station.archive.rename(elsewhere)
    station.archive.mkdir()
    return elsewhere


def bring_back(station: Station, elsewhere: Path) -> None:
    """Mount it again."""
    station.archive.rmdir()
    elsewhere.rename(station.archive)


def spoken(daemon: Daemon) -> list[str]:
    """Give what the log says of the archive, in order."""
    return [line["event"] for line in daemon.lines if line["event"].startswith("archive_")]


def test_an_idle_daemon_tells_that_its_archive_is_away_and_that_it_is_back(tmp_path: Path) -> None:
    station = make_station(tmp_path)
    with station.running() as daemon:
        elsewhere = take_away(station)
        assert daemon.wait_for("archive_lost", 30)["error"] == "not_mounted"
        bring_back(station, elsewhere)
        daemon.wait_for("archive_returned", 30)
        assert spoken(daemon) == ["archive_lost", "archive_returned"]


def test_an_idle_daemon_tells_that_its_archive_became_read_only(tmp_path: Path) -> None:
    station = make_station(tmp_path)
    subprocess.run(["mount", "--bind", station.archive, station.archive], check=True)
    try:
        with station.running() as daemon:
            subprocess.run(["mount", "-o", "remount,bind,ro", station.archive], check=True)
            assert daemon.wait_for("archive_lost", 30)["error"] == "EROFS"
            subprocess.run(["mount", "-o", "remount,bind,rw", station.archive], check=True)
            daemon.wait_for("archive_returned", 30)
    finally:
        subprocess.run(["umount", station.archive], check=True)


def test_an_archive_that_is_away_at_the_start_is_back_when_it_is_and_not_before(tmp_path: Path) -> None:
    station = make_station(tmp_path)
    with station.running():
        pass
    elsewhere = take_away(station)
    with station.running() as daemon:
        assert spoken(daemon) == ["archive_lost"]
        station.drop(b"%PDF-1.7", "whole.pdf")
        daemon.wait_for("scan_claimed", 30)
        assert spoken(daemon) == ["archive_lost"]
        bring_back(station, elsewhere)
        daemon.wait_for("scan_registered", 30)
        daemon.wait_for("archive_returned", 30)
        assert spoken(daemon) == ["archive_lost", "archive_returned"]
