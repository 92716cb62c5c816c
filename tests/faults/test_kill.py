from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import kills
from tests.faults.bench import Bench, bench
from tests.faults.kills import THE_END, at_calls, prepare
from tests.faults.row import Injected
from tests.faults.suite import first_faults, until_one_fails

MOMENTS = 50
SIGNALS = 20
SOME = 9
"""Of the kinds that go mostly the way of others, each ninth call; the long run takes all."""


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("kept")) as made:
        prepare(made)
        yield made


def calls_of(on: Bench, kind: str) -> list[str]:
    """Give the durable calls that a pile takes when nothing happens, in their order."""
    on.set_back()
    on.start().wait_for("service_ready")
    return [f"{name} {path}" for name, path in on.learn(on.draw(kind))]


def hit(found: list[Injected]) -> set[str]:
    return {injected.at.split(": ", 1)[1] for injected in found}


@pytest.mark.parametrize("kind", ["a case", "a scan for quarantine"])
def test_killed_at_any_durable_call_nothing_is_lost_doubled_or_left(on: Bench, kind: str) -> None:
    calls = calls_of(on, kind)
    found = until_one_fails(at_calls(on, kind))
    assert [injected for injected in found if injected.wrong] == []
    assert [injected.number for injected in found] == list(range(1, len(found) + 1))
    assert len(found) >= len(calls) - 2
    assert hit(found) >= set(calls)


@pytest.mark.parametrize("kind", ["the same scan twice", "a stack in two scans"])
def test_killed_at_some_durable_calls_of_more_than_one_scan_the_same_is_true(on: Bench, kind: str) -> None:
    calls = calls_of(on, kind)
    found = until_one_fails(at_calls(on, kind, step=SOME))
    assert [injected for injected in found if injected.wrong] == []
    assert len(found) >= len(calls) // SOME


def test_killed_at_any_durable_call_of_its_end_the_same_is_true(on: Bench) -> None:
    found = until_one_fails(at_calls(on, THE_END))
    assert [injected for injected in found if injected.wrong] == []
    assert any("pwrite64 skrynka.db" in injected.at for injected in found), "the database is brought to rest"


def test_killed_at_any_moment_under_load_the_same_is_true(tmp_path: Path) -> None:
    found = first_faults(kills.AT_RANDOM, tmp_path, MOMENTS)
    assert [injected for injected in found if injected.wrong] == []
    assert len(found) == MOMENTS


def test_killed_again_while_it_recovers_the_same_is_true(tmp_path: Path) -> None:
    found = first_faults(kills.TWICE, tmp_path, 10)
    assert [injected for injected in found if injected.wrong] == []
    assert len(found) == 10


def test_asked_to_end_at_any_moment_it_ends_well_holds_nothing_and_goes_on_from_there(tmp_path: Path) -> None:
    found = first_faults(kills.ASKED_TO_END, tmp_path, SIGNALS)
    assert [injected for injected in found if injected.wrong] == []
    assert len(found) == SIGNALS
