"""The database is away, dies in the middle of transactions, or commits and can't say so: a real PostgreSQL server."""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg

from tests.faults.outage_verdicts import BACK_WITHIN_SECONDS, disturbing, end_after_repair, said
from tests.faults.row import Injected, Row
from tests.faults.servers import WRITING, Line, Server
from tests.faults.stream import BOXES, OPTIONS, Stream, TinyScan, single
from tests.support.oracle import cases_in_order, query
from tests.support.processes import await_that
from tests.support.stations import Daemon, Start, make_station
from tests.support.warm_daemons import WarmDaemons

SCANS = 200
_STATUS_SECONDS = 15.0
_NOTICE_SECONDS = 15.0
_FAULTS_OF_A_STATION = 20
_CUTS_OF_A_BLOCK = 5
_MOST_LOOKS = 25
"""The server is killed when the program was seen to write so often, at most."""
_QUIET_SECONDS = 2.0
"""Nothing more is written in a block where nothing was for so long."""
IN_TRANSACTION = "in a transaction"
_NOTICED = ("database_lost",)


@dataclass(slots=True)
class _Served:
    """A station whose database is on a server, and its daemon."""

    server: Server
    stream: Stream
    daemon: Daemon

    def close(self) -> None:
        self.daemon.kill()
        self.daemon.keep_log(self.stream.station.folder / "daemon.log")
        self.server.close()


def _served(folder: Path, server: Server | None = None, port: int | None = None, start: Start | None = None) -> _Served:
    server = server or Server()
    try:
        url = server.url if port is None else server.url_through(port)
        station = make_station(folder, BOXES, database_url=url, options=OPTIONS)
        # The judge asks by a line of its own.
        station.database_url = server.url
        daemon = Daemon(station, start=start)
    except BaseException:
        server.close()
        raise
    served = _Served(server, Stream(station), daemon)
    try:
        daemon.wait_for("service_ready", 30)
    except BaseException:
        served.close()
        raise
    return served


def away(folder: Path, seconds: float, scans: int = SCANS, within: float = BACK_WITHIN_SECONDS) -> list[str]:
    """Stop the server for a time while scans arrive; give what isn't as it must be.

    `within` is how long it may take until all is processed once the server is back.
    """
    served = _served(folder)
    try:
        return list(_away(served, seconds, scans, within))
    finally:
        served.close()


def _away(served: _Served, seconds: float, scans: int, within: float) -> Iterator[str]:
    stream, daemon, server = served.stream, served.daemon, served.server
    arriving = [single(number) for number in range(1, scans + 1)]
    server.stop()
    stopped = time.monotonic()
    for scan in arriving:
        stream.drop(scan)
        threading.Event().wait(min(0.1, 0.8 * seconds / scans))
    await_that(lambda: said(daemon, "scan_claimed") >= scans, "all are claimed while the database is away", 60)
    yield from _status(stream)
    threading.Event().wait(max(0.0, stopped + seconds - time.monotonic()))
    told = said(daemon, "database_lost")
    server.start()
    yield from end_after_repair(stream, within)
    if told != (due := _tellings(seconds)):
        yield f"database_lost was said {told} times in {seconds:.0f} s, and {due} are due"
    await_that(lambda: said(daemon, "database_returned") > 0, "database_returned is said")
    yield from disturbing(daemon, _NOTICED)
    yield from stream.wrong([list(scan.ids) for scan in arriving])
    yield from _out_of_order(stream, arriving)


def _status(stream: Stream) -> Iterator[str]:
    """Ask for the status while the database is away."""
    began = time.monotonic()
    asked = stream.station.run("status", "--json", check=False)
    took = time.monotonic() - began
    if took > _STATUS_SECONDS:
        yield f"status took {took:.0f} s"
    if asked.returncode != 3:
        yield f"status ended with {asked.returncode}"
    told = json.loads(asked.stdout) if asked.stdout else {}
    if told.get("claims") != len(stream.noted):
        yield f"status says that {told.get('claims')} claims wait, and {len(stream.noted)} do"


def _tellings(seconds: float) -> int:
    """Say how often it is told in so many seconds: at once, every five minutes three times, and then hourly."""
    # It is noticed a little after it begins, and told then.
    lasted = seconds - _NOTICE_SECONDS
    return 1 + max(0, min(3, int(lasted // 300))) + int(max(0.0, lasted - 900) // 3600)


def _out_of_order(stream: Stream, scans: Sequence[TinyScan]) -> Iterator[str]:
    """Say whether scans and cases are numbered in the order in which the scans came."""
    station = stream.station
    hashes = [row["sha256"] for row in query(station.database, "SELECT sha256 FROM scan ORDER BY number")]
    if hashes != [scan.file.truth.sha256 for scan in scans]:
        yield "the scans aren't numbered in the order of their coming"
    if cases_in_order(station.database, station.archive) != [list(scan.ids) for scan in scans]:
        yield "the cases aren't numbered in the order of their scans' coming"


def kills(folder: Path, seed: int, first: int, retry_seconds: float | None = None) -> Generator[Injected, None, None]:
    """Kill the server in the middle of a transaction of the program, and start it again.

    `retry_seconds` as for `WarmDaemons`.
    """
    served: _Served | None = None
    with closing(WarmDaemons(retry_seconds=retry_seconds)) as warm:
        try:
            for number in count(first):
                if served is not None and (number - 1) % _FAULTS_OF_A_STATION == 0:
                    served.close()
                    served = None
                if served is None:
                    served = _served(folder / f"station-{number}", start=warm.start)
                rng = random.Random(f"{seed} {number}")  # noqa: S311 - no secret
                yield _kill(served, number, rng)
        finally:
            if served is not None:
                served.close()


def _kill(served: _Served, number: int, rng: random.Random) -> Injected:
    """Draw until the server has died in a transaction. A hit between two is no fault, but is judged all the same."""
    while True:
        nth = rng.randint(1, _MOST_LOOKS)
        hit, wrong = _kill_once(served, nth, rng.uniform(0, 0.5))
        if hit or wrong:
            told = f"{IN_TRANSACTION}, at sight {nth} of one" if hit else "between transactions"
            return Injected(number, told, wrong)


def _kill_once(served: _Served, nth: int, pause: float) -> tuple[bool, tuple[str, ...]]:
    """Kill the server; say whether a transaction that wrote something was open then, and what is wrong afterwards."""
    stream, server = served.stream, served.server
    first, *rest = stream.block()
    stream.drop(first)
    with server.writing() as asking:
        # The rest comes while it is watched, so that there are transactions to see.
        scanner = threading.Thread(target=stream.drop_all, args=(rest,), daemon=True)
        scanner.start()
        writing = _await_writing(asking, nth)
        with contextlib.suppress(psycopg.OperationalError):
            server.kill()
    threading.Event().wait(pause)
    server.start()
    hit = server.broke_off(writing)
    scanner.join()
    wrong = [*end_after_repair(stream), *disturbing(served.daemon, _NOTICED), *stream.wrong()]
    return hit, tuple(wrong)


def _await_writing(asking: psycopg.Connection[tuple[str]], nth: int) -> list[str]:
    """Wait until the program was seen so often to write in transactions; give these. None: it didn't come to that."""
    seen, quiet_since = 0, time.monotonic()
    while time.monotonic() - quiet_since < _QUIET_SECONDS:
        if rows := asking.execute(WRITING).fetchall():
            seen, quiet_since = seen + 1, time.monotonic()
            if seen >= nth:
                return [transaction for (transaction,) in rows]
    return []


def lost_answers(folder: Path, seed: int, first: int) -> Generator[Injected, None, None]:
    """Cut the line after a COMMIT was done and before its answer; some of them while a block is worked on."""
    server = Server()
    cutting: set[int] = set()
    cut: list[int] = []
    counted = [0]

    def cuts(commit: int) -> bool:
        counted[0] = commit
        if commit in cutting:
            cut.append(commit)
        return commit in cutting

    line = Line(server, cuts)
    served = _served(folder / "station", server, line.port)
    try:
        number = first
        for turn in count((first - 1) // _CUTS_OF_A_BLOCK):
            rng = random.Random(f"{seed} {turn}")  # noqa: S311 - no secret
            begin = counted[0]
            cut.clear()
            places = sorted(rng.sample(range(1, _COMMITS_OF_A_BLOCK), _CUTS_OF_A_BLOCK))
            cutting.update(begin + place for place in places)
            wrong = _work_off(served)
            cutting.clear()
            told = [f"commit {commit - begin} of a block" for commit in cut]
            for place in told[(number - 1) % _CUTS_OF_A_BLOCK :]:
                yield Injected(number, place, wrong)
                number += 1
    finally:
        served.close()
        line.close()


_COMMITS_OF_A_BLOCK = 40
"""At least so many transactions of the program write something while a block is worked on; only they are counted."""


def _work_off(served: _Served) -> tuple[str, ...]:
    """Have a block worked off; give what isn't as it must be."""
    stream = served.stream
    stream.drop_all(stream.block())
    return (*end_after_repair(stream), *disturbing(served.daemon, _NOTICED), *stream.wrong())


def _minutes_away(minutes: Sequence[float]) -> Row:
    def inject(folder: Path, _seed: int, first: int) -> Iterator[Injected]:
        for number, long in enumerate(minutes[first - 1 :], start=first):
            wrong = away(folder / f"{long:g}-minutes", 60 * long)
            yield Injected(number, f"{long:g} minutes", tuple(wrong))

    told = " and ".join(f"{long:g}" for long in minutes)
    name = "database-away" if len(minutes) > 1 else "database-away-hour"
    longest = max(minutes) + 2 if len(minutes) == 1 else 0.0
    return Row(
        name, f"The database is away for {told} minutes while {SCANS} scans arrive", len(minutes), inject, longest
    )


ROWS = (
    _minutes_away((1, 10)),
    _minutes_away((60,)),
    Row("database-killed", "PostgreSQL stops without a word in the middle of a transaction", 200, kills),
    Row("commit-unheard", "The answer to a COMMIT is lost", 200, lost_answers),
)
