"""What the benchmark of the throughput works out of its trials."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pikepdf
import pytest

from tests.benchmarks.throughput.alternatives import half_scale, images_of
from tests.benchmarks.throughput.figures import Spread, marginal, rate, ratios, spread_out
from tests.benchmarks.throughput.idle import fork_servers, watched_seconds
from tests.benchmarks.throughput.ledger import Entry, Ledger
from tests.benchmarks.throughput.machine import beginning, describe
from tests.benchmarks.throughput.many_cases import fill, fill_archive, filled
from tests.benchmarks.throughput.picture import draw
from tests.benchmarks.throughput.processes_watched import Memory, Watch, cpu_seconds, rollup, ticks_of
from tests.benchmarks.throughput.ratios import ALL, forget_broken_off
from tests.benchmarks.throughput.run import Run
from tests.benchmarks.throughput.tables import picture, report, table
from tests.benchmarks.throughput.trials import Trial, new_station
from tests.support.layered import layered_pdf
from tests.support.papers import blank_paper
from tests.support.processes import await_that
from tests.support.scans import vector_pdf
from tests.support.stations import environment_of_the_unit

ROOT = Path(__file__).parents[2]


def entry(alternative: str, seconds: float, repetition: int = 1, pages: int = 10) -> Entry:
    return {"alternative": alternative, "seconds": seconds, "pages": pages, "repetition": repetition}


def test_a_ratio_is_taken_within_a_repetition_and_told_with_its_spread() -> None:
    entries = [entry("naive", 10), entry("daemon", 1), entry("naive", 20, 2), entry("daemon", 1, 2)]
    assert ratios(entries) == {"a": Spread(15.0, 10.0, 20.0)}


def test_a_repetition_that_lacks_a_side_is_left_out_of_the_ratios() -> None:
    assert ratios([entry("naive", 10), entry("daemon", 1, 2)]) == {}


def test_costs_are_compared_the_other_way_round() -> None:
    entries = [{**entry("naive", 1), "cost": 12.0}, {**entry("daemon", 1), "cost": 3.0}]
    assert ratios(entries, cost=lambda each: float(each["cost"]))["a"].median == pytest.approx(4)


def test_rates_of_different_numbers_of_pages_are_comparable() -> None:
    assert rate(entry("naive", 5, pages=10)) == rate(entry("daemon", 50, pages=100)) == 2


def test_the_marginal_cost_is_that_of_one_more_between_neighbouring_sizes() -> None:
    assert marginal({100: [12.0, 11.0, 13.0], 10: [3.0], 1000: [102.0]}) == {(10, 100): 0.1, (100, 1000): 0.1}


@pytest.mark.parametrize(
    ("total", "wanted", "run"), [(200, 10, 1), (40, 20, 10), (12, 20, 10), (5, 10, 1), (300, 60, 10)]
)
def test_the_pages_of_the_slow_ones_lie_over_the_whole_stack_and_none_comes_twice(
    total: int, wanted: int, run: int
) -> None:
    chosen = spread_out(total, wanted, run)
    assert chosen == sorted(set(chosen))
    assert chosen[0] == 1
    assert chosen[-1] <= total
    assert len(chosen) <= wanted
    assert all(
        following == begin + 1 for begin, following in zip(chosen[::run], chosen[1::run], strict=False) if run > 1
    )


def test_a_spread_is_written_with_its_least_and_most_where_they_differ() -> None:
    assert Spread.of([3.0, 1.0, 2.0]).written() == "2.0 (1.0–3.0)"
    assert Spread.of([2.0]).written(2) == "2.00"


def test_a_ledger_knows_what_was_measured_and_passes_a_broken_last_line_over(tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    trial = {"part": "ratios", "stack": "grey", "alternative": "daemon", "of": 40, "repetition": 1, "source": "a"}
    Ledger(file).add({**trial, "seconds": 1.0})
    with file.open("ab") as kept:
        kept.write(b'{"part": "rat')
    again = Ledger(file)
    assert again.has(trial)
    assert not again.has({**trial, "repetition": 2})
    again.add({**trial, "repetition": 2})
    assert len(Ledger(file).entries) == 2
    assert [each["seconds"] for each in again.like(part="ratios", repetition=1)] == [1.0]


def a_run(state: Path, minutes: float = 1.0) -> Run:
    return Run(pages=40, repetitions=2, seed=1, full=False, minutes=minutes, state=state, source="today")


def test_what_was_forgotten_is_measured_again_and_stays_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    trial = {"part": "ratios", "stack": "grey", "alternative": "daemon", "of": 40, "repetition": 1, "source": "a"}
    ledger = Ledger(file)
    ledger.add({**trial, "seconds": 1.0})
    ledger.add({**trial, "repetition": 2, "seconds": 2.0})
    ledger.forget(ledger.entries[1])

    assert not Ledger(file).has({**trial, "repetition": 2})
    ledger.add({**trial, "repetition": 2, "seconds": 3.0})
    assert ledger.entries == Ledger(file).entries
    assert [each["seconds"] for each in ledger.entries] == [1.0, 3.0]


def test_of_a_repetition_that_was_broken_off_what_is_older_than_an_hour_is_forgotten(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    now = datetime.now(UTC)
    old, young = ((now - timedelta(minutes=age)).isoformat(timespec="minutes") for age in (70, 50))
    for name in ALL:
        run.ledger.add({**run.key("ratios", name, "grey", 40, 1), "measured_at": old})
    run.ledger.add({**run.key("ratios", ALL[1], "grey", 40, 2), "measured_at": old})
    run.ledger.add({**run.key("ratios", ALL[2], "grey", 40, 2), "measured_at": young})
    run.ledger.add({**run.key("ratios", ALL[1], "g4", 40, 2), "measured_at": old})

    forget_broken_off(run, "grey")

    left = [(each["stack"], each["repetition"], each["alternative"]) for each in a_run(tmp_path).entries("ratios")]
    assert left == [*(("grey", 1, name) for name in ALL), ("grey", 2, ALL[2]), ("g4", 2, ALL[1])]


def test_an_entry_says_when_it_was_measured_and_how_busy_the_machine_was(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    run.once(run.key("ratios", "naive", "grey", 40, 1), lambda: Trial(40, 20.0, 20.0, Memory(), 90.0, {}))

    (entry,) = Ledger(tmp_path / "ledger.jsonl").entries
    assert datetime.now(UTC) - datetime.fromisoformat(entry["measured_at"]) < timedelta(minutes=2)
    assert entry["load"] >= 0


def test_the_report_says_from_when_to_when_it_was_measured() -> None:
    times = ("2026-11-30T09:05+00:00", "2026-11-29T23:59+00:00", "2026-11-30T08:00+00:00")
    entries = [{"measured_at": time, "load": load} for time, load in zip(times, (0.42, 1.31, 0.2), strict=True)]

    told = describe("today", entries)

    assert told.startswith(f"Measured from {times[1]} to {times[0]}, begun at a load of 0.2 to 1.3; ")
    assert describe("today", []).startswith("Nothing is measured yet; ")


TOLD_STATES = """
import sys
from pathlib import Path
from tests.benchmarks.throughput.machine import source_digest
for name in sys.argv[1:]:
    print(source_digest())
    with Path(name).open("a") as file:
        file.write("# changed")
print(source_digest())
"""


def test_the_state_is_told_of_all_that_has_a_part_in_the_figures(tmp_path: Path) -> None:
    for folder in ("config", "daemon", "systemd", "tests/benchmarks/throughput", "tests/support"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (ROOT / "tests" / "benchmarks").glob("*.py"):
        shutil.copy(path, tmp_path / "tests" / "benchmarks")
    counts = ("daemon/skrynka/service.py", "tests/benchmarks/throughput/idle.py", "tests/support/ink.py")
    words = [sys.executable, "-c", TOLD_STATES, *counts, "tests/support/test_oracle.py"]

    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{tmp_path / 'daemon'}"}
    said = subprocess.run(words, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True, check=True)

    told = said.stdout.split()
    assert len(set(told)) == 4
    assert told[3] == told[4]


def test_the_memory_of_this_process_is_seen_and_its_time() -> None:
    kept = bytearray(os.urandom(30_000_000))
    watch = Watch(os.getpid())
    now = watch.look()
    assert now.anonymous > len(kept) / 1e6
    assert now.total == pytest.approx(watch.peak.total)
    assert cpu_seconds(os.getpid()) > 0


def test_a_process_with_brackets_in_its_name_is_understood() -> None:
    assert ticks_of("7 (odd) name) S " + " ".join(map(str, range(4, 40)))) == (14, 15, 16, 17)
    assert rollup("0-f ---p [rollup]\nRss:  10 kB\nPss:   3 kB\n") == {"Rss": 10240, "Pss": 3072}


def test_the_picture_is_well_formed_and_says_every_ratio() -> None:
    svg = draw({"grey": {"a": Spread(31.2, 29, 33), "c": Spread(0.61, 0.6, 0.62)}, "g4 & more": {}}, "today")
    texts = [element.text for element in ET.fromstring(svg).iter() if element.text]  # noqa: S314 - our own
    assert {"31.2", "0.61", "g4 & more", "today"} <= set(texts)


def test_a_layered_page_is_two_images_one_of_them_a_mask_and_the_limit_decodes_both(tmp_path: Path) -> None:
    path = tmp_path / "page.pdf"
    path.write_bytes(layered_pdf(blank_paper(100, (100.0, 60.0), colour=True), 100))
    with pikepdf.open(path) as pdf:
        assert [bool(image.get("/ImageMask", False)) for image in images_of(pdf.pages[0])] == [False, True]
        assert half_scale(pdf, 1) == 2


def test_the_generated_cases_are_whole_rows_of_todays_tables_and_so_are_their_files(tmp_path: Path) -> None:
    station = new_station(tmp_path / "station")
    fill(tmp_path / "station" / "skrynka.db", 20)
    with closing(sqlite3.connect(tmp_path / "station" / "skrynka.db")) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute('SELECT count(*) FROM "case"').fetchone() == (20,)
        assert connection.execute("SELECT count(*), count(DISTINCT scan_id) FROM page").fetchone() == (60, 4)
        hashes = {sha for (sha,) in connection.execute("SELECT sha256 FROM document UNION SELECT sha256 FROM scan")}
    assert fill_archive(station.archive, 4) == 44
    stored = {path.stem for path in (station.archive / "documents").rglob("*.pdf")}
    assert stored <= hashes
    assert {path.parent.name for path in station.archive.rglob("original.pdf")} <= hashes


def test_a_database_with_many_cases_is_kept_for_the_state_of_what_made_it(tmp_path: Path) -> None:
    kept, station = tmp_path / "kept", new_station(tmp_path / "station")
    kept.mkdir()
    older, larger = kept / "0123-20.db", kept / "0123-120.db"
    for path in (older, larger):
        path.write_bytes(b"made by another state of the migrations")

    filled(kept, station, 20)

    assert not older.exists()
    (ready,) = set(kept.iterdir()) - {larger}
    assert isinstance(station.database, Path)
    assert station.database.read_bytes() == ready.read_bytes()
    with closing(sqlite3.connect(ready)) as connection:
        assert connection.execute('SELECT count(*) FROM "case"').fetchone() == (20,)
    made = ready.stat().st_mtime_ns
    filled(kept, station, 20)
    assert ready.stat().st_mtime_ns == made


def test_a_station_runs_with_what_the_unit_sets(tmp_path: Path) -> None:
    environment = new_station(tmp_path / "station").environment

    assert environment == {**environment_of_the_unit(), "SKRYNKA_LOGS__LEVEL": "info"}
    assert "MALLOC_ARENA_MAX" in environment


def test_what_readers_are_forked_from_is_seen_once_a_daemon_has_filed_a_scan(tmp_path: Path) -> None:
    station = new_station(tmp_path / "station")
    # With a word before it, it is started as it is measured: in a process of its own.
    with station.running("env") as daemon:
        assert fork_servers(daemon.process.pid) == []
        station.drop(vector_pdf([1]))
        daemon.wait_for("stack_filed")
        await_that(lambda: len(fork_servers(daemon.process.pid)) == 1, "its readers ended, their server goes on")


def test_who_watches_for_ten_minutes_watches_the_first_housekeeping_too() -> None:
    assert watched_seconds(600, since_start=75) == 625
    assert watched_seconds(600, since_start=300) == 600
    assert watched_seconds(60, since_start=75) == 60


def test_the_report_of_idling_says_what_was_in_the_station(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    costs = {"seconds": 60.0, "cpu_seconds": 0.6, "pss": 90.0, "pss_anonymous": 60.0, "pss_each": [80.2, 9.7]}
    sizes = {"archive_files": 44_000, "archive_megabytes": 0.4, "cases": 1_000_000, "database_megabytes": 3400.4}
    run.ledger.add({**run.key("idle", "daemon", "100 inboxes", 60, 1), **beginning(), "until": 135.2, **costs, **sizes})

    told = report(run)

    assert "The archive's files have 0.4 MB, the database 3,400 MB." in told
    assert "| 1.0 | 135 | 1.00 % | 90 | 60 | 80 + 10 |" in told


def test_a_table_has_a_heading_for_every_cell_and_nothing_else_passes() -> None:
    assert table(["stack", "d/a"], [["grey", "7.1"]]) == ["| stack | d/a |", "|---|---:|", "| grey | 7.1 |", ""]
    with pytest.raises(ValueError, match="cells"):
        table(["stack", "d/a"], [["grey", "7.1", "2.2"]])


def test_the_report_is_written_of_what_is_on_record_with_a_column_for_each_figure(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    figures = dict.fromkeys(("start_seconds", "first_seconds", "settle_seconds", "registered_after", "read_after"), 0.5)
    for name, seconds in (("naive", 20.0), ("daemon", 2.0), ("runs", 8.0), ("limit", 1.0)):
        costs = {"pages": 40, "seconds": seconds, "cpu_seconds": seconds, "pss": 100.0, "pss_anonymous": 90.0}
        more = {**figures, "own_cpu_seconds": 0.25} if name == "daemon" else {}
        run.ledger.add({**run.key("ratios", name, "grey", 40, 1), **beginning(), **costs, **more})
    told = report(run)
    assert "| grey JPEG, 300 dpi | 10.0 | 4.0 | 0.50 |" in told
    assert "| grey JPEG, 300 dpi | 0.50 | 0.50 | 0.50 | 0.50 | 0.50 | 2.00 | 0.25 |" in told
    assert "10.0" in (picture(run) or "")
