"""What a start finds: the archive, which is the station's from its first start on, and what a killed run left."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skrynka.core.errors import EnvironmentUnfit
from skrynka.premises import clear_work, known_archive
from skrynka.steps.archive import Archive, ArchiveAway, ArchiveDamaged
from skrynka.store.database import new_id


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    state, archive = tmp_path / "state", tmp_path / "archive"
    state.mkdir()
    archive.mkdir()
    return state, archive


def archive_of(state: Path, archive: Path, *, scans: bool = False) -> Archive:
    return known_archive(state, archive, "ST", lambda: scans)


def test_a_station_knows_its_archive_again(folders: tuple[Path, Path]) -> None:
    archive_of(*folders).identity.require()
    archive_of(*folders).identity.require()


def test_the_empty_folder_below_a_mount_point_is_no_archive_and_nothing_is_written_there(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    state, archive = folders
    archive_of(state, archive)
    archive.rename(tmp_path / "unmounted")
    archive.mkdir()
    away = archive_of(state, archive)
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
    archive_of(state, archive)
    other = tmp_path / "other"
    (other / "state").mkdir(parents=True)
    shutil.rmtree(archive)
    archive.mkdir()
    archive_of(other / "state", archive)
    with pytest.raises(ArchiveAway):
        archive_of(state, archive).identity.require()


def test_stations_may_share_an_archive(folders: tuple[Path, Path], tmp_path: Path) -> None:
    state, archive = folders
    archive_of(state, archive)
    (tmp_path / "second").mkdir()
    archive_of(tmp_path / "second", archive).identity.require()
    archive_of(state, archive).identity.require()


def test_an_empty_folder_is_no_archive_where_the_database_knows_scans(folders: tuple[Path, Path]) -> None:
    state, archive = folders
    with pytest.raises(EnvironmentUnfit, match="Mount the archive"):
        archive_of(state, archive, scans=True)
    archive.rmdir()
    with pytest.raises(EnvironmentUnfit, match="Mount the archive"):
        archive_of(state, archive, scans=True)
    assert list(state.iterdir()) == []
    assert not archive.exists()


def test_an_archive_of_before_identities_is_taken_where_it_holds_originals(folders: tuple[Path, Path]) -> None:
    state, archive = folders
    (archive / "originals").mkdir()
    archive_of(state, archive, scans=True).identity.require()


def test_stations_that_make_one_archive_at_once_make_one(folders: tuple[Path, Path], tmp_path: Path) -> None:
    _, archive = folders
    states = [tmp_path / f"state-{number}" for number in range(8)]
    for state in states:
        state.mkdir()
    together = threading.Barrier(8)

    def meet(state: Path) -> Archive:
        together.wait(10)
        return archive_of(state, archive)

    with ThreadPoolExecutor(8) as pool:
        for met in pool.map(meet, states):
            met.identity.require()
    assert [each.name for each in archive.iterdir()] == [".skrynka-archive"]


def test_what_can_t_be_read_keeps_the_service_from_starting(folders: tuple[Path, Path]) -> None:
    state, archive = folders
    (state / "archive").mkdir()
    with pytest.raises(EnvironmentUnfit, match="which archive"):
        archive_of(state, archive)


def test_the_folders_of_readers_that_were_killed_go_at_the_next_start_and_nothing_else_does(tmp_path: Path) -> None:
    for name in (f"{new_id()}.3", new_id(), "papers", f"{new_id()}.pdf"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "page.ppm").touch()
    kept = sorted(path for path in tmp_path.iterdir() if path.suffix == ".pdf" or path.name == "papers")
    clear_work(tmp_path)
    assert sorted(tmp_path.iterdir()) == kept
