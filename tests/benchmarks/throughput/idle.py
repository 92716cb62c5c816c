"""What a daemon costs that has nothing to do: a hundred inboxes, a filled archive, a database of many years.

The archive has 44,000 files, which are small, for nobody reads them: originals and documents of 4,000 scans; the
database has a million cases, 3.4 GB. The daemon is one that has worked: it has filed a scan, and the process that its
readers were forked from has ended again, a minute later. Housekeeping looks through the archive for the first time 600
seconds after the start, then once a day (an hour later, where something was on its way): who watches for ten minutes
has watched that too.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.benchmarks.throughput.machine import beginning
from tests.benchmarks.throughput.many_cases import fill_archive, filled
from tests.benchmarks.throughput.material import BOX
from tests.benchmarks.throughput.processes_watched import Watch, cpu_seconds, tree_of
from tests.benchmarks.throughput.run import Run
from tests.benchmarks.throughput.trials import LEAST_LIMIT, TrialFailed, await_filed, new_station

PART = "idle"
_INBOXES = 100
_CASES = 1_000_000
_MEGABYTE = 1_000_000
_SCANS = 4_000
"""In the archive, with their documents, ten each."""
_RESTING_SECONDS = 180.0
"""Within which the process that readers are forked from ends: the daemon gives it one minute."""
_SETTLING_SECONDS = 5.0
"""After that: what it does then isn't idling."""
_LONG_SECONDS = 600.0
_HOUSEKEEPING_SECONDS = 700.0
"""After the start the first housekeeping is over: it begins at 600 s. Who watches long watches until then."""
_EVERY_SECONDS = 5.0
_FORK_SERVER = "multiprocessing.forkserver"
"""Stands in the command line of the process that readers are forked from."""


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
            database = station.folder / "skrynka.db"
            megabytes = database.stat().st_size / _MEGABYTE, _size(station.archive) / _MEGABYTE
            begun, started = beginning(), time.monotonic()
            with station.running() as daemon:
                pid = daemon.process.pid
                run.now("a scan of one page, and the rest after it")
                station.drop(run.material.first("grey").path.read_bytes())
                await_filed(daemon, 1, LEAST_LIMIT)
                _await_rest(pid)
                wanted = watched_seconds(60 * run.minutes, time.monotonic() - started)
                run.now(f"idle for {wanted / 60:.1f} minutes")
                before, watch = cpu_seconds(pid), Watch(pid)
                seconds = _idle(wanted, watch)
                cpu, memory = cpu_seconds(pid) - before, watch.look()
                each = [Watch(one).look_alone() for one in tree_of(pid)]
                until = time.monotonic() - started
        run.ledger.add({
            **key,
            **begun,
            "until": round(until, 1),
            "seconds": round(seconds, 1),
            "cpu_seconds": round(cpu, 2),
            "pss": watch.peak.total,
            "pss_anonymous": watch.peak_anonymous,
            "pss_at_end": memory.total,
            "pss_each": each,
            "archive_files": files,
            "archive_megabytes": round(megabytes[1], 1),
            "cases": _CASES,
            "database_megabytes": round(megabytes[0], 1),
        })  # fmt: skip
        run.done(f"idle: {100 * cpu / seconds:.2f} % of a core, {watch.peak.total:.0f} MB")


def watched_seconds(wanted: float, since_start: float) -> float:
    """Say how long to watch who wants so many seconds, so many after the start: long, then past the housekeeping."""
    return max(wanted, _HOUSEKEEPING_SECONDS - since_start) if wanted >= _LONG_SECONDS else wanted


def fork_servers(pid: int) -> list[int]:
    """Give the processes of a daemon that its readers are forked from, and readers."""
    found = []
    for each in tree_of(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            if any(_FORK_SERVER in word for word in psutil.Process(each).cmdline()):
                found.append(each)
    return found


def _await_rest(pid: int) -> None:
    """Wait until the daemon has ended what its readers were forked from. Raises TrialFailed."""
    ends = time.monotonic() + _RESTING_SECONDS
    while fork_servers(pid):
        if time.monotonic() > ends:
            raise TrialFailed(f"{_RESTING_SECONDS:.0f} s after its last scan the daemon still kept readers ready")
        threading.Event().wait(1)
    threading.Event().wait(_SETTLING_SECONDS)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


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
    last = entries[-1]
    yield f"## Idle: {_INBOXES} inboxes, {last['archive_files']:,} files, {last['cases']:,} cases"
    yield ""
    yield (
        f"The archive's files have {last['archive_megabytes']:,.1f} MB, the database {last['database_megabytes']:,.0f} "
        "MB. It has filed one scan before, and what its readers were forked from has ended again. Housekeeping begins "
        "for the first time 600 s after the start."
    )
    yield ""
    heads = ("watched, min", "until, s after the start", "of a core", "peak PSS, MB", "anonymous, MB")
    yield f"| {' | '.join(heads)} | of each process at the end, MB |"
    yield "|---:|---:|---:|---:|---:|---:|"
    for entry in entries:
        cells = [
            f"{entry['seconds'] / 60:.1f}",
            f"{entry['until']:.0f}",
            f"{100 * entry['cpu_seconds'] / entry['seconds']:.2f} %",
            f"{entry['pss']:.0f}",
            f"{entry['pss_anonymous']:.0f}",
            " + ".join(f"{one:.0f}" for one in entry["pss_each"]),
        ]
        yield f"| {' | '.join(cells)} |"
    yield ""
