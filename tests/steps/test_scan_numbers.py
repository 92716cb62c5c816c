from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skrynka.core.errors import EnvironmentUnfit
from skrynka.steps.scan_numbers import ScanNumbers
from tests.support.syscalls import calls_that_last, position


def test_numbers_run_from_one_and_go_on_after_a_start(tmp_path: Path) -> None:
    numbers = ScanNumbers(tmp_path)
    assert [numbers.next_number(), numbers.next_number()] == [1, 2]
    assert ScanNumbers(tmp_path).next_number() == 3


def test_a_lost_state_folder_is_healed_by_what_the_database_knows(tmp_path: Path) -> None:
    numbers = ScanNumbers(tmp_path)
    numbers.at_least(41)
    numbers.at_least(7)
    assert numbers.next_number() == 42


def test_threads_never_get_the_same_number(tmp_path: Path) -> None:
    numbers = ScanNumbers(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda _: numbers.next_number(), range(40)))
    assert sorted(given) == list(range(1, 41))


@pytest.mark.parametrize("content", [b"", b"-3\n", b"12x\n", b"\0\0\0"])
def test_a_damaged_number_is_told_and_never_guessed(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "scan_number").write_bytes(content)
    with pytest.raises(EnvironmentUnfit, match="damaged"):
        ScanNumbers(tmp_path)


def test_a_number_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "scan_number").mkdir()
    with pytest.raises(EnvironmentUnfit, match="IsADirectoryError"):
        ScanNumbers(tmp_path)


def test_a_number_is_durable_before_it_is_given(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    code = (
        "import sys, pathlib; from skrynka.steps.scan_numbers import ScanNumbers\n"
        "ScanNumbers(pathlib.Path(sys.argv[1])).next_number(); pathlib.Path(sys.argv[2]).rmdir()"
    )
    given = tmp_path / "given"
    given.mkdir()
    calls = calls_that_last(code, tmp_path / "log", state, given)
    content = position(calls, "fsync", ".tmp>")
    name = position(calls, "rename", "/scan_number", after=content)
    folder = position(calls, "fsync", f"{state}>", after=name)
    position(calls, "rmdir", "/given", after=folder)
