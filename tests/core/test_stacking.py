from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrynka.core.page_roles import page_roles
from skrynka.core.stacking import Assemble, Came, Following, OpenStack, Segment, following, segments
from tests.core.piles import pile
from tests.core.test_planning import WORDS

FILE, STACK = Assemble.FILE, Assemble.STACK


def cut(words: str, assemble: Assemble = STACK, stack: OpenStack | None = None) -> list[Segment]:
    """The stacks that a scan of these pages lies in."""
    return segments(page_roles([page.reading for page in pile(words)], {}), assemble, stack)


def told(runs: list[Segment]) -> list[str]:
    """Each run as words: `1-3 opened_by > closed_by`."""
    return [
        f"{run.first_page}-{run.last_page} {run.opened_by or 'goes on'} > {run.closed_by or 'stays open'}"
        for run in runs
    ]


VECTORS = {
    "a scan is a stack of its own": ("x x", FILE, None, ["1-2 scan > scan_end"]),
    "a scan by file never goes on in an open stack": ("x x", FILE, OpenStack(), ["1-2 scan > scan_end"]),
    "a scan opens a stack where none is open": ("x x", STACK, None, ["1-2 scan > stays open"]),
    "a scan goes on in the open stack": ("x x", STACK, OpenStack(), ["1-2 goes on > stays open"]),
    "a collection sheet opens a stack": ("B x", STACK, None, ["1-2 collection_sheet > stays open"]),
    "the next collection sheet closes the stack before it": (
        "B x B x",
        STACK,
        None,
        ["1-2 collection_sheet > collection_sheet", "3-4 collection_sheet > stays open"],
    ),
    "a collection sheet on the first page closes the stack that was open": (
        "B x",
        STACK,
        OpenStack(),
        ["1-0 goes on > collection_sheet", "1-2 collection_sheet > stays open"],
    ),
    "blank pages before a collection sheet are of its stack": ("_ B x", STACK, None, ["1-3 scan > stays open"]),
    "an end sheet's back belongs to it": ("B x E e _", FILE, None, ["1-5 collection_sheet > end_sheet"]),
    "paper after an end sheet is another stack": (
        "B x E _ x",
        FILE,
        None,
        ["1-4 collection_sheet > end_sheet", "5-5 scan > scan_end"],
    ),
    "an ended stack waits for its end sheet's back": ("x E", STACK, None, ["1-2 scan > stays open"]),
    "paper in the next scan closes an ended stack": (
        "x",
        STACK,
        OpenStack(ended=True),
        ["1-0 goes on > end_sheet", "1-1 scan > stays open"],
    ),
    "a blank page in the next scan is the ended stack's": (
        "_",
        STACK,
        OpenStack(ended=True),
        ["1-1 goes on > stays open"],
    ),
    "a repeat sheet opens a stack, and the collection sheet after it belongs to it": (
        "x R B x",
        STACK,
        None,
        ["1-1 scan > repeat_sheet", "2-4 repeat_sheet > stays open"],
    ),
    "a collection sheet in the scan after the repeat sheet belongs to its stack": (
        "B x",
        STACK,
        OpenStack(bare=True),
        ["1-2 goes on > stays open"],
    ),
    "a back that came before its collection sheet goes where the sheet goes": (
        "x b1 B1 x",
        STACK,
        None,
        ["1-1 scan > collection_sheet", "2-4 collection_sheet > stays open"],
    ),
}


@pytest.mark.parametrize(("words", "assemble", "stack", "expected"), VECTORS.values(), ids=VECTORS.keys())
def test_stacks_begin_and_end_as_their_rule_says(
    words: str, assemble: Assemble, stack: OpenStack | None, expected: list[str]
) -> None:
    assert told(cut(words, assemble, stack)) == expected


def test_a_stack_knows_its_collection_sheet_and_whether_it_ended() -> None:
    run = cut("B7 x E")[0]
    assert (run.collection_serial, run.ended) == ("B000007", True)


@given(
    st.lists(WORDS, min_size=1, max_size=30),
    st.sampled_from(Assemble),
    st.one_of(st.none(), st.builds(OpenStack, st.booleans(), st.booleans())),
)
def test_every_page_lies_in_exactly_one_stack(words: list[str], assemble: Assemble, stack: OpenStack | None) -> None:
    text = " ".join(words)
    runs = cut(text, assemble, stack)
    pages = [page for run in runs for page in range(run.first_page, run.last_page + 1)]
    assert pages == list(range(1, len(pile(text)) + 1))
    assert [run.opened_by for run in runs[1:]].count(None) == 0
    assert all(run.closed_by for run in runs[:-1])
    assert (runs[-1].closed_by is None) == (assemble is STACK)
    assert (runs[0].opened_by is None) == (stack is not None and assemble is STACK)


def test_no_pages_lie_in_no_stack() -> None:
    assert cut("", FILE) == []


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
QUIET = timedelta(minutes=10)


def follow(last: Came, scan: Came, quiet: timedelta = QUIET, *, watched: bool = True, lag: float = 0) -> Following:
    """How a scan follows one that was placed so many minutes after its registration."""
    since = last.registered_at + timedelta(minutes=lag) if watched else None
    return following(last, scan, quiet, watched_since=since)


def came(minute: float, registered: float | None = None) -> Came:
    return Came(
        NOON + timedelta(minutes=minute), NOON + timedelta(minutes=minute if registered is None else registered)
    )


@pytest.mark.parametrize(
    ("last", "scan", "expected"),
    [
        (came(0), came(5), Following.GOES_ON),
        # What is registered and placed as it comes is closed by the quiet time as it passes.
        (came(0), came(50), Following.GOES_ON),
        (came(5), came(0), Following.GOES_ON),
        # The database was away for an hour.
        (came(0, 60), came(5, 60), Following.GOES_ON),
        (came(0, 9), came(12), Following.AFTER_QUIET),
        (came(0, 60), came(20, 60), Following.AFTER_QUIET),
        (came(0, 60), came(55, 60), Following.AFTER_QUIET),
        (came(0, 60), came(60), Following.AFTER_QUIET),
        # Scans came back from the archive when others had been filed.
        (came(500), came(0, 505), Following.FROM_BEFORE),
        (came(0), came(5, 2000), Following.GOES_ON),
        (came(0), came(11, 2000), Following.AFTER_QUIET),
    ],
)
def test_between_scans_that_are_registered_late_the_claims_tell_where_the_quiet_time_lay(
    last: Came, scan: Came, expected: Following
) -> None:
    assert follow(last, scan) is expected


def test_a_quiet_time_of_a_second_makes_nothing_late_on_a_busy_station() -> None:
    assert follow(came(0, 0.9), came(0.5, 1.4), timedelta(seconds=1)) is Following.GOES_ON


def taken_late(written: float, claimed: float) -> Came:
    at = NOON + timedelta(minutes=claimed)
    return Came(at, at, NOON + timedelta(minutes=written))


@pytest.mark.parametrize("watched", [True, False])
@pytest.mark.parametrize(
    ("last", "scan", "expected"),
    [
        # The station stood still, or had no room, while two piles were scanned: both are taken in one moment.
        (taken_late(0, 240), taken_late(180, 240), Following.AFTER_QUIET),
        (taken_late(0, 240), taken_late(11, 240), Following.AFTER_QUIET),
        (taken_late(0, 240), taken_late(5, 240), Following.GOES_ON),
        # The last scan came by itself; the next pile is taken when there is room again.
        (taken_late(0, 0), taken_late(20, 25), Following.AFTER_QUIET),
        # Somebody moves an old scan in.
        (taken_late(0, 0), taken_late(-300, 5), Following.AFTER_QUIET),
        # A share's clock that is an hour fast tells no less.
        (taken_late(60, 0), taken_late(63, 3), Following.GOES_ON),
        (taken_late(60, 0), taken_late(80, 20), Following.AFTER_QUIET),
    ],
)
def test_between_scans_that_are_taken_late_it_is_told_by_when_they_were_written(
    last: Came, scan: Came, expected: Following, *, watched: bool
) -> None:
    assert follow(last, scan, watched=watched) is expected


def test_a_share_s_clock_that_stands_still_tells_nothing() -> None:
    last, scan = taken_late(-9000, 0), taken_late(-9000, 20)
    assert follow(last, scan) is Following.GOES_ON
    assert follow(last, scan, watched=False) is Following.AFTER_QUIET


@pytest.mark.parametrize("days", [-3, 3])
def test_the_station_s_clock_that_is_set_in_a_pile_parts_nothing_that_is_watched(days: int) -> None:
    last, scan = taken_late(0, 0), taken_late(2, 2 + days * 24 * 60)
    assert follow(last, scan) is Following.GOES_ON


def test_a_stack_that_is_watched_goes_on_however_long_its_next_scan_was_written() -> None:
    assert follow(taken_late(0, 0), taken_late(15, 15.5)) is Following.GOES_ON


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (5, Following.GOES_ON),
        (11, Following.AFTER_QUIET),
        (3 * 24 * 60, Following.AFTER_QUIET),
        (-1, Following.FROM_BEFORE),
    ],
)
def test_where_nobody_watched_the_quiet_time_pass_the_claims_tell(minutes: float, expected: Following) -> None:
    assert follow(came(0), came(minutes), watched=False) is expected


@pytest.mark.parametrize(
    ("last", "scan", "expected"),
    [
        (came(1), came(26), Following.AFTER_QUIET),
        (came(1), came(11), Following.GOES_ON),
        (taken_late(1, 1), taken_late(26, 26), Following.AFTER_QUIET),
        (taken_late(1, 1), taken_late(9, 9), Following.GOES_ON),
        # The station's clock was set back, by little and by much: both came in order all the same.
        (taken_late(9, 9), taken_late(5, 5), Following.GOES_ON),
        (taken_late(90, 90), taken_late(30, 30), Following.AFTER_QUIET),
    ],
)
@pytest.mark.parametrize("lag", [29, -29])
def test_where_the_last_page_was_placed_too_late_to_watch_the_quiet_time_pass_claims_and_written_times_tell(
    last: Came, scan: Came, expected: Following, lag: float
) -> None:
    assert follow(last, scan, lag=lag) is expected


def test_a_page_that_is_placed_within_the_quiet_time_is_early_enough_to_watch_it_pass() -> None:
    assert follow(came(0), came(15), lag=10) is Following.GOES_ON
    assert follow(came(0), came(15), lag=10.1) is Following.AFTER_QUIET


@given(pauses=st.lists(st.floats(0, 10), min_size=1, max_size=20), lag=st.floats(0, 1000), watched=st.booleans())
def test_a_pile_whose_scans_came_within_the_quiet_time_of_each_other_is_one_stack_however_far_reading_lags(
    pauses: list[float], lag: float, *, watched: bool
) -> None:
    at = NOON
    for pause in pauses:
        then, at = at, at + timedelta(minutes=pause)
        assert follow(Came(then, then, then), Came(at, at, at), watched=watched, lag=lag) is Following.GOES_ON


@given(st.floats(0, 1000), st.floats(0, 1000))
def test_nothing_that_came_in_order_and_was_watched_is_from_before(gap: float, lag: float) -> None:
    assert follow(came(gap), came(0), lag=lag) is not Following.FROM_BEFORE
