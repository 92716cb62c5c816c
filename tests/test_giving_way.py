from __future__ import annotations

import pytest

from skrynka.core.errors import DatabaseAway
from skrynka.giving_way import GivingWay


class Desk:
    """Work that a reader is given, and whether others go first."""

    def __init__(self) -> None:
        self.others_first = False
        self.away = False
        self.read = 0
        self.giving_way = GivingWay(self._read_next, lambda: self.others_first)

    def _read_next(self) -> bool:
        if self.away:
            raise DatabaseAway("It is away.")
        self.read += 1
        return True


def test_nothing_is_begun_while_others_go_first() -> None:
    desk = Desk()
    assert desk.giving_way.read_next()
    desk.others_first = True
    assert not desk.giving_way.read_next()
    desk.others_first = False
    assert desk.giving_way.read_next()
    assert desk.read == 2


def test_nobody_goes_before_what_is_owed_of_a_work_that_broke_off() -> None:
    desk = Desk()
    desk.away = True
    with pytest.raises(DatabaseAway):
        desk.giving_way.read_next()
    desk.others_first = True
    with pytest.raises(DatabaseAway):
        desk.giving_way.read_next()
    desk.away = False
    assert desk.giving_way.read_next()
    assert not desk.giving_way.read_next()
