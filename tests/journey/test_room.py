"""A full disk: scans wait, people hear of it once for all boxes, and again while it lasts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from skrynka.core.reserve import InWork
from skrynka.journey.room import Room
from skrynka.logs import Mode
from tests.support.log_lines import listening


def test_scans_wait_for_room_box_by_box_and_people_hear_of_it_on_change_and_every_five_minutes(tmp_path: Path) -> None:
    stream = listening(Mode.JSON)
    clock = [0.0]
    disk = os.statvfs(tmp_path)
    free = disk.f_bavail * disk.f_frsize
    room = Room({"spool": tmp_path}, free // 2, lambda: clock[0])
    assert not room.is_there_for("OBL-01", free, InWork())
    assert room.is_there_for("OBL-02", 10, InWork())
    for clock[0] in (0.0, 5.0, 299.0, 300.0):
        room.tell()
    room.nothing_waits("OBL-02")
    room.tell()
    room.nothing_waits("OBL-01")
    clock[0] = 310.0
    room.tell()
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line.get("inbox"), line.get("volume"), line.get("seconds")) for line in told] == [
        ("disk_low", "OBL-01", "spool", None),
        ("disk_low", "OBL-01", "spool", 300.0),
        ("disk_freed", None, None, 310.0),
    ]
    assert told[0]["needed_bytes"] == free + free // 2


def test_a_claimed_scan_waits_where_the_spools_disk_has_filled_up_since_it_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = {name: tmp_path / name for name in ("spool", "archive")}
    for folder in folders.values():
        folder.mkdir()
    disk = os.statvfs(tmp_path)
    free = disk.f_bavail * disk.f_frsize
    room = Room(folders, free // 2, lambda: 0.0)
    stream = listening(Mode.JSON)

    def is_full(folder: Path) -> SimpleNamespace:
        assert folder == folders["spool"], "another disk may hang"
        return SimpleNamespace(f_bavail=0, f_frsize=4096, f_favail=10**6, f_files=10**6)

    assert not room.ran_out("OBL-02", 10, InWork())
    with monkeypatch.context() as patched:
        patched.setattr(os, "statvfs", is_full)
        assert room.ran_out("OBL-01", 10, InWork())
    room.tell()
    (told,) = map(json.loads, stream.getvalue().splitlines())
    assert (told["event"], told["inbox"], told["volume"], told["free_bytes"]) == ("disk_low", "OBL-01", "spool", 0)


def test_a_folder_that_is_not_there_says_nothing_of_room(tmp_path: Path) -> None:
    assert Room({"archive": tmp_path / "away"}, 1 << 60).is_there_for("OBL-01", 1, InWork())
