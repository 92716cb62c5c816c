from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Skrynka
from tests.support.skipped_faults import skip_fault


def test_files_that_wait_in_an_inbox_are_shown_and_dotfiles_are_not(skrynka: Skrynka, station: Path) -> None:
    for name in ("a.pdf", "b.pdf", ".hidden"):
        (station / "inbox" / "OBL-01" / name).write_bytes(b"%PDF-")
    assert skrynka("status", "--json").json["inboxes"] == {"OBL-01": 2, "OBL-02": 0}
    shown = skrynka("status").out
    assert "OBL-01 2 files" in shown
    assert "a.pdf" not in shown


def test_an_inbox_that_is_away_is_shown(skrynka: Skrynka, station: Path) -> None:
    (station / "inbox" / "OBL-02").rmdir()
    assert skrynka("status", "--json").json["inboxes"]["OBL-02"] == "ENOENT"
    assert "OBL-02 is away (ENOENT)" in skrynka("status").out


@pytest.mark.usefixtures("station")
def test_too_little_room_is_shown(skrynka: Skrynka, monkeypatch: pytest.MonkeyPatch) -> None:
    assert skrynka("status", "--json").json["short_of_room"] == []
    monkeypatch.setenv("SKRYNKA_LIMITS__FREE_MEGABYTES", str(10**9))
    assert "spool" in skrynka("status", "--json").json["short_of_room"]
    assert "no scans are taken" in skrynka("status").out


def test_an_archive_that_is_away_is_shown(skrynka: Skrynka, station: Path) -> None:
    (station / "archive").rename(station / "unmounted")
    told = skrynka("status", "--json").json
    assert (told["archive"], told["archive_trouble"]) == (False, "not_mounted")
    assert "away (not_mounted)" in skrynka("status").out


def test_an_archive_that_is_mounted_read_only_is_shown(skrynka: Skrynka, station: Path) -> None:
    archive = station / "archive"
    if subprocess.run(["mount", "--bind", archive, archive], check=False, capture_output=True).returncode:
        skip_fault("nothing can be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", archive], check=True)
        told, shown = skrynka("status", "--json").json, skrynka("status").out
    finally:
        subprocess.run(["umount", archive], check=True)
    assert (told["archive"], told["archive_trouble"]) == (True, "read_only")
    assert "read-only" in shown
