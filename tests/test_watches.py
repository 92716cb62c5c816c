"""An empty inbox that is watched rests: it is listed seldom, and glimpsed at in between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from skrynka.core.settling import SettlingRules
from skrynka.journey.inboxes import Inbox
from skrynka.journey.taking import Taking
from skrynka.watches import Watches
from tests.journey.taking_stations import roomy_station

BOX = "OBL-01"


class Place:
    """An inbox, who takes from it, and who watches it."""

    def __init__(self, folder: Path) -> None:
        self.inbox = folder / "inbox"
        self.inbox.mkdir()
        station = roomy_station(folder)
        rules = SettlingRules(quiet_seconds=100.0)
        inbox = Inbox(BOX, self.inbox, share=False, rules=rules, sweep_seconds=5.0, ordered=False)
        self.taking = Taking(inbox, station, clock=lambda: 1000.0)
        self.woken: list[str] = []
        self.watches = Watches({BOX: self.taking}, self.woken.append)

    def look(self) -> bool:
        """Look into the inbox, and say whether it may rest then."""
        self.taking.sweep()
        self.taking.look()
        return self.watches.may_rest(BOX)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.watches.stop()


def test_an_empty_inbox_may_rest_while_it_is_watched(place: Place) -> None:
    place.inbox.rename(place.inbox.with_name("away"))
    place.watches.watch(BOX, place.inbox)
    place.inbox.with_name("away").rename(place.inbox)
    assert not place.look()
    place.watches.mend(BOX)
    assert place.look()


def test_an_inbox_in_which_something_lies_may_not_rest(place: Place) -> None:
    (place.inbox / "growing.pdf").write_bytes(b"%PDF-")
    place.watches.watch(BOX, place.inbox)

    assert not place.look()


def test_a_glimpse_at_an_inbox_that_is_as_it_was_wakes_nobody(place: Place) -> None:
    place.watches.watch(BOX, place.inbox)
    place.look()
    place.watches.glimpse()

    assert place.woken == []


def test_a_glimpse_sees_what_came_without_a_word_of_the_kernels(place: Place) -> None:
    place.watches.watch(BOX, place.inbox)
    place.look()
    (place.inbox / "folder").mkdir()  # of folders no word is asked for
    place.watches.glimpse()
    place.watches.glimpse()

    assert place.woken == [BOX]
    assert not place.look()


def test_a_glimpse_sees_that_the_folder_is_another_one_or_gone(place: Place) -> None:
    place.watches.watch(BOX, place.inbox)
    place.look()
    place.inbox.rename(place.inbox.with_name("away"))
    place.watches.glimpse()

    assert place.woken == [BOX]
    place.taking.look()
    assert place.taking.away
    place.inbox.mkdir()
    place.woken.clear()
    place.watches.mend(BOX)
    assert place.woken == [BOX]
    assert place.look()
