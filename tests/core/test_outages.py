from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from skrynka.core.outages import Change, Outage, Telling, observe

MINUTE = 60.0


def tellings(looks: list[tuple[float, bool]]) -> list[tuple[float, Telling]]:
    outage: Outage | None = None
    told = []
    for now, away in looks:
        outage, telling = observe(outage, now, away=away)
        if telling is not None:
            told.append((now, telling))
    return told


def test_what_goes_is_told_at_once_then_every_five_minutes_and_hourly_after_the_third() -> None:
    looks = [(minute * MINUTE, True) for minute in range(4 * 60)]
    assert [(now / MINUTE, telling.change) for now, telling in tellings(looks)] == [
        (0, Change.LOST),
        (5, Change.STILL_AWAY),
        (10, Change.STILL_AWAY),
        (15, Change.STILL_AWAY),
        (75, Change.STILL_AWAY),
        (135, Change.STILL_AWAY),
        (195, Change.STILL_AWAY),
    ]


def test_what_comes_back_is_told_once_with_how_long_it_was_away() -> None:
    looks = [(0.0, False), (10.0, True), (20.0, True), (100.0, False), (200.0, False)]
    assert tellings(looks) == [(10.0, Telling(Change.LOST, 0.0)), (100.0, Telling(Change.BACK, 90.0))]


def test_each_outage_begins_anew() -> None:
    looks = [(0.0, True), (299.0, True), (300.0, False), (301.0, True), (500.0, True), (601.0, True)]
    assert [telling for _, telling in tellings(looks)] == [
        Telling(Change.LOST, 0.0),
        Telling(Change.BACK, 300.0),
        Telling(Change.LOST, 0.0),
        Telling(Change.STILL_AWAY, 300.0),
    ]


@given(st.lists(st.tuples(st.floats(0, 5000), st.booleans()), max_size=60))
def test_whatever_is_seen_every_change_is_told_and_nothing_twice_within_five_minutes(
    steps: list[tuple[float, bool]],
) -> None:
    looks, now = [], 0.0
    for step, away in steps:
        now += step
        looks.append((now, away))
    told = tellings(looks)
    was = False
    changes = []
    for moment, away in looks:
        if away != was:
            changes.append((moment, Change.LOST if away else Change.BACK))
        was = away
    assert [(moment, telling.change) for moment, telling in told if telling.change is not Change.STILL_AWAY] == changes
    for (before, _), (after, telling) in itertools.pairwise(told):
        # Compared as it is counted: the difference of two such numbers may be a hair off.
        assert telling.change is not Change.STILL_AWAY or after >= before + 5 * MINUTE
