"""The wall clock is wrong, or is set while the daemon works: days off, in 1970, put forth or back for the summer.

Only the wall clock: the monotonic one goes on as it does for a daemon whose machine's clock is set. Times of files stay
the machine's too, which is what a share with a clock of its own looks like.
"""

from __future__ import annotations

import random
import struct
import subprocess
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from tests.faults.outage_verdicts import disturbing, end_after_repair, said
from tests.faults.row import CannotInject, Injected, Row
from tests.faults.stream import BOXES, OPTIONS, Stream, lasting
from tests.support.oracle import query
from tests.support.processes import await_that
from tests.support.stations import Daemon, make_station

_SOURCE = Path(__file__).with_name("wall_clock.c")
DAY_SECONDS = 86_400.0
_QUIET_SECONDS = 20.0
"""Far longer than a busy machine takes between a stack's scans: written that far apart they are rightly two stacks."""
_SOON_SECONDS = 2.0
_LATE_SECONDS = 42.0


@dataclass(frozen=True, slots=True)
class Wrong:
    """How the clock is wrong when the daemon starts, and when it is set in mid-work; seconds ahead of the true one."""

    told: str
    at_start: float
    later: float


def _until(moment: datetime) -> float:
    return moment.timestamp() - time.time()


def clocks() -> tuple[Wrong, ...]:
    """Give all, as seen from now."""
    old = _until(datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC))
    forth = _until(datetime(2026, 3, 29, 0, 59, 55, tzinfo=UTC))
    back = _until(datetime(2026, 10, 25, 0, 59, 55, tzinfo=UTC))
    return (
        Wrong("three days slow, then three days fast", -3 * DAY_SECONDS, 3 * DAY_SECONDS),
        Wrong("in 1970, then right", old, 0.0),
        Wrong("right, then in 1970", 0.0, old),
        Wrong("three days fast, then three days slow", 3 * DAY_SECONDS, -3 * DAY_SECONDS),
        Wrong("put forth an hour in Kyiv while it works", forth, forth),
        Wrong("put back an hour in Kyiv while it works", back, back),
    )


def wrong_clocks(folder: Path, seed: int, first: int) -> Generator[Injected, None, None]:
    """Start a station under each wrong clock, and set it while scans are in work and a stack is open."""
    library = compiled(folder)
    for number in count(first):
        wrong = clocks()[(number - 1) % len(clocks())]
        rng = random.Random(f"{seed} {number}")  # noqa: S311 - no secret
        yield _run(folder / f"station-{number}", number, wrong, library, rng)


class WallClock:
    """The wall clock of one station's programs."""

    def __init__(self, file: Path, library: Path) -> None:
        """`file` tells it; the library is `compiled`."""
        self.file = file
        self.environment = {"LD_PRELOAD": str(library), "WALL_CLOCK": str(file), "TZ": "Europe/Kyiv"}
        """What a program is started with."""

    def set(self, ahead: float) -> None:
        """Set it so many seconds ahead of the true one; negative: behind."""
        with self.file.open("r+b" if self.file.exists() else "wb") as file:
            file.write(struct.pack("=q", round(ahead)))


def compiled(folder: Path) -> Path:
    """Make the library that wall clocks are set by. Raises CannotInject."""
    made = folder / "wall_clock.so"
    try:
        command = ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", made, _SOURCE]
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        raise CannotInject("gcc isn't installed") from None
    return made


def _run(folder: Path, number: int, wrong: Wrong, library: Path, rng: random.Random) -> Injected:
    options = {**OPTIONS, "FILING__STACK_QUIET_SECONDS": str(_QUIET_SECONDS)}
    station = make_station(folder, BOXES, options=options)
    clock = WallClock(folder / "clock", library)
    clock.set(wrong.at_start)
    station.environment |= clock.environment
    daemon = Daemon(station)
    stream = Stream(station)
    try:
        daemon.wait_for("service_ready", 30)
        found = tuple(_work(stream, daemon, clock, wrong, rng))
        daemon.end()
    finally:
        daemon.kill()
        daemon.keep_log(folder / "daemon.log")
    return Injected(number, wrong.told, found)


def _work(stream: Stream, daemon: Daemon, clock: WallClock, wrong: Wrong, rng: random.Random) -> Iterator[str]:
    """Set the clock while a stack is open and scans are in work, then while an open stack waits to be closed."""
    scans = stream.block()
    lone, (*begun, last) = scans[::2], scans[1::2]
    stream.drop_all(begun)
    _await_placed(stream, len(begun))
    stream.drop_all(lone)
    threading.Event().wait(rng.uniform(0, 0.5))
    clock.set(wrong.later)
    # A clock that is days ahead mustn't end a stack that hasn't been quiet for long.
    threading.Event().wait(_SOON_SECONDS)
    if not query(stream.station.database, "SELECT number FROM stack WHERE state = 'open'"):
        yield "a stack was closed before its time"
    stream.drop(last)
    yield from end_after_repair(stream)
    alone = lasting(1)
    closed = said(daemon, "stack_closed")
    stream.drop(alone)
    _await_placed(stream, len(stream.noted))
    clock.set(wrong.at_start)
    try:
        await_that(lambda: said(daemon, "stack_closed") > closed, "a quiet stack is closed", _LATE_SECONDS)
    except AssertionError as error:
        yield str(error)
    yield from end_after_repair(stream)
    yield from disturbing(daemon, ())
    yield from stream.wrong([list(alone.ids)])


def _await_placed(stream: Stream, scans: int) -> None:
    """Wait until so many scans lie in stacks: from then on a stack is quiet, where nothing more comes."""
    placed = "SELECT id FROM scan WHERE assembled_at IS NOT NULL"
    await_that(
        lambda: len(query(stream.station.database, placed)) >= scans, "scans lie in their stacks", 60, every=0.05
    )


ROWS = (
    Row(
        "clock", "The wall clock is days off or in 1970, is set while it works, or changes for summer", 60, wrong_clocks
    ),
)
