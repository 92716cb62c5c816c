from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.bench import Bench, bench
from tests.faults.kills import THE_END, at_calls, prepare
from tests.faults.suite import until_one_fails

SOME = 9
"""Of the kinds that go mostly the way of others each ninth call; the long run takes all."""
FEW = 12


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


@pytest.mark.parametrize("kind", ["a case", "a scan for quarantine"])
def test_killed_at_any_durable_call_nothing_is_lost_doubled_or_left(on: Bench, kind: str) -> None:
    calls = calls_of(on, kind)
    found = until_one_fails(at_calls(on, kind))
    assert [injected for injected in found if injected.wrong] == []
    assert [injected.number for injected in found] == list(range(1, len(found) + 1))
    assert len(found) >= len(calls) - 2


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


def test_on_postgresql_too_the_same_is_true_of_some_durable_calls(tmp_path: Path) -> None:
    with bench(tmp_path, "postgresql") as on:
        prepare(on)
        found = until_one_fails(at_calls(on, "a case", step=FEW))
    assert [injected for injected in found if injected.wrong] == []
    assert any("sendto" in injected.at for injected in found), "what is sent to the server is counted"
