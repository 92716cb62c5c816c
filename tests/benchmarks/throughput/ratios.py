"""The daemon beside its alternatives, in turn, over the same stacks."""

from __future__ import annotations

from tests.benchmarks.throughput.alternatives import RUN_PAGES
from tests.benchmarks.throughput.figures import DAEMON, LIMIT, NAIVE, RUNS, spread_out
from tests.benchmarks.throughput.ledger import Entry
from tests.benchmarks.throughput.machine import age_seconds
from tests.benchmarks.throughput.material import STACKS, StackFile
from tests.benchmarks.throughput.run import Run
from tests.benchmarks.throughput.trials import Trial, new_station, try_daemon, try_program

PART = "ratios"
IN_FILES = "daemon-files"
"""The daemon with the same pages in several files, as a feeder leaves them."""
ALL = (NAIVE, DAEMON, RUNS, LIMIT, IN_FILES)
_SLOW_PAGES = {NAIVE: 20, RUNS: 20}
"""Rates of these are the same after a few pages; the rest of their time would only be waited for."""
_FILE_PAGES = 40
_LASTS_SECONDS = 3_600.0
"""Longer after a trial the machine may be another: what is measured then isn't compared with it."""


def measure(run: Run) -> None:
    """Measure what isn't on record."""
    for look in STACKS:
        _parts(run, look)
        forget_broken_off(run, look)
    with run.trials("the daemon and its alternatives", run.repetitions * len(STACKS) * len(ALL)):
        for repetition in range(1, run.repetitions + 1):
            # Each repetition begins with another one: who comes first has the disk's and the clock's best.
            turn = (repetition - 1) % len(ALL)
            for look in STACKS:
                for name in ALL[turn:] + ALL[:turn]:
                    run.once(run.key(PART, name, look, run.pages, repetition), lambda n=name, s=look: _try(run, n, s))


def forget_broken_off(run: Run, look: str) -> None:
    """Forget what was measured long ago of a stack's repetitions that were broken off: they are measured in turn."""
    by_repetition: dict[int, list[Entry]] = {}
    for entry in run.entries(PART, stack=look, of=run.pages):
        by_repetition.setdefault(int(entry["repetition"]), []).append(entry)
    for entries in by_repetition.values():
        if {entry["alternative"] for entry in entries} != set(ALL):
            for entry in entries:
                if age_seconds(entry) > _LASTS_SECONDS:
                    run.ledger.forget(entry)


def _try(run: Run, name: str, look: str) -> Trial:
    stack = run.material.stack(look, run.pages)
    if name in {DAEMON, IN_FILES}:
        with run.folder() as folder:
            stacks = [stack] if name == DAEMON else _parts(run, look)
            return try_daemon(new_station(folder), stacks, run.material.first(look))
    wanted = _SLOW_PAGES.get(name, stack.pages)
    return try_program(name, stack.path, spread_out(stack.pages, wanted, RUN_PAGES if name == RUNS else 1))


def _parts(run: Run, look: str) -> list[StackFile]:
    run.material.stack(look, run.pages)
    return [
        run.material.stack(look, min(_FILE_PAGES, run.pages - first), first)
        for first in range(0, run.pages, _FILE_PAGES)
    ]
