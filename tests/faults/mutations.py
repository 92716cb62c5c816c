"""The row of mutated scans: a real daemon takes them by the hundred, and is the same afterwards as before."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

import psutil

from tests.faults.mutants import FILED, Mutant, mutant
from tests.faults.outcries import outcries
from tests.faults.row import Injected, Row
from tests.faults.sources import Source, draw_sources
from tests.support.oracle import Row as Found
from tests.support.oracle import dropped, misfits, query
from tests.support.processes import await_that, drawers, readers
from tests.support.stations import Daemon, Station, make_station
from tests.support.stored_documents import ids_in_pdf

ROUND = 250
"""Scans that are dropped together, and judged together."""
_PAGE_SECONDS, _SCAN_SECONDS = 20, 60
_ROUND_SECONDS = 600.0
_AT_MOST_GROWN = 1.05
"""Resident memory of the daemon, after a round over that after its first thousand scans."""
_WARM = 1000
"""Scans until a daemon has met everything that it keeps for good."""
_BOXES = ("OBL-01", "OBL-02")
_OF_READERS = frozenset({"reader_started", "scan_read", "scan_quarantined"})
_ENDS = frozenset({"scan_finished", "scan_quarantined", "scan_duplicated"})
_OPTIONS = {
    "LIMITS__PAGE_SECONDS": str(_PAGE_SECONDS),
    "LIMITS__SCAN_SECONDS": str(_SCAN_SECONDS),
    "INTAKE__QUIET_SECONDS": "0.2",
    "INTAKE__GIVE_UP_SECONDS": "0.3",
    "INTAKE__SWEEP_SECONDS": "1",
}


def inject(folder: Path, seed: int, first: int) -> Iterator[Injected]:
    """Drop mutants, a round of them at a time, into one daemon's inboxes, and judge what became of each."""
    station = make_station(folder / "station", _BOXES, options=_OPTIONS)
    desk = _Desk(station, draw_sources(), seed)
    try:
        dropped_now = desk.drop(range(first, first + ROUND))
        for begin in count(first + ROUND, ROUND):
            done = desk.finish(dropped_now)
            # The daemon is at work on these while the others are judged.
            dropped_now = desk.drop(range(begin, begin + ROUND)) if not done.wrong else []
            yield from desk.judge(done)
    finally:
        desk.daemon.kill()


@dataclass(frozen=True, slots=True)
class _Done:
    """A round that the daemon is done with."""

    mutants: Sequence[Mutant]
    numbers: range
    """Of the scans, as the daemon numbered them."""
    wrong: list[str]
    """What was wrong with the daemon, or with the station as a whole."""
    figures: str


class _Desk:
    def __init__(self, station: Station, sources: Sequence[Source], seed: int) -> None:
        self.station = station
        self.daemon = Daemon(station)
        self.daemon.wait_for("service_ready")
        self._sources = sources
        self._seed = seed
        self._seen: set[str] = set()
        self._finished = 0
        """Scans that the daemon is done with: they have the numbers up to this one."""
        self._began = 0.0
        self._warm: int | None = None
        """Resident bytes after the first thousand scans."""
        self._heard = 0
        """Lines of the log that were looked through for times."""
        self._times: dict[str, list[datetime]] = {}

    def drop(self, numbers: range) -> list[Mutant]:
        """Drop the mutants of these numbers together."""
        mutants = [self._unlike_the_others(number) for number in numbers]
        self._began = time.monotonic()
        for mutated in mutants:
            self.station.drop(mutated.data, f"scan{mutated.number:05d}", _BOXES[mutated.number % len(_BOXES)])
        return mutants

    def finish(self, mutants: Sequence[Mutant]) -> _Done:
        """Wait until the daemon is done with them and at rest, and look at it then."""
        wrong = self._wait(len(mutants))
        speed = len(mutants) / (time.monotonic() - self._began)
        numbers = range(self._finished + 1, self._finished + len(mutants) + 1)
        self._finished += len(mutants)
        wrong += outcries([self.daemon])
        if self.daemon.process.poll() is not None:
            return _Done(mutants, numbers, [*wrong, "the daemon is dead"], "")
        left = [path for folder in self.station.leftovers for path in folder.rglob("*") if not path.is_dir()]
        wrong += [f"{len(left)} files are left behind"] if left else []
        resident = int(psutil.Process(self.daemon.process.pid).memory_info().rss)
        if self._warm is None and self._finished >= _WARM:
            self._warm = resident
        if self._warm is not None and resident > self._warm * _AT_MOST_GROWN:
            wrong.append(f"the daemon grew from {self._warm >> 20} MB after {_WARM} scans to {resident >> 20} MB")
        return _Done(mutants, numbers, wrong, f"{speed:.1f} scans/s, {self._figures(resident)}")

    def judge(self, done: _Done) -> Iterator[Injected]:
        """Give what became of each."""
        wrong = self._judge(done) if not done.wrong else {}
        *others, last = done.mutants
        for mutated in others:
            yield Injected(mutated.number, mutated.what, tuple(wrong.get(mutated.number, ())))
        at = f"{last.what}; {done.figures}"
        yield Injected(last.number, at, (*wrong.get(last.number, ()), *done.wrong, *wrong.get(0, ())))

    def _unlike_the_others(self, number: int) -> Mutant:
        """Make a mutant whose bytes didn't come before: it would be a duplicate, and that is another test."""
        for salt in count():
            mutated = mutant(self._seed, number, self._sources, salt)
            digest = hashlib.sha256(mutated.data).hexdigest()
            if digest not in self._seen:
                self._seen.add(digest)
                return mutated
        raise AssertionError

    def _wait(self, scans: int) -> list[str]:
        """Wait until so many more scans are done; say what keeps them."""
        ends = time.monotonic() + _ROUND_SECONDS
        try:
            for _ in range(scans):
                self.daemon.wait_for_any(_ENDS, max(0.0, ends - time.monotonic()))
            pid = self.daemon.process.pid
            await_that(lambda: not readers(pid) and not drawers(pid), "no process is left", _PAGE_SECONDS)
        except AssertionError as late:
            return [str(late).partition("\n")[0]]
        return []

    def _judge(self, done: _Done) -> dict[int, list[str]]:
        """Say what is wrong, by the mutants' numbers; under 0 what can't be told of one."""
        rows = {row["sha256"]: row for row in query(self.station.database, "SELECT * FROM scan")}
        stored = query(
            self.station.database,
            "SELECT DISTINCT scan_id, document.sha256 AS sha256 FROM page JOIN document ON document.id = document_id",
        )
        wrong: dict[int, list[str]] = {}
        by_name: dict[int, int] = {}
        truths = []
        for mutated in done.mutants:
            truths.append(dropped(mutated.data, mutated.source.pages if mutated.intact else (), spoilt=None))
            row = rows.get(truths[-1].sha256)
            if row is not None:
                by_name[row["number"]] = mutated.number
                digests = [each["sha256"] for each in stored if each["scan_id"] == row["id"]]
                wrong[mutated.number] = self._wrong_with(mutated, row, digests)
        for sentence in misfits(self.station.database, self.station.archive, truths, numbers=done.numbers):
            named = re.search(r"\bscan (\d+)\b", sentence)
            wrong.setdefault(by_name.get(int(named[1]), 0) if named else 0, []).append(sentence)
        return wrong

    def _wrong_with(self, mutated: Mutant, row: Found, digests: Sequence[str]) -> list[str]:
        outcome = FILED if row["state"] == "filed" else row["quarantine_reason"] or row["state"]
        wrong = [] if outcome in mutated.outcomes else [f"it ended as {outcome}, page {row['quarantine_page']}"]
        if outcome == FILED and mutated.moves_pages:
            strangers = self._ids_in(digests) - set(mutated.source.page_ids)
            wrong += [f"pages {sorted(strangers)} of other scans lie in its documents"] if strangers else []
        seconds = self._seconds_of(row["id"])
        wrong += [f"it took {seconds:.0f} s"] if seconds > _SCAN_SECONDS else []
        return wrong

    def _ids_in(self, digests: Sequence[str]) -> set[int]:
        ids: set[int] = set()
        for digest in digests:
            path = self.station.archive / "documents" / digest[:2] / f"{digest}.pdf"
            try:
                ids |= {page_id for page_id in ids_in_pdf(path) if page_id is not None}
            except Exception:  # noqa: BLE001, S112 - a damaged picture needn't be one for other libraries
                continue
        return ids

    def _seconds_of(self, scan_id: str) -> float:
        """Say how long its readers took, from the first one's start to what came of it."""
        while self._heard < len(self.daemon.lines):
            line = self.daemon.lines[self._heard]
            self._heard += 1
            if line["event"] in _OF_READERS and "scan_id" in line:
                self._times.setdefault(line["scan_id"], []).append(datetime.fromisoformat(line["time"]))
        times = self._times.get(scan_id, [])
        return (times[-1] - times[0]).total_seconds() if times else 0.0

    def _figures(self, resident: int) -> str:
        process = psutil.Process(self.daemon.process.pid)
        first = f", {self._warm / 2**20:.1f} MB after the first thousand" if self._warm is not None else ""
        return (
            f"{self._finished} scans by one daemon: {resident / 2**20:.1f} MB resident{first},"
            f" {process.num_fds()} descriptors, {process.num_threads()} threads"
        )


ROWS = [
    Row("mutations", "Scans of every kind are mutated, and a daemon takes them by the hundred", 20_000, inject),
]
