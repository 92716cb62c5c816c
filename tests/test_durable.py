from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from skrynka.durable import (
    SyncedBehind,
    copy_durably,
    fsync_file,
    fsync_folder,
    make_folder,
    rename_durably,
    write_durably,
)
from tests.support.durable_calls import DurableCalls
from tests.support.syscalls import calls_that_last, position


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


@pytest.fixture(autouse=True)
def _open_umask() -> object:
    """Rights must come from the code, not from a careful umask."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_what_is_written_is_there_and_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "note"
    write_durably(target, b"first")
    write_durably(target, b"second")
    assert target.read_bytes() == b"second"
    assert [each.name for each in tmp_path.iterdir()] == ["note"]


def test_a_file_is_0640_at_most_whatever_is_asked_for(tmp_path: Path) -> None:
    write_durably(tmp_path / "open", b"", mode=0o666)
    write_durably(tmp_path / "closed", b"", mode=0o600)
    assert (mode(tmp_path / "open"), mode(tmp_path / "closed")) == (0o640, 0o600)


def test_folders_are_made_on_the_way_and_are_0750(tmp_path: Path) -> None:
    made = tmp_path / "a" / "b"
    make_folder(made, tmp_path)
    make_folder(made, tmp_path)
    assert (mode(made), mode(made.parent)) == (0o750, 0o750)


def test_a_write_that_fails_leaves_the_old_content_and_no_rubbish(tmp_path: Path) -> None:
    target = tmp_path / "note"
    write_durably(target, b"old")
    code = (
        "import resource, sys, pathlib; from skrynka.durable import write_durably\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: write_durably(pathlib.Path(sys.argv[1]), b'x' * 5000)\n"
        "except OSError: sys.exit(7)"
    )
    assert subprocess.run([sys.executable, "-I", "-c", code, target], env={}, check=False).returncode == 7
    assert target.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["note"]


def test_a_copy_has_the_bytes_tells_each_of_them_and_starts_at_the_beginning(tmp_path: Path) -> None:
    content = os.urandom((1 << 20) + 17)
    (tmp_path / "source").write_bytes(content)
    told: list[bytes] = []
    with (tmp_path / "source").open("rb") as source:
        source.seek(5)
        assert copy_durably(source.fileno(), tmp_path / "target", told.append) == len(content)
    assert (tmp_path / "target").read_bytes() == content == b"".join(told)
    assert mode(tmp_path / "target") == 0o640


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"content")

    def fail(_chunk: bytes) -> None:
        raise RuntimeError

    with (tmp_path / "source").open("rb") as source, pytest.raises(RuntimeError):
        copy_durably(source.fileno(), tmp_path / "target", fail)
    assert not (tmp_path / "target").exists()


def test_a_copy_whose_disk_fails_behind_it_is_no_copy(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    pieces = 16
    (tmp_path / "source").write_bytes(bytes(pieces << 20))
    code = (
        "import os, sys, pathlib; from skrynka.durable import copy_durably\n"
        "try: copy_durably(os.open(sys.argv[1], os.O_RDONLY), pathlib.Path(sys.argv[2]))\n"
        "except OSError as error: sys.exit(error.errno)"
    )
    calls = DurableCalls(tmp_path)
    calls.fail(None, folder, at=1 + pieces + 1, error=errno.EDQUOT)

    run = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "source", folder / "target"],
        env=os.environ | calls.environment,
        check=False,
    )

    assert run.returncode == errno.EDQUOT
    assert calls.hit.startswith("fdatasync")
    # It isn't asked again: the kernel may say that all is well by then.
    assert [name for name, _ in calls.trace[-2:]] == ["fdatasync", "unlink"]
    assert list(folder.iterdir()) == []


def test_what_failed_behind_is_told_before_anything_is_synced_again() -> None:
    def sync(times: int) -> None:
        reading, writing = os.pipe()  # there is no syncing a pipe
        try:
            with SyncedBehind(writing) as synced:
                for _ in range(times):
                    synced.go_on()
                    done.append(times)
        finally:
            os.close(reading)
            os.close(writing)

    done: list[int] = []
    for times in (1, 2):
        with pytest.raises(OSError, match="Invalid"):
            sync(times)
    assert done == [1, 2]


def test_a_copy_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"new")
    (tmp_path / "target").write_bytes(b"old")
    with (tmp_path / "source").open("rb") as source, pytest.raises(FileExistsError):
        copy_durably(source.fileno(), tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"old"


def test_a_link_is_not_followed_for_fsync(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to("file")
    fsync_file(tmp_path / "file")
    with pytest.raises(OSError, match="symbolic"):
        fsync_file(tmp_path / "link")


def test_a_folder_without_an_fsync_of_its_own_is_no_failure() -> None:
    fsync_folder(Path("/proc/self"))  # procfs says EINVAL
    with pytest.raises(FileNotFoundError):
        fsync_folder(Path("/proc/self/nothing"))


def test_content_is_fsynced_before_its_name_and_the_folder_after(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    code = (
        "import sys, pathlib; from skrynka.durable import write_durably\n"
        "write_durably(pathlib.Path(sys.argv[1]) / 'note', b'x')"
    )
    calls = calls_that_last(code, tmp_path / "log", work)
    content = position(calls, "fsync", ".tmp>")
    name = position(calls, "rename", "/note", after=content)
    position(calls, "fsync", f"{work}>", after=name)


def test_a_rename_between_folders_makes_both_durable_the_new_name_first(tmp_path: Path) -> None:
    for each in ("one", "two"):
        (tmp_path / each).mkdir()
    (tmp_path / "one" / "file").write_bytes(b"")
    code = (
        "import sys, pathlib; from skrynka.durable import rename_durably\n"
        "root = pathlib.Path(sys.argv[1]); rename_durably(root / 'one' / 'file', root / 'two' / 'file')"
    )
    calls = calls_that_last(code, tmp_path / "log", tmp_path)
    renamed = position(calls, "rename", "/one/file")
    new = position(calls, "fsync", "/two>", after=renamed)
    position(calls, "fsync", "/one>", after=new)


def test_a_rename_within_a_folder_keeps_the_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    rename_durably(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"content"
    assert not (tmp_path / "a").exists()
