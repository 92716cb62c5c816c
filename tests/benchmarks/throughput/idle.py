"""What a daemon costs that has nothing to do: a hundred inboxes, a filled archive, a database of many years."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from tests.benchmarks.throughput.many_cases import fill_archive, filled
from tests.benchmarks.throughput.material import BOX
from tests.benchmarks.throughput.processes_watched import Watch, cpu_seconds, tree_of
from tests.benchmarks.throughput.run import Run
from tests.benchmarks.throughput.trials import new_station

PART = "idle"
_INBOXES = 100
_CASES = 1_000_000
_SCANS = 4_000
"""In the archive, with their documents, ten each."""
_SETTLING_SECONDS = 15.0
"""After the start: what it does then isn't idling."""
_EVERY_SECONDS = 5.0


def measure(run: Run) -> None:
    """Watch it, unless that is on record."""
    with run.trials("idle", 1):
        key = run.key(PART, "daemon", f"{_INBOXES} inboxes", round(60 * run.minutes), 1)
        if run.ledger.has(key):
            return
        with run.folder() as folder:
            run.now("a station with a hundred inboxes and a filled archive")
            station = new_station(folder, [BOX, *(f"BOX-{number:03d}" for number in range(2, _INBOXES + 1))])
            station.once()
            filled(run.state / "databases", station, _CASES)
            files = fill_archive(station.archive, _SCANS)
            with station.running() as daemon:
                threading.Event().wait(_SETTLING_SECONDS)
                run.now(f"idle for {run.minutes:g} minutes")
                pid = daemon.process.pid
                before, watch = cpu_seconds(pid), Watch(pid)
                seconds = _idle(60 * run.minutes, watch)
                cpu, memory = cpu_seconds(pid) - before, watch.look()
                each = [Watch(one).look_alone() for one in tree_of(pid)]
        run.ledger.add({
            **key,
            "seconds": round(seconds, 1),
            "cpu_seconds": round(cpu, 2),
            "pss": watch.peak.total,
            "pss_anonymous": watch.peak_anonymous,
            "pss_at_end": memory.total,
            "pss_each": each,
            "archive_files": files,
            "cases": _CASES,
        })  # fmt: skip
        run.done(f"idle: {100 * cpu / seconds:.2f} % of a core, {watch.peak.total:.0f} MB")


def _idle(wanted: float, watch: Watch) -> float:
    """Wait, looking at the memory now and then; give the seconds that count: a machine that stood still didn't idle."""
    seconds, looked = 0.0, time.monotonic()
    while seconds < wanted:
        threading.Event().wait(_EVERY_SECONDS)
        watch.look()
        now = time.monotonic()
        seconds, looked = seconds + min(now - looked, 2 * _EVERY_SECONDS), now
    return seconds


def lines(run: Run) -> Iterator[str]:
    """Write the table."""
    entries = run.entries(PART)
    if not entries:
        return
    yield f"## Idle: {_INBOXES} inboxes, {entries[-1]['archive_files']:,} files, {entries[-1]['cases']:,} cases"
    yield ""
    yield "| watched, min | of a core | peak PSS, MB | anonymous, MB | of each process at the end, MB |"
    yield "|---:|---:|---:|---:|---:|"
    for entry in entries:
        share = 100 * entry["cpu_seconds"] / entry["seconds"]
        yield (
            f"| {entry['seconds'] / 60:.1f} | {share:.2f} % | {entry['pss']:.0f} | {entry['pss_anonymous']:.0f} "
            f"| {' + '.join(f'{one:.0f}' for one in entry.get('pss_each', ()))} |"
        )
    yield ""
