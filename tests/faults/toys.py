"""Rows with nothing behind them, to try the long run itself: `python -m tests.faults.toys STATE [options]`."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.faults import torture
from tests.faults.row import CannotInject, Injected, Row


def _drawn(seed: int, number: int) -> int:
    return random.Random(f"{seed} {number}").randrange(1000)  # noqa: S311 - no secret


def _sound(folder: Path, seed: int, first: int) -> Iterator[Injected]:
    for number in range(first, 8):
        (folder / "station").touch()
        yield Injected(number, f"draw {_drawn(seed, number)}")


def _frail(folder: Path, seed: int, first: int) -> Iterator[Injected]:
    for number in range(first, 6):
        (folder / f"station-{number}").touch()
        yield Injected(number, f"draw {_drawn(seed, number)}", ("a page is gone",) if number % 3 == 0 else ())


def _slow(_folder: Path, _seed: int, first: int) -> Iterator[Injected]:
    for number in range(first, 100):
        threading.Event().wait(0.05)
        yield Injected(number, "anywhere")


def _broken(_folder: Path, _seed: int, first: int) -> Iterator[Injected]:
    if first < 3:
        yield Injected(first, "anywhere")
    raise AssertionError("the daemon didn't start")


def _unable(_folder: Path, _seed: int, _first: int) -> Iterator[Injected]:
    raise CannotInject("it needs root")
    yield


TOYS = {
    row.name: row
    for row in (
        Row("sound", "Nothing much happens", None, _sound),
        Row("frail", "Every third time something breaks", 5, _frail),
        Row("slow", "It takes its time", 99, _slow),
        Row("broken", "It can't be tried at all", 9, _broken),
        Row("unable", "It needs what isn't here", 9, _unable),
        Row("long", "It lasts an hour", 1, _sound, minutes=60),
    )
}

if __name__ == "__main__":
    sys.exit(torture.main(sys.argv[2:], list(TOYS.values()), Path(sys.argv[1])))
