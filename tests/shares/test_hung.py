"""A share that hangs in the middle of a claim, by the kernel's own means: a frozen ext4, as root only can make one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from skrynka.core.claims import Claim
from skrynka.shares.hand import ShareHand
from skrynka.steps.claiming import look_up, prepare
from skrynka.steps.listing import InboxAway
from tests.faults.disks import Ext4, require_mounting
from tests.faults.row import CannotInject
from tests.support.processes import alive, await_that, descendants
from tests.support.skipped_faults import skip_fault

SECONDS = 0.7
"""How long the hand has patience."""


@pytest.fixture
def share(tmp_path: Path) -> Iterator[Ext4]:
    try:
        require_mounting(tmp_path)
        disk = Ext4(tmp_path / "share", tmp_path / "image")
        disk.mount()
    except (CannotInject, OSError) as why:
        skip_fault(why)
    yield disk
    # Thawed already, as a rule.
    os.system(f"fsfreeze --unfreeze {disk.place} 2>/dev/null")  # noqa: S605 - a path of the test's own
    disk.detach()


@pytest.fixture
def hand(share: Ext4, tmp_path: Path) -> Iterator[ShareHand]:
    made = ShareHand(share.place, tmp_path / "lock", silent_seconds=SECONDS)
    made.list()
    yield made
    made.close()


def prepared(share: Ext4, hand: ShareHand, spool: Path) -> Claim:
    spool.mkdir()
    (share.place / "scan.pdf").write_bytes(b"%PDF")
    (seen,) = hand.list().seen
    return prepare(
        spool, share.place, seen, hand, scan_id="id", next_number=lambda: 1, station="ST", box="B",
        claimed_at=datetime(2022, 2, 23, tzinfo=UTC), via_share=True,
    )  # fmt: skip


def gone() -> None:
    """Wait until the process that hung has come to its end."""
    await_that(lambda: not any(map(_goes_on, alive(descendants()))), "it is gone")


def _goes_on(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        # One that ends has no words any more before it can be waited for.
        words = process.cmdline()
        return not words or "skrynka.shares.errands" in words
    return False


def test_a_claim_that_hangs_is_unknown_until_the_share_is_back_and_then_the_names_say_it(
    share: Ext4, hand: ShareHand, tmp_path: Path
) -> None:
    claim = prepared(share, hand, tmp_path / "spool")
    share.freeze()
    with pytest.raises(InboxAway, match="hung"):
        hand.take(claim)
    assert (share.place / "scan.pdf").exists()
    with pytest.raises(InboxAway, match="hung"):
        hand.list()
    share.thaw()
    gone()
    # The process was killed long ago, and its rename was carried out all the same.
    found = look_up(claim, hand)
    assert isinstance(found, Claim)
    assert not found.changed
    assert found.path.read_bytes() == b"%PDF"
    assert hand.list().seen == ()


def test_a_service_that_was_killed_leaves_nobody_whose_rename_comes_after_the_next_ones_look(
    share: Ext4, hand: ShareHand, tmp_path: Path
) -> None:
    claim = prepared(share, hand, tmp_path / "spool")
    share.freeze()
    with pytest.raises(InboxAway, match="hung"):
        hand.take(claim)
    # Looking doesn't hang in a frozen file system: without the lock the next service would find the file in its place,
    # and give up the claim that the hanging rename is about to make.
    following = ShareHand(share.place, tmp_path / "lock", silent_seconds=SECONDS)
    with pytest.raises(InboxAway, match="hung"):
        look_up(claim, following)
    assert claim.folder.exists()
    share.thaw()
    gone()
    found = look_up(claim, following)
    assert isinstance(found, Claim)
    assert found.path.read_bytes() == b"%PDF"
    following.close()


def looked_up(claim: Claim, hand: ShareHand) -> object:
    """Look a claim up as the service does: again, where the share still hangs at the first look."""
    for _ in range(2):
        with suppress(InboxAway):
            return look_up(claim, hand)
    return look_up(claim, hand)


def test_a_copy_that_hangs_is_made_again(share: Ext4, hand: ShareHand, tmp_path: Path) -> None:
    claim = prepared(share, hand, tmp_path / "spool")
    hand.take(claim)
    share.freeze()
    with pytest.raises(InboxAway, match="hung"):
        hand.fetch(claim)  # the copy is there, and the file in the share can't be removed
    share.thaw()
    gone()
    found = looked_up(claim, hand)
    assert isinstance(found, Claim)
    assert found.in_spool
    assert found.path.read_bytes() == b"%PDF"
    assert [each for each in (share.place / ".claimed").rglob("*") if each.is_file()] == []
