"""What one more costs as the work grows: pages in a file, files in an inbox, cases in the database."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.benchmarks.throughput.figures import marginal
from tests.benchmarks.throughput.ledger import Entry
from tests.benchmarks.throughput.many_cases import filled
from tests.benchmarks.throughput.run import Run
from tests.benchmarks.throughput.trials import Trial, new_station, try_daemon

PART = "growth"
_CASES = "cases"
_OFTEN = 200
"""Larger sizes are tried once: they take long, and noise is little beside them."""


@dataclass(frozen=True, slots=True)
class _Series:
    name: str
    title: str
    sizes: tuple[int, ...]
    full: tuple[int, ...]
    """Sizes for a full run only."""
    look: str
    attempt: Callable[[Run, int], Trial]

    def wanted(self, run: Run) -> tuple[int, ...]:
        return self.sizes + (self.full if run.full else ())


def measure(run: Run) -> None:
    """Measure what isn't on record."""
    count = sum(_repetitions(run, series, size) for series in _SERIES for size in series.wanted(run))
    with run.trials("growth", count):
        for repetition in range(1, run.repetitions + 1):
            for series in _SERIES:
                for size in series.wanted(run):
                    if repetition <= _repetitions(run, series, size):
                        key = run.key(PART, series.name, series.look, size, repetition)
                        run.once(key, lambda s=series, n=size: s.attempt(run, n))


def _repetitions(run: Run, series: _Series, size: int) -> int:
    return run.repetitions if size <= _OFTEN or series.name == _CASES else 1


def lines(run: Run) -> Iterator[str]:
    """Write the tables."""
    for series in _SERIES:
        entries = run.entries(PART, alternative=series.name)
        if entries:
            yield f"## Growth: {series.title}"
            yield ""
            yield from _table(series, entries)
            yield ""


def _table(series: _Series, entries: list[Entry]) -> Iterator[str]:
    by_size: dict[int, list[Entry]] = {}
    for entry in sorted(entries, key=lambda each: int(each["of"])):
        by_size.setdefault(int(entry["of"]), []).append(entry)
    costs = marginal({size: [float(each["seconds"]) for each in of] for size, of in by_size.items()})
    work = marginal({size: [float(each["cpu_seconds"]) for each in of] for size, of in by_size.items()})
    yield "| size | pages | s | pages/s | one more, ms | of a processor, ms | peak PSS, MB | anonymous, MB |"
    yield "|---:|---:|---:|---:|---:|---:|---:|---:|"
    before = None
    for size, of in by_size.items():
        seconds, pages = statistics.median(float(each["seconds"]) for each in of), int(of[0]["pages"])
        more = ["", ""]
        if series.name == _CASES:
            cpu = statistics.median(float(each["cpu_seconds"]) for each in of)
            more = [f"{1000 * seconds / pages:.1f} a page", f"{1000 * cpu / pages:.1f} a page"]
        elif before is not None:
            more = [f"{1000 * each[before, size]:.1f}" for each in (costs, work)]
        peak, own = max(each["pss"] for each in of), max(each["pss_anonymous"] for each in of)
        cells = [f"{size:,}", f"{pages:,}", f"{seconds:.2f}", f"{pages / seconds:.1f}", *more]
        yield f"| {' | '.join(cells)} | {peak:.0f} | {own:.0f} |"
        before = size


def _pages(look: str) -> Callable[[Run, int], Trial]:
    def attempt(run: Run, size: int) -> Trial:
        with run.folder() as folder:
            return try_daemon(new_station(folder), [run.material.stack(look, size)], run.material.first(look))

    return attempt


def _files(run: Run, size: int) -> Trial:
    with run.folder() as folder:
        return try_daemon(new_station(folder), run.material.singles("g4", size), run.material.first("g4"))


def _cases(run: Run, size: int) -> Trial:
    with run.folder() as folder:
        station = new_station(folder)
        station.once()  # so that its archive is known as its own
        if size:
            run.now(f"a database with {size:,} cases")
            filled(run.state / "databases", station, size)
        return try_daemon(station, [run.material.stack("grey", run.pages)], run.material.first("grey"))


_SERIES = (
    _Series("pages", "pages in one file, grey JPEG", (10, 100, 1000), (5000,), "grey", _pages("grey")),
    _Series("colour pages", "pages in one file, colour JPEG of a megabyte a page", (), (1000,), "fine", _pages("fine")),
    _Series("files", "files of one page, Group 4", (1, 100), (1000, 10_000), "g4", _files),
    _Series(_CASES, "cases in the database before", (0, 1_000_000), (), "grey", _cases),
)
