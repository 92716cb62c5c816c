"""The bench that faults are tried on: a station, a daemon on it that is started as often as need be, and the judge.

A station may be set back to how it was, so that the same pile takes the same calls each time; or it bears one fault
after another. What was dropped since is judged after each, and every pile must have come to what a pile of its kind
comes to when nothing happens.
"""

from __future__ import annotations

import itertools
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.outcries import outcries
from tests.faults.piles import SINGLE, STACKED, Pile, draw_pile
from tests.support.databases import Postgres, memory_folder
from tests.support.durable_calls import DurableCalls
from tests.support.oracle import Dropped, misfits, query
from tests.support.outcomes import outcome
from tests.support.processes import alive, await_that
from tests.support.stations import Daemon, Station, make_station
from tests.support.warm_daemons import WarmDaemons

LIMIT = 30.0
"""Seconds in which a station must be done with what is left when a fault is over."""
_RETRY_SECONDS = 0.2
_UNASKED_SECONDS = 1.0
"""Every look asks the database, and is counted on PostgreSQL: five loops leave quiet times between them."""
_LOOK_SECONDS = 0.05
_QUIET_SECONDS = 0.15
"""A daemon that was done so long ago makes no durable call any more that belongs to it."""
_OPTIONS = {
    "INTAKE__QUIET_SECONDS": "0.05",
    "INTAKE__SWEEP_SECONDS": "0.5",
    "READING__READERS": "1",
    "FILING__END_SHEET_QUIET_SECONDS": "0.1",
    "FILING__LEASE_SECONDS": "1.5",
}
_UNFINISHED = (
    "SELECT count(*) AS scans,"
    " sum(CASE WHEN state IN ('filed', 'quarantined', 'duplicate') THEN 0 ELSE 1 END) AS unfinished,"
    " (SELECT count(*) FROM stack WHERE state NOT IN ('filed', 'quarantined')) AS stacks FROM scan"
)
_HELD = (
    "SELECT count(*) AS held FROM {table}"
    " WHERE lease_owner IS NOT NULL OR (state IN ('received', 'closed', 'planned') AND attempts > 0)"
)
_OWN = frozenset({
    "number", "scan", "stack", "case", "sha256", "size_bytes", "fingerprint", "codes", "sheet_serial", "received_on",
})  # fmt: skip
"""What is each pile's own in an outcome. Numbers have gaps where a claim was begun anew."""
_ID = re.compile(r"[0-9a-f]{2}/[0-9a-f]{64}|[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{16}|[0-9a-f]{8}-[0-9a-f-]{27}")

Fact = tuple[str, frozenset[tuple[str, object]]]


@dataclass(slots=True)
class _Dropped:
    """What was dropped, and what must become of it."""

    scans: list[Dropped] = field(default_factory=list)
    cases: list[list[int]] = field(default_factory=list)
    facts: Counter[Fact] = field(default_factory=Counter)

    def copy(self) -> _Dropped:
        return _Dropped(list(self.scans), list(self.cases), Counter(self.facts))


class Bench:
    """A station, its daemons, and what was dropped. To be used from one thread."""

    def __init__(
        self, folder: Path, postgres: Postgres | None = None, options: Mapping[str, str] | None = None
    ) -> None:
        """Make the station below `folder`; nothing runs yet. Without a server its database is SQLite's."""
        self.calls = DurableCalls(folder)
        self._folder = folder
        self._postgres = postgres
        self._postgres_copy = postgres.create() if postgres else None
        boxes: dict[str, dict[str, str]] = {SINGLE: {}, STACKED: {"assemble": '"stack"'}}
        self.station: Station = make_station(
            folder / "station",
            boxes,
            database_url=postgres.create() if postgres else None,
            options={**_OPTIONS, **(options or {})},
        )
        self._warm = WarmDaemons(self.calls.environment, retry_seconds=_RETRY_SECONDS, look_seconds=_UNASKED_SECONDS)
        self._numbers = itertools.count(1)
        self._dropped = _Dropped()
        self._kept = _Dropped()
        self._calm: dict[str, Counter[Fact]] = {}
        self._daemon: Daemon | None = None
        self._heard: list[Daemon] = []
        """Those that ran since the last verdict."""
        self._looked = 0.0
        self.sound = True
        """Whether the last verdict was good."""

    @property
    def daemon(self) -> Daemon:
        """Give the daemon that was started last."""
        assert self._daemon is not None
        return self._daemon

    @property
    def pid(self) -> int:
        """Give its process."""
        return self.daemon.process.pid

    def close(self) -> None:
        """End all processes."""
        self.calls.stop()
        if self._daemon is not None:
            self._daemon.kill()
        self._warm.close()

    def start(self) -> Daemon:
        """Start the daemon; wait for nothing."""
        self._daemon = Daemon(self.station, start=self._warm.start)
        self._heard.append(self._daemon)
        return self._daemon

    def keep(self) -> None:
        """Keep the station as it is, to be set back to; no daemon runs."""
        shutil.copytree(self.station.folder, self._folder / "kept", symlinks=True)
        if self._postgres is not None and self._postgres_copy is not None:
            self._postgres.renew(self._postgres_copy, self.station.database_url)
        self._kept = self._dropped.copy()

    def set_back(self) -> None:
        """Set the station back to how it was kept; a daemon that runs is killed."""
        if self._daemon is not None:
            self.daemon.kill()
            self.await_end()
        shutil.rmtree(self.station.folder)
        shutil.copytree(self._folder / "kept", self.station.folder, symlinks=True)
        if self._postgres is not None and self._postgres_copy is not None:
            self._postgres.renew(self.station.database_url, self._postgres_copy)
        self._dropped = self._kept.copy()

    def draw(self, kind: str) -> Pile:
        """Draw a pile that wasn't there before."""
        return draw_pile(kind, next(self._numbers))

    def drop(self, pile: Pile) -> None:
        """Drop a pile; from now on it must come out."""
        for place, (box, data) in enumerate(pile.files):
            self.station.drop(data, f"scan-{len(self._dropped.scans) + place:06d}.pdf", box)
        self._dropped.scans += pile.truth
        self._dropped.cases += pile.cases
        self._dropped.facts.update(self._calm.get(pile.kind, ()))

    def learn(self, pile: Pile) -> list[tuple[str, str]]:
        """See what a pile comes to when nothing happens; give the durable calls that it takes, in order.

        The daemon runs and is done. Paths stand without what is drawn by chance in them.
        """
        before = self._facts()
        self.calls.count(self.pid, self.station.folder)
        self.drop(pile)
        self.await_done()
        self.rest()
        self.calls.stop()
        if pile.kind not in self._calm:
            self._calm[pile.kind] = self._facts() - before
            self._dropped.facts.update(self._calm[pile.kind])
        return [(name, nameless(path)) for name, path in self.calls.trace]

    def hit(self) -> bool:
        """Wait until the daemon has ended; False where it got done and didn't."""
        await_that(lambda: self.daemon.ended or self._done(), "the fault hits, or all is done")
        if not self.daemon.ended:
            self.rest()
        return self.daemon.ended

    def await_end(self) -> int:
        """Wait until the daemon and all its processes are gone; give its exit code."""
        await_that(lambda: self.daemon.ended, "the daemon ends")
        code = self.daemon.process.wait()
        await_that(lambda: not alive(self._warm.left()), "no process of the daemon is left")
        return code

    def await_done(self, limit: float = LIMIT) -> None:
        """Wait until everything that was dropped has come out. Raises AssertionError where it doesn't in time."""
        await_that(self._done, "everything that was dropped comes out, and nothing is left", limit)

    def rest(self) -> None:
        """Wait until the daemon makes no durable call any more, or has ended."""
        since, counted = time.monotonic(), self.calls.counted

        def rests() -> bool:
            nonlocal since, counted
            if self.calls.counted != counted:
                since, counted = time.monotonic(), self.calls.counted
            return time.monotonic() - since > _QUIET_SECONDS or self.daemon.ended

        await_that(rests, "the daemon rests")

    def recover(self, limit: float = LIMIT) -> tuple[str, ...]:
        """Start the daemon, wait until it is ready and done, and judge: a sentence for each thing that is wrong."""
        try:
            self.start().wait_for("service_ready", limit)
            self.await_done(limit)
        except AssertionError as late:
            return self._judged(str(late))
        return self._judged()

    def outlived(self, limit: float = LIMIT) -> tuple[str, ...]:
        """Wait until the daemon that runs is done, and judge as `recover` does; it must not have ended."""
        try:
            await_that(lambda: self._done() or self.daemon.ended, "everything that was dropped comes out", limit)
        except AssertionError as late:
            return self._judged(str(late))
        self.rest()
        return self._judged(*(["the daemon ended"] if self.daemon.ended else []))

    def _judged(self, *before: str) -> tuple[str, ...]:
        """Judge everything, and remember whether all was well."""
        station, must = self.station, self._dropped
        found = list(before)
        found += misfits(station.database, station.archive, must.scans, must.cases, empty_folders=station.leftovers)
        facts = self._facts()
        for what, differing in (("too many", facts - must.facts), ("missing", must.facts - facts)):
            found += [f"{count} {what} of {subject}: {dict(row)}" for (subject, row), count in differing.items()]
        found += outcries(self._heard)
        self._heard = [self.daemon]
        self.sound = not found
        return tuple(found)

    def held(self) -> tuple[str, ...]:
        """Say what a daemon that has ended still holds: work that is taken or counted as tried, a folder of a child."""
        found = []
        for table in ("scan", "stack"):
            (told,) = query(self.station.database, _HELD.format(table=table))
            found += [f"{told['held']} of {table} are held or counted as tried"] if told["held"] else []
        found += [f"left in the work folder: {each.name}" for each in (self.station.folder / "work").iterdir()]
        return tuple(found)

    def _facts(self) -> Counter[Fact]:
        """Count what became of everything, by what isn't each pile's own."""
        return Counter(
            (subject, frozenset((name, value) for name, value in row.items() if name not in _OWN))
            for subject, rows in outcome(self.station.database).items()
            for row in rows
        )

    def _done(self) -> bool:
        """Say whether everything is done; asked more often than it is worth, it looks now and then."""
        if time.monotonic() < self._looked + _LOOK_SECONDS:
            return False
        self._looked = time.monotonic()
        if any(next(folder.iterdir(), None) for folder in self.station.leftovers):
            return False
        (told,) = query(self.station.database, _UNFINISHED)
        return (told["scans"], told["unfinished"] or 0, told["stacks"]) == (len(self._dropped.scans), 0, 0)


@contextmanager
def bench(folder: Path, engine: str = "sqlite", options: Mapping[str, str] | None = None) -> Iterator[Bench]:
    """Give a bench in memory, for a kill needs no disk. Where the last verdict wasn't good, `folder` gets the station.

    `engine` is "sqlite", or "postgresql" with a server of its own.
    """
    made = memory_folder("skrynka-bench-")
    with ExitStack() as ends:
        ends.callback(shutil.rmtree, made, ignore_errors=True)
        postgres = None
        if engine == "postgresql":
            (made / "server").mkdir()
            postgres = Postgres(made / "server")
            ends.callback(postgres.stop)
        ready = Bench(made, postgres, options)
        ends.callback(ready.close)
        try:
            yield ready
        finally:
            ready.daemon.kill()
            if not ready.sound:
                shutil.copytree(made / "station", folder / "station", symlinks=True)


def nameless(path: str) -> str:
    """Write a path without what is drawn by chance in it: ids, hashes, temporary names."""
    return _ID.sub("*", path)
