"""The row of mutated scans: a real daemon takes them by the hundred, and is the same afterwards as before."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import psutil

from tests.faults.mutants import FILED, Mutant, mutant
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
        for begin in count(first, ROUND):
            yield from desk.round(range(begin, begin + ROUND))
    finally:
        desk.daemon.kill()


class _Desk:
    def __init__(self, station: Station, sources: Sequence[Source], seed: int) -> None:
        self.station = station
        self.daemon = Daemon(station)
        self.daemon.wait_for("service_ready")
        self._sources = sources
        self._seed = seed
        self._seen: set[str] = set()
        self._judged = 0
        """Scans that were judged: they have the numbers up to this one."""
        self._warm: int | None = None
        """Resident bytes after the first thousand scans."""

    def round(self, numbers: range) -> Iterator[Injected]:
        """Drop the mutants of these numbers together; give what became of each once all are done."""
        mutants = {mutated.data: mutated for mutated in map(self._unlike_the_others, numbers)}
        began = time.monotonic()
        for mutated in mutants.values():
            self.station.drop(mutated.data, f"scan{mutated.number:05d}", _BOXES[mutated.number % len(_BOXES)])
        round_wrong = self._wait(len(mutants))
        seconds = time.monotonic() - began
        wrong = self._judge(list(mutants.values())) if not round_wrong else {}
        round_wrong += self._look_at_the_daemon()
        self._judged += len(mutants)
        *others, last = mutants.values()
        for mutated in others:
            yield Injected(mutated.number, mutated.what, tuple(wrong.get(mutated.number, ())))
        told = f"{last.what}; {len(mutants) / seconds:.1f} scans/s, {self._figures()}"
        yield Injected(last.number, told, (*wrong.get(last.number, ()), *round_wrong, *wrong.get(0, ())))

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

    def _judge(self, mutants: Sequence[Mutant]) -> dict[int, list[str]]:
        """Say what is wrong, by the mutants' numbers; under 0 what can't be told of one."""
        rows = {row["sha256"]: row for row in query(self.station.database, "SELECT * FROM scan")}
        wrong: dict[int, list[str]] = {}
        by_name: dict[int, int] = {}
        truths = []
        for mutated in mutants:
            truths.append(dropped(mutated.data, mutated.source.pages if mutated.intact else (), spoilt=None))
            row = rows.get(truths[-1].sha256)
            if row is not None:
                by_name[row["number"]] = mutated.number
                wrong[mutated.number] = self._wrong_with(mutated, row)
        misfitting = misfits(
            self.station.database, self.station.archive, truths, empty_folders=self.station.leftovers,
            after=self._judged,
        )  # fmt: skip
        for sentence in misfitting:
            named = re.search(r"\bscan (\d+)\b", sentence)
            wrong.setdefault(by_name.get(int(named[1]), 0) if named else 0, []).append(sentence)
        return wrong

    def _wrong_with(self, mutated: Mutant, row: Found) -> list[str]:
        outcome = FILED if row["state"] == "filed" else row["quarantine_reason"] or row["state"]
        wrong = [] if outcome in mutated.outcomes else [f"it ended as {outcome}, page {row['quarantine_page']}"]
        if outcome == FILED and mutated.moves_pages:
            strangers = self._ids_stored_of(row) - set(mutated.source.page_ids)
            wrong += [f"pages {sorted(strangers)} of other scans lie in its documents"] if strangers else []
        return wrong

    def _ids_stored_of(self, row: Found) -> set[int]:
        stored = query(
            self.station.database,
            "SELECT DISTINCT scan_id, document.sha256 AS sha256 FROM page JOIN document ON document.id = document_id",
        )
        ids: set[int] = set()
        for digest in (each["sha256"] for each in stored if each["scan_id"] == row["id"]):
            path = self.station.archive / "documents" / digest[:2] / f"{digest}.pdf"
            try:
                ids |= {page_id for page_id in ids_in_pdf(path) if page_id is not None}
            except Exception:  # noqa: BLE001, S112 - a damaged picture needn't be one for other libraries
                continue
        return ids

    def _look_at_the_daemon(self) -> list[str]:
        if self.daemon.process.poll() is not None:
            return ["the daemon is dead"]
        resident = self._resident()
        done = self._judged + ROUND
        if self._warm is None and done >= _WARM:
            self._warm = resident
        if self._warm is not None and resident > self._warm * _AT_MOST_GROWN:
            return [f"the daemon grew from {self._warm >> 20} MB after {_WARM} scans to {resident >> 20} MB"]
        return []

    def _figures(self) -> str:
        process = psutil.Process(self.daemon.process.pid)
        first = f", {self._warm >> 20} MB after the first thousand" if self._warm is not None else ""
        return (
            f"{self._judged} scans by one daemon: {self._resident() / 2**20:.1f} MB resident{first},"
            f" {process.num_fds()} descriptors, {process.num_threads()} threads"
        )

    def _resident(self) -> int:
        return int(psutil.Process(self.daemon.process.pid).memory_info().rss)


ROWS = [
    Row("mutations", "Scans of every kind are mutated, and a daemon takes them by the hundred", 20_000, inject),
]
