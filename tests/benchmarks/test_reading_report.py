"""What was seen is kept from call to call, counted and drawn; samples are spread evenly; the command keeps its word."""

from __future__ import annotations

import lzma
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.benchmarks.reading import __main__ as command
from tests.benchmarks.reading import picture
from tests.benchmarks.reading.axes import EVERY
from tests.benchmarks.reading.images import NO_SHEET, Key
from tests.benchmarks.reading.ledger import Ledger, Taken
from tests.benchmarks.reading.looking import Alone, Seen, Verdict
from tests.benchmarks.reading.report import Looked, count, highest_rate, looked_at, report
from tests.benchmarks.reading.running import Engines, look_at_all
from tests.benchmarks.reading.sampling import FULL_PLAIN, FULL_SHEETS, compared, everything, sample
from tests.benchmarks.reading.states import Changed, loaded_state
from tests.support.processes import await_that


@pytest.fixture(autouse=True)
def _no_handler_is_left() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


READ = Seen(
    Verdict.READ, "sheet", "", marked=True, blank=False, codes=(("qr", "fast", "zxing"),), false_texts=0, seconds=0.1
)
BOTH = Alone(zxing=True, zbar=True, zxing_wrong=0, zbar_wrong=0, zxing_false=0, zbar_false=0)
NEITHER = replace(BOTH, zxing=False, zbar=False)
KEY = Key("blur", "1 mm", 7, 1)
ALL = frozenset({KEY})
"""Images to be compared."""


def test_what_was_seen_is_there_at_the_next_call(tmp_path: Path) -> None:
    Ledger(tmp_path, "s1", "i1").add(KEY, READ, NEITHER)

    again = Ledger(tmp_path, "s1", "i1")

    assert (again.seen, again.alone) == ({KEY: READ}, {KEY: NEITHER})
    other = replace(KEY, number=8)
    assert again.missing([KEY, other], frozenset({KEY, other})) == [(other, True, Engines.ALWAYS)]


def test_what_was_packed_is_known_elsewhere_and_what_was_seen_since_counts(tmp_path: Path) -> None:
    here, there, record = tmp_path / "here", tmp_path / "there", tmp_path / "record"
    other = replace(KEY, number=8)
    ledger = Ledger(here, "s1", "i1")
    ledger.add(KEY, READ, NEITHER)
    ledger.pack(record)

    elsewhere = Ledger(there, "s1", "i1", record=record)
    assert (elsewhere.seen, elsewhere.alone) == ({KEY: READ}, {KEY: NEITHER})
    elsewhere.add(other, READ, BOTH)
    elsewhere.pack(record)
    assert set(Ledger(here, "s1", "i1", record=record).seen) == {KEY, other}
    assert Ledger(there, "s2", "i1", record=record).seen == {}
    elsewhere.add(KEY, replace(READ, verdict=Verdict.HELD), None)
    assert Ledger(there, "s1", "i1", record=record).seen[KEY].verdict is Verdict.HELD


def test_a_new_program_looks_again_and_new_images_are_put_before_the_engines_too(tmp_path: Path) -> None:
    Ledger(tmp_path, "s1", "i1").add(KEY, READ, BOTH)

    assert Ledger(tmp_path, "s2", "i1").missing([KEY], ALL) == [(KEY, True, Engines.NEVER)]
    assert Ledger(tmp_path, "s1", "i2").missing([KEY], ALL) == [(KEY, True, Engines.ALWAYS)]


def test_the_engines_are_put_before_all_sheets_that_arent_read_and_else_before_those_to_be_compared(
    tmp_path: Path,
) -> None:
    ledger = Ledger(tmp_path, "s", "i")
    read, held, plain = replace(KEY, number=2), replace(KEY, number=3), Key(NO_SHEET, "bill", 2, 1)

    assert ledger.missing([KEY, read, plain], ALL) == [
        (KEY, True, Engines.ALWAYS),
        (read, True, Engines.WHERE_UNREAD),
        (plain, True, Engines.NEVER),
    ]
    for key, verdict in ((read, Verdict.READ), (held, Verdict.HELD), (plain, Verdict.PASSED)):
        ledger.add(key, replace(READ, verdict=verdict), None)
    assert ledger.missing([read, held, plain], ALL) == [(held, False, Engines.ALWAYS)]


def test_the_long_run_compares_one_image_in_four_of_each_kind() -> None:
    chosen = compared(everything([], 1))

    cells = Counter((key.axis, key.severity) for key in chosen)
    assert set(cells) == {(key.axis, key.severity) for key in everything([], 1)}
    assert 0.24 < len(chosen) / (FULL_SHEETS + FULL_PLAIN) < 0.27


def test_the_long_run_compares_all_images_of_an_axis_where_that_is_wanted() -> None:
    keys = everything([], 1)

    chosen = compared(keys, ["fax", NO_SHEET])

    whole = {key for key in keys if key.axis in {"fax", NO_SHEET}}
    assert whole <= chosen
    assert chosen - whole == {key for key in compared(keys) if key not in whole}


def test_a_line_that_a_kill_broke_off_is_passed_over_and_written_over(tmp_path: Path) -> None:
    Ledger(tmp_path, "s", "i").add(KEY, READ, BOTH)
    other = replace(KEY, number=9)
    with (tmp_path / "program.jsonl").open("a") as file:
        file.write('{"key": {"ax')

    broken = Ledger(tmp_path, "s", "i")
    with broken.taken():
        broken.add(other, READ, None)

    assert set(broken.seen) == {KEY, other}
    assert set(Ledger(tmp_path, "s", "i").seen) == {KEY, other}


def test_two_processes_dont_write_into_one_ledger(tmp_path: Path) -> None:
    first, second = Ledger(tmp_path, "s", "i"), Ledger(tmp_path, "s", "i")

    with first.taken(), pytest.raises(Taken), second.taken():
        pass
    with second.taken():
        second.add(KEY, READ, BOTH)


def test_what_is_seen_afresh_counts(tmp_path: Path) -> None:
    Ledger(tmp_path, "s", "i").add(KEY, READ, BOTH)

    fresh = Ledger(tmp_path, "s", "i", fresh=True)
    assert fresh.missing([KEY], ALL) == [(KEY, True, Engines.ALWAYS)]
    fresh.add(KEY, replace(READ, verdict=Verdict.HELD), BOTH)

    assert Ledger(tmp_path, "s", "i").seen[KEY].verdict is Verdict.HELD


def test_the_bound_for_none_at_all_is_the_rule_of_three_and_others_are_exact() -> None:
    assert highest_rate(0, 20_000) == pytest.approx(3 / 20_000, rel=0.002)
    # One-sided Clopper-Pearson, from tables.
    assert highest_rate(1, 100) == pytest.approx(0.0466, abs=0.0001)
    assert highest_rate(5, 10) == pytest.approx(0.7776, abs=0.0001)
    assert highest_rate(3, 3) == 1.0


def test_the_bound_for_none_at_all_is_exact() -> None:
    assert highest_rate(0, 10_000) == pytest.approx(1 - 0.05 ** (1 / 10_000), rel=1e-9)


def test_verdicts_are_counted_beside_the_engines() -> None:
    held, missed = replace(READ, verdict=Verdict.HELD), replace(READ, verdict=Verdict.MISSED)

    looked = [
        Looked(READ, BOTH, compared=True),
        Looked(READ, NEITHER, compared=True),
        Looked(held, replace(NEITHER, zbar=True), compared=True),
        Looked(held, BOTH, compared=False),
        Looked(missed, NEITHER, compared=False),
        Looked(READ, None, compared=False),
    ]
    counted = count(looked)

    assert (counted.images, counted.read, counted.held, counted.missed, counted.wrong) == (6, 3, 2, 1, 0)
    assert (counted.compared, counted.read_of_compared) == (3, 2)
    assert (counted.zxing, counted.zbar, counted.union) == (1, 2, 2)
    assert (counted.held_though_read, counted.gained) == (2, 1)


def test_an_engine_that_reads_another_sheets_code_as_well_hasnt_read_the_sheet() -> None:
    two_sheets = replace(BOTH, zxing_wrong=1)

    assert (two_sheets.zxing_reads, two_sheets.zbar_reads, two_sheets.either_reads) == (False, True, True)
    assert not replace(two_sheets, zbar=False).either_reads


def test_the_report_names_what_was_missed_and_counts_pages_without_a_sheet() -> None:
    plain = Key(NO_SHEET, "bill", 1, 1)
    seen = {KEY: replace(READ, verdict=Verdict.MISSED), plain: replace(READ, verdict=Verdict.FALSE_MARK)}

    told = report(looked_at(seen, {KEY: NEITHER, plain: NEITHER}, [KEY, plain, replace(KEY, number=8)], ALL), "Today.")

    assert "silently missed: 1 of 1" in told
    assert "| blur | 1 mm | 1 | 0 | 0 | **1** | 0 |  | 1 | 0 | 0 | 0 | 0 |" in told
    assert "- missed: `blur/1 mm/7`" in told
    assert "- held without a sheet: `no-sheet/bill/1`" in told
    assert "taken for a sheet or held: 1 of 1" in told


def test_the_report_flags_each_axis_on_which_either_engine_alone_reads_more() -> None:
    held, other = replace(READ, verdict=Verdict.HELD), Key("jpeg", "5", 1, 1)
    zbar_alone = replace(BOTH, zxing=False)

    told = report({KEY: Looked(held, zbar_alone, compared=True), other: Looked(READ, BOTH, compared=True)}, "Today.")
    good = report({other: Looked(READ, BOTH, compared=True)}, "Today.")

    line = "- axes on which either engine alone read more of the compared images: "
    assert f"{line}blur (read 0 of 1, either engine 1)\n" in told
    assert "| blur, **fewer than either** | 1 |" in told
    assert "| jpeg | 1 |" in told
    assert f"{line}none\n" in good
    assert line not in report({KEY: Looked(held, zbar_alone, compared=False)}, "Today.")


def test_the_report_bounds_false_marks_and_says_what_the_bounds_are_for() -> None:
    plain = {Key(NO_SHEET, "bill", number, 1): replace(READ, verdict=Verdict.PASSED) for number in range(300)}
    seen = {KEY: READ, **plain}

    told = report(looked_at(seen, {}, seen, frozenset()), "Today.")

    assert f"- false marks: 0 of 300 (95 %: below {10_000 * (1 - 0.05 ** (1 / 300)):.2f} in 10,000 pages)" in told
    assert "for pages like these" in told
    assert "- the images were made from 60 different sheets" in told


def test_a_sample_takes_every_cell_once_before_any_twice() -> None:
    cells = sum(len(axis.severities) for axis in EVERY)
    keys = sample(1000, [], 1)

    sheets = Counter((key.axis, key.severity) for key in keys if key.axis != NO_SHEET)
    assert len(keys) == len(set(keys)) == 1000
    assert sum(sheets.values()) == 667
    assert len(sheets) == cells
    assert max(sheets.values()) - min(sheets.values()) <= 1
    assert sample(300, [], 1)[:100] == keys[:100]
    assert {key.axis for key in sample(20, ["fax"], 1)} == {"fax"}
    assert {key.axis for key in sample(20, [NO_SHEET], 1)} == {NO_SHEET}


def test_the_long_run_has_all_that_acceptance_asks_for_and_begins_with_the_sample() -> None:
    keys = everything([], 1)

    plain = [key for key in keys if key.axis == NO_SHEET]
    assert (len(keys) - len(plain), len(plain)) == (FULL_SHEETS, FULL_PLAIN)
    assert len(set(keys)) == len(keys)
    assert set(sample(300, [], 1)) <= set(keys[:400])


def test_the_picture_is_well_formed_and_shows_each_axis_that_was_looked_at(tmp_path: Path) -> None:
    keys = [KEY, Key("jpeg", "5", 1, 1)]
    path = tmp_path / "reading.png"

    picture.write(dict.fromkeys(keys, Looked(READ, NEITHER, compared=True)), "Today <&>", path)

    words = [text.text for text in ET.parse(path.with_suffix(".svg")).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 - ours
    assert {"blur", "jpeg", "Today <&>"} <= set(words)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_the_command_looks_reports_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--axis", "fax", "--sample", "1", "--processes", "1"]

    assert command.main(words, tmp_path, tmp_path / "record") == 0
    first = capsys.readouterr().out
    lines = (tmp_path / "program.jsonl").read_text().splitlines()
    assert command.main(words, tmp_path, tmp_path / "record") == 0

    assert "read: 1 (100.0%)" in first
    assert capsys.readouterr().out == first
    assert (tmp_path / "program.jsonl").read_text().splitlines() == lines
    assert (tmp_path / "reading.png").exists()


FULL_RUN = """
import sys
from pathlib import Path
from tests.benchmarks.reading.__main__ import main
if __name__ == "__main__":
    sys.exit(main(["--full", "--keep"], *map(Path, sys.argv[1:])))
"""


def test_a_full_run_that_is_broken_off_packs_what_it_saw_and_goes_on_from_there_elsewhere(tmp_path: Path) -> None:
    here, there, record = tmp_path / "here", tmp_path / "there", tmp_path / "record"

    first = _broken_off(here, record)
    packed = lzma.decompress((record / "program.jsonl.xz").read_bytes()).splitlines()
    assert sorted(packed) == sorted(first)
    second = _broken_off(there, record)

    assert not {line.partition(b'"source"')[0] for line in first} & {line.partition(b'"source"')[0] for line in second}
    packed = lzma.decompress((record / "program.jsonl.xz").read_bytes()).splitlines()
    assert sorted(packed) == sorted(first + second)


def _broken_off(state: Path, record: Path) -> list[bytes]:
    """Begin a full run, end it when it has looked at something, and give the lines that it wrote."""
    written = state / "program.jsonl"
    run = subprocess.Popen([sys.executable, "-c", FULL_RUN, state, record], stdout=subprocess.DEVNULL)
    try:
        await_that(lambda: written.exists() and written.stat().st_size > 0, "an image was looked at", 120)
        run.terminate()
        assert run.wait(60) == 130
    finally:
        run.kill()
        run.wait()
    return written.read_bytes().splitlines()


ROOT = Path(__file__).parents[2]
CHANGED_RUN = """
import sys
from pathlib import Path
from tests.benchmarks.reading.__main__ import main
from tests.benchmarks.reading.states import loaded_state
if __name__ == "__main__":
    loaded_state()
    with Path(sys.argv[1]).open("a") as file:
        file.write(sys.argv[2])
    sys.exit(main(["--sample", "3", "--axis", "fax"], *map(Path, sys.argv[3:])))
"""


@pytest.mark.parametrize(
    ("file", "added", "said"),
    [
        ("daemon/skrynka/steps/fingerprints.py", "# changed\n", "Ended: files were changed meanwhile"),
        ("tests/support/ink.py", "# changed\n", "Ended: files were changed meanwhile"),
        ("daemon/skrynka/steps/fingerprints.py", "def (\n", "Ended: files were changed meanwhile"),
        ("tests/benchmarks/reading/running.py", "def (\n", "Ended: a process that looks at images can't begin"),
    ],
)
def test_files_that_change_during_a_run_end_it_and_nothing_of_theirs_is_recorded(
    file: str, added: str, said: str, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    for folder in ("config", "daemon", "tests/benchmarks/reading", "tests/support"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__", "record"))
    for path in (ROOT / "tests" / "benchmarks").glob("*.py"):
        shutil.copy(path, tree / "tests" / "benchmarks")

    words = [sys.executable, "-c", CHANGED_RUN, tree / file, added, tmp_path / "state", tmp_path / "record"]
    environment = {**os.environ, "PYTHONPATH": f"{tree}:{tree / 'daemon'}"}
    ended = subprocess.run(words, cwd=tree, env=environment, capture_output=True, text=True, check=False)

    assert ended.returncode == 2, ended.stderr
    assert ended.stdout.startswith(said)
    assert ended.stdout.count("\n") == 1
    assert not (tmp_path / "state" / "program.jsonl").exists()


def test_a_process_that_finds_the_same_files_looks_and_another_state_ends_the_run() -> None:
    state, todo = loaded_state(), [(Key("fax", "fine", 1, 1), True, Engines.NEVER)]

    assert [key for key, _, _ in look_at_all(todo, 1, state)] == [todo[0][0]]
    with pytest.raises(Changed):
        list(look_at_all(todo, 1, replace(state, images="others")))


def test_a_program_that_was_imported_from_elsewhere_has_no_state(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "daemon", tmp_path / "daemon", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "config", tmp_path / "config")
    words = [sys.executable, "-c", FULL_RUN, tmp_path / "state", tmp_path / "record"]

    environment = {**os.environ, "PYTHONPATH": f"{tmp_path / 'daemon'}"}
    ended = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert ended.returncode == 2, ended.stderr
    package = tmp_path / "daemon" / "skrynka"
    assert ended.stdout == f"The program was imported from {package}, not from {ROOT / 'daemon' / 'skrynka'}.\n"
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("others", [["--sample", "5"], ["--full", "--fresh"], ["--full", "--axis", "fax"]])
def test_less_than_a_full_run_takes_the_place_of_no_record(tmp_path: Path, others: list[str]) -> None:
    with pytest.raises(SystemExit):
        command.main([*others, "--keep"], tmp_path, tmp_path / "record")


def test_one_image_is_looked_at_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--image", "dpi/100 dpi/1"], tmp_path) == 0

    assert "Verdict.READ" in capsys.readouterr().out
    assert (tmp_path / "images" / "dpi 100 dpi 1.png").exists()


@pytest.mark.parametrize("name", ["turn/181°/1", "nothing/1/1", "turn/180°/x"])
def test_an_image_that_there_is_none_of_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        command.main(["--image", name], tmp_path)
