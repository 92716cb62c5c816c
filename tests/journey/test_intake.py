"""Registering what was claimed, step by step: what fails in the spool, and what people hear of it."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest
from sqlalchemy import select

from skrynka.core.claims import Claim
from skrynka.core.errors import DatabaseAway, DatabaseRefused
from skrynka.core.settling import Arrival, SettlingRules
from skrynka.journey import intake as journey_intake
from skrynka.journey.inboxes import Inbox
from skrynka.journey.intake import Intake
from skrynka.journey.room import Room
from skrynka.journey.taking import Taking
from skrynka.logs import Mode
from skrynka.steps import moving
from skrynka.steps.archive import Archive, ArchiveAway
from skrynka.steps.claiming import prepare, take
from skrynka.steps.listing import list_inbox
from skrynka.steps.losses import Losses
from skrynka.steps.scan_numbers import ScanNumbers
from skrynka.store.boxes import Box, sync_boxes
from skrynka.store.database import Database, new_id, open_database
from skrynka.store.listings import work_left
from skrynka.store.registration import NewScan, Registration, register_scan
from skrynka.store.revision import upgrade
from skrynka.store.tables import scan
from tests.support.log_lines import lines, listening

WHOLE = b"%PDF-1.7\nsomething\n%%EOF\n"


@dataclass
class Place:
    """A station's folders and database, and its intake."""

    folder: Path
    ordered: bool = True
    quiet_seconds: float = 5.0
    database: Database = field(init=False)
    now: float = 0.0

    def __post_init__(self) -> None:
        for name in ("inbox", "spool", "state", "archive"):
            (self.folder / name).mkdir()
        self.log = listening(Mode.JSON)
        self.registered: list[int] = []
        """How many scans had their rows, each time that it was told that one has."""
        self.database = open_database(f"sqlite:///{self.folder / 'skrynka.db'}", create=True)
        upgrade(self.database)
        sync_boxes(self.database, "ST", "Station", [Box("OBL-01", "Box", "Centre")])
        self.archive = Archive(self.folder / "archive")
        self.numbers = ScanNumbers(self.folder / "state")
        self.restart()

    def _begun(self) -> Intake:
        return Intake(
            self.database,
            self.archive,
            self.numbers,
            Losses(self.folder / "state"),
            station="ST",
            spool=self.folder / "spool",
            room=Room({}, 0),
            on_registered=lambda _: self.registered.append(len(self.gaps())),
            clock=lambda: self.now,
        )

    def claimed(self, content: bytes = WHOLE, *, changed: bool = False, handed: bool = True) -> Claim:
        """Have a scan claimed, and handed over."""
        (self.folder / "inbox" / "1.pdf").write_bytes(content)
        (seen,) = list_inbox(self.folder / "inbox").seen
        claim = prepare(
            self.folder / "spool", self.folder / "inbox", seen, moving, scan_id=new_id(),
            next_number=self.numbers.next_number, station="ST", box="OBL-01", claimed_at=datetime.now(UTC),
        )  # fmt: skip
        taken = take(claim, moving)
        assert isinstance(taken, Claim)
        if handed:
            self.intake.hand_over(replace(taken, changed=changed))
        return taken

    def restart(self) -> None:
        """Let another run take up what this one left."""
        self.intake = self._begun()
        rules = SettlingRules(self.quiet_seconds)
        inbox = Inbox(
            "OBL-01", self.folder / "inbox", share=False, rules=rules, sweep_seconds=5.0, ordered=self.ordered
        )
        self.taking = Taking(inbox, self.intake.station)
        self.intake.recover({"OBL-01": self.taking})

    def gaps(self) -> list[tuple[int, bool]]:
        """Give the numbers of the scans that are registered, each with whether it comes after a gap."""
        with self.database.read() as connection:
            rows = connection.execute(select(scan.c.number, scan.c.after_gap).order_by(scan.c.number))
            return [(row.number, row.after_gap) for row in rows]

    def originals(self) -> dict[str, bytes]:
        """Give what the archive has under the ids of scans, as their rows name it."""
        with self.database.read() as connection:
            rows = connection.execute(select(scan.c.id, scan.c.sha256).order_by(scan.c.number)).all()
        return {row.id: self.archive.original_path(row.sha256).read_bytes() for row in rows}

    def said(self, event: str) -> list[dict[str, Any]]:
        """Give the lines of an event."""
        return [line for line in lines(self.log) if line["event"] == event]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    # As the service does: a broken lease sends SIGIO.
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)
    made = Place(tmp_path)
    yield made
    made.database.close()
    signal.signal(signal.SIGIO, before)


def test_a_scan_whose_type_can_not_be_read_now_is_registered_when_it_can(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = place.claimed()
    with claim.path.open("r+b") as somebody, monkeypatch.context() as patched:
        # Whoever opens the file now is refused. It is over before the archive would copy it.
        fcntl.fcntl(somebody, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        store = place.archive.store_original

        def store_at_last(*how: Any, **more: Any) -> object:  # noqa: ANN401 - handed on
            fcntl.fcntl(somebody, fcntl.F_SETLEASE, fcntl.F_UNLCK)
            return store(*how, **more)

        patched.setattr(place.archive, "store_original", store_at_last)
        assert place.intake.forward() == 0
    assert [line["error"] for line in place.said("claim_stuck")] == ["EAGAIN"]
    assert place.intake.forward() == 1
    stored = [each.name for each in (place.folder / "archive").rglob("original*") if each.is_file()]
    assert stored == ["original.pdf"]


def test_readers_are_told_of_each_scan_as_soon_as_it_is_registered_and_not_of_all_at_the_end(place: Place) -> None:
    for content in (b"%PDF-1.7 one", b"%PDF-1.7 two", b"%PDF-1.7 three"):
        place.claimed(content)
    assert place.intake.forward() == 3
    assert place.registered == [1, 2, 3]


def test_once_the_service_is_asked_to_end_no_more_of_a_long_queue_is_registered(place: Place) -> None:
    place.claimed()
    place.claimed(WHOLE + b"\n")
    asked = iter([False, True])
    assert place.intake.forward(stopping=lambda: next(asked)) == 1
    assert place.intake.forward() == 1


def test_a_claim_that_could_not_be_let_go_is_let_go_later_and_its_scan_registered_once(place: Place) -> None:
    claim = place.claimed()
    stranger = claim.folder / "stranger"
    stranger.mkdir()  # the folder can't be removed, and the original in it is gone already
    assert place.intake.forward() == 0
    assert not claim.path.exists()
    assert place.intake.forward() == 0
    stranger.rmdir()
    assert place.intake.forward() == 1
    assert (place.intake.waiting, list((place.folder / "spool").iterdir())) == (0, [])
    assert work_left(place.database, "ST").scans == 1
    assert len(place.said("scan_registered")) == 1
    assert [line["error"] for line in place.said("claim_stuck")] == ["EISDIR"]


def test_a_claimed_scan_that_its_writer_never_lets_go_of_is_told(place: Place) -> None:
    claim = place.claimed(changed=True)
    with claim.path.open("r+b"):
        for place.now in (0.0, 599.0):
            assert place.intake.forward() == 0
        assert place.said("claim_stuck") == []
        for place.now in (600.0, 700.0):
            assert place.intake.forward() == 0
        assert [line["error"] for line in place.said("claim_stuck")] == ["kept_open"]
    assert place.intake.forward() == 1


MORE = b"%PDF-1.7\nmore pages\n%%EOF\n"


def lost_answer(patched: pytest.MonkeyPatch, then: Callable[[], object] = lambda: None) -> None:
    """Have the next registration committed and its answer lost, as when the line breaks in that moment."""

    def register(database: Database, new: NewScan) -> NoReturn:
        register_scan(database, new)
        then()
        raise DatabaseAway("the answer is lost")

    patched.setattr(journey_intake, "register_scan", register)


def late(patched: pytest.MonkeyPatch, then: Callable[[], object]) -> None:
    """Have something happen while the database answers."""

    def register(database: Database, new: NewScan) -> Registration:
        registered = register_scan(database, new)
        then()
        return registered

    patched.setattr(journey_intake, "register_scan", register)


def nobody_can_say(patched: pytest.MonkeyPatch) -> None:
    """Stand in for a file system without leases; those that a test has all know them."""
    patched.setattr(journey_intake, "writer_holds", lambda _path: None)


@pytest.mark.parametrize("asked", ["the kernel knows", "the kernel can't say"])
def test_what_a_writer_adds_while_its_scan_is_registered_is_a_scan_of_its_own(
    place: Place, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    claim = place.claimed()
    with claim.path.open("ab", buffering=0) as writer, monkeypatch.context() as patched:
        if asked != "the kernel knows":
            nobody_can_say(patched)
        with patched.context() as once:
            late(once, lambda: writer.write(MORE))
            assert place.intake.forward() == 0
        writer.write(MORE)
        for place.now in (0.0, 1.0, 2.0):
            assert place.intake.forward() == 0
        if asked == "the kernel knows":
            assert place.said("scan_grew") == [], "its writer isn't done"
    forwarded = 0
    for place.now in (20.0, 30.0, 40.0, 50.0):
        forwarded += place.intake.forward()
    assert forwarded == 1
    assert list(place.originals().values()) == [WHOLE, WHOLE + MORE + MORE]
    assert claim.scan_id in place.originals()
    assert list((place.folder / "spool").iterdir()) == []
    (told,) = place.said("scan_grew")
    assert (told["scan_number"], told["continues"]) == ("ST-2", "ST-1")


@pytest.mark.parametrize("ordered", [False, True], ids=["each for itself", "stacked"])
@pytest.mark.parametrize("restarted", [False, True], ids=["the same run", "the next run"])
def test_in_a_stack_a_scan_that_grew_and_what_was_taken_after_it_go_on_with_nobodys_papers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, ordered: bool, restarted: bool
) -> None:
    place = Place(tmp_path, ordered=ordered)
    place.claimed(WHOLE + b"before")
    assert place.intake.forward() == 1
    claim = place.claimed()
    with claim.path.open("ab", buffering=0) as writer, monkeypatch.context() as patched:
        nobody_can_say(patched)
        with patched.context() as once:
            late(once, lambda: writer.write(MORE))
            assert place.intake.forward() == 0
        place.claimed(WHOLE + b"between")
        if restarted:
            place.restart()
        for place.now in (0.0, 1.0):
            place.intake.forward()
    place.claimed(WHOLE + b"after")
    for place.now in (20.0, 30.0, 40.0, 50.0):
        place.intake.forward()
    # What went on after a start is known at once, else when it has come to rest.
    continuation = 4 if restarted else 5
    assert place.said("scan_grew")[0]["scan_number"] == f"ST-{continuation}"
    assert place.gaps() == [(number, ordered and 3 <= number <= continuation) for number in range(1, 6)]


def test_a_claim_that_was_on_its_way_while_an_earlier_one_grew_comes_after_a_gap_too(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = place.claimed()
    with claim.path.open("ab", buffering=0) as writer, monkeypatch.context() as patched:
        nobody_can_say(patched)
        with patched.context() as once:
            late(once, lambda: writer.write(MORE))
            place.intake.forward()
        between = place.claimed(WHOLE + b"between", handed=False)
        place.now = 20.0
        place.intake.forward()
    assert place.said("scan_grew")
    place.intake.hand_over(between)
    for place.now in (40.0, 50.0):
        place.intake.forward()
    assert place.gaps() == [(1, False), (2, True), (3, True)]


def test_a_file_that_grew_rests_for_its_inboxs_quiet_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, quiet_seconds=60.0)
    claim = place.claimed()
    with claim.path.open("ab", buffering=0) as writer, monkeypatch.context() as patched:
        nobody_can_say(patched)
        with patched.context() as once:
            late(once, lambda: writer.write(MORE))
            assert place.intake.forward() == 0
        for place.now in (0.0, 40.0, 59.0):
            assert place.intake.forward() == 0
        writer.write(MORE)
        assert place.intake.forward() == 0
    for place.now in (118.0, 120.0, 179.0, 181.0, 190.0):
        place.intake.forward()
    assert list(place.originals().values()) == [WHOLE, WHOLE + MORE + MORE]


def test_an_archive_is_away_until_it_has_taken_something(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    held = place.claimed(changed=True)
    other = place.claimed(WHOLE + MORE)

    def away(*_how: object, **_more: object) -> NoReturn:
        raise ArchiveAway("EIO")

    with monkeypatch.context() as patched:
        patched.setattr(place.archive, "store_original", away)
        place.intake.forward()
    assert place.intake.archive_lost == "EIO"
    with held.path.open("r+b"):
        assert place.intake.forward() == 0
        assert place.intake.archive_lost == "EIO", "nothing was asked of it"
    assert place.intake.forward() == 2
    assert place.intake.archive_lost is None
    assert other.scan_id in place.originals()


def test_an_archive_that_goes_or_is_away_from_the_start_is_noticed_though_no_scan_is_on_its_way_to_it(
    place: Place,
) -> None:
    place.intake.look_at_archive()
    assert place.intake.archive_lost is None
    (place.folder / "archive").rename(place.folder / "elsewhere")
    place.now = 9.0
    place.intake.look_at_archive()
    assert place.intake.archive_lost is None, "it was asked a moment ago"
    place.now = 10.0
    place.intake.look_at_archive()
    assert place.intake.archive_lost == "ENOENT"
    place.restart()
    place.intake.try_archive()
    for place.now in (20.0, 30.0, 40.0):
        assert place.intake.forward() == 0
        place.intake.look_at_archive()
        assert place.intake.archive_lost == "ENOENT"
    (place.folder / "elsewhere").rename(place.folder / "archive")
    place.now = 50.0
    place.intake.look_at_archive()
    assert place.intake.archive_lost is None


def test_a_look_does_not_call_an_archive_back_that_a_scan_has_just_found_full(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_how: object, **_more: object) -> NoReturn:
        raise ArchiveAway("ENOSPC")

    place.claimed()
    with monkeypatch.context() as patched:
        patched.setattr(place.archive, "store_original", full)
        for place.now in (20.0, 25.0, 30.0, 35.0):
            place.intake.look_at_archive()
            assert place.intake.archive_lost == (None if place.now == 20.0 else "ENOSPC")
            place.intake.forward()
    place.now = 40.0
    assert place.intake.forward() == 1
    assert place.intake.archive_lost is None


def test_a_scan_that_was_written_over_as_it_was_taken_comes_after_a_gap_though_a_crash_came_between(
    place: Place,
) -> None:
    claim = place.claimed()
    claim.path.write_bytes(b"%PDF")
    os.utime(claim.path, (1, 1))
    place.restart()
    place.restart()
    for place.now in (0.0, 10.0):
        place.intake.forward()
    assert place.gaps() == [(1, True)]
    assert len(place.said("scan_overwritten")) == 1


@contextmanager
def grown_after_a_lost_answer(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Have a scan registered and nobody told, and its file go on; its writer holds it open meanwhile."""
    claim = place.claimed()
    with claim.path.open("ab", buffering=0) as writer, monkeypatch.context() as patched:
        nobody_can_say(patched)
        with patched.context() as once:
            lost_answer(once)
            with pytest.raises(DatabaseAway):
                place.intake.forward()
        writer.write(MORE)
        yield patched


@pytest.mark.parametrize("restarted", [False, True], ids=["the same run", "the next run"])
def test_a_file_that_grew_while_the_database_was_away_is_stored_anew_though_its_scan_is_known(
    place: Place, monkeypatch: pytest.MonkeyPatch, *, restarted: bool
) -> None:
    with grown_after_a_lost_answer(place, monkeypatch):
        if restarted:
            place.restart()
        forwarded = 0
        for place.now in (0.0, 1.0, 20.0, 30.0):
            forwarded += place.intake.forward()
    assert forwarded == 1
    assert list(place.originals().values()) == [WHOLE, WHOLE + MORE]
    sidecars = sorted(each.stem for each in (place.folder / "archive").rglob("*.json"))
    assert sidecars == sorted(place.originals()), "one for each scan, and none says another thing than its row"
    assert len(place.said("scan_grew")) == 1


def test_a_file_that_grew_is_not_stored_again_and_again_while_its_claim_can_not_be_made_another_scans(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_how: object, **_more: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "the spool is full")

    with grown_after_a_lost_answer(place, monkeypatch) as patched:
        with patched.context() as whole:
            whole.setattr(journey_intake, "renew", full)
            for place.now in (0.0, 10.0, 20.0):
                assert place.intake.forward() == 0
        for place.now in (30.0, 40.0, 50.0):
            place.intake.forward()
    assert list(place.originals().values()) == [WHOLE, WHOLE + MORE]
    sidecars = sorted(each.stem for each in (place.folder / "archive").rglob("*.json"))
    assert sidecars == sorted(place.originals()), "none says another thing than its row"


def test_a_scan_whose_answer_was_lost_is_let_go_of_once_it_is_known(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = place.claimed()
    with monkeypatch.context() as patched:
        lost_answer(patched)
        with pytest.raises(DatabaseAway):
            place.intake.forward()
    assert place.intake.forward() == 1
    assert place.originals() == {claim.scan_id: WHOLE}
    assert list((place.folder / "spool").iterdir()) == []


def test_a_file_that_grew_before_anything_was_registered_is_one_scan(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = place.claimed()

    def away(*_how: object) -> NoReturn:
        raise DatabaseAway("it is away")

    with monkeypatch.context() as patched:
        patched.setattr(journey_intake, "register_scan", away)
        with pytest.raises(DatabaseAway):
            place.intake.forward()
    with claim.path.open("ab") as writer:
        writer.write(MORE)
    assert place.intake.forward() == 1
    assert place.originals() == {claim.scan_id: WHOLE + MORE}
    assert place.said("scan_grew") == []


def test_a_claim_that_can_not_be_read_is_told_with_its_folder(place: Place) -> None:
    folder = new_id()
    for name in (folder, "Shevchenko"):
        (place.folder / "spool" / name).mkdir()
        (place.folder / "spool" / name / "original").write_bytes(WHOLE)
    place.intake.recover({})
    assert {line.get("scan_id") for line in place.said("claim_damaged")} == {folder, None}


@pytest.mark.parametrize("ordered", [False, True], ids=["each for itself", "stacked"])
def test_in_a_stack_whatever_may_follow_a_claim_that_can_not_be_read_comes_after_a_gap(
    tmp_path: Path, *, ordered: bool
) -> None:
    place = Place(tmp_path, ordered=ordered)
    lost, later = place.claimed(), place.claimed(WHOLE + MORE)
    (lost.folder / "claim.json").write_bytes(b"{")
    place.restart()
    (place.folder / "inbox" / "3.pdf").write_bytes(MORE + WHOLE)
    place.taking.hint("3.pdf", Arrival.RENAMED_IN)
    place.taking.look()
    assert place.intake.forward() == 2
    assert place.gaps() == [(later.number, ordered), (later.number + 1, ordered)]


@pytest.mark.parametrize("ordered", [False, True], ids=["each for itself", "stacked"])
def test_a_stuck_claim_keeps_others_waiting_only_where_the_papers_are_stacked(tmp_path: Path, *, ordered: bool) -> None:
    place = Place(tmp_path, ordered=ordered)
    stuck = place.claimed()
    content = stuck.path.read_bytes()
    stuck.path.rename(stuck.folder / "elsewhere")
    place.claimed(MORE)
    assert place.intake.forward() == (0 if ordered else 1)
    (stuck.folder / "elsewhere").rename(stuck.path)
    assert place.intake.forward() == (2 if ordered else 1)
    assert list(place.originals().values()) == [content, MORE]
    assert [line["error"] for line in place.said("claim_stuck")] == ["ENOENT"]
    place.database.close()


def test_an_archive_that_takes_the_next_scan_is_not_away_though_that_scan_can_not_be_registered(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.claimed()
    (place.folder / "archive").rename(place.folder / "elsewhere")
    assert place.intake.forward() == 0
    assert place.intake.archive_lost == "ENOENT"
    (place.folder / "elsewhere").rename(place.folder / "archive")

    def refuse(*_how: object) -> NoReturn:
        raise DatabaseRefused("foreign_key", "box")

    with monkeypatch.context() as patched:
        patched.setattr(journey_intake, "register_scan", refuse)
        assert place.intake.forward() == 0
    assert place.intake.archive_lost is None
    assert place.intake.forward() == 1


def test_a_large_scan_shows_life_while_it_is_copied_into_the_archive(place: Place) -> None:
    place.claimed(WHOLE + bytes(4 << 20))
    lives: list[int] = []
    assert place.intake.forward(lambda: lives.append(1)) == 1
    assert len(lives) > 4
