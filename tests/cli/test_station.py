from __future__ import annotations

import stat
from pathlib import Path

import pytest

from skrynka.examples import example
from tests.cli.conftest import Skrynka

FOLDERS = ("inbox", "inbox/OBL-01", "inbox/OBL-02", "state", "spool", "work", "archive")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def everything_in(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def test_a_new_station_has_all_that_it_needs_and_is_found_good(skrynka: Skrynka, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "station"
    told = skrynka("init", folder)
    assert told.code == 0
    assert f"skrynka check --config {folder}/skrynka.toml" in told.out
    for name in ("skrynka.toml", "boxes.toml", "case_types.toml"):
        assert (folder / name).read_bytes() == example(name).read_bytes()
    found = skrynka("check", "--config", folder / "skrynka.toml")
    assert found.code == 0, found.out


def test_nobody_else_may_look_into_a_new_station(station: Path) -> None:
    assert {mode(station / name) for name in FOLDERS} | {mode(station)} == {0o750}
    assert {mode(path) for path in station.iterdir() if path.is_file()} == {0o640}


def test_a_station_that_is_there_is_left_as_it_is(skrynka: Skrynka, station: Path) -> None:
    (station / "boxes.toml").unlink()
    before = everything_in(station)
    told = skrynka("init", station)
    assert told.code == 2
    assert "has a station already" in told.err
    assert everything_in(station) == before


def test_a_station_that_was_begun_is_finished_and_what_was_edited_stays(skrynka: Skrynka, tmp_path: Path) -> None:
    (tmp_path / "inbox" / "POD-07").mkdir(parents=True)
    boxes = '[[box]]\ncode = "POD-07"\ninbox = "inbox/POD-07"\n'
    (tmp_path / "boxes.toml").write_text(boxes, encoding="utf-8")
    (tmp_path / ".skrynka.toml.new").write_text("half", encoding="utf-8")
    told = skrynka("init", tmp_path)
    assert told.code == 0
    assert "POD-07" in told.out
    assert (tmp_path / "boxes.toml").read_text(encoding="utf-8") == boxes
    assert not (tmp_path / ".skrynka.toml.new").exists()
    assert sorted(path.name for path in (tmp_path / "inbox").iterdir()) == ["POD-07"]


def test_a_place_that_can_be_no_folder_is_told(skrynka: Skrynka, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    told = skrynka("init", tmp_path / "file" / "station")
    assert told.code == 3
    assert told.err.count("\n") == 1


def test_a_shared_database_is_left_to_a_person(
    skrynka: Skrynka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKRYNKA_DATABASE__URL", "postgresql://nobody@127.0.0.1:1/none")
    told = skrynka("init", tmp_path)
    assert told.code == 0
    assert "skrynka db upgrade" in told.out
    assert not (tmp_path / "skrynka.db").exists()
