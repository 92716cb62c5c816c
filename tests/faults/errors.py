"""A call that fails: EIO or ENOSPC at the Nth write, fsync, rename and so on, once, while the daemon goes on."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.faults.bench import Bench, bench, nameless
from tests.faults.kills import SCANNED, prepare
from tests.faults.row import Injected, Row

_PART = 10_000
"""Faults are numbered by error and kind: 10,017 is the 17th call of the second."""
_MISSES = 3
"""None is left when a number comes to nothing so often: threads may change places by a call."""
ERRORS = (errno.EIO, errno.ENOSPC)
KINDS = tuple((kind, error) for kind in SCANNED for error in ERRORS)


def at_calls(on: Bench, kind: str, error: int, first: int = 1, step: int = 1) -> Iterator[Injected]:
    """Have one durable call after the other fail of those that a kind takes, until none is left.

    The daemon must get done by itself each time, and live. Before each the station is set back to how it was kept.
    """
    pile = on.draw(kind)
    number, missed = first, 0
    while missed < _MISSES:
        on.set_back()
        on.start().wait_for("service_ready")
        on.calls.fail(on.pid, on.station.folder, number, error)
        on.drop(pile)
        wrong = on.outlived()
        on.calls.stop()
        if on.calls.hits:
            missed = 0
            at = f"{errno.errorcode[error]}, {kind}, call {number}: {nameless(on.calls.hit)}"
            yield Injected(number, at, wrong)
            number += step
        else:
            missed += 1


def _at_every_call(engine: str, folder: Path, _seed: int, first: int) -> Iterator[Injected]:
    with bench(folder, engine) as on:
        prepare(on)
        for place, (kind, error) in enumerate(KINDS):
            before = place * _PART
            if first < before + _PART:
                for injected in at_calls(on, kind, error, max(1, first - before)):
                    yield Injected(before + injected.number, injected.at, injected.wrong)


ROWS = [
    Row("error-sqlite", "EIO and ENOSPC at every durable call", None, partial(_at_every_call, "sqlite")),
    Row("error-postgresql", "the same on PostgreSQL", None, partial(_at_every_call, "postgresql")),
]
