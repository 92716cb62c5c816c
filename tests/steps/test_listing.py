from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from skrynka.core.entries import OddKind
from skrynka.steps.listing import NO_MARKER, InboxAway, list_inbox, peek, writer_holds
from skrynka.store.database import new_id

NOT_UTF_8 = os.fsdecode(b"\xcf\xee\xeb.pdf")


@pytest.fixture
def _quiet_sigio() -> Iterator[None]:
    """As the service does: a broken lease sends SIGIO."""
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGIO, before)


def hidden(name: str) -> bool:
    return name.startswith(".")


def fill(inbox: Path) -> None:
    """Put two files, the older one later in the alphabet, and one of each odd thing."""
    (inbox / "b.pdf").write_bytes(b"older")
    (inbox / NOT_UTF_8).write_bytes(b"new")
    os.utime(inbox / "b.pdf", ns=(1, 1_000))
    os.utime(inbox / NOT_UTF_8, ns=(1, 2_000))
    (inbox / ".hidden").write_bytes(b"")
    (inbox / "folder").mkdir()
    (inbox / "link").symlink_to("b.pdf")
    os.mkfifo(inbox / "pipe")


def test_files_come_oldest_first_with_what_the_listing_knows(tmp_path: Path) -> None:
    fill(tmp_path)
    seen = list_inbox(tmp_path, hidden).seen
    assert [(each.name, each.size, each.mtime_ns) for each in seen] == [("b.pdf", 5, 1_000), (NOT_UTF_8, 3, 2_000)]
    status = (tmp_path / "b.pdf").stat()
    assert (seen[0].inode, seen[0].device) == (status.st_ino, status.st_dev)


def test_what_is_no_regular_file_is_told_and_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path)
    monkeypatch.chdir(tmp_path)  # a socket's address may have 107 bytes only
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        listing = list_inbox(tmp_path, hidden)
    assert [(each.name, each.what) for each in listing.odd] == [
        ("folder", OddKind.FOLDER),
        ("link", OddKind.SYMLINK),
        ("pipe", OddKind.FIFO),
        ("socket", OddKind.SOCKET),
    ]


def test_names_stay_out_of_every_repr(tmp_path: Path) -> None:
    (tmp_path / "Шевченко.pdf").write_bytes(b"")
    (tmp_path / "Франко").mkdir()
    told = repr(list_inbox(tmp_path))
    assert "Шевченко" not in told
    assert "Франко" not in told


def test_peeking_at_a_fifo_a_link_or_nothing_gives_nothing_at_once(tmp_path: Path) -> None:
    fill(tmp_path)
    for name in ("pipe", "link", "folder", "gone"):
        assert peek(tmp_path / name) is None


def test_an_inbox_that_is_missing_is_away_and_its_path_is_not_told(tmp_path: Path) -> None:
    with pytest.raises(InboxAway) as caught:
        list_inbox(tmp_path / "Шевченко")
    assert caught.value.why == "ENOENT"
    assert "Шевченко" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_listing_tells_which_folder_it_was(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    status = tmp_path.stat()
    assert list_inbox(tmp_path / "link").folder == (status.st_dev, status.st_ino)


def test_an_inbox_without_its_marker_is_away_rather_than_empty(tmp_path: Path) -> None:
    with pytest.raises(InboxAway) as caught:
        list_inbox(tmp_path, marker=".share")
    assert caught.value.why == NO_MARKER
    (tmp_path / ".share").write_bytes(b"")
    assert list_inbox(tmp_path, hidden, marker=".share").seen == ()


@pytest.mark.usefixtures("_quiet_sigio")
def test_the_kernel_tells_of_another_process_that_writes(tmp_path: Path) -> None:
    scan = tmp_path / "scan.pdf"
    code = "import sys; f = open(sys.argv[1], 'wb'); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-I", "-c", code, scan]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"open\n"
        assert writer_holds(scan) is True
        writer.communicate()
    assert writer_holds(scan) is False


@pytest.mark.usefixtures("_quiet_sigio")
def test_a_lease_is_given_back_so_that_a_writer_never_waits(tmp_path: Path) -> None:
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"")
    assert writer_holds(scan) is False
    os.close(os.open(scan, os.O_WRONLY | os.O_NONBLOCK))  # EAGAIN if the lease were still there


@pytest.mark.usefixtures("_quiet_sigio")
def test_where_the_kernel_cannot_say_nothing_is_claimed_to_be_known(tmp_path: Path) -> None:
    fill(tmp_path)
    for name in ("pipe", "link", "gone"):
        assert writer_holds(tmp_path / name) is None


def test_what_lies_among_a_stations_own_claimed_files_is_seen_under_its_path(tmp_path: Path) -> None:
    claimed = tmp_path / ".claimed" / "ST"
    (tmp_path / ".claimed" / "OTHER").mkdir(parents=True)
    claimed.mkdir()
    scan_id = new_id()
    (claimed / scan_id).write_bytes(b"%PDF")
    (claimed / "Шевченко.pdf").write_bytes(b"%PDF")
    os.mkfifo(claimed / new_id())
    (tmp_path / ".claimed" / "OTHER" / new_id()).write_bytes(b"%PDF")
    listing = list_inbox(tmp_path, hidden, station="ST")
    assert [each.name for each in listing.seen] == [f".claimed/ST/{scan_id}"]
    assert (tmp_path / listing.seen[0].name).read_bytes() == b"%PDF"
    assert listing.odd == ()
    assert list_inbox(tmp_path, hidden).seen == ()


@pytest.mark.parametrize("linked", [".claimed", ".claimed/ST"])
def test_a_link_in_the_place_of_the_claimed_files_is_not_followed(tmp_path: Path, linked: str) -> None:
    inbox, elsewhere = tmp_path / "inbox", tmp_path / "elsewhere"
    (elsewhere / "ST").mkdir(parents=True)
    for folder in (elsewhere, elsewhere / "ST"):
        (folder / new_id()).write_bytes(b"not ours")
    (inbox / linked).parent.mkdir(parents=True)
    (inbox / linked).symlink_to(elsewhere)
    assert list_inbox(inbox, hidden, station="ST").seen == ()
