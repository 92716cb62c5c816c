"""What comes out of a box: half-written files wait for their writer, and a scanner that overwrites is noticed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.journey.drawn_piles import File, Pile, draw_pile
from tests.journey.mailroom import Mailroom
from tests.support.oracle import dropped
from tests.support.scans import tiff_of, truncated, write_slowly
from tests.support.stations import Daemon, make_station

QUIET_SECONDS = 0.3
OPTIONS = {
    "INTAKE__QUIET_SECONDS": str(QUIET_SECONDS),
    "INTAKE__SWEEP_SECONDS": "0.2",
    # Whoever writes in these tests never gives up.
    "INTAKE__GIVE_UP_SECONDS": "600",
}


@pytest.fixture(scope="module")
def piles() -> Iterator[Pile]:
    """Give a new pile at each call."""
    return (draw_pile(number, f"C{number} x") for number in range(1, 100))


@pytest.fixture(scope="module")
def mailroom(tmp_path_factory: pytest.TempPathFactory) -> Mailroom:
    return Mailroom(make_station(tmp_path_factory.mktemp("waiting"), options=OPTIONS))


@pytest.fixture(scope="module")
def daemon(mailroom: Mailroom) -> Iterator[Daemon]:
    """It runs for all of these tests; each leaves the inbox empty."""
    with mailroom.station.running() as running:
        yield running


def pause(seconds: float) -> None:
    """Let a writer be slow: it is not the test that waits."""
    threading.Event().wait(seconds)


def beat(mailroom: Mailroom, daemon: Daemon, pile: Pile) -> None:
    """Have the daemon look into the inbox: the look that claims a scan moved in now sees whatever else is there."""
    mailroom.drop(pile.file, f"beat{pile.number}.pdf")
    daemon.wait_for("scan_finished", pages=len(pile.pages))


def test_a_half_written_file_is_not_touched_until_its_writer_is_done(
    mailroom: Mailroom, daemon: Daemon, piles: Iterator[Pile]
) -> None:
    pile, other = next(piles), next(piles)
    path = mailroom.station.inbox() / "slow.pdf"
    mailroom.dropped.append(pile.file.truth)
    chunk = len(pile.file.data) // 7
    there: list[bool] = []

    def pause_and_look(seconds: float) -> None:
        pause(seconds)
        there.append(path.exists())

    # Longer pauses than the quiet time: it is the file's end that is waited for. Closed and reopened now and then.
    write_slowly(path, pile.file.data[:-chunk], pause_and_look, chunk=chunk, pause=2 * QUIET_SECONDS, reopen_every=2)
    beat(mailroom, daemon, other)
    pause_and_look(2 * QUIET_SECONDS)
    with path.open("ab") as file:
        file.write(pile.file.data[-chunk:])
    daemon.wait_for("scan_finished")
    assert there == [True] * len(there)
    assert len(there) >= 7
    assert mailroom.told(pile) == [f"{pile.number}: COVER 1, UNSORTED 2"]
    assert mailroom.misfits() == []


def test_a_whole_file_that_its_writer_still_holds_is_not_touched(
    mailroom: Mailroom, daemon: Daemon, piles: Iterator[Pile]
) -> None:
    pile, other = next(piles), next(piles)
    path = mailroom.station.inbox() / "held.pdf"
    mailroom.dropped.append(pile.file.truth)
    with path.open("wb") as file:
        file.write(pile.file.data)
        file.flush()
        pause(3 * QUIET_SECONDS)
        beat(mailroom, daemon, other)
        assert path.exists()
    daemon.wait_for("scan_finished")
    assert mailroom.told(pile) == [f"{pile.number}: COVER 1, UNSORTED 2"]
    assert mailroom.misfits() == []


def test_a_scan_under_a_writers_temporary_name_is_taken_when_it_gets_its_own(
    mailroom: Mailroom, daemon: Daemon, piles: Iterator[Pile]
) -> None:
    pile, other = next(piles), next(piles)
    unnamed = mailroom.station.inbox() / "scan.pdf.part"
    mailroom.dropped.append(pile.file.truth)
    unnamed.write_bytes(pile.file.data)
    pause(3 * QUIET_SECONDS)
    beat(mailroom, daemon, other)
    assert unnamed.exists()
    unnamed.rename(unnamed.with_name("scan.pdf"))
    daemon.wait_for("scan_finished")
    assert mailroom.told(pile) == [f"{pile.number}: COVER 1, UNSORTED 2"]
    assert mailroom.misfits() == []


def shrunk(later: Pile) -> tuple[bytes, File]:
    return later.file.data[:4096] + bytes(2 * len(later.file.data)), later.file


def another_inode(later: Pile) -> tuple[bytes, File]:
    return truncated(later.file.data), later.file


def another_head(later: Pile) -> tuple[bytes, File]:
    data = tiff_of([page.scanned for page in later.pages])
    return truncated(later.file.data, len(data) / 2 / len(later.file.data)), File(data, dropped(data, later.pages))


def rewrite(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def move_over(path: Path, data: bytes) -> None:
    fresh = path.with_name(".fresh")
    fresh.write_bytes(data)
    fresh.rename(path)


def rewrite_in_place(path: Path, data: bytes) -> None:
    with path.open("r+b") as file:
        file.write(data)


@pytest.mark.parametrize(
    ("scanned", "overwrite"),
    [(shrunk, rewrite), (another_inode, move_over), (another_head, rewrite_in_place)],
    ids=["shrunk", "another inode", "another head"],
)
def test_a_scanner_that_overwrites_a_scan_before_it_was_claimed_is_shouted_about(
    mailroom: Mailroom,
    daemon: Daemon,
    piles: Iterator[Pile],
    scanned: Callable[[Pile], tuple[bytes, File]],
    overwrite: Callable[[Path, bytes], None],
) -> None:
    # What was there first and what comes later differ in one thing only: each of the three must be noticed alone.
    other, later = next(piles), next(piles)
    lost, file = scanned(later)
    path = mailroom.station.inbox() / "scan0001.pdf"
    before = len(daemon.lines)
    mailroom.dropped.append(file.truth)
    path.write_bytes(lost)
    beat(mailroom, daemon, other)
    overwrite(path, file.data)
    shouted = daemon.wait_for("scan_overwritten")
    daemon.wait_for("scan_finished")
    assert (shouted["level"], shouted["inbox"]) == ("error", "OBL-01")
    assert [line["event"] for line in daemon.lines[before:] if line["level"] == "error"] == ["scan_overwritten"]
    assert mailroom.told(later, file) == [f"{later.number}: COVER 1, UNSORTED 2"]
    assert mailroom.misfits() == []
