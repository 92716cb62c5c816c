from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import torture
from tests.faults.ledger import Ledger
from tests.faults.report import how_far
from tests.faults.toys import TOYS
from tests.support.processes import await_that

RUN = (sys.executable, "-m", "tests.faults.toys")


def run(state: Path, *words: str) -> int:
    rows = list(TOYS.values())
    return torture.main([part for word in words for part in word.split()], rows, state)


def entries(state: Path, row: str) -> list[int]:
    return [entry.number for entry in Ledger(state, row).entries]


def cells(state: Path, row: str) -> list[str]:
    """Give what the report says of a row, without its title."""
    lines = (state / "report.md").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if line.startswith(f"| {row} |")]
    told = [cell.strip() for cell in line.strip("|").split("|")]
    return [told[2], told[3], told[4], told[7]]


@pytest.fixture(autouse=True)
def _folders_are_here(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept for a look goes with the test's own folders, in this process and in those that it starts."""
    folder = str(tmp_path_factory.mktemp("kept"))
    monkeypatch.setattr("tempfile.tempdir", folder)
    monkeypatch.setenv("TMPDIR", folder)


@pytest.fixture(autouse=True)
def _no_handler_is_left() -> object:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_row_without_a_fault_too_many_is_run_in_full_and_ends_well(tmp_path: Path) -> None:
    assert run(tmp_path, "--row sound") == 0
    assert entries(tmp_path, "sound") == [1, 2, 3, 4, 5, 6, 7]
    assert cells(tmp_path, "sound") == ["7", "all there are", "0", "in full"]
    assert cells(tmp_path, "slow") == ["0", "99", "0", "not begun"]


def test_a_row_that_was_run_in_full_is_not_run_again(tmp_path: Path) -> None:
    run(tmp_path, "--row sound")
    before = (tmp_path / "sound.jsonl").read_bytes()
    assert run(tmp_path, "--row sound") == 0
    assert (tmp_path / "sound.jsonl").read_bytes() == before


def test_an_invariant_that_fails_is_told_with_its_folder_and_the_command_that_repeats_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--row frail --seed 7") == 1
    said = capsys.readouterr().out
    assert entries(tmp_path, "frail") == [1, 2, 3, 4, 5], "it goes on after a failure"
    assert cells(tmp_path, "frail") == ["5", "5", "1", "in full"]
    assert "--row frail --seed 7 --number 3" in said
    (line,) = [line for line in said.splitlines() if "look into" in line]
    kept = Path(line.rsplit(" ", 1)[1])
    assert sorted(each.name for each in kept.iterdir()) == ["station-1", "station-2", "station-3"]


def test_the_call_after_a_failure_ends_with_a_failure_too_until_the_row_is_begun_anew(tmp_path: Path) -> None:
    run(tmp_path, "--row frail")
    assert run(tmp_path, "--row sound") == 1
    Ledger(tmp_path, "frail").begin_anew()
    assert run(tmp_path, "--row sound --fresh") == 0


def test_one_fault_is_repeated_off_the_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, "--row frail --seed 7")
    before = (tmp_path / "frail.jsonl").read_bytes()
    told = [json.loads(line) for line in before.splitlines()]
    assert run(tmp_path, "--row frail --seed 7 --number 3") == 1
    assert f"fault 3, {told[2]['at']}: the invariant failed" in capsys.readouterr().out
    assert run(tmp_path, "--row frail --seed 7 --number 4") == 0
    assert told[3]["at"] in capsys.readouterr().out
    assert (tmp_path / "frail.jsonl").read_bytes() == before


def test_a_fault_is_only_repeated_when_its_row_and_seed_are_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        run(tmp_path, "--row frail --number 3")
    with pytest.raises(SystemExit):
        run(tmp_path, "--seed 7 --number 3")


def test_a_row_goes_on_with_its_seed_unless_it_is_begun_anew(tmp_path: Path) -> None:
    run(tmp_path, "--row slow --minutes 0.005 --seed 41")
    some = len(entries(tmp_path, "slow"))
    run(tmp_path, "--row slow --minutes 0.005")
    assert {entry.seed for entry in Ledger(tmp_path, "slow").entries} == {41}
    assert len(entries(tmp_path, "slow")) > some > 0
    run(tmp_path, "--row slow --minutes 0.005 --seed 42 --fresh")
    assert {entry.seed for entry in Ledger(tmp_path, "slow").entries} == {42}


def test_a_row_that_has_had_its_minutes_says_how_far_it_came(tmp_path: Path) -> None:
    run(tmp_path, "--row slow --minutes 0.005")
    count = len(entries(tmp_path, "slow"))
    assert 0 < count < 99
    assert cells(tmp_path, "slow") == [str(count), "99", "0", f"broken off after {count} of 99"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_interrupted_it_loses_the_fault_in_hand_at_most_and_goes_on_from_there(
    tmp_path: Path, number: signal.Signals
) -> None:
    process = subprocess.Popen([*RUN, tmp_path, "--row", "slow"], stdout=subprocess.PIPE, text=True)
    ledger = tmp_path / "slow.jsonl"
    await_that(lambda: ledger.exists() and ledger.read_bytes().count(b"\n") > 3, "some faults are injected")
    process.send_signal(number)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == (-number if number is signal.SIGKILL else 130)
    assert ("| slow |" in said) == (number is not signal.SIGKILL)
    before = entries(tmp_path, "slow")
    run(tmp_path, "--row slow --minutes 0.003")
    after = entries(tmp_path, "slow")
    assert len(after) > len(before)
    assert after == list(range(1, len(after) + 1))


def test_a_line_that_a_kill_broke_off_is_passed_over_and_overwritten(tmp_path: Path) -> None:
    run(tmp_path, "--row slow --minutes 0.003")
    whole = entries(tmp_path, "slow")
    with (tmp_path / "slow.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"number": 7, "se')
    run(tmp_path, "--row slow --minutes 0.003")
    after = entries(tmp_path, "slow")
    assert len(after) > len(whole)
    assert after == list(range(1, len(after) + 1))


def test_two_runs_dont_share_a_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tmp_path.joinpath("slow.jsonl").touch()
    with Ledger(tmp_path, "slow").taken():
        assert run(tmp_path, "--row slow") == 0
    assert "another process runs it now" in capsys.readouterr().out
    assert entries(tmp_path, "slow") == []


def test_a_row_that_breaks_off_counts_as_failed_and_is_left_after_three_times(tmp_path: Path) -> None:
    assert run(tmp_path, "--row broken") == 1
    found = Ledger(tmp_path, "broken").entries
    assert [entry.wrong for entry in found] == [(), *([("AssertionError: the daemon didn't start",)] * 3)]


def test_what_this_machine_cant_do_is_said_and_is_no_failure(tmp_path: Path) -> None:
    assert run(tmp_path, "--row unable") == 0
    assert cells(tmp_path, "unable") == ["0", "9", "0", "not possible here: it needs root"]


def test_a_fault_that_takes_longer_than_there_is_time_is_not_begun(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--row long") == 0
    assert "long: not begun, one fault takes 60 minutes" in capsys.readouterr().out
    run(tmp_path, "--row long --minutes 61")
    assert cells(tmp_path, "long")[3] == "in full"


def test_what_was_injected_into_an_earlier_source_is_told_apart(tmp_path: Path) -> None:
    run(tmp_path, "--row sound")
    ledger = Ledger(tmp_path, "sound")
    assert how_far(TOYS["sound"], ledger, ledger.entries[0].source) == "in full"
    assert how_far(TOYS["sound"], ledger, "another") == "in full; 7 of them into an earlier source"


def test_in_a_pipe_it_says_how_far_it_is_every_ten_seconds_at_most(tmp_path: Path) -> None:
    done = subprocess.run([*RUN, tmp_path, "--row", "sound"], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == (tmp_path / "report.md").read_text(encoding="utf-8") + "\n"


def test_the_rows_of_the_fault_table_have_names_of_their_own() -> None:
    names = [row.name for row in torture.collected()]
    assert len(set(names)) == len(names)
