from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrynka.core.turns import Turns

PIECES = st.lists(st.tuples(st.sampled_from("abcde"), st.floats(0, 60)), max_size=40)


def test_what_broke_off_stands_back_for_a_while_and_longer_each_time() -> None:
    turns, now, whiles = Turns(), 0.0, []
    for _ in range(7):
        turns.stand_back("a", now)
        since = now
        while turns.behind(now):
            now += 1
        whiles.append(now - since)
    assert whiles == [30, 60, 120, 240, 480, 600, 600]


def test_what_is_done_begins_anew() -> None:
    turns = Turns()
    for _ in range(3):
        turns.stand_back("a", 0)
    turns.forget("a")
    turns.forget("b")
    turns.stand_back("a", 0)
    assert (turns.behind(29), turns.behind(30)) == (("a",), ())


@given(PIECES)
def test_what_was_tried_longest_ago_comes_first_and_everything_has_its_turn(pieces: list[tuple[str, float]]) -> None:
    turns, now = Turns(), 0.0
    tried: dict[str, float] = {}
    for work, seconds in pieces:
        now += seconds
        turns.stand_back(work, now)
        tried.pop(work, None)
        tried[work] = now
        behind = turns.behind(now)
        assert behind[-1] == work
        assert list(behind) == [each for each in tried if each in behind]
        assert turns.behind(now + 600) == ()


@pytest.mark.parametrize("many", [100, 250])
def test_no_more_is_remembered_than_a_query_can_bear(many: int) -> None:
    turns = Turns()
    for number in range(many):
        turns.stand_back(str(number), 0)
    assert turns.behind(0) == tuple(str(number) for number in range(many))[-100:]
