from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.bench import Bench, bench
from tests.faults.errors import ERRORS, at_calls
from tests.faults.kills import prepare
from tests.faults.suite import until_one_fails

SOME = 9
"""Of the kinds that go mostly the way of others each ninth call; the long run takes all, with both errors."""
ON_POSTGRESQL = 5
"""So many of a case there."""
CALLS = ("write", "pwrite64", "fsync", "rename")
"""Among those that fail."""


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("kept")) as made:
        prepare(made)
        yield made


@pytest.mark.parametrize("error", ERRORS, ids=errno.errorcode.get)
def test_whichever_durable_call_fails_everything_comes_out_without_a_start_and_without_a_person(
    on: Bench, error: int
) -> None:
    found = until_one_fails(at_calls(on, "a case", error))
    assert [injected for injected in found if injected.wrong] == []
    assert [injected.number for injected in found] == list(range(1, len(found) + 1))
    assert len(found) > 150
    assert [name for name in CALLS if not any(f": {name} " in injected.at for injected in found)] == []


@pytest.mark.parametrize("kind", ["a scan for quarantine", "the same scan twice", "a stack in two scans"])
def test_the_same_is_true_of_some_calls_of_other_scans(on: Bench, kind: str) -> None:
    found = until_one_fails(at_calls(on, kind, errno.EIO, step=SOME))
    assert [injected for injected in found if injected.wrong] == []
    assert len(found) > 10


def test_on_postgresql_too_the_same_is_true_of_some_durable_calls(tmp_path: Path) -> None:
    with bench(tmp_path, "postgresql") as on:
        prepare(on)
        found = until_one_fails(at_calls(on, "a case", errno.EIO, step=SOME), ON_POSTGRESQL)
    assert [injected for injected in found if injected.wrong] == []
    assert any(": sendto database" in injected.at for injected in found), "a connection breaks"
    assert len(found) == ON_POSTGRESQL
