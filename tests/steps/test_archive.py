from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skrynka.core.errors import EnvironmentUnfit
from skrynka.steps.archive import Archive, ArchiveAway, ArchiveDamaged, SourceChanged
from tests.support.skipped_faults import skip_fault
from tests.support.syscalls import calls_that_last, position

CONTENT = b"%PDF-1.7 a scan"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SIDECAR = {"number": 7, "box": "OBL-01", "original_name": os.fsdecode(b"\xcf.pdf")}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    return folder


@pytest.fixture
def archive(root: Path) -> Archive:
    return Archive(root)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "original"
    path.write_bytes(CONTENT)
    return path


def files(root: Path) -> list[str]:
    return sorted(str(each.relative_to(root)) for each in root.rglob("*") if not each.is_dir())


def as_a_link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def as_a_link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize("make", [as_a_link, as_a_link_to_itself, os.mkfifo, Path.mkdir])
def test_what_isnt_a_plain_file_in_the_place_of_one_is_not_given_to_a_reader(
    archive: Archive, source: Path, make: Callable[[Path], None]
) -> None:
    stored = archive.store_original(source, scan_id="id-1", file_type="pdf", sidecar=SIDECAR)
    document = archive.store_document(source)
    for path, ask in (
        (archive.original_path(stored.sha256), lambda: archive.original_path(stored.sha256)),
        (archive.document_path(document.sha256), lambda: archive.document_path(document.sha256)),
    ):
        path.unlink()
        make(path)
        with pytest.raises(ArchiveDamaged):
            ask()


def test_an_original_lies_under_its_hash_with_a_sidecar_that_a_database_can_be_rebuilt_from(
    archive: Archive, root: Path, source: Path
) -> None:
    stored = archive.store_original(source, scan_id="id-1", file_type="pdf", sidecar=SIDECAR)
    assert (stored.sha256, stored.size_bytes, stored.known) == (SHA256, len(CONTENT), False)
    folder = f"originals/{SHA256[:2]}/{SHA256}"
    assert files(root) == [f"{folder}/id-1.json", f"{folder}/original.pdf"]
    assert archive.original_path(SHA256).read_bytes() == CONTENT
    told = json.loads((root / folder / "id-1.json").read_bytes())
    assert told == {**SIDECAR, "sha256": SHA256, "size_bytes": len(CONTENT), "file_type": "pdf"}


def test_the_archives_copy_is_an_inode_of_its_own(archive: Archive, source: Path) -> None:
    with source.open("r+b") as writer:  # its descriptor outlives any rename
        archive.store_original(source, scan_id="id-1", file_type="pdf", sidecar={})
        writer.write(b"overwritten by a writer that never let go")
    assert archive.original_path(SHA256).read_bytes() == CONTENT


def test_the_same_scan_stored_again_changes_nothing(archive: Archive, root: Path, source: Path) -> None:
    archive.store_original(source, scan_id="id-1", file_type="pdf", sidecar=SIDECAR)
    before = files(root)
    inode = archive.original_path(SHA256).stat().st_ino
    assert archive.store_original(source, scan_id="id-1", file_type="pdf", sidecar=SIDECAR).known
    assert files(root) == before
    assert archive.original_path(SHA256).stat().st_ino == inode


def test_another_scan_with_the_same_bytes_adds_its_own_sidecar(archive: Archive, root: Path, source: Path) -> None:
    for scan_id in ("id-1", "id-2"):
        archive.store_original(source, scan_id=scan_id, file_type="pdf", sidecar=SIDECAR)
    assert [Path(each).name for each in files(root)] == ["id-1.json", "id-2.json", "original.pdf"]


def test_a_scan_of_an_unknown_type_is_kept_too(archive: Archive, source: Path) -> None:
    archive.store_original(source, scan_id="id-1", file_type=None, sidecar={})
    assert archive.original_path(SHA256).name == "original.bin"


def test_an_empty_scan_is_kept_too(archive: Archive, source: Path) -> None:
    source.write_bytes(b"")
    stored = archive.store_original(source, scan_id="id-1", file_type=None, sidecar={})
    assert (stored.size_bytes, archive.original_path(stored.sha256).read_bytes()) == (0, b"")


def test_a_scan_that_changes_while_it_is_copied_is_not_stored(
    archive: Archive, root: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer must write at the right moment, so it does when the copy's first piece is read."""
    read = os.pread

    def read_and_write(descriptor: int, count: int, offset: int) -> bytes:
        chunk = read(descriptor, count, offset)
        if offset == 0:
            with source.open("ab") as writer:
                writer.write(b"one more page")
        return chunk

    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", read_and_write)
        with pytest.raises(SourceChanged):
            archive.store_original(source, scan_id="id-1", file_type="pdf", sidecar={})
    assert files(root) == []


def test_a_link_is_not_followed_into_the_archive(archive: Archive, root: Path, source: Path) -> None:
    link = source.with_name("link")
    link.symlink_to(source)
    os.mkfifo(source.with_name("pipe"))
    for name in ("link", "pipe"):
        with pytest.raises(OSError, match=r"symbolic|regular"):
            archive.store_original(source.with_name(name), scan_id="id-1", file_type="pdf", sidecar={})
    assert files(root) == []


@pytest.mark.parametrize("damage", [b"cut of", b"%PDF-1.7 a scam"], ids=["shorter", "as long"])
def test_what_rotted_under_a_known_hash_is_put_right_by_whoever_brings_it_again(
    archive: Archive, root: Path, source: Path, damage: bytes
) -> None:
    archive.store_original(source, scan_id="id-1", file_type="pdf", sidecar={})
    archive.store_document(source)
    kept = (archive.original_path(SHA256), archive.document_path(SHA256))
    for each in kept:
        each.write_bytes(damage)
    before = files(root)
    assert archive.store_original(source, scan_id="id-1", file_type="pdf", sidecar={}).known
    archive.store_document(source)
    assert [each.read_bytes() for each in kept] == [CONTENT, CONTENT]
    assert files(root) == before


def test_what_is_not_there_is_told(archive: Archive) -> None:
    with pytest.raises(ArchiveDamaged):
        archive.original_path(SHA256)
    with pytest.raises(ArchiveDamaged):
        archive.document_path(SHA256)


def test_a_document_lies_under_its_hash_and_is_stored_once(archive: Archive, root: Path, source: Path) -> None:
    first = archive.store_document(source)
    inode = archive.document_path(first.sha256).stat().st_ino
    assert archive.store_document(source) == first
    assert (first.sha256, first.size_bytes) == (SHA256, len(CONTENT))
    assert files(root) == [f"documents/{SHA256[:2]}/{SHA256}.pdf"]
    assert archive.document_path(SHA256).stat().st_ino == inode


def test_threads_may_store_the_same_at_the_same_time(archive: Archive, root: Path, source: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        stored = set(pool.map(lambda _: archive.store_document(source), range(16)))
    assert len(stored) == 1
    assert archive.document_path(SHA256).read_bytes() == CONTENT
    assert len(files(root)) == 1


def test_everything_in_the_archive_is_closed_to_others(archive: Archive, root: Path, source: Path) -> None:
    before = os.umask(0)
    try:
        archive.store_original(source, scan_id="id-1", file_type="pdf", sidecar={})
        archive.store_document(source)
        archive.note_quarantine("id-1", "ST-1-7", SHA256, "why")
    finally:
        os.umask(before)
    for each in root.rglob("*"):
        if not each.is_symlink():
            assert each.stat().st_mode & 0o7777 == (0o750 if each.is_dir() else 0o640), each


def test_a_quarantined_scan_has_its_reason_in_words_and_a_link_that_moves_with_the_archive(
    archive: Archive, root: Path, source: Path
) -> None:
    archive.store_original(source, scan_id="id-1", file_type="pdf", sidecar={})
    archive.note_quarantine("id-1", "ST-1-7", SHA256, "an older reason")
    archive.note_quarantine("id-1", "ST-1-7", SHA256, "Файл зашифровано.")
    moved = root.rename(root.with_name("moved"))
    folder = moved / "quarantine" / "ST-1-7-id-1"
    assert (folder / "reason.txt").read_text(encoding="utf-8").splitlines() == [
        "Файл зашифровано.",
        "",
        f"The original: originals/{SHA256[:2]}/{SHA256}/original.pdf (in the archive)",
    ]
    assert (folder / "original.pdf").read_bytes() == CONTENT


def test_clearing_a_quarantine_leaves_the_original_and_may_be_repeated(archive: Archive, source: Path) -> None:
    archive.store_original(source, scan_id="id-1", file_type="pdf", sidecar={})
    archive.clear_quarantine("id-1")
    archive.note_quarantine("id-1", "ST-1-7", SHA256, "why")
    link = next(archive.original_path(SHA256).parents[3].glob("quarantine/*/original.pdf"))
    archive.clear_quarantine("id-1")
    archive.clear_quarantine("id-1")
    assert not link.parent.exists()
    assert archive.original_path(SHA256).read_bytes() == CONTENT


def test_a_probe_leaves_nothing_behind(archive: Archive, root: Path) -> None:
    archive.write_probe()
    assert files(root) == []


def test_the_archives_time_is_the_one_that_its_files_are_dated_with(archive: Archive, root: Path) -> None:
    before, after = root / "before", root / "after"
    before.touch()
    now = archive.now()
    after.touch()
    assert before.stat().st_mtime <= now <= after.stat().st_mtime


def test_a_full_archive_tells_its_time_too(root: Path) -> None:
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "full", root], check=False).returncode:
        skip_fault("nothing can be mounted here")
    try:
        archive = Archive(root)
        began = archive.now()
        with pytest.raises(OSError, match="No space left"):
            (root / "filling").write_bytes(bytes(1 << 20))
        with pytest.raises(ArchiveAway, match="ENOSPC"):
            archive.write_probe()
        assert archive.now() >= began
        assert files(root) == ["filling"]
    finally:
        subprocess.run(["umount", root], check=True)


def test_an_archive_that_is_away_is_told_by_the_probe(archive: Archive, root: Path) -> None:
    shutil.rmtree(root)
    with pytest.raises(EnvironmentUnfit, match="ENOENT"):
        archive.write_probe()


def test_what_a_crash_left_half_written_is_swept_after_a_while(archive: Archive, root: Path) -> None:
    assert archive.sweep_incoming(before=1e12) == 0
    archive.write_probe()
    for name, age in (("old", 1_000), ("new", 2_000)):
        (root / ".incoming" / name).write_bytes(b"")
        os.utime(root / ".incoming" / name, (age, age))
    assert archive.sweep_incoming(before=1_500) == 1
    assert files(root) == [".incoming/new"]


def test_an_original_is_durable_before_its_name_its_name_before_its_sidecar(
    root: Path, source: Path, tmp_path: Path
) -> None:
    code = (
        "import sys; from pathlib import Path; from skrynka.steps.archive import Archive\n"
        "Archive(Path(sys.argv[1])).store_original(Path(sys.argv[2]), scan_id='id', file_type='pdf', sidecar={})"
    )
    calls = calls_that_last(code, tmp_path / "log", root, source)
    shelf = root / "originals" / SHA256[:2]
    content = position(calls, "fsync", f"{root}/.incoming/")
    for parent in (root, root / "originals", shelf):
        position(calls, "fsync", f"{parent}>")
    name = position(calls, "rename", "/original.pdf", after=content)
    folder = position(calls, "fsync", f"{shelf / SHA256}>", after=name)
    sidecar = position(calls, "rename", "/id.json", after=folder)
    position(calls, "fsync", f"{shelf / SHA256}>", after=sidecar)


def test_what_is_durable_already_is_not_made_so_with_each_document(root: Path, tmp_path: Path) -> None:
    papers = [tmp_path / "1.pdf", tmp_path / "2.pdf"]
    for paper in papers:
        paper.write_text(paper.name)
    code = (
        "import sys; from pathlib import Path; from skrynka.steps.archive import Archive\n"
        "archive = Archive(Path(sys.argv[1])); archive.store_document(Path(sys.argv[2]))\n"
        "print(archive.store_document(Path(sys.argv[3])))"
    )
    calls = calls_that_last(code, tmp_path / "log", root, *papers)
    shelf = root / "documents" / hashlib.sha256(b"2.pdf").hexdigest()[:2]
    content = position(calls, "fsync", f"{root}/.incoming/", after=position(calls, "rename", ".pdf"))
    made = position(calls, "fsync", f"{root / 'documents'}>", after=content)
    name = position(calls, "rename", ".pdf", after=made)
    position(calls, "fsync", f"{shelf}>", after=name)
    assert [call.name for call in calls[content:]] == ["fsync", "fsync", "rename", "fsync"]


def test_a_folder_that_somebody_removed_is_made_again(archive: Archive, root: Path, source: Path) -> None:
    stored = archive.store_document(source)
    shutil.rmtree(root / "documents")
    shutil.rmtree(root / ".incoming")
    assert archive.store_document(source) == stored
    assert archive.document_path(stored.sha256).read_bytes() == source.read_bytes()


def test_a_source_that_cannot_be_read_is_no_failure_of_the_archive(archive: Archive, root: Path) -> None:
    # A plain file that opens, and whose first byte can't be read: as on a disk with a bad sector.
    unreadable = Path("/proc/self/mem")
    with pytest.raises(OSError, match="source") as original:
        archive.store_original(unreadable, scan_id="id-1", file_type="pdf", sidecar={})
    with pytest.raises(OSError, match="source") as document:
        archive.store_document(unreadable)
    assert (original.value.errno, document.value.errno) == (errno.EIO, errno.EIO)
    assert files(root) == []


def test_who_waits_for_a_large_scan_is_told_piece_by_piece_that_it_goes_on(archive: Archive, source: Path) -> None:
    pieces = 5
    source.write_bytes(bytes(pieces << 20))
    told: list[str] = []
    stored = archive.store_original(
        source, scan_id="id-1", file_type="pdf", sidecar={}, progress=lambda: told.append("copied")
    )
    archive.verify_original(stored.sha256, lambda: told.append("verified"))
    archive.store_document(source, lambda: told.append("stored"))
    archive.store_document(source, lambda: told.append("known"))
    # What is there already is read too.
    counted = {what: told.count(what) for what in told}
    assert counted == {"copied": pieces, "verified": pieces, "stored": pieces, "known": 2 * pieces}


def test_a_large_scan_is_made_durable_on_the_way_and_not_all_of_it_at_the_end(
    root: Path, source: Path, tmp_path: Path
) -> None:
    source.write_bytes(bytes(65 << 20))
    code = (
        "import sys; from pathlib import Path; from skrynka.steps.archive import Archive\n"
        "Archive(Path(sys.argv[1])).store_document(Path(sys.argv[2]))"
    )
    calls = calls_that_last(code, tmp_path / "log", root, source)
    assert [call.name for call in calls].count("fdatasync") == 4


def test_an_original_that_is_whole_is_verified(archive: Archive, source: Path) -> None:
    stored = archive.store_original(source, scan_id="id-1", file_type="pdf", sidecar={})
    archive.verify_original(stored.sha256)


@pytest.mark.parametrize("harm", [b"", b"%PDF-something else"], ids=["emptied", "changed"])
def test_an_original_that_changed_in_the_archive_is_the_archives_damage(
    archive: Archive, source: Path, harm: bytes
) -> None:
    stored = archive.store_original(source, scan_id="id-1", file_type="pdf", sidecar={})
    archive.original_path(stored.sha256).write_bytes(harm)
    with pytest.raises(ArchiveDamaged):
        archive.verify_original(stored.sha256)
