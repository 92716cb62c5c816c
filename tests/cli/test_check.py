from __future__ import annotations

import fcntl
import os
import re
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrynka.cli.checked import Checked, State, exit_code
from skrynka.cli.machine_checks import ZBAR_FIXED, clock, inotify, is_older
from tests.cli.conftest import Answer, Skrynka
from tests.support.skipped_faults import skip_fault


def line(answer: Answer, what: str) -> dict[str, Any]:
    """Give what was found of one thing."""
    return next(each for each in answer.json["checks"] if each["what"] == what)


def change(station: Path, name: str, old: str, new: str) -> None:
    text = (station / name).read_text(encoding="utf-8")
    assert old in text
    (station / name).write_text(text.replace(old, new, 1), encoding="utf-8")


@given(st.lists(st.sampled_from(State), min_size=1), st.sampled_from(State))
def test_the_exit_code_is_that_of_the_worst(states: list[State], more: State) -> None:
    codes = {State.GOOD: 0, State.NOTE: 0, State.WARNING: 1, State.WRONG: 2, State.MISSING: 3}
    checks = [Checked("thing", state, "") for state in (*states, more)]
    wanted = next(
        (state for state in (State.WRONG, State.MISSING, State.WARNING) if state in (*states, more)), State.GOOD
    )
    assert exit_code(checks) == codes[wanted]


def test_every_line_of_a_good_station_is_good_and_nothing_is_left_behind(skrynka: Skrynka, station: Path) -> None:
    before = set(station.rglob("*"))
    found = skrynka("check", "--json")
    assert (found.code, found.json["good"]) == (0, True)
    assert {each["state"] for each in found.json["checks"]} <= {"good", "note"}
    assert set(station.rglob("*")) - before == {station / "archive" / ".incoming"}


@pytest.mark.usefixtures("station")
def test_programs_are_named_with_their_versions(skrynka: Skrynka) -> None:
    found = skrynka("check", "--json")
    assert re.match(r"pdftoppm \d", line(found, "poppler")["said"])
    assert re.match(r"libzbar \d", line(found, "zbar")["said"])
    assert re.search(r"zxing-cpp \d.*pikepdf \d", line(found, "libraries")["said"])


@pytest.mark.usefixtures("station")
def test_a_libzbar_that_a_code_can_take_over_is_told_with_the_remedy(
    skrynka: Skrynka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "bin" / "dpkg-query"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 0.23.92-7\n", encoding="ascii")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{old.parent}:{os.environ['PATH']}")
    found = skrynka("check", "--json")
    assert found.code == 1
    assert line(found, "zbar")["state"] == "warning"
    assert "apt install --only-upgrade libzbar0" in line(found, "zbar")["remedy"]


@pytest.mark.parametrize(
    ("build", "older"),
    [
        ("0.23.92-7", True),
        ("0.23.90-1", True),
        ("0.23.92-7+deb12u1", False),
        ("0.23.92-7+deb12u2", False),
        ("0.23.93-4", False),
    ],
)
def test_builds_of_libzbar_are_compared_as_dpkg_does(build: str, older: bool) -> None:  # noqa: FBT001 - an example
    assert is_older(build, ZBAR_FIXED) is older


def test_an_inbox_that_is_not_there_is_told_with_the_remedy(skrynka: Skrynka, station: Path) -> None:
    (station / "inbox" / "OBL-02").rmdir()
    found = skrynka("check")
    assert found.code == 3
    assert f"mkdir -m 750 {station / 'inbox' / 'OBL-02'}" in found.out
    assert "1 of 21 need a person: inbox OBL-02." in found.out


def test_a_share_is_looked_at_too(skrynka: Skrynka, station: Path) -> None:
    change(station, "boxes.toml", '# kind = "local" ', 'kind = "share" # ')
    (station / "inbox" / "OBL-01" / "scan.pdf").write_bytes(b"%PDF-1.7\n")
    found = skrynka("check", "--json")
    assert "1 file in it" in line(found, "inbox OBL-01")["said"]
    (station / "inbox" / "OBL-01" / "scan.pdf").unlink()
    (station / "inbox" / "OBL-01").rmdir()
    assert line(skrynka("check", "--json"), "inbox OBL-01")["state"] == "missing"


def test_a_share_without_a_marker_works_and_is_told_how_to_get_one(skrynka: Skrynka, station: Path) -> None:
    change(station, "boxes.toml", '# kind = "local" ', 'kind = "share" # ')
    found = skrynka("check", "--json")
    told = line(found, "inbox OBL-01")
    assert (found.code, told["state"]) == (0, "note")
    assert f"touch {station / 'inbox' / 'OBL-01' / '.skrynka-share'}" in told["remedy"]


def test_a_share_whose_marker_is_missing_is_away_until_it_is_there(skrynka: Skrynka, station: Path) -> None:
    change(station, "boxes.toml", '# kind = "local" ', 'kind = "share"\nmarker = ".skrynka-share" # ')
    told = line(skrynka("check", "--json"), "inbox OBL-01")
    assert told["state"] == "missing"
    assert "its marker file .skrynka-share isn't" in told["said"]
    (station / "inbox" / "OBL-01" / ".skrynka-share").touch()
    assert line(skrynka("check", "--json"), "inbox OBL-01")["state"] == "good"


@pytest.mark.parametrize("marker", ["share", "../.share", ".a/b", "."])
def test_a_marker_is_a_hidden_file_in_the_inbox_itself(marker: str, skrynka: Skrynka, station: Path) -> None:
    change(station, "boxes.toml", '# kind = "local" ', f'kind = "share"\nmarker = "{marker}" # ')
    found = skrynka("check", "--json")
    assert (found.code, line(found, "configuration")["state"]) == (2, "wrong")


def test_a_share_that_cannot_be_written_is_told(skrynka: Skrynka, station: Path) -> None:
    change(station, "boxes.toml", '# kind = "local" ', 'kind = "share" # ')
    change(station, "boxes.toml", 'inbox = "inbox/OBL-01"', 'inbox = "/proc/1"')
    told = line(skrynka("check", "--json"), "inbox OBL-01")
    assert told["state"] == "missing"
    assert "/proc/1 can't be written" in told["said"]


@pytest.mark.parametrize("name", ["inbox/OBL-01", "archive", "spool"])
def test_a_folder_that_everybody_may_look_into_is_a_warning(name: str, skrynka: Skrynka, station: Path) -> None:
    (station / name).chmod(0o755)
    found = skrynka("check", "--json")
    assert found.code == 1
    assert line(found, name.replace("inbox/", "inbox "))["state"] == "warning"


def test_an_inbox_that_scanners_may_write_into_is_good(skrynka: Skrynka, station: Path) -> None:
    (station / "inbox" / "OBL-01").chmod(0o2770)
    assert skrynka("check").code == 0


def test_folders_that_the_daemon_makes_may_be_missing(skrynka: Skrynka, station: Path) -> None:
    (station / "work").rmdir()
    found = skrynka("check", "--json")
    assert (found.code, line(found, "work")["state"]) == (0, "note")


def test_a_mistake_in_the_case_types_is_told_with_its_line(skrynka: Skrynka, station: Path) -> None:
    change(station, "case_types.toml", 'code = "CERT"', 'code = "CERTIFICATE"')
    found = skrynka("check", "--json")
    assert found.code == 2
    assert re.search(r"case_types.toml:\d+", line(found, "case types")["said"])
    assert line(found, "database")["state"] == "good"


def test_a_mistake_in_the_configuration_is_told_and_the_machine_is_looked_at_all_the_same(
    skrynka: Skrynka, station: Path
) -> None:
    change(station, "skrynka.toml", "# page_limit = 40", "page_limits = 40 #")
    found = skrynka("check", "--json")
    assert found.code == 2
    assert "page_limits" in line(found, "configuration")["said"]
    assert line(found, "poppler")["state"] == "good"


def test_a_database_that_is_not_there_is_told(skrynka: Skrynka, station: Path) -> None:
    (station / "skrynka.db").unlink()
    assert (skrynka("check").code, line(skrynka("check", "--json"), "database")["state"]) == (3, "missing")


def test_a_database_that_is_no_database_is_told(skrynka: Skrynka, station: Path) -> None:
    (station / "skrynka.db").write_bytes(b"minutes of a meeting " * 100)
    assert line(skrynka("check", "--json"), "database")["state"] == "missing"


def test_a_database_at_another_revision_is_told_with_the_way_on(skrynka: Skrynka, station: Path) -> None:
    with closing(sqlite3.connect(station / "skrynka.db")) as connection, connection:
        connection.execute("DELETE FROM alembic_version")
    found = line(skrynka("check", "--json"), "database")
    assert found["state"] == "missing"
    assert "skrynka db upgrade" in found["remedy"]


@pytest.mark.usefixtures("station")
def test_a_database_server_that_is_away_is_told(skrynka: Skrynka, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKRYNKA_DATABASE__URL", "postgresql://nobody@127.0.0.1:1/none")
    assert line(skrynka("check", "--json"), "database")["said"] == "The database can't be reached."


@pytest.mark.usefixtures("station")
def test_too_little_room_is_told(skrynka: Skrynka, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKRYNKA_LIMITS__FREE_MEGABYTES", str(1 << 40))
    found = skrynka("check", "--json")
    assert found.code == 3
    assert line(found, "room for the spool")["state"] == "missing"


def test_a_program_that_is_not_installed_is_told(
    skrynka: Skrynka, station: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(station))
    assert line(skrynka("check", "--json"), "poppler")["remedy"] == "apt install poppler-utils"


def test_a_daemon_that_runs_is_seen_and_its_lock_left_alone(skrynka: Skrynka, station: Path) -> None:
    assert line(skrynka("check", "--json"), "daemon")["said"] == "doesn't run now"
    with (station / "state" / "lock").open("w") as lock, (station / "other").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert line(skrynka("check", "--json"), "daemon")["said"] == "doesn't run now"
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = skrynka("check", "--json")
    assert line(found, "daemon")["said"] == f"runs now, as process {os.getpid()}"
    assert found.code == 0


def test_a_clock_without_its_battery_is_told() -> None:
    assert clock(datetime(1970, 1, 1, tzinfo=UTC)).state is State.WARNING
    assert clock(datetime(2026, 2, 3, 22, 30, tzinfo=UTC)).said == "2026-02-04 00:30 in Europe/Kyiv"


def test_more_inboxes_than_the_kernel_watches_are_told() -> None:
    assert inotify(2).state is State.GOOD
    assert inotify(10**9).state is State.WARNING


@pytest.mark.usefixtures("station")
@pytest.mark.parametrize("what", ["spool", "work", "state"])
def test_a_folder_that_cannot_be_written_is_told(what: str, skrynka: Skrynka, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody makes a file there, whatever his rights.
    monkeypatch.setenv(f"SKRYNKA_PATHS__{what.upper()}", "/proc")
    found = line(skrynka("check", "--json"), what)
    assert found["state"] == "missing"
    assert "/proc can't be written" in found["said"]


@pytest.mark.parametrize("empty", [False, True])
def test_an_archive_that_is_away_is_missing_and_neither_to_be_made_nor_to_be_given_rights(
    empty: bool,  # noqa: FBT001 - an example
    skrynka: Skrynka,
    station: Path,
) -> None:
    (station / "archive").rename(station / "unmounted")
    if empty:
        (station / "archive").mkdir(mode=0o777)
    told = skrynka("check", "--json")
    found = line(told, "archive")
    assert (told.code, found["state"]) == (3, "missing")
    assert found["remedy"].startswith("Mount the archive")


@pytest.mark.parametrize("what", ["spool", "archive", "inbox OBL-01"])
def test_what_is_mounted_read_only_is_to_be_mounted_for_writing(what: str, skrynka: Skrynka, station: Path) -> None:
    folder = station / ("inbox/OBL-01" if what.startswith("inbox") else what)
    if subprocess.run(["mount", "--bind", folder, folder], check=False, capture_output=True).returncode:
        skip_fault("nothing can be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        found = line(skrynka("check", "--json"), what)
    finally:
        subprocess.run(["umount", folder], check=True)
    assert (found["state"], "EROFS" in found["said"]) == ("missing", True)
    assert found["remedy"].startswith("It is mounted read-only")


def test_an_inbox_that_cannot_be_written_is_told(skrynka: Skrynka, station: Path) -> None:
    change(station, "boxes.toml", 'inbox = "inbox/OBL-02"', 'inbox = "/proc"')
    found = line(skrynka("check", "--json"), "inbox OBL-02")
    assert found["state"] == "missing"
    assert "/proc can't be written" in found["said"]


def test_an_inbox_on_another_file_system_is_told(skrynka: Skrynka, station: Path) -> None:
    with TemporaryDirectory(dir="/dev/shm") as inbox:
        Path(inbox).chmod(0o750)
        change(station, "boxes.toml", 'inbox = "inbox/OBL-02"', f'inbox = "{inbox}"')
        found = line(skrynka("check", "--json"), "inbox OBL-02")
        assert found["state"] == "good"
        assert "claims are copied" in found["said"]
        assert list(Path(inbox).iterdir()) == []


@pytest.mark.usefixtures("station")
def test_an_engine_that_is_not_known_is_a_mistake_of_the_configuration(
    skrynka: Skrynka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKRYNKA_DATABASE__URL", "oracle://nobody@nowhere/none")
    found = skrynka("check", "--json")
    assert (found.code, line(found, "database")["state"]) == (2, "wrong")
