"""Kill −9, wherever it may hit: at every durable call, again in the recovery, at random moments under load."""

from __future__ import annotations

import itertools
import random
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from tests.faults.bench import Bench, bench, nameless
from tests.faults.piles import PILES
from tests.faults.row import Injected, Row

_PART = 10_000
"""Faults are numbered kind by kind: 10,017 is the 17th call of the second."""
SCANNED = tuple(PILES)
THE_END = "the end"
"""Nothing is dropped: the daemon is asked to end, and closes its database."""
KINDS = (*SCANNED, THE_END)
_MISSES = 3
"""None is left when a number comes to nothing so often: threads may change places by a call."""
_LOADED = {"READING__READERS": "2"}
_LOADED_SECONDS = 1.2
"""About as long as a pile of each kind takes."""
_ALIKE = 20
"""After so many faults the station is set back: what a judge looks through needn't grow for ever."""


def at_calls(on: Bench, kind: str, first: int = 1, step: int = 1) -> Iterator[Injected]:
    """Kill the daemon at one durable call after the other of those that a kind takes, until none is left.

    Before each the station is set back to how it was kept, so that the same calls come again.
    """
    pile = on.draw(kind if kind in PILES else SCANNED[0])
    number, missed = first, 0
    while missed < _MISSES:
        on.set_back()
        on.start().wait_for("service_ready")
        if kind == THE_END:
            on.drop(pile)
            on.await_done()
            on.rest()
            on.calls.kill(on.pid, on.station.folder, number)
            on.daemon.process.send_signal(signal.SIGTERM)
        else:
            on.calls.kill(on.pid, on.station.folder, number)
            on.drop(pile)
        if (kind == THE_END or on.hit()) and on.await_end() == -signal.SIGKILL:
            missed = 0
            yield Injected(number, f"{kind}, call {number}: {nameless(on.calls.hit)}", on.recover())
            number += step
        else:
            missed += 1


def twice(on: Bench, seed: int, number: int) -> Injected:
    """Kill the daemon at a call of a pile, and the one that recovers at a call of its own, both drawn by chance."""
    chance = random.Random(f"{seed} {number}")  # noqa: S311 - no secret
    kind = chance.choice(SCANNED)
    pile = on.draw(kind)
    on.set_back()
    on.start().wait_for("service_ready")
    calls = len(on.learn(pile))
    while True:
        on.set_back()
        on.start().wait_for("service_ready")
        first = chance.randint(1, calls)
        on.calls.kill(on.pid, on.station.folder, first)
        on.drop(pile)
        if not on.hit():
            continue
        on.await_end()
        at = f"{kind}, call {first}: {nameless(on.calls.hit)}"
        second = chance.randint(1, calls - first + 20)
        on.calls.kill(None, on.station.folder, second)
        on.start()
        if on.hit():
            on.await_end()
            return Injected(number, f"{at}; then call {second}: {nameless(on.calls.hit)}", on.recover())


def at_random(on: Bench, seed: int, number: int) -> Injected:
    """Kill the daemon while it has much to do, at a moment drawn by chance; more comes while it recovers."""
    chance = random.Random(f"{seed} {number}")  # noqa: S311 - no secret
    seconds = chance.uniform(0.0, _LOADED_SECONDS)
    for kind in chance.sample(SCANNED, len(SCANNED)):
        on.drop(on.draw(kind))
    threading.Event().wait(seconds)
    on.daemon.kill()
    on.await_end()
    if chance.random() < 0.5:
        on.drop(on.draw(SCANNED[0]))
    return Injected(number, f"{seconds:.3f} s after a pile of each kind", on.recover())


def asked_to_end(on: Bench, seed: int, number: int) -> Injected:
    """Ask the daemon to end while it has something to do, at a moment drawn by chance: it ends well, nothing counts."""
    chance = random.Random(f"{seed} {number}")  # noqa: S311 - no secret
    seconds = chance.uniform(0.0, 0.6)
    on.drop(on.draw(chance.choice(SCANNED)))
    on.drop(on.draw(SCANNED[0]))
    threading.Event().wait(seconds)
    on.daemon.process.send_signal(signal.SIGTERM)
    code = on.await_end()
    wrong = [] if code == 0 else [f"it ended with {code}"]
    wrong += [f"an error {line['event']}: {line['message']}" for line in on.daemon.lines if line["level"] == "error"]
    wrong += on.held()
    return Injected(number, f"{seconds:.3f} s after two piles", (*wrong, *on.recover()))


def prepare(on: Bench) -> None:
    """Have every kind of pile come out once on a bench, so that it is known what they come to; keep the station."""
    on.start().wait_for("service_ready")
    for kind in PILES:
        on.learn(on.draw(kind))
    on.daemon.end()
    on.await_end()
    on.keep()


def _at_every_call(engine: str, folder: Path, _seed: int, first: int) -> Iterator[Injected]:
    with bench(folder, engine) as on:
        prepare(on)
        for place, kind in enumerate(KINDS):
            before = place * _PART
            if first < before + _PART:
                for injected in at_calls(on, kind, max(1, first - before)):
                    yield Injected(before + injected.number, injected.at, injected.wrong)


def _each(
    fault: Callable[[Bench, int, int], Injected],
    options: Mapping[str, str],
    folder: Path,
    seed: int,
    first: int,
) -> Iterator[Injected]:
    with bench(folder, options=options) as on:
        prepare(on)
        for number in itertools.count(first):
            if (number - first) % _ALIKE == 0:
                on.set_back()
                on.start().wait_for("service_ready")
            yield fault(on, seed, number)


TWICE = partial(_each, twice, {})
AT_RANDOM = partial(_each, at_random, _LOADED)
ASKED_TO_END = partial(_each, asked_to_end, _LOADED)
ROWS = [
    Row("kill-sqlite", "kill −9 at every durable call", None, partial(_at_every_call, "sqlite")),
    Row("kill-postgresql", "kill −9 at every durable call, on PostgreSQL", None, partial(_at_every_call, "postgresql")),
    Row("double-kill", "kill −9 at a durable call, and at one of the recovery", 1000, TWICE),
    Row("kill-random", "kill −9 at a random moment under load", 1000, AT_RANDOM),
    Row("sigterm", "SIGTERM in mid-scan", 200, ASKED_TO_END),
]
