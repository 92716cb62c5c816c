from __future__ import annotations

import errno
import fcntl
import os
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from skrynka.core.claims import Claim, ClaimLost, ClaimRefused, ClaimRestless
from skrynka.core.entries import Ends
from skrynka.core.settling import is_ignored
from skrynka.shares.hand import ShareHand
from skrynka.shares.process import ShareStopped
from skrynka.steps.claiming import fetch, prepare, take
from skrynka.steps.listing import NO_MARKER, InboxAway, list_inbox
from tests.support.processes import await_that, descendants

NOT_UTF_8 = os.fsdecode(b"\xcf\xee\xeb.pdf")
BRIEF = 5.0
"""Seconds: a silence that tests here do wait for; a busy machine starts a child well within it."""


class Place:
    """A share, a spool, and a hand in the share."""

    def __init__(self, folder: Path) -> None:
        self.share = folder / "share"
        self.spool = folder / "spool"
        self.lock = folder / "lock"
        self.share.mkdir()
        self.spool.mkdir()
        self.hand = ShareHand(self.share, self.lock, silent_seconds=30)

    def taken(self, name: str = "scan.pdf", content: bytes = b"%PDF") -> Claim:
        """Save a file and claim it."""
        claim = take(self.prepared(name, content), self.hand)
        assert isinstance(claim, Claim)
        return claim

    def prepared(self, name: str = "scan.pdf", content: bytes = b"%PDF") -> Claim:
        """Save a file and do what comes before it moves."""
        (self.share / name).write_bytes(content)
        seen = next(each for each in self.hand.list().seen if each.name == name)
        return prepare(
            self.spool, self.share, seen, self.hand, scan_id="id", next_number=lambda: 1, station="ST", box="B",
            claimed_at=datetime(2022, 2, 23, tzinfo=UTC), via_share=True,
        )  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.hand.close()


def child() -> psutil.Process:
    """Give the process that a hand has started."""
    (found,) = (each for each in descendants() if "skrynka.shares.errands" in each.cmdline())
    return found


def interpreter(folder: Path, script: str) -> str:
    """Stand in for the child: a real process of another program."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_a_share_is_listed_as_a_local_inbox_is(place: Place) -> None:
    (place.share / "b.pdf").write_bytes(b"older")
    (place.share / NOT_UTF_8).write_bytes(b"new")
    os.utime(place.share / "b.pdf", ns=(1, 1_000))
    os.utime(place.share / NOT_UTF_8, ns=(1, 2_000))
    (place.share / ".hidden").write_bytes(b"")
    (place.share / "folder").mkdir()
    (place.share / "link").symlink_to("b.pdf")
    os.mkfifo(place.share / "pipe")
    found, known = place.hand.list(), list_inbox(place.share, is_ignored)
    assert (found.seen, found.odd, found.folder) == (known.seen, known.odd, known.folder)
    assert found.ends == {"b.pdf": Ends(b"older", b"older"), NOT_UTF_8: Ends(b"new", b"new")}


def test_the_ends_of_a_file_come_once_and_again_when_it_has_changed(place: Place) -> None:
    (place.share / "old.pdf").write_bytes(b"old")
    (place.share / "scan.pdf").write_bytes(b"%PDF")
    assert set(place.hand.list().ends or {}) == {"old.pdf", "scan.pdf"}
    (place.share / "scan.pdf").write_bytes(b"%PDF more")
    assert place.hand.list().ends == {"scan.pdf": Ends(b"%PDF more", b"%PDF more")}


def test_more_names_than_a_pipe_holds_come_through(place: Place) -> None:
    names = {f"{number:04d} {'x' * 200}.pdf" for number in range(1000)}
    for name in names:
        (place.share / name).write_bytes(b"%PDF")
    assert {each.name for each in place.hand.list().seen} == names


def test_a_claim_is_made_and_fetched_by_the_child(place: Place) -> None:
    taken = place.taken()
    assert [each.name for each in place.share.iterdir()] == [".claimed"]
    assert place.hand.locate(taken) is not None
    fetched = fetch(taken, place.hand, lambda: None)
    assert fetched.path.read_bytes() == b"%PDF"
    assert place.hand.locate(taken) is None


def test_what_happens_to_a_claim_is_told_as_it_is_of_a_local_one(place: Place) -> None:
    claim = place.prepared()
    (place.share / "scan.pdf").unlink()
    with pytest.raises(ClaimLost):
        place.hand.take(claim)
    (place.share / ".claimed" / "ST").rmdir()
    (place.share / ".claimed").rmdir()
    (place.share / ".claimed").write_bytes(b"a file in the folder's place")
    with pytest.raises(ClaimRefused, match="ENOTDIR"):
        place.hand.ready(claim)
    with pytest.raises(NotADirectoryError):
        place.hand.locate(claim)


def test_a_file_that_grows_while_it_is_copied_is_told(place: Place) -> None:
    claim = place.taken(content=bytes(64 << 20))
    growing = threading.Event()

    def grow() -> None:
        with claim.path.open("ab", buffering=0) as writer:
            while not growing.wait(0.001):
                writer.write(b"x")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        with pytest.raises(ClaimRestless):
            place.hand.fetch(claim)
    finally:
        growing.set()
        writer.join()
    assert claim.path.exists()


def test_a_share_that_is_missing_or_misses_its_marker_is_away(place: Place) -> None:
    marked = ShareHand(place.share, None, marker=".share")
    missing = ShareHand(place.share / "gone", None)
    try:
        with pytest.raises(InboxAway) as caught:
            marked.list()
        assert caught.value.why == NO_MARKER
        with pytest.raises(InboxAway) as caught:
            marked.probe()
        assert caught.value.why == NO_MARKER
        with pytest.raises(InboxAway) as caught:
            missing.list()
        assert caught.value.why == "ENOENT"
    finally:
        marked.close()
        missing.close()


def test_a_probe_leaves_nothing_and_tells_the_rights(place: Place) -> None:
    place.share.chmod(0o750)
    mode, owner = place.hand.probe()
    assert (mode & 0o777, owner) == (0o750, os.geteuid())
    assert list(place.share.iterdir()) == []


def test_a_child_that_says_nothing_is_given_up_and_another_does_the_next_errand(place: Place) -> None:
    impatient = ShareHand(place.share, place.lock, silent_seconds=BRIEF)
    impatient.list()
    child().suspend()
    with pytest.raises(InboxAway, match="hung"):
        impatient.list()
    assert impatient.list().seen == ()
    impatient.close()


def test_nobody_begins_while_an_earlier_services_child_may_still_act(place: Place) -> None:
    with place.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = ShareHand(place.share, place.lock, silent_seconds=BRIEF)
        with pytest.raises(InboxAway, match="hung"):
            waiting.list()
    assert waiting.list().seen == ()
    waiting.close()


def test_a_child_that_is_killed_is_replaced(place: Place) -> None:
    place.hand.list()
    child().send_signal(signal.SIGKILL)
    await_that(lambda: not [each for each in descendants() if "skrynka.shares.errands" in each.cmdline()], "it is gone")
    assert place.hand.list().seen == ()


def test_a_child_is_not_ended_by_what_ends_a_whole_group(place: Place) -> None:
    place.hand.list()
    process = child()
    for number in (signal.SIGTERM, signal.SIGINT):
        process.send_signal(number)
    assert place.hand.list().seen == ()
    assert child() == process


def test_a_service_that_stops_waits_for_no_share(place: Place) -> None:
    stopping = threading.Event()
    hand = ShareHand(place.share, place.lock, silent_seconds=600, stopping=stopping.is_set)
    hand.list()
    child().suspend()
    threading.Timer(0.3, stopping.set).start()
    with pytest.raises(ShareStopped):
        hand.list()
    assert not [each for each in descendants() if "skrynka.shares.errands" in each.cmdline()]


@pytest.mark.parametrize("answer", ["", "[]", "no JSON", '{"seen": [[1]], "odd": [], "ends": {}}', '{"seen": []}'])
def test_a_child_that_dies_or_raves_is_a_share_that_is_away(tmp_path: Path, answer: str) -> None:
    hand = ShareHand(tmp_path, None, python=interpreter(tmp_path, f"read line; echo '{answer}'; read line"))
    with pytest.raises(InboxAway, match="died"):
        hand.list()
    hand.close()


def test_a_call_that_fails_is_an_os_error_with_its_number_and_without_a_name(tmp_path: Path) -> None:
    python = interpreter(tmp_path, f"read line; echo '{{\"failed\": {errno.EIO}}}'; read line")
    hand = ShareHand(tmp_path, None, python=python)
    with pytest.raises(OSError, match="EIO") as caught:
        hand.list()
    assert (caught.value.errno, caught.value.filename) == (errno.EIO, None)
    hand.close()
