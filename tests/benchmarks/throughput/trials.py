"""One trial of one alternative over one stack: its rate, its processor time, its memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.benchmarks.throughput.material import BOX, StackFile
from tests.benchmarks.throughput.processes_watched import Memory, Watch, cpu_seconds, own_cpu_seconds, watched
from tests.support.stations import Daemon, Station, environment_of_the_unit, make_station

_ROOT = Path(__file__).parents[3]
_END = {"stack_filed", "scan_quarantined"}
LEAST_LIMIT = 120.0
"""Seconds that a trial may take at least, before something is wrong; each page adds to it."""
_SECONDS_A_PAGE = 3.0


class TrialFailed(Exception):
    """A trial didn't do what is measured: its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial came to."""

    pages: int
    seconds: float
    cpu_seconds: float
    memory: Memory
    """At the peak."""
    anonymous: float
    """Megabytes at most; the peak of it need not be the peak of all."""
    more: Mapping[str, float]
    """What else is worth keeping, by name."""

    def told(self) -> dict[str, Any]:
        """Give it as it is kept."""
        return {
            "pages": self.pages,
            "seconds": round(self.seconds, 4),
            "cpu_seconds": round(self.cpu_seconds, 2),
            "pss": self.memory.total,
            "pss_anonymous": self.anonymous,
            "pss_files_at_peak": self.memory.files,
            "processes_at_peak": self.memory.processes,
            **{name: round(value, 4) for name, value in self.more.items()},
        }


def try_program(name: str, path: Path, pages: Sequence[int]) -> Trial:
    """Run one of the alternatives over these pages of a file. Raises TrialFailed."""
    words = [
        sys.executable,
        "-m",
        "tests.benchmarks.throughput.alternatives",
        name,
        str(path),
        ",".join(map(str, pages)),
    ]
    with (
        subprocess.Popen(words, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
        watched(process.pid) as watch,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        if not process.stdout.readline():
            raise TrialFailed(f"{name} did not begin")
        before = cpu_seconds(process.pid)
        process.stdin.write("go\n")
        process.stdin.flush()
        told = process.stdout.readline()
        cpu = cpu_seconds(process.pid) - before
        if not told:
            raise TrialFailed(f"{name} broke off")
        said = json.loads(told)
        process.stdin.close()
    return _trial(len(pages), said["seconds"], cpu, watch, {"found": float(said["found"])})


def new_station(folder: Path, boxes: Sequence[str] = (BOX,)) -> Station:
    """Make a station with the settings that an admin finds and the environment that the unit sets, its log in JSON."""
    station = make_station(folder, boxes)
    station.environment = {**environment_of_the_unit(), "SKRYNKA_LOGS__LEVEL": "info"}
    return station


def try_daemon(station: Station, stacks: Sequence[StackFile], first: StackFile) -> Trial:
    """Start the daemon on a station, move files into its inbox, wait until all of it is filed; end it.

    The clock runs from the first claim to the last commit, by the log's own times. The scan `first` goes before, so
    that what the daemon puts off until there is work is stated apart. Raises TrialFailed.
    """
    pages, sheets = sum(stack.pages for stack in stacks), sum(stack.sheets for stack in stacks)
    waiting = [_beside(station, stack, number) for number, stack in enumerate([first, *stacks])]
    began = datetime.now().astimezone()
    with station.running() as daemon, watched(daemon.process.pid) as watch:
        waiting[0].rename(station.inbox() / waiting[0].name)
        await_filed(daemon, 1, LEAST_LIMIT)
        warm = _Log(daemon.lines.copy())
        before, own_before = cpu_seconds(daemon.process.pid), own_cpu_seconds(daemon.process.pid)
        dropped = datetime.now().astimezone()
        for path in waiting[1:]:
            path.rename(station.inbox() / path.name)
        await_filed(daemon, len(stacks), LEAST_LIMIT + _SECONDS_A_PAGE * pages)
        cpu = cpu_seconds(daemon.process.pid) - before
        own = own_cpu_seconds(daemon.process.pid) - own_before
        log = _Log(daemon.lines[len(warm.lines) :])
    filed = [line for line in log.lines if line["event"] == "stack_filed"]
    if (sum(line["pages"] for line in filed), sum(line["cases"] for line in filed)) != (pages, sheets):
        raise TrialFailed(f"of {pages} pages and {sheets} cases the daemon filed others: {filed}")
    claimed = log.first("scan_claimed")
    more = {
        "start_seconds": (warm.first("service_ready") - began).total_seconds(),
        "first_seconds": (warm.last("stack_filed") - warm.first("scan_claimed")).total_seconds(),
        "settle_seconds": (claimed - dropped).total_seconds(),
        "registered_after": (log.last("scan_registered") - claimed).total_seconds(),
        "read_after": (log.last("scan_read") - claimed).total_seconds(),
        "own_cpu_seconds": own,
        "files": float(len(stacks)),
    }
    return _trial(pages, (log.last("stack_filed") - claimed).total_seconds(), cpu, watch, more)


@dataclass(frozen=True, slots=True)
class _Log:
    lines: Sequence[Mapping[str, Any]]

    def first(self, event: str) -> datetime:
        return self._times(event)[0]

    def last(self, event: str) -> datetime:
        return self._times(event)[-1]

    def _times(self, event: str) -> list[datetime]:
        return [datetime.fromisoformat(line["time"]) for line in self.lines if line["event"] == event]


def _beside(station: Station, stack: StackFile, number: int) -> Path:
    """Put a file beside the inbox, to be moved into it; a link, for the daemon copies what it takes anyway."""
    path = station.folder / "outside" / f"{number:06d}.pdf"
    path.parent.mkdir(exist_ok=True)
    path.hardlink_to(stack.path)
    return path


def await_filed(daemon: Daemon, files: int, limit: float) -> None:
    """Wait until so many scans are filed. Raises TrialFailed where one isn't."""
    for _ in range(files):
        line = daemon.wait_for_any(_END, limit)
        if line["event"] != "stack_filed":
            raise TrialFailed(f"the daemon put a scan into quarantine: {line['message']}")


def _trial(pages: int, seconds: float, cpu: float, watch: Watch, more: Mapping[str, float]) -> Trial:
    if watch.unreadable:
        raise TrialFailed("the memory of its processes can't be read: run this as root or as the processes' account")
    return Trial(pages, seconds, cpu, watch.peak, watch.peak_anonymous, more)
