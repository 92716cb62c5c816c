from __future__ import annotations

import os
import queue
import resource
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from watchdog.observers.api import BaseObserver
from watchdog.observers.inotify_c import InotifyFD

from skrynka.core.settling import Arrival
from skrynka.steps.watching import Hint, Watcher, WatchUnavailable

LIMIT = 20.0
"""Seconds until a test gives up on an event that didn't come."""


class Station:
    """A watcher whose hints can be waited for."""

    def __init__(self) -> None:
        self.hints: queue.Queue[Hint] = queue.Queue()
        self.overflowed = threading.Event()
        self.watcher = Watcher(self.hints.put, self.overflowed.set)

    def deaf(self, *inboxes: str) -> list[str]:
        """Give those of these inboxes that nobody watches."""
        return [inbox for inbox in inboxes if not self.watcher.watches(inbox)]

    def until(self, inbox: str, name: str, arrival: Arrival) -> list[Hint]:
        """Wait for a hint; give those that came before it."""
        before: list[Hint] = []
        while True:
            hint = self.hints.get(timeout=LIMIT)
            if hint == Hint(inbox, name, arrival):
                return before
            before.append(hint)


@pytest.fixture
def station() -> Iterator[Station]:
    made = Station()
    yield made
    made.watcher.stop()


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def await_that(true: Callable[[], bool]) -> None:
    """Wait for what has no event to wait for, such as a thread's death as a watcher sees it."""
    end = time.monotonic() + LIMIT
    while not true():
        assert time.monotonic() < end, "it never came true"
        threading.Event().wait(0.01)


def test_a_file_written_in_place_is_seen_and_then_closed(station: Station, inbox: Path) -> None:
    station.watcher.watch("BOX", inbox)
    (inbox / "scan.pdf").write_bytes(b"x")
    before = station.until("BOX", "scan.pdf", Arrival.CLOSED)
    assert before == [Hint("BOX", "scan.pdf", Arrival.SEEN)]


def test_a_file_renamed_in_from_outside_is_told_so(station: Station, inbox: Path, tmp_path: Path) -> None:
    station.watcher.watch("BOX", inbox)
    (tmp_path / "outside").write_bytes(b"x")
    (tmp_path / "outside").rename(inbox / "scan.pdf")
    assert station.until("BOX", "scan.pdf", Arrival.RENAMED_IN) == []


def test_a_file_that_gets_its_final_name_within_the_inbox_is_renamed_in(station: Station, inbox: Path) -> None:
    (inbox / "scan.part").write_bytes(b"x")
    station.watcher.watch("BOX", inbox)
    (inbox / "scan.part").rename(inbox / "scan.pdf")
    assert station.until("BOX", "scan.pdf", Arrival.RENAMED_IN) == []


def test_a_file_from_another_watched_inbox_is_renamed_in_and_what_leaves_is_no_hint(
    station: Station, inbox: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "scan.pdf").write_bytes(b"x")
    station.watcher.watch("ONE", inbox)
    station.watcher.watch("TWO", other)
    (other / "scan.pdf").rename(inbox / "scan.pdf")
    (other / "last").write_bytes(b"")
    told = {*station.until("TWO", "last", Arrival.CLOSED)}
    if Hint("ONE", "scan.pdf", Arrival.RENAMED_IN) not in told:
        station.until("ONE", "scan.pdf", Arrival.RENAMED_IN)
    assert not [hint for hint in told if hint.inbox == "TWO" and hint.name == "scan.pdf"]


def test_names_that_are_not_utf_8_come_as_a_listing_has_them(station: Station, inbox: Path) -> None:
    station.watcher.watch("BOX", inbox)
    name = os.fsdecode(b"\xcf\xee\xeb.pdf")
    (inbox / name).write_bytes(b"x")
    station.until("BOX", name, Arrival.CLOSED)


def test_a_name_stays_out_of_a_hints_repr() -> None:
    assert "Шевченко" not in repr(Hint("BOX", "Шевченко.pdf", Arrival.SEEN))


def test_an_inbox_behind_a_symbolic_link_is_watched(station: Station, inbox: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(inbox)
    station.watcher.watch("BOX", tmp_path / "link")
    (inbox / "scan.pdf").write_bytes(b"x")
    station.until("BOX", "scan.pdf", Arrival.CLOSED)
    assert station.deaf("BOX") == []


def test_what_happens_in_folders_of_an_inbox_is_no_hint(station: Station, inbox: Path) -> None:
    (inbox / "folder").mkdir()
    station.watcher.watch("BOX", inbox)
    (inbox / "folder" / "scan.pdf").write_bytes(b"x")
    (inbox / "last").write_bytes(b"x")
    assert station.until("BOX", "last", Arrival.SEEN) == []


def swap(inbox: Path) -> None:
    """Put another folder in an inbox's place: inotify goes on watching the old one."""
    inbox.rename(inbox.with_name("moved away"))
    inbox.mkdir()


def remake(inbox: Path) -> None:
    """Remove it and make it again: file systems like to give the new folder the old inode number."""
    inbox.rmdir()
    inbox.mkdir()


@pytest.mark.parametrize("replace", [swap, remake])
def test_a_folder_that_was_replaced_is_noticed_and_watched_again(
    station: Station, inbox: Path, replace: Callable[[Path], None]
) -> None:
    station.watcher.watch("BOX", inbox)
    replace(inbox)
    await_that(lambda: station.deaf("BOX") == ["BOX"])
    station.watcher.repair("BOX")
    assert station.deaf("BOX") == []
    (inbox / "scan.pdf").write_bytes(b"x")
    station.until("BOX", "scan.pdf", Arrival.CLOSED)


def test_an_inbox_that_vanished_is_repaired_once_it_is_back(station: Station, inbox: Path) -> None:
    station.watcher.watch("BOX", inbox)
    shutil.rmtree(inbox)
    assert station.deaf("BOX") == ["BOX"]
    with pytest.raises(WatchUnavailable):
        station.watcher.repair("BOX")
    assert station.deaf("BOX") == ["BOX"]
    inbox.mkdir()
    station.watcher.repair("BOX")
    (inbox / "scan.pdf").write_bytes(b"x")
    station.until("BOX", "scan.pdf", Arrival.CLOSED)


def test_an_inbox_that_was_never_there_stays_registered(station: Station, tmp_path: Path) -> None:
    with pytest.raises(WatchUnavailable) as caught:
        station.watcher.watch("BOX", tmp_path / "Шевченко")
    assert "Шевченко" not in str(caught.value)
    assert station.deaf("BOX") == ["BOX"]
    with pytest.raises(KeyError):
        station.watcher.repair("another")


def test_a_file_in_an_inboxs_place_is_no_inbox(station: Station, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WatchUnavailable):
        station.watcher.watch("BOX", tmp_path / "file")


@pytest.mark.parametrize("kind", [BaseObserver, InotifyFD])
def test_a_dead_thread_is_noticed_and_every_inbox_can_be_repaired(
    station: Station, inbox: Path, tmp_path: Path, kind: type[threading.Thread]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    before = set(threading.enumerate())
    station.watcher.watch("ONE", inbox)
    station.watcher.watch("TWO", other)
    for thread in set(threading.enumerate()) - before:
        if isinstance(thread, kind):
            thread.stop()  # type: ignore[attr-defined] - both kinds have it
            thread.join(LIMIT)
    assert station.deaf("ONE", "TWO") == ["ONE", "TWO"]
    station.watcher.repair("ONE")
    assert station.deaf("ONE", "TWO") == ["TWO"]
    station.watcher.repair("TWO")
    assert station.deaf("ONE", "TWO") == []
    for code, folder in (("ONE", inbox), ("TWO", other)):
        (folder / "scan.pdf").write_bytes(b"x")
        station.until(code, "scan.pdf", Arrival.CLOSED)


def test_when_the_kernels_limit_is_reached_it_is_told_and_can_be_tried_again(station: Station, inbox: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))  # EMFILE, as with max_user_instances
    try:
        with pytest.raises(WatchUnavailable, match="files"):
            station.watcher.watch("BOX", inbox)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert station.deaf("BOX") == ["BOX"]
    station.watcher.repair("BOX")
    assert station.deaf("BOX") == []


def test_stopping_ends_every_thread(inbox: Path) -> None:
    before = set(threading.enumerate())
    watcher = Watcher(lambda _: None)
    watcher.watch("BOX", inbox)
    watcher.stop()
    watcher.stop()
    assert set(threading.enumerate()) <= before
