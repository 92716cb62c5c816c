from __future__ import annotations

import errno
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest

from skrynka.core.claims import Claim, ClaimLost, ClaimRefused, ClaimRestless, from_sidecar, to_sidecar
from skrynka.core.entries import Odd, OddKind, Seen
from skrynka.durable import rename_durably
from skrynka.steps import moving
from skrynka.steps.claiming import fetch, look_up, open_claims, prepare, release, renew, take
from skrynka.steps.listing import list_inbox
from tests.support.syscalls import calls_that_last, killed_at, position

NAME = "Шевченко Т.Г.pdf"
AT = datetime(2022, 2, 23, 8, 30, tzinfo=UTC)


class Place:
    """An inbox and a spool."""

    def __init__(self, inbox: Path, spool: Path) -> None:
        self.inbox = inbox
        self.spool = spool
        inbox.mkdir()
        spool.mkdir()

    def drop(self, content: bytes = b"%PDF", name: str = NAME) -> Seen:
        """Save a file into the inbox; give what a listing then shows."""
        (self.inbox / name).write_bytes(content)
        return next(each for each in list_inbox(self.inbox).seen if each.name == name)

    def take(self, seen: Seen, number: int = 1, *, share: bool = False) -> Claim | Odd:
        """Claim it under this number."""
        return take(self.prepared(seen, number, share=share), moving)

    def prepared(self, seen: Seen, number: int = 1, *, share: bool = False) -> Claim:
        """Do what comes before the file moves."""
        return prepare(
            self.spool,
            self.inbox,
            seen,
            moving,
            scan_id=f"id-{number}",
            next_number=lambda: number,
            station="ST-1",
            box="OBL-01",
            claimed_at=AT,
            via_share=share,
        )

    def found(self) -> list[Claim | Odd]:
        """Start again: give what is claimed, wherever it lies."""
        opened = open_claims(self.spool)
        found = [look_up(claim, moving) for claim in opened.in_shares]
        return [*opened.claims, *(each for each in found if each is not None)]

    def taken(self, seen: Seen, number: int = 1, *, share: bool = False) -> Claim:
        """Claim it, as a regular file."""
        taken = self.take(seen, number, share=share)
        assert isinstance(taken, Claim)
        return taken

    def left(self) -> list[str]:
        """Everything in the spool, and every file in the inbox: the folders that shares get stay."""
        files = (each for each in self.inbox.rglob("*") if not each.is_dir())
        return sorted(each.name for each in (*files, *self.spool.iterdir()))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "inbox", tmp_path / "spool")


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Place]:
    """The inbox on another file system than the spool."""
    shm = Path("/dev/shm")  # noqa: S108 - the other file system that every Linux has
    if not os.access(shm, os.W_OK) or shm.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no other file system to be had here")
    with tempfile.TemporaryDirectory(dir=shm) as folder:
        yield Place(Path(folder) / "inbox", tmp_path / "spool")


def brought(claim: Claim) -> Claim:
    """Bring a claim into the spool."""
    return fetch(claim, moving, moving.no_progress)


def let_go(claim: Claim) -> None:
    """Let go of a claim whose file was stored as it is now."""
    stored = claim.path.stat()
    assert release(claim, stored.st_size, stored.st_mtime_ns)


def _fail(*_: object) -> NoReturn:
    raise OSError(errno.EIO, "the server is gone")


TAKES = (
    "import sys; from pathlib import Path; from datetime import datetime, UTC\n"
    "from skrynka.core.claims import ClaimLost\n"
    "from skrynka.steps import moving\n"
    "from skrynka.steps.claiming import prepare, release, take\n"
    "from skrynka.steps.listing import list_inbox\n"
    "def taken(spool, inbox, seen, scan_id, number=1, station='S', share=False):\n"
    "    return take(prepare(spool, inbox, seen, moving, scan_id=scan_id, next_number=lambda: number,\n"
    "                        station=station, box='B', claimed_at=datetime.now(UTC), via_share=share), moving)\n"
)
"""The beginning of a child process that claims."""


def test_a_claimed_file_is_in_the_spool_with_a_sidecar_that_tells_all(place: Place) -> None:
    seen = place.drop()
    taken = place.taken(seen, 7)
    assert not list(place.inbox.iterdir())
    assert taken.path == place.spool / "id-7" / "original"
    assert taken.path.read_bytes() == b"%PDF"
    assert (taken.number, taken.station, taken.box, taken.original_name) == (7, "ST-1", "OBL-01", NAME)
    assert (taken.claimed_at, taken.changed) == (AT, False)
    assert open_claims(place.spool).claims == (taken,)


def test_folders_and_sidecars_are_closed_to_others(place: Place) -> None:
    before = os.umask(0)
    try:
        taken = place.taken(place.drop())
    finally:
        os.umask(before)
    assert taken.folder.stat().st_mode & 0o7777 == 0o750
    assert (taken.folder / "claim.json").stat().st_mode & 0o7777 == 0o640


def test_the_original_name_stays_out_of_a_claims_repr(place: Place) -> None:
    assert "Шевченко" not in repr(place.taken(place.drop()))


def test_a_name_that_is_not_utf_8_survives(place: Place) -> None:
    name = os.fsdecode(b"\xcf\n\xee.pdf")
    place.taken(place.drop(name=name))
    assert open_claims(place.spool).claims[0].original_name == name


def test_a_file_that_vanished_is_lost_to_somebody_and_leaves_nothing(place: Place) -> None:
    seen = place.drop()
    (place.inbox / NAME).unlink()
    with pytest.raises(ClaimLost) as caught:
        place.take(seen)
    assert "Шевченко" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert place.left() == []


@pytest.mark.parametrize("share", [False, True])
def test_of_processes_that_race_for_files_each_file_goes_to_one(place: Place, *, share: bool) -> None:
    names = [f"{number}.pdf" for number in range(20)]
    for name in names:
        place.drop(name.encode(), name)
    code = TAKES + (
        "inbox, spool, who, share = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4] == 'True'\n"
        "seen = list_inbox(inbox, lambda name: name.startswith('.')).seen\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "for n, each in enumerate(seen):\n"
        "    try: taken(spool, inbox, each, f'{who}-{n}', n, who, share)\n"
        "    except ClaimLost: pass\n"
    )
    spools = [place.spool / who for who in ("one", "two", "three")]
    racers = []
    for spool in spools:
        spool.mkdir()
        command = [sys.executable, "-I", "-c", code, place.inbox, spool, spool.name, str(share)]
        racers.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == b"ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write(b"go\n")
        racer.stdin.flush()
    for racer in racers:
        racer.communicate()
        assert racer.returncode == 0
    opened = [open_claims(spool) for spool in spools]
    claims = [claim for each in opened for claim in (*each.claims, *each.in_shares)]
    contents = [claim.path.read_bytes().decode() for claim in claims]
    assert sorted(contents) == sorted(names)
    assert list_inbox(place.inbox, lambda name: name.startswith(".")).seen == ()


def test_a_file_that_changed_between_listing_and_claim_is_taken_and_told(place: Place) -> None:
    seen = place.drop()
    with (place.inbox / NAME).open("ab") as writer:
        writer.write(b"more")
    taken = place.taken(seen)
    assert taken.changed
    assert open_claims(place.spool).claims[0].changed


def test_another_file_under_the_same_name_is_told_even_with_the_same_size_and_time(place: Place) -> None:
    seen = place.drop()
    fresh = place.inbox / "fresh"
    fresh.write_bytes(b"%pdf")
    os.utime(fresh, ns=(seen.mtime_ns, seen.mtime_ns))
    fresh.rename(place.inbox / NAME)
    assert place.taken(seen).changed


def test_inode_numbers_that_cannot_be_relied_on_are_not_compared(place: Place) -> None:
    seen = place.drop()
    assert not place.taken(Seen(seen.name, seen.size, seen.mtime_ns, 0, seen.device)).changed


def test_a_link_swapped_in_is_set_aside_and_never_opened(place: Place, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    seen = place.drop()
    (place.inbox / NAME).unlink()
    (place.inbox / NAME).symlink_to(tmp_path / "secret")
    assert place.take(seen) == Odd(NAME, OddKind.SYMLINK)
    assert (place.spool / ".odd" / "id-1" / "original").is_symlink()
    assert (tmp_path / "secret").read_bytes() == b"secret"
    assert open_claims(place.spool).claims == ()


def test_a_fifo_swapped_in_on_a_share_is_set_aside(place: Place) -> None:
    seen = place.drop()
    (place.inbox / NAME).unlink()
    os.mkfifo(place.inbox / NAME)
    assert place.take(seen, share=True) == Odd(NAME, OddKind.FIFO)
    assert place.found() == []


def test_a_link_taken_by_a_process_that_was_killed_is_set_aside_at_the_next_start(place: Place) -> None:
    taken = place.taken(place.drop())
    taken.path.unlink()
    taken.path.symlink_to("/etc/passwd")
    found = open_claims(place.spool)
    assert (found.claims, found.odd) == ((), (Odd(NAME, OddKind.SYMLINK),))
    assert open_claims(place.spool).odd == ()


def test_on_a_share_the_rename_stays_within_it_and_the_copy_follows(place: Place) -> None:
    taken = place.taken(place.drop(), share=True)
    assert taken.path == place.inbox / ".claimed" / "ST-1" / "id-1"
    assert place.found() == [taken]
    fetched = brought(taken)
    assert fetched.path.read_bytes() == b"%PDF"
    assert fetched.path.parent == place.spool / "id-1"
    assert not taken.path.exists()
    assert place.found() == [fetched]
    let_go(fetched)
    assert place.left() == []


def test_an_inbox_on_another_file_system_is_claimed_as_a_share(apart: Place) -> None:
    taken = apart.taken(apart.drop())
    assert taken.path == apart.inbox / ".claimed" / "ST-1" / "id-1"
    assert not taken.changed
    assert apart.found() == [taken]
    assert brought(taken).path.read_bytes() == b"%PDF"


def test_a_claim_is_not_given_up_by_what_lies_below_its_shares_mount_point(apart: Place, tmp_path: Path) -> None:
    taken = apart.taken(apart.drop(), share=True)
    below = replace(taken, inbox=tmp_path / "below")
    below.path_in_share.parent.mkdir(parents=True)
    with pytest.raises(OSError, match="another file system"):
        moving.locate(below)
    assert moving.locate(below, mounted=True) is None
    (below.inbox / NAME).write_bytes(b"%PDF")
    assert moving.locate(below) is None


def test_a_copy_that_was_killed_half_way_is_made_again(place: Place) -> None:
    taken = place.taken(place.drop(), share=True)
    (taken.folder / "original.part").write_bytes(b"%P")
    (found,) = place.found()
    assert isinstance(found, Claim)
    assert brought(found).path.read_bytes() == b"%PDF"


def test_a_copy_killed_before_the_shares_file_went_is_found_whole_and_the_file_goes(place: Place) -> None:
    taken = place.taken(place.drop(), share=True)
    shutil.copy2(taken.path, taken.folder / "original")
    (found,) = place.found()
    assert isinstance(found, Claim)
    assert (found.path, found.changed) == (taken.folder / "original", False)
    assert not taken.path.exists()


def test_a_file_that_changes_while_it_is_copied_stays_where_it_is(place: Place) -> None:
    taken = place.taken(place.drop(b"%PDF" + bytes(3 << 20)), share=True)
    told: list[None] = []

    def write_more() -> None:
        told.append(None)
        if len(told) == 1:
            with taken.path.open("ab") as writer:
                writer.write(b"more")

    with pytest.raises(ClaimRestless):
        fetch(taken, moving, write_more)
    assert taken.path.read_bytes().endswith(b"more")
    assert [each.name for each in taken.folder.iterdir()] == ["claim.json"]
    assert brought(taken).path.read_bytes().endswith(b"more")


def test_a_file_that_changes_once_it_is_copied_is_fetched_again_with_all_that_came(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = place.taken(place.drop(), share=True)

    def rename_and_write(source: Path, target: Path) -> None:
        rename_durably(source, target)
        with taken.path.open("ab") as writer:
            writer.write(b"more")

    with monkeypatch.context() as patched:
        patched.setattr(moving, "rename_durably", rename_and_write)
        with pytest.raises(ClaimRestless):
            brought(taken)
    assert taken.path.read_bytes() == b"%PDFmore"
    (found,) = place.found()
    assert isinstance(found, Claim)
    assert brought(found).path.read_bytes() == b"%PDFmore"
    assert not taken.path.exists()


def test_a_copy_that_has_less_than_the_shares_file_is_found_after_a_kill_and_made_again(place: Place) -> None:
    taken = place.taken(place.drop(), share=True)
    shutil.copy2(taken.path, taken.folder / "original")
    with taken.path.open("ab") as writer:
        writer.write(b"more")
    (found,) = place.found()
    assert isinstance(found, Claim)
    assert (found.path, found.changed) == (taken.path, True)
    assert brought(found).path.read_bytes() == b"%PDFmore"


def test_the_copy_in_the_spool_stays_until_one_that_goes_on_from_it_is_durable(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = place.taken(place.drop(), share=True)
    shutil.copy2(taken.path, taken.folder / "original")
    with taken.path.open("ab") as writer:
        writer.write(b"more")
    (found,) = place.found()
    assert isinstance(found, Claim)
    with monkeypatch.context() as patched:
        patched.setattr(moving, "copy_durably", _fail)
        with pytest.raises(OSError, match="server"):
            brought(found)
    assert (found.folder / "original").read_bytes() == b"%PDF"
    assert brought(found).path.read_bytes() == b"%PDFmore"


SERVERS_STATES = {
    "empty": (b"", 0),
    "shorter": (b"%PDF who", 0),
    "zeros": (bytes(10), 0),
    "another time": (b"%PDF whole", 1),
    "other bytes, and longer": (b"%PDX whole, and more", 0),
}
"""What a server that broke down brings back of a file with "%PDF whole": its bytes, and seconds that its time differs.

Zeros with the size and the time of the file are told by nothing but their bytes, and go: the spool has the scan.
"""


@pytest.mark.parametrize("state", SERVERS_STATES)
def test_a_durable_copy_is_never_given_for_a_file_that_its_server_brings_back_otherwise(
    place: Place, state: str
) -> None:
    content, later = SERVERS_STATES[state]
    taken = place.taken(place.drop(b"%PDF whole"), share=True)
    shutil.copy2(taken.path, taken.folder / "original")
    written = taken.path.stat().st_mtime_ns + later * 1_000_000_000
    taken.path.write_bytes(content)
    os.utime(taken.path, ns=(written, written))
    (found,) = place.found()
    assert isinstance(found, Claim)
    whole = found if found.in_spool else brought(found)
    assert whole.path == taken.folder / "original"
    assert whole.path.read_bytes() == b"%PDF whole"
    assert sorted(each.name for each in taken.folder.iterdir()) == ["claim.json", "original"]
    let_go(whole)
    assert [each.read_bytes() for each in taken.path.parent.iterdir()] == ([content] if state != "zeros" else [])


@pytest.mark.parametrize(("came", "least"), [(b"%PDF", 2), (b"%PDF and more", 5), (b"%P", 0), (b"%PDX and more", 3)])
def test_killed_at_any_call_that_lasts_as_a_fetch_is_repeated_the_copy_or_all_that_came_is_held(
    tmp_path: Path, came: bytes, least: int
) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from skrynka.steps import moving\n"
        "from skrynka.steps.claiming import fetch, look_up, open_claims\n"
        "(claim,) = open_claims(Path(sys.argv[1])).in_shares\n"
        "found = look_up(claim, moving)\n"
        "if not found.in_spool: fetch(found, moving, moving.no_progress)\n"
    )
    killed = 0
    for call in ("fsync", "rename", "unlink"):
        for number in itertools.count(1):
            place = Place(tmp_path / f"inbox-{call}-{number}", tmp_path / f"spool-{call}-{number}")
            taken = place.taken(place.drop(b"%PDF"), share=True)
            shutil.copy2(taken.path, taken.folder / "original")
            if came != b"%PDF":
                taken.path.write_bytes(came)
            if not killed_at(call, number, code, place.spool):
                break
            killed += 1
            (found,) = place.found()
            assert isinstance(found, Claim)
            held = (found if found.in_spool else brought(found)).path.read_bytes()
            left = [each.read_bytes() for each in place.inbox.rglob("*") if each.is_file()]
            goes_on = came.startswith(b"%PDF")
            assert [held, *left] == ([came] if goes_on else [b"%PDF", came]), f"killed at {call} {number}"
    assert killed >= least


def test_claims_on_a_share_that_is_away_are_kept_until_it_is_back(place: Place) -> None:
    taken = place.taken(place.drop(), share=True)
    place.inbox.rename(place.inbox.with_name("away"))
    with pytest.raises(FileNotFoundError):
        place.found()
    place.inbox.with_name("away").rename(place.inbox)
    assert place.found() == [taken]


def test_a_start_touches_no_share(place: Place) -> None:
    taken = place.taken(place.drop(), share=True)
    shutil.rmtree(place.inbox)
    opened = open_claims(place.spool)
    assert (opened.claims, opened.in_shares) == ((), (taken,))


@pytest.mark.parametrize("share", [False, True])
def test_a_sidecar_alone_is_removed_and_the_file_stays_in_its_inbox(place: Place, *, share: bool) -> None:
    claim = place.prepared(place.drop(), share=share)
    assert place.found() == []
    assert [each.name for each in list_inbox(place.inbox).seen] == [NAME]
    assert not claim.folder.exists()


@pytest.mark.parametrize("share", [False, True])
def test_what_became_of_a_claim_that_broke_off_can_be_asked(place: Place, *, share: bool) -> None:
    claim = place.prepared(place.drop(), share=share)
    taken = take(claim, moving)
    assert look_up(claim, moving) == taken
    taken_back = place.prepared(place.drop(), 2, share=share)
    assert look_up(taken_back, moving) is None
    assert not taken_back.folder.exists()


def test_a_folder_without_a_sidecar_is_removed_if_it_holds_nothing_of_worth(place: Place) -> None:
    folder = place.spool / "id-1"
    folder.mkdir()
    (folder / ".0123.tmp").write_bytes(b"{")
    found = open_claims(place.spool)
    assert (found.claims, found.damaged) == ((), ())
    assert not folder.exists()


@pytest.mark.parametrize("sidecar", [None, b"", b"[]", b"{}", b"\xff"])
def test_a_file_without_a_readable_sidecar_is_left_and_told(place: Place, sidecar: bytes | None) -> None:
    taken = place.taken(place.drop())
    (taken.folder / "claim.json").unlink()
    if sidecar is not None:
        (taken.folder / "claim.json").write_bytes(sidecar)
    assert open_claims(place.spool).damaged == ("id-1",)
    assert taken.path.read_bytes() == b"%PDF"


def test_open_claims_come_in_the_order_of_their_numbers(place: Place) -> None:
    for number in (10, 2, 33):
        place.take(place.drop(name=f"{number}"), number)
    assert [each.number for each in open_claims(place.spool).claims] == [2, 10, 33]


def test_releasing_leaves_nothing_and_may_be_repeated(place: Place) -> None:
    taken = place.taken(place.drop())
    let_go(taken)
    assert release(taken, 4, 0)
    assert place.left() == []


def test_a_file_that_is_not_what_was_stored_is_not_released(place: Place) -> None:
    taken = place.taken(place.drop())
    with taken.path.open("ab") as writer:
        stored = taken.path.stat()
        writer.write(b"more")
    assert not release(taken, stored.st_size, stored.st_mtime_ns)
    assert taken.path.read_bytes() == b"%PDFmore"
    os.truncate(taken.path, stored.st_size)
    os.utime(taken.path, ns=(1, 1))
    assert not release(taken, stored.st_size, stored.st_mtime_ns), "other bytes in their places, perhaps"


@pytest.mark.parametrize("share", [False, True])
def test_a_claim_that_was_renewed_is_found_as_the_new_scans_with_the_file_as_it_is(
    place: Place, *, share: bool
) -> None:
    taken = place.taken(place.drop(), share=share)
    taken = brought(taken) if share else taken
    with taken.path.open("ab") as writer:
        writer.write(b"more")
    renewed = renew(taken, scan_id="id-2", number=2, after_gap=False)
    assert (renewed.scan_id, renewed.number, renewed.original_name) == ("id-2", 2, NAME)
    assert place.found() == [replace(renewed, changed=False)]
    assert renewed.path.read_bytes() == b"%PDFmore"
    let_go(renewed)
    assert place.left() == []


def test_a_claim_in_a_share_keeps_the_gap_that_its_start_gave_it(place: Place) -> None:
    place.taken(place.drop(), share=True)
    (told,) = open_claims(place.spool).after_gap(lambda _box: True).in_shares
    found = look_up(told, moving)
    assert isinstance(found, Claim)
    assert found.after_gap


def test_a_scan_id_is_never_used_twice(place: Place) -> None:
    first = place.taken(place.drop(b"first"))
    with pytest.raises(FileExistsError):
        place.take(place.drop(b"second"))
    assert first.path.read_bytes() == b"first"
    assert (place.inbox / NAME).read_bytes() == b"second"


def test_a_rename_that_happened_and_reported_an_error_is_a_claim(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """NFS does so when an answer is lost and the request repeated; no file system here does, so it is put in."""
    rename = Path.rename

    def lying(source: Path, target: Path) -> Path:
        rename(source, target)
        if source.name == NAME:
            raise FileNotFoundError(errno.ENOENT, "gone", str(source))
        return target

    seen = place.drop()
    monkeypatch.setattr(Path, "rename", lying)
    assert place.taken(seen, share=True).path.read_bytes() == b"%PDF"


@pytest.mark.parametrize("share", [False, True])
def test_an_inbox_that_refuses_keeps_its_file_and_the_spool_stays_clean(
    place: Place, monkeypatch: pytest.MonkeyPatch, *, share: bool
) -> None:
    """Rights don't bind root, who runs tests too, so the refusal is put in."""

    def refuse(source: Path, _target: Path) -> Path:
        raise PermissionError(errno.EACCES, "no", str(source))

    seen = place.drop()
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", refuse)
        with pytest.raises(ClaimRefused, match="EACCES") as caught:
            place.take(seen, share=share)
    assert "Шевченко" not in str(caught.value)
    assert (place.inbox / NAME).read_bytes() == b"%PDF"
    assert not list(place.spool.iterdir())


@pytest.mark.parametrize("number", [errno.ETIMEDOUT, errno.EIO, errno.EHOSTDOWN, errno.ESTALE])
def test_an_error_that_answers_nothing_keeps_the_claim_for_a_rename_that_comes_late(
    place: Place, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Soft mounts of NFS and CIFS give up so, and the server may go on; no file system here does: it is put in."""

    def give_up(source: Path, _target: Path) -> Path:
        raise OSError(number, "no answer", str(source))

    claim = place.prepared(place.drop(), share=True)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", give_up)
        with pytest.raises(OSError, match="isn't known") as caught:
            take(claim, moving)
    assert (caught.value.errno, caught.value.filename) == (number, None)
    (place.inbox / NAME).rename(claim.path_in_share)
    found = look_up(claim, moving)
    assert isinstance(found, Claim)
    assert brought(found).path.read_bytes() == b"%PDF"


def test_a_share_where_nothing_can_be_made_refuses(place: Place) -> None:
    seen = place.drop()
    (place.inbox / ".claimed").write_bytes(b"a file in the folder's place")
    with pytest.raises(ClaimRefused, match="ENOTDIR"):
        place.take(seen, share=True)
    assert not list(place.spool.iterdir())


def test_a_spool_that_cannot_be_written_leaves_the_file_in_its_inbox(place: Place) -> None:
    seen = place.drop()
    code = TAKES + (
        "import resource\n"
        "spool, inbox = Path(sys.argv[1]), Path(sys.argv[2])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "try: taken(spool, inbox, list_inbox(inbox).seen[0], 'id')\n"
        "except OSError: sys.exit(7)"
    )
    # Without our environment: whatever measures the child by it would write files at its end, and can't.
    command = [sys.executable, "-I", "-c", code, place.spool, place.inbox]
    assert subprocess.run(command, env={}, check=False).returncode == 7
    assert list_inbox(place.inbox).seen == (seen,)
    assert not list(place.spool.iterdir())


def test_a_spool_that_is_not_there_uses_up_no_scan_number(place: Place) -> None:
    seen = place.drop()
    given: list[int] = []
    place.spool.rmdir()
    with pytest.raises(FileNotFoundError):
        prepare(
            place.spool, place.inbox, seen, moving, scan_id="id", next_number=lambda: given.append(1) or 1,
            station="ST-1", box="OBL-01", claimed_at=AT,
        )  # fmt: skip
    assert given == []


def test_the_sidecar_is_durable_before_the_file_moves_and_the_names_after(place: Place, tmp_path: Path) -> None:
    place.drop()
    code = TAKES + (
        "spool, inbox = Path(sys.argv[1]), Path(sys.argv[2])\n"
        "claim = taken(spool, inbox, list_inbox(inbox).seen[0], 'id'); stored = claim.path.stat()\n"
        "release(claim, stored.st_size, stored.st_mtime_ns)\n"
    )
    calls = calls_that_last(code, tmp_path / "log", place.spool, place.inbox)
    folder = position(calls, "fsync", f"{place.spool}>")
    content = position(calls, "fsync", ".tmp>", after=folder)
    name = position(calls, "rename", "/claim.json", after=content)
    sidecar = position(calls, "fsync", f"{place.spool}/id>", after=name)
    move = position(calls, "rename", '/id/original"', after=sidecar)
    taken = position(calls, "fsync", f"{place.spool}/id>", after=move)
    gone = position(calls, "fsync", f"{place.inbox}>", after=move)
    # And on release the file goes first, durably, then the sidecar: it must never be a file that nobody can tell.
    unlinked = position(calls, "unlink", "/id/original", after=max(taken, gone))
    durable = position(calls, "fsync", f"{place.spool}/id>", after=unlinked)
    position(calls, "unlink", "/id/claim.json", after=durable)


@pytest.mark.parametrize("share", [False, True])
def test_killed_at_any_call_that_lasts_a_claim_holds_its_file_once_or_has_left_it_alone(
    tmp_path: Path, *, share: bool
) -> None:
    code = TAKES + (
        "from skrynka.steps.claiming import fetch\n"
        "spool, inbox, share = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == 'True'\n"
        "claim = taken(spool, inbox, list_inbox(inbox).seen[0], 'id', share=share)\n"
        "if share: fetch(claim, moving, moving.no_progress)\n"
    )
    killed = 0
    for call in ("mkdir", "fsync", "rename", "unlink"):
        for number in itertools.count(1):
            content = f"%PDF {call} {number}".encode()
            place = Place(tmp_path / f"inbox-{call}-{number}", tmp_path / f"spool-{call}-{number}")
            place.drop(content)
            if not killed_at(call, number, code, place.spool, place.inbox, str(share)):
                break
            killed += 1
            claims = [claim for claim in place.found() if isinstance(claim, Claim)]
            held = [(claim if claim.in_spool else brought(claim)).path.read_bytes() for claim in claims]
            left = [each.read_bytes() for each in place.inbox.rglob("*") if each.is_file()]
            assert [*held, *left] == [content], f"killed at {call} {number}"
    assert killed >= (18 if share else 8)


def test_a_sidecar_says_all_of_a_claim(place: Place) -> None:
    taken = place.taken(place.drop())
    assert from_sidecar(to_sidecar(taken), taken.folder) == taken


def test_a_damaged_sidecar_is_not_echoed() -> None:
    with pytest.raises(ValueError, match="no sidecar") as caught:
        from_sidecar(b'{"original_name": "Shevchenko"}', Path())
    assert "Shevchenko" not in str(caught.value)
    assert caught.value.__suppress_context__
