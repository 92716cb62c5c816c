"""Taking from one inbox, step by step: what is open, what may follow, what people hear."""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest

from skrynka.core.claims import Claim, ClaimRefused, Found
from skrynka.core.entries import Listing
from skrynka.core.settling import Arrival, SettlingRules
from skrynka.journey.inboxes import Inbox
from skrynka.journey.taking import Station, Taking
from skrynka.logs import Mode
from skrynka.shares.hand import ShareHand
from skrynka.shares.process import DIED
from skrynka.steps.claiming import open_claims, prepare, take
from skrynka.steps.listing import InboxAway
from skrynka.steps.losses import Losses
from skrynka.steps.scan_numbers import ScanNumbers
from skrynka.store.database import new_id
from tests.journey.taking_stations import roomy_station
from tests.support.log_lines import lines, listening
from tests.support.stations import make_station

WHOLE = b"%PDF-1.7\nsomething\n%%EOF\n"
QUIET_SECONDS = 30.0
_ENOUGH = 1 << 30


@dataclass
class Place:
    """A share, a spool, and somebody who takes; time is what a test says it is."""

    folder: Path
    marker: str | None = None
    ordered: bool = True
    now: float = 1000.0
    taken: list[Claim] = field(default_factory=list)
    room_bytes: int = _ENOUGH
    """A larger scan isn't taken."""
    waits: bool = False
    """A scan was refused for lack of room."""
    fills_up: bool = False
    """The spool's disk is full by the time that somebody looks at it."""

    def __post_init__(self) -> None:
        self.share = self.folder / "share"
        for name in ("share", "spool", "state"):
            (self.folder / name).mkdir(exist_ok=True)
        self.numbers = ScanNumbers(self.folder / "state")
        self.hand = ShareHand(self.share, self.folder / "lock", marker=self.marker, silent_seconds=30)
        self.log = listening(Mode.JSON)
        self.taking = self.started()

    def started(self) -> Taking:
        """Start: who takes knows nothing but what the spool holds."""
        rules = SettlingRules(quiet_seconds=QUIET_SECONDS, give_up_seconds=600)
        inbox = Inbox(
            "OBL-01", self.share, share=True, rules=rules, sweep_seconds=30.0, ordered=self.ordered, marker=self.marker
        )
        station = Station(
            "ST", self.folder / "spool", self.numbers, Losses(self.folder / "state"),
            lambda: datetime(2022, 2, 23, tzinfo=UTC), room=self._has_room, ran_out=self._ran_out,
            nothing_waits=self._nothing_waits, hand_over=self.taken.append,
        )  # fmt: skip
        taking = Taking(inbox, station, self.hand, lambda: self.now)
        taking.recover(open_claims(self.folder / "spool").in_shares)
        return taking

    def _has_room(self, _box: str, scan_bytes: int) -> bool:
        fits = scan_bytes <= self.room_bytes
        self.waits = self.waits or not fits
        return fits

    def _ran_out(self, box: str, scan_bytes: int) -> bool:
        self.room_bytes = 0 if self.fills_up else self.room_bytes
        return not self._has_room(box, scan_bytes)

    def _nothing_waits(self, _box: str) -> None:
        self.waits = False

    def save(self, name: str, content: bytes = WHOLE, at: int = 100) -> None:
        """Save a file that was last written at this time."""
        (self.share / name).write_bytes(content)
        os.utime(self.share / name, (at, at))

    def look(self, seconds: float = 0.0) -> list[str]:
        """Let time pass, look, and give the original names of what was taken."""
        self.now += seconds
        self.taken.clear()
        self.taking.look()
        return [claim.original_name for claim in self.taken]

    def said(self, event: str) -> list[dict[str, Any]]:
        """Give the lines of an event."""
        return [line for line in lines(self.log) if line["event"] == event]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.hand.close()


def test_a_share_is_taken_from_when_its_scans_have_been_quiet_and_the_spool_has_them(place: Place) -> None:
    place.save("1.pdf")
    place.save("2.pdf", at=200)
    assert place.look() == []
    assert place.look(QUIET_SECONDS) == ["1.pdf", "2.pdf"]
    assert [claim.path.read_bytes() for claim in place.taken] == [WHOLE, WHOLE]
    assert [line["scan_number"] for line in place.said("scan_claimed")] == ["ST-1", "ST-2"]
    assert [each.name for each in place.share.rglob("*") if each.is_file()] == []


def test_what_waits_in_a_share_that_was_away_at_the_start_comes_first_once_it_is_back(place: Place) -> None:
    place.save("1.pdf")
    (seen,) = place.hand.list().seen
    claim = prepare(
        place.folder / "spool", place.share, seen, place.hand, scan_id="id-1", next_number=place.numbers.next_number,
        station="ST", box="OBL-01", claimed_at=datetime(2022, 2, 23, tzinfo=UTC), via_share=True,
    )  # fmt: skip
    take(claim, place.hand)
    place.save("2.pdf", at=200)
    place.share.rename(place.share.with_name("away"))
    place.taking = place.started()
    assert place.look() == []
    assert place.look(30) == []
    assert (place.taking.away, place.taking.waiting) == (True, 1)
    assert [line["detail"] for line in place.said("inbox_vanished")] == ["there is no such folder"]
    place.share.with_name("away").rename(place.share)
    assert place.look(30) == ["1.pdf"]
    assert place.look(30) == ["2.pdf"]
    assert len(place.said("inbox_returned")) == 1


def test_an_away_inbox_is_told_again_only_when_the_reason_is_another(tmp_path: Path) -> None:
    place = Place(tmp_path, ".share")
    with closing(place.hand):
        for _ in range(3):
            place.look(30)
        place.share.rmdir()
        for _ in range(3):
            place.look(30)
        place.share.mkdir()
        (place.share / ".share").touch()
        place.look(30)
    assert [line["error"] for line in place.said("inbox_vanished")] == ["no_marker", "ENOENT"]
    assert [line["seconds"] for line in place.said("inbox_returned")] == [180.0]


def test_a_file_that_changed_as_it_was_claimed_is_fetched_when_it_has_come_to_rest(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.save("1.pdf")
    place.look()
    listed = place.hand.list

    def list_and_write(*how: Callable[[], None]) -> object:
        listing = listed(*how)
        place.save("1.pdf", WHOLE * 2, at=300)
        monkeypatch.setattr(place.hand, "list", listed)
        return listing

    monkeypatch.setattr(place.hand, "list", list_and_write)
    assert place.look(QUIET_SECONDS) == []
    assert place.taking.waiting == 1
    assert place.look(10) == []
    assert place.look(QUIET_SECONDS) == ["1.pdf"]
    assert place.taken[0].path.read_bytes() == WHOLE * 2
    assert len(place.said("scan_claimed")) == 1


@pytest.mark.parametrize(
    "content",
    [WHOLE[:10], b"%PDF-1.4 of another scan\n" + WHOLE],
    ids=["shorter", "another head"],
)
def test_a_scanner_that_overwrites_a_scan_on_a_share_is_shouted_about(place: Place, content: bytes) -> None:
    place.save("1.pdf")
    place.look()
    place.save("1.pdf", content, at=300)
    place.look(30)
    place.look(30)
    assert len(place.said("scan_overwritten")) == 1


def test_in_a_box_of_stacks_the_next_scan_after_one_that_was_overwritten_comes_after_a_gap(place: Place) -> None:
    place.save("1.pdf")
    place.save("2.pdf", at=200)
    place.look()
    place.save("1.pdf", b"%PDF-1.4 of another scan\n" + WHOLE, at=300)
    place.look(30)
    place.save("3.pdf", at=400)
    place.look(30)
    place.look(30)
    told = [(taken.original_name, taken.after_gap) for taken in open_claims(place.folder / "spool").in_shares]
    assert told == [("2.pdf", True), ("1.pdf", False), ("3.pdf", False)]


def test_the_gap_stands_before_all_that_may_have_come_after_the_lost_scan_and_is_closed_by_what_surely_did(
    place: Place,
) -> None:
    place.save("0.pdf", at=50)
    place.save("1.pdf", at=100)
    place.save("2.pdf", at=200)
    place.look()
    place.save("1.pdf", b"%PDF-1.4 of another scan\n" + WHOLE, at=300)
    place.look(30)
    place.look(30)
    told = [(taken.original_name, taken.after_gap) for taken in open_claims(place.folder / "spool").in_shares]
    assert told == [("0.pdf", True), ("2.pdf", True), ("1.pdf", False)]


def test_a_start_knows_of_a_scan_that_was_lost_before_it(place: Place) -> None:
    place.save("0.pdf", at=50)
    place.save("1.pdf", at=100)
    place.save("2.pdf", at=200)
    place.room_bytes = 0
    place.look()
    place.save("1.pdf", b"%PDF-1.4 of another scan\n" + WHOLE, at=300)
    place.look(30)
    place.taking, place.room_bytes = place.started(), _ENOUGH
    place.look()
    place.look(30)
    told = [(taken.original_name, taken.after_gap) for taken in open_claims(place.folder / "spool").in_shares]
    assert told == [("0.pdf", True), ("2.pdf", True), ("1.pdf", False)]
    assert place.started().look(), "nothing is kept of it"
    assert not list((place.folder / "state").glob("lost-*"))


def test_a_start_knows_of_a_lost_scan_though_its_share_is_away_then(place: Place) -> None:
    place.save("1.pdf", at=100)
    place.save("2.pdf", at=200)
    place.look()
    place.save("1.pdf", b"%PDF-1.4 of another scan\n" + WHOLE, at=300)
    place.room_bytes = 0
    place.look(30)
    place.taking, place.room_bytes = place.started(), _ENOUGH
    place.share.rename(place.share.with_name("away"))
    place.look()
    place.share.with_name("away").rename(place.share)
    place.look(30)
    place.look(30)
    told = [(taken.original_name, taken.after_gap) for taken in open_claims(place.folder / "spool").in_shares]
    assert told == [("2.pdf", True), ("1.pdf", False)]


def test_a_file_that_gets_another_inode_and_is_as_it_was_is_no_other_scan(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As some network file systems do; none that a test has does."""
    listed = place.hand.list
    inodes = itertools.count(1_000_000)

    def list_anew(progress: Callable[[], None], station: str | None) -> Listing:
        found = listed(progress, station)
        return replace(found, seen=tuple(replace(each, inode=next(inodes)) for each in found.seen))

    monkeypatch.setattr(place.hand, "list", list_anew)
    place.save("1.pdf")
    place.save("2.pdf", at=200)
    place.look()
    assert place.look(30) == ["1.pdf", "2.pdf"]
    assert [taken.after_gap for taken in place.taken] == [False, False]
    assert place.said("scan_overwritten") == []


def test_with_a_clock_that_was_set_back_what_came_later_closes_the_gap_all_the_same(place: Place) -> None:
    place.save("1.pdf", at=4_000_000_000)
    place.look()
    place.save("1.pdf", b"%PDF-1.4 of another scan\n" + WHOLE, at=300)
    place.look(30)
    place.save("2.pdf", at=400)
    place.look(30)
    place.look(30)
    place.save("3.pdf", at=500)
    place.look(30)
    place.look(30)
    told = [(taken.original_name, taken.after_gap) for taken in open_claims(place.folder / "spool").in_shares]
    assert told == [("1.pdf", True), ("2.pdf", True), ("3.pdf", False)]


@pytest.mark.parametrize("ordered", [False, True], ids=["each for itself", "stacked"])
def test_a_scan_that_is_written_over_between_the_look_and_its_rename_is_shouted_about_and_leaves_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, ordered: bool
) -> None:
    place = Place(tmp_path, ordered=ordered)
    place.save("0.pdf", at=50)
    place.save("1.pdf", WHOLE * 3, at=100)
    place.save("2.pdf", at=200)
    place.look()
    take = place.hand.take

    def take_slowly(claim: Claim) -> Found:
        found = take(claim)
        if claim.original_name == "0.pdf":
            place.save("1.pdf", b"%PDF-1.4 of another scan\n" + WHOLE, at=300)
        return found

    monkeypatch.setattr(place.hand, "take", take_slowly)
    for _ in range(4):
        place.look(30)
    for at, name in ((400, "3.pdf"), (500, "4.pdf")):
        place.save(name, at=at)
        place.look(30)
        place.look(30)
    place.hand.close()
    told = {taken.original_name: taken.after_gap for taken in open_claims(place.folder / "spool").in_shares}
    # The second was written before what came in the place of the lost one, and is taken after it.
    assert told == {"0.pdf": False, "1.pdf": ordered, "2.pdf": ordered, "3.pdf": ordered, "4.pdf": False}
    assert [line["inbox"] for line in place.said("scan_overwritten")] == ["OBL-01"]


def test_in_a_box_of_single_scans_nothing_goes_on_after_one_that_was_overwritten(tmp_path: Path) -> None:
    place = Place(tmp_path, ordered=False)
    place.save("1.pdf")
    place.look()
    place.save("1.pdf", b"%PDF-1.4 of another scan\n" + WHOLE, at=300)
    place.look(30)
    place.look(30)
    place.hand.close()
    (taken,) = open_claims(place.folder / "spool").in_shares
    assert (len(place.said("scan_overwritten")), taken.after_gap) == (1, False)


def test_a_scan_that_only_grows_on_a_share_is_not_shouted_about(place: Place) -> None:
    place.save("1.pdf", WHOLE[:12])
    place.look()
    place.save("1.pdf", WHOLE, at=300)
    place.look(30)
    assert place.said("scan_overwritten") == []


def test_nothing_is_taken_while_there_is_no_room(place: Place) -> None:
    place.save("1.pdf")
    place.room_bytes = 0
    place.look()
    assert place.look(QUIET_SECONDS) == []
    place.room_bytes = _ENOUGH
    assert place.look(QUIET_SECONDS) == ["1.pdf"]


def test_a_share_that_refuses_is_told_once_and_keeps_its_scans(place: Place) -> None:
    place.save("1.pdf")
    place.save("2.pdf", at=200)
    (place.share / ".claimed").write_bytes(b"a file in the folder's place")
    place.look()
    for _ in range(3):
        assert place.look(61) == []
    assert [line["detail"] for line in place.said("claim_refused")] == [
        "A file can't be taken from an inbox (ENOTDIR)."
    ]
    assert list((place.folder / "spool").iterdir()) == []
    assert place.taking.expecting
    (place.share / ".claimed").unlink()
    assert place.look(61) == ["1.pdf", "2.pdf"]


def test_a_later_scan_of_the_stack_waits_for_one_that_its_inbox_refuses(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rights don't bind root, who runs tests too, so the refusal is put in."""
    place.save("1.pdf")
    place.save("2.pdf", at=200)
    place.look()

    def refuse(_claim: Claim) -> NoReturn:
        raise ClaimRefused("EBUSY")

    with monkeypatch.context() as patched:
        patched.setattr(place.hand, "take", refuse)
        assert place.look(QUIET_SECONDS) == []
        assert place.taking.expecting
    assert place.look(1) == []
    assert place.taking.expecting
    place.look(QUIET_SECONDS)
    assert place.look(QUIET_SECONDS) == ["1.pdf", "2.pdf"]


def test_a_scan_is_counted_at_every_step_of_its_claim(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: dict[str, bool] = {}

    def counting(step: str) -> None:
        does = getattr(place.hand, step)

        def do(*how: object) -> object:
            counted[step] = place.taking.expecting and place.taking.settling + place.taking.waiting > 0
            return does(*how)

        monkeypatch.setattr(place.hand, step, do)

    place.save("1.pdf")
    place.look()
    for step in ("ready", "take", "fetch"):
        counting(step)
    assert place.look(QUIET_SECONDS) == ["1.pdf"]
    assert counted == {"ready": True, "take": True, "fetch": True}


def test_a_scan_whose_claim_came_to_nothing_is_counted_until_its_inbox_is_listed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.save("1.pdf")
    place.look()

    def die(_claim: Claim) -> NoReturn:
        raise InboxAway(DIED)

    with monkeypatch.context() as patched:
        patched.setattr(place.hand, "take", die)
        assert place.look(QUIET_SECONDS) == []
    listed, counted = place.hand.list, []

    def list_and_count(*how: object) -> object:
        counted.append((place.taking.expecting, place.taking.waiting))
        return listed(*how)

    monkeypatch.setattr(place.hand, "list", list_and_count)
    place.look(QUIET_SECONDS)
    assert counted == [(True, 1)]
    assert (place.taking.waiting, place.taking.settling) == (0, 1)


def test_a_rename_that_comes_after_it_was_given_up_is_noticed_and_the_scan_taken(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Soft mounts of NFS and CIFS give up so, and the server may go on; no file system here does: it is put in."""
    place.save("1.pdf")
    place.save("2.pdf", at=200)
    place.look()
    claims = []

    def give_up(claim: Claim) -> NoReturn:
        claims.append(claim)
        raise OSError(errno.ETIMEDOUT, "no answer")

    with monkeypatch.context() as patched:
        patched.setattr(place.hand, "take", give_up)
        assert place.look(QUIET_SECONDS) == []
    (claim,) = claims
    assert (place.taking.away, [line["error"] for line in place.said("inbox_vanished")]) == (True, ["ETIMEDOUT"])
    assert place.look(30) == []
    assert place.taking.expecting
    (place.share / "1.pdf").rename(claim.path_in_share)
    place.look(30)
    assert place.look(QUIET_SECONDS) == [f".claimed/ST/{claim.scan_id}", "2.pdf"]
    assert [taken.path.read_bytes() for taken in place.taken] == [WHOLE, WHOLE]
    assert [taken.after_gap for taken in place.taken] == [True, True], "it came late: its place was elsewhere"
    assert len(place.said("claim_forgotten")) == 1
    assert [each.name for each in place.share.rglob("*") if each.is_file()] == []
    place.save("3.pdf", at=300)
    place.look(30)
    place.look(QUIET_SECONDS)
    assert [taken.after_gap for taken in place.taken] == [False]


def test_a_file_whose_rename_always_fails_keeps_no_others_waiting_where_order_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path, ordered=False)
    place.save("1.pdf")
    place.save("2.pdf", at=200)
    take = place.hand.take

    def fail(claim: Claim) -> Found:
        if claim.original_name == "1.pdf":
            raise OSError(errno.EIO, "a bad sector")
        return take(claim)

    monkeypatch.setattr(place.hand, "take", fail)
    with closing(place.hand):
        place.look()
        assert place.look(QUIET_SECONDS) == []
        assert place.look(QUIET_SECONDS) == ["2.pdf"]


@pytest.mark.parametrize("ordered", [False, True], ids=["each for itself", "stacked"])
def test_a_claim_that_can_not_be_fetched_keeps_others_waiting_only_where_the_papers_are_stacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, ordered: bool
) -> None:
    place = Place(tmp_path, ordered=ordered)
    place.save("1.pdf")
    place.save("2.pdf", at=200)
    fetch = place.hand.fetch

    def fail(claim: Claim, progress: Callable[[], None]) -> None:
        if claim.original_name == "1.pdf":
            raise OSError(errno.EIO, "a bad sector")
        fetch(claim, progress)

    with closing(place.hand):
        place.look()
        with monkeypatch.context() as patched:
            patched.setattr(place.hand, "fetch", fail)
            taken = [name for _ in range(4) for name in place.look(QUIET_SECONDS)]
            assert taken == ([] if ordered else ["2.pdf"])
            assert place.taking.waiting == 1
        assert place.look(QUIET_SECONDS) == (["1.pdf", "2.pdf"] if ordered else ["1.pdf"])
    assert [line["error"] for line in place.said("claim_stuck")] == ["EIO"]
    assert place.said("claim_forgotten") == []


WITHOUT_RIGHTS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
"""A file's rights bind whoever runs so, root too."""


@pytest.mark.parametrize("kind", ["share", "local"])
def test_a_file_that_may_not_be_read_stays_in_its_inbox_and_keeps_no_others_waiting(tmp_path: Path, kind: str) -> None:
    options = {"INTAKE__SHARE_QUIET_SECONDS": "0.5", "INTAKE__SHARE_SWEEP_SECONDS": "0.5"}
    station = make_station(tmp_path / "station", {"OBL-01": {"kind": f'"{kind}"'}}, options=options)
    closed = station.folder / "closed.pdf"
    closed.write_bytes(WHOLE)
    closed.chmod(0)
    with station.running(*(WITHOUT_RIGHTS if os.geteuid() == 0 else ())) as daemon:
        closed = closed.rename(station.inbox() / "1.pdf")
        daemon.wait_for("scan_unreadable")
        for number in (2, 3):
            station.drop(WHOLE + bytes(number), f"{number}.pdf")
            daemon.wait_for("scan_registered")
        assert closed.exists()
        closed.chmod(0o600)
        daemon.wait_for("scan_registered")
        assert not closed.exists()
    told = [line["event"] for line in daemon.lines if line["level"] in {"warning", "error"}]
    assert [event for event in told if event.startswith(("scan_un", "claim"))] == ["scan_unreadable"]


def test_a_spool_that_can_not_be_written_leaves_the_scan_expected(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.save("1.pdf")
    place.look()

    def fail(_claim: Claim) -> NoReturn:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patched:
        patched.setattr(place.hand, "ready", fail)
        with pytest.raises(OSError, match="full"):
            place.look(QUIET_SECONDS)
    assert (place.taking.expecting, place.taking.settling) == (True, 1)
    assert place.look(QUIET_SECONDS) == ["1.pdf"]


@pytest.mark.parametrize("ordered", [False, True], ids=["each for itself", "stacked"])
def test_a_scan_that_is_too_large_for_the_room_keeps_others_waiting_only_where_the_papers_are_stacked(
    tmp_path: Path, *, ordered: bool
) -> None:
    place = Place(tmp_path, ordered=ordered)
    place.room_bytes = len(WHOLE)
    place.save("1.pdf", WHOLE * 2)
    place.save("2.pdf", at=200)
    place.look()
    assert place.look(30) == ([] if ordered else ["2.pdf"])
    assert place.waits
    place.room_bytes = 1000
    assert place.look(30) == (["1.pdf", "2.pdf"] if ordered else ["1.pdf"])
    assert not place.waits
    place.hand.close()


@dataclass
class Copying:
    """Has the hand copy into the spool, unless that has an error to give."""

    copy: Callable[[Claim, Callable[[], None]], None]
    failing: int | None = None
    tries: int = 0

    def fetch(self, claim: Claim, progress: Callable[[], None]) -> None:
        """Give the error, or copy."""
        self.tries += 1
        if self.failing is not None:
            raise OSError(self.failing, "full")
        self.copy(claim, progress)


@pytest.fixture
def copying(place: Place, monkeypatch: pytest.MonkeyPatch) -> Copying:
    made = Copying(place.hand.fetch)
    monkeypatch.setattr(place.hand, "fetch", made.fetch)
    return made


@pytest.mark.parametrize("ordered", [False, True], ids=["each for itself", "stacked"])
def test_a_claimed_scan_that_finds_the_disk_full_waits_for_room_as_others_do_and_is_not_said_to_be_stuck(
    place: Place, copying: Copying, *, ordered: bool
) -> None:
    place.ordered = ordered
    place.taking = place.started()
    place.save("1.pdf")
    place.look()
    copying.failing, place.fills_up = errno.ENOSPC, True
    for _ in range(3):
        assert place.look(QUIET_SECONDS) == []
        assert place.waits
    assert copying.tries == 1  # what has no room isn't copied again and again
    copying.failing, place.room_bytes, place.fills_up = None, _ENOUGH, False
    assert place.look(QUIET_SECONDS) == ["1.pdf"]
    assert not place.waits
    assert place.said("claim_stuck") == []


def test_a_claimed_scan_that_finds_its_spool_full_on_a_disk_with_room_is_stuck_and_waits_for_no_room(
    place: Place, copying: Copying
) -> None:
    place.save("1.pdf")
    place.look()
    copying.failing = errno.EDQUOT
    assert place.look(QUIET_SECONDS) == []
    assert not place.waits
    assert [line["error"] for line in place.said("claim_stuck")] == ["EDQUOT"]
    copying.failing = None
    assert place.look(QUIET_SECONDS) == ["1.pdf"]


def test_once_its_disk_is_freed_a_claimed_scan_that_meets_another_trouble_waits_for_no_room(
    place: Place, copying: Copying
) -> None:
    place.save("1.pdf")
    place.look()
    copying.failing, place.fills_up = errno.ENOSPC, True
    place.look(QUIET_SECONDS)
    assert place.waits
    copying.failing, place.room_bytes, place.fills_up = errno.EDQUOT, _ENOUGH, False
    place.look(QUIET_SECONDS)
    assert not place.waits
    assert [line["error"] for line in place.said("claim_stuck")] == ["EDQUOT"]


def test_nothing_waits_for_room_in_an_inbox_that_is_away(place: Place) -> None:
    place.room_bytes = 0
    place.save("1.pdf")
    place.look()
    place.look(30)
    assert place.waits
    place.share.rename(place.share.with_name("away"))
    place.look(30)
    assert not place.waits


def test_an_event_about_a_local_inbox_makes_it_due(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    taken: list[Claim] = []
    station = roomy_station(tmp_path, taken.append)
    inbox = Inbox("OBL-01", tmp_path / "inbox", share=False, rules=SettlingRules(), sweep_seconds=5.0, ordered=False)
    taking = Taking(inbox, station, clock=lambda: 1000.0)
    assert taking.look() == 5.0
    (tmp_path / "inbox" / "1.pdf").write_bytes(WHOLE)
    taking.look()
    assert taken == []
    taking.hint("1.pdf", Arrival.RENAMED_IN)
    taking.look()
    assert [claim.original_name for claim in taken] == ["1.pdf"]


@pytest.mark.parametrize("kind", ["share", "local"])
def test_a_scan_among_the_claimed_that_no_claim_tells_of_is_taken_at_a_start(tmp_path: Path, kind: str) -> None:
    options = {"INTAKE__SHARE_QUIET_SECONDS": "1", "INTAKE__QUIET_SECONDS": "1"}
    station = make_station(tmp_path / "station", {"OBL-01": {"kind": f'"{kind}"'}}, options=options)
    claimed = station.inbox() / ".claimed" / "ST"
    claimed.mkdir(parents=True)
    (claimed / new_id()).write_bytes(WHOLE)
    told = [line["event"] for line in station.once()]
    assert "claim_forgotten" in told
    assert "scan_registered" in told
    assert list(claimed.iterdir()) == []


def test_a_file_that_its_server_brings_back_shorter_than_the_spools_copy_is_a_scan_of_its_own(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.save("1.pdf")
    place.look()

    def breaks_down(claim: Claim, progress: Callable[[], None]) -> NoReturn:
        """Copy it, and be gone before it is removed."""
        progress()
        shutil.copy2(claim.path_in_share, claim.folder / "original")
        claim.path_in_share.write_bytes(WHOLE[:10])
        raise OSError(errno.EIO, "gone")

    with monkeypatch.context() as patched:
        patched.setattr(place.hand, "fetch", breaks_down)
        assert place.look(QUIET_SECONDS) == []
    assert place.look(QUIET_SECONDS) == ["1.pdf"]
    assert place.taken[0].path.read_bytes() == WHOLE
    assert len(place.said("claim_forgotten")) == 1
    place.look(QUIET_SECONDS)
    place.look(600)
    assert [claim.path.read_bytes() for claim in place.taken] == [WHOLE[:10]]


BREAKS_WATCHING = """
import sys
from pathlib import Path
from skrynka import once
from skrynka.logs import Mode, configure
from skrynka.service import Service
from skrynka.settings import load
from skrynka.steps.watching import Watcher

def fail(*_): raise RuntimeError("can't start new thread")

Watcher.watches = fail
once._STUCK_SECONDS = 20
configure(mode=Mode.JSON)
Service(load(Path(sys.argv[1])), once=True).run()
"""


def test_an_inbox_is_looked_into_while_its_watch_can_not_even_be_mended(tmp_path: Path) -> None:
    station = make_station(tmp_path / "station", options={"INTAKE__QUIET_SECONDS": "0.2"})
    (station.inbox() / "1.pdf").write_bytes(WHOLE)
    done = subprocess.run(
        [sys.executable, "-c", BREAKS_WATCHING, str(station.config)],
        env={**os.environ, **station.environment}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    told = [json.loads(line)["event"] for line in done.stderr.splitlines() if line.startswith("{")]
    assert "scan_registered" in told, done.stderr
    assert "work_failed" in told


def test_a_claim_whose_box_is_configured_no_more_is_kept_and_told_and_holds_nobody_up(tmp_path: Path) -> None:
    station = make_station(tmp_path / "station", {"OBL-01": {}, "OBL-02": {"kind": '"share"'}})
    hand = ShareHand(station.inbox("OBL-02"), None)
    (station.inbox("OBL-02") / "1.pdf").write_bytes(WHOLE)
    claim = prepare(
        station.folder / "spool", station.inbox("OBL-02"), hand.list().seen[0], hand, scan_id=new_id(),
        next_number=lambda: 7, station="ST", box="OBL-02", claimed_at=datetime(2022, 2, 23, tzinfo=UTC), via_share=True,
    )  # fmt: skip
    take(claim, hand)
    hand.close()
    boxes = station.folder / "boxes.toml"
    told = boxes.read_text(encoding="utf-8")
    boxes.write_text(told.partition("\n\n")[0], encoding="utf-8")
    (line,) = [line for line in station.once() if line["level"] == "error"]
    assert (line["event"], line["box"], line["error"]) == ("claim_stuck", "OBL-02", "box_unknown")
    assert claim.path.read_bytes() == WHOLE
    boxes.write_text(told, encoding="utf-8")
    assert "scan_registered" in [line["event"] for line in station.once()]
    assert not claim.path.exists()
