"""An archive that is away while no scan is on its way to it."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

from tests.support.skipped_faults import skip_fault
from tests.support.stations import Daemon, Station, make_station

_TWO_LOOKS_SECONDS = 11.0
"""The service looks every five seconds at what its stages miss."""


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


@pytest.fixture
def station(tmp_path: Path) -> Station:
    """Give a station that has a scan in its archive: one that has none compares the two at its start."""
    station = make_station(tmp_path)
    station.drop(b"%PDF-1.7\nno pages\n%%EOF\n")
    station.once()
    return station


def test_an_idle_daemon_tells_that_its_archive_is_away_and_that_it_is_back(station: Station) -> None:
    with station.running() as daemon:
        elsewhere = take_away(station)
        assert daemon.wait_for("archive_lost")["error"] == "not_mounted"
        bring_back(station, elsewhere)
        daemon.wait_for("archive_returned")
        assert spoken(daemon) == ["archive_lost", "archive_returned"]


def test_an_idle_daemon_tells_that_its_archive_became_read_only(station: Station) -> None:
    if subprocess.run(["mount", "--bind", station.archive, station.archive], check=False).returncode:
        skip_fault("nothing can be mounted here")
    try:
        with station.running() as daemon:
            subprocess.run(["mount", "-o", "remount,bind,ro", station.archive], check=True)
            assert daemon.wait_for("archive_lost")["error"] == "EROFS"
            subprocess.run(["mount", "-o", "remount,bind,rw", station.archive], check=True)
            daemon.wait_for("archive_returned")
    finally:
        subprocess.run(["umount", station.archive], check=True)


def test_an_archive_that_is_away_at_the_start_is_back_when_it_is_and_not_before(station: Station) -> None:
    elsewhere = take_away(station)
    with station.running() as daemon:
        assert spoken(daemon) == ["archive_lost"]
        threading.Event().wait(_TWO_LOOKS_SECONDS)
        assert spoken(daemon) == ["archive_lost"]
        bring_back(station, elsewhere)
        daemon.wait_for("archive_returned")
        station.drop(b"%PDF-1.7\nanother\n%%EOF\n")
        daemon.wait_for("scan_registered")
        assert spoken(daemon) == ["archive_lost", "archive_returned"]
