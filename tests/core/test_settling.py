from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrynka.core.settling import (
    Arrival,
    Sample,
    SettlingRules,
    Sighting,
    Stall,
    Verdict,
    decide,
    is_ignored,
    observe,
)

RULES = SettlingRules()
PDF = b"%PDF-1.7\nfirst scan"


def look(
    at: float,
    size: int = 1000,
    *,
    mtime_ns: int = 1,
    inode: int = 7,
    finished: bool | None = True,
    writer_holds: bool | None = None,
    head: bytes = b"",
) -> Sample:
    """Give a look at a finished scan, unless it is said otherwise."""
    return Sample(size, mtime_ns, inode, at, finished, writer_holds, head)


def seen(*looks: Sample, hint: Arrival | None = None) -> Sighting:
    """Give what is remembered after these looks; the hint came before the first."""
    sighting = observe(None, looks[0], hint)
    for sample in looks[1:]:
        sighting = observe(sighting, sample)
    return sighting


def verdict(sighting: Sighting, rules: SettlingRules = RULES) -> Verdict:
    return decide(sighting, sighting.last.at, rules).verdict


def test_a_scan_renamed_in_is_claimed_at_once() -> None:
    assert verdict(seen(look(100), hint=Arrival.RENAMED_IN)) is Verdict.CLAIM


def test_a_scan_of_unknown_type_renamed_in_is_claimed_at_once_and_judged_later() -> None:
    assert verdict(seen(look(100, finished=None), hint=Arrival.RENAMED_IN)) is Verdict.CLAIM


@pytest.mark.parametrize("hint", [None, Arrival.SEEN, Arrival.CLOSED])
def test_a_scan_that_was_only_seen_or_closed_must_be_quiet_first(hint: Arrival | None) -> None:
    assert verdict(seen(look(100), hint=hint)) is Verdict.WAIT
    assert verdict(seen(look(100), look(104.9), hint=hint)) is Verdict.WAIT
    assert verdict(seen(look(100), look(105), hint=hint)) is Verdict.CLAIM


def test_a_share_takes_longer() -> None:
    share = SettlingRules(quiet_seconds=30)
    assert verdict(seen(look(100), look(129)), share) is Verdict.WAIT
    assert verdict(seen(look(100), look(130)), share) is Verdict.CLAIM


def test_time_that_nobody_looked_in_does_not_count_as_quiet() -> None:
    decision = decide(seen(look(100)), 200, RULES)
    assert (decision.verdict, decision.until) == (Verdict.WAIT, 200)


def test_it_is_said_when_to_look_again() -> None:
    assert decide(seen(look(100), look(102)), 103, RULES).until == 105


@pytest.mark.parametrize(
    "change",
    [{"size": 1001}, {"mtime_ns": 2}, {"inode": 8}, {"size": 900}],
    ids=["grown", "touched", "moved", "shrunk"],
)
def test_any_change_begins_the_wait_anew(change: dict[str, Any]) -> None:
    changed = [look(104, **change), look(108.9, **change)]
    assert verdict(seen(look(100), *changed)) is Verdict.WAIT
    assert verdict(seen(look(100), *changed, look(109, **change))) is Verdict.CLAIM


def test_a_scan_written_to_after_it_was_renamed_in_waits_like_any_other() -> None:
    growing = seen(look(100, writer_holds=True), look(101, size=2000), hint=Arrival.RENAMED_IN)
    assert verdict(growing) is Verdict.WAIT
    assert verdict(observe(growing, look(106, size=2000))) is Verdict.CLAIM


def test_a_late_word_of_a_rename_does_not_hide_that_the_scan_grows() -> None:
    growing = observe(seen(look(100)), look(101, size=2000), Arrival.RENAMED_IN)
    assert verdict(growing) is Verdict.WAIT


def test_a_late_word_of_a_rename_ends_the_wait_of_a_scan_that_did_not_change() -> None:
    assert verdict(observe(seen(look(100)), look(101), Arrival.RENAMED_IN)) is Verdict.CLAIM


def test_a_writer_that_closes_after_the_rename_is_given_the_quiet_time() -> None:
    held = seen(look(100, writer_holds=True), hint=Arrival.RENAMED_IN)
    assert verdict(observe(held, look(101), Arrival.CLOSED)) is Verdict.WAIT


def test_a_sweep_takes_back_no_rename() -> None:
    held = seen(look(100, writer_holds=True), hint=Arrival.RENAMED_IN)
    assert verdict(observe(held, look(101), Arrival.SEEN)) is Verdict.CLAIM


def test_nothing_is_taken_from_a_writer_that_holds_it() -> None:
    held = seen(look(100, writer_holds=True), look(90000, writer_holds=True), hint=Arrival.RENAMED_IN)
    decision = decide(held, 90000, RULES)
    assert (decision.verdict, decision.until) == (Verdict.WAIT, 90005)


def test_a_writer_that_holds_an_unchanged_scan_for_long_is_told() -> None:
    held = {"writer_holds": True}
    young = seen(look(100, **held), look(699, **held))
    assert decide(young, 699, RULES).stall is None
    assert decide(observe(young, look(700, **held)), 700, RULES).stall is Stall.KEPT_OPEN
    assert decide(observe(young, look(700, mtime_ns=2, **held)), 700, RULES).stall is None
    assert decide(observe(young, look(700)), 700, RULES).stall is None


@pytest.mark.parametrize("hint", [None, *Arrival])
def test_an_unfinished_scan_waits_until_its_writer_has_clearly_given_up(hint: Arrival | None) -> None:
    assert verdict(seen(look(100, finished=False), look(699, finished=False), hint=hint)) is Verdict.WAIT
    assert verdict(seen(look(100, finished=False), look(700, finished=False), hint=hint)) is Verdict.CLAIM_UNFINISHED


def test_an_unfinished_scan_is_told_of_after_a_tenth_of_the_time_after_which_it_is_taken() -> None:
    young = seen(look(100, finished=False), look(159, finished=False))
    decision = decide(young, 159, RULES)
    assert (decision.stall, decision.until) == (None, 160)
    decision = decide(observe(young, look(160, finished=False)), 160, RULES)
    assert (decision.stall, decision.until) == (Stall.UNFINISHED, 700)
    assert decide(observe(young, look(160, mtime_ns=2, finished=False)), 160, RULES).stall is None
    hasty = SettlingRules(quiet_seconds=30, give_up_seconds=60)
    assert decide(seen(look(100, finished=False), look(129, finished=False)), 129, hasty).stall is None
    assert decide(seen(look(100, finished=False), look(130, finished=False)), 130, hasty).stall is Stall.UNFINISHED


def test_giving_up_is_never_quicker_than_the_quiet_time() -> None:
    hasty = SettlingRules(quiet_seconds=30, give_up_seconds=1)
    assert verdict(seen(look(100, finished=False), look(129, finished=False)), hasty) is Verdict.WAIT
    assert verdict(seen(look(100, finished=False), look(130, finished=False)), hasty) is Verdict.CLAIM_UNFINISHED


@pytest.mark.parametrize("hint", [None, *Arrival])
def test_zero_bytes_wait_for_ever_and_are_told_after_an_hour(hint: Arrival | None) -> None:
    young = decide(seen(look(100, 0), look(3699, 0), hint=hint), 3699, RULES)
    assert (young.verdict, young.stall) == (Verdict.WAIT, None)
    old = decide(seen(look(100, 0), look(2000, 0, mtime_ns=5), look(3700, 0, mtime_ns=5), hint=hint), 3700, RULES)
    assert (old.verdict, old.stall) == (Verdict.WAIT, Stall.EMPTY)


def test_the_hour_counts_from_when_the_bytes_went() -> None:
    emptied = seen(look(100), look(5000, 0))
    assert decide(emptied, 5000, RULES).stall is None
    assert decide(observe(emptied, look(8600, 0)), 8600, RULES).stall is Stall.EMPTY


def test_bytes_that_come_at_last_are_quiet_from_then_on() -> None:
    assert verdict(seen(look(100, 0), look(9000), look(9004))) is Verdict.WAIT
    assert verdict(seen(look(100, 0), look(9000), look(9005))) is Verdict.CLAIM


@pytest.mark.parametrize(
    "second",
    [look(101, inode=8), look(101, 900), look(101, 2000, head=b"%PDF-1.7\nother scan"), look(101, 0)],
    ids=["another inode", "shorter", "another beginning", "emptied"],
)
def test_a_scan_under_the_name_of_an_unclaimed_one_is_noticed_once(second: Sample) -> None:
    overwritten = observe(seen(look(100, head=PDF)), second)
    assert overwritten.overwritten
    assert not observe(overwritten, second).overwritten


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (look(100, head=PDF), look(101, 2000, head=PDF + b" goes on")),
        (look(100, head=PDF), look(101, 2000)),
        (look(100), look(101, 2000, head=PDF)),
        (look(100, head=b"\0" * 64), look(101, 2000, head=PDF)),
        (look(100, head=b"II*\0\0\0\0\0"), look(101, 2000, head=b"II*\0\x08\x10\0\0")),
        (look(100, 0), look(101, inode=8)),
        (look(100, 5, head=PDF), look(101, 5, mtime_ns=2, head=PDF[:5])),
    ],
    ids=["grown", "no head now", "no head then", "room reserved", "a TIFF's offsets", "was empty", "a shorter look"],
)
def test_a_scan_that_is_written_on_is_no_other_scan(first: Sample, second: Sample) -> None:
    assert not seen(first, second).overwritten


def test_a_scan_renamed_over_an_unclaimed_one_is_whole_and_told() -> None:
    over = observe(seen(look(100), hint=Arrival.RENAMED_IN), look(101, inode=8), Arrival.RENAMED_IN)
    assert over.overwritten
    assert verdict(over) is Verdict.CLAIM


def test_a_clock_that_jumps_back_claims_nothing_early_and_keeps_nothing_waiting() -> None:
    back = seen(look(100_000), look(100_004), look(50))
    assert verdict(back) is Verdict.WAIT
    assert decide(back, 50, RULES).until == 55
    assert verdict(observe(back, look(55))) is Verdict.CLAIM
    empty = seen(look(100_000, 0), look(50, 0))
    assert decide(observe(empty, look(3650, 0)), 3650, RULES).stall is Stall.EMPTY


@pytest.mark.parametrize(
    "name",
    [
        ".hidden",
        "~$letter.pdf",
        "a.tmp",
        "a.TMP",
        "a.pdf.part",
        "a.FilePart",
        "Thumbs.db",
        "THUMBS.DB",
        "~",
        b"\xff.tmp",
    ],
)
def test_hidden_names_temporary_names_and_litter_are_ignored(name: str | bytes) -> None:
    assert is_ignored(name)


@pytest.mark.parametrize("name", ["scan0001.pdf", "tmp", "a.tmp.pdf", "parts.tif", "Скан.pdf", b"\xff\xfe", "part"])
def test_any_other_name_is_looked_at(name: str | bytes) -> None:
    assert not is_ignored(name)


@dataclass(frozen=True)
class Step:
    """What happens before a look."""

    pause: float
    grows: int
    hint: Arrival | None
    finished: bool | None
    held: bool | None


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from([0.0, 0.5, 1.0, 2.5, 4.0, 5.0, 7.0, 100.0, 700.0]),
        st.sampled_from([0, 0, 0, 1, 5000]),
        st.sampled_from([None, None, *Arrival]),
        st.sampled_from([True, True, False, None]),
        st.sampled_from([None, False, True]),
    ),
    min_size=1,
    max_size=20,
)
RULE_SETS = st.sampled_from([SettlingRules(), SettlingRules(30), SettlingRules(5, 20), SettlingRules(5, 1)])


@given(STEPS, RULE_SETS)
def test_nothing_is_claimed_that_changed_just_now_unless_it_was_renamed_in(
    steps: list[Step], rules: SettlingRules
) -> None:
    at, size, changed_at, renamed = 0.0, 100, 0.0, False
    sighting: Sighting | None = None
    for step in steps:
        at += step.pause
        if step.grows:
            size, changed_at, renamed = size + step.grows, at, False
        if step.hint is Arrival.RENAMED_IN and (sighting is None or not step.grows):
            renamed = True
        sighting = observe(sighting, look(at, size, finished=step.finished, writer_holds=step.held), step.hint)
        decision = decide(sighting, at, rules)
        if decision.verdict is Verdict.WAIT:
            assert decision.until >= at
            continue
        assert not step.held
        if decision.verdict is Verdict.CLAIM_UNFINISHED:
            assert step.finished is False
            assert at - changed_at >= max(rules.give_up_seconds, rules.quiet_seconds)
        else:
            assert step.finished is not False
            assert renamed or at - changed_at >= rules.quiet_seconds


@given(STEPS, RULE_SETS, st.sampled_from([0.5, 1.0, 3.0, 4.0]))
def test_a_finished_scan_that_stops_changing_is_claimed_within_the_quiet_time_and_one_look(
    steps: list[Step], rules: SettlingRules, poll: float
) -> None:
    at, size = 0.0, 100
    sighting: Sighting | None = None
    for step in steps:
        at, size = at + step.pause, size + step.grows
        sighting = observe(sighting, look(at, size, finished=step.finished, writer_holds=step.held), step.hint)
    stopped = at
    while verdict(sighting := observe(sighting, look(at, size)), rules) is not Verdict.CLAIM:
        at += poll
        assert at <= stopped + rules.quiet_seconds + poll
