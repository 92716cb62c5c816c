"""Which archive is the station's: known from its first start on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from skrynka.core.errors import EnvironmentUnfit
from skrynka.premises import known_archive
from skrynka.steps.archive import ArchiveAway, ArchiveDamaged


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    state, archive = tmp_path / "state", tmp_path / "archive"
    state.mkdir()
    archive.mkdir()
    return state, archive


def test_a_station_knows_its_archive_again(folders: tuple[Path, Path]) -> None:
    known_archive(*folders, "ST").identity.require()
    known_archive(*folders, "ST").identity.require()


def test_the_empty_folder_below_a_mount_point_is_no_archive_and_nothing_is_written_there(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    state, archive = folders
    known_archive(state, archive, "ST")
    archive.rename(tmp_path / "unmounted")
    archive.mkdir()
    away = known_archive(state, archive, "ST")
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"%PDF-")
    with pytest.raises(ArchiveAway):
        away.original_path("0" * 64)
    with pytest.raises(ArchiveAway):
        away.store_original(scan, scan_id="x", file_type="pdf", sidecar={})
    with pytest.raises(ArchiveAway):
        away.store_document(scan)
    with pytest.raises(ArchiveAway):
        away.write_probe()
    assert list(archive.iterdir()) == []
    archive.rmdir()
    (tmp_path / "unmounted").rename(archive)
    with pytest.raises(ArchiveDamaged):
        away.original_path("0" * 64)


def test_another_stations_archive_is_not_taken_for_the_known_one(folders: tuple[Path, Path], tmp_path: Path) -> None:
    state, archive = folders
    known_archive(state, archive, "ST")
    other = tmp_path / "other"
    (other / "state").mkdir(parents=True)
    shutil.rmtree(archive)
    archive.mkdir()
    known_archive(other / "state", archive, "B")
    with pytest.raises(ArchiveAway):
        known_archive(state, archive, "ST").identity.require()


def test_stations_may_share_an_archive(folders: tuple[Path, Path], tmp_path: Path) -> None:
    state, archive = folders
    known_archive(state, archive, "ST")
    (tmp_path / "second").mkdir()
    known_archive(tmp_path / "second", archive, "B").identity.require()
    known_archive(state, archive, "ST").identity.require()


def test_an_archive_that_can_t_be_told_keeps_the_service_from_starting(folders: tuple[Path, Path]) -> None:
    state, archive = folders
    archive.rmdir()
    with pytest.raises(EnvironmentUnfit, match="which archive"):
        known_archive(state, archive, "ST")
