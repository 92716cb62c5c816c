"""`make torture`: the fault table's long columns, row after row, with what was found kept from call to call.

    python -m tests.faults.torture [--row NAME]... [--minutes 15] [--seed N] [--fresh]
    python -m tests.faults.torture --row NAME --seed N --number K      one fault again

A row is taken up where the last call left it: `build/torture/` has a ledger for each, and `report.md` over them all.
Interrupted or killed, it loses the fault in hand and no more. Exit code 0; 1 if an invariant has ever failed since its
row was begun; 2 for a wrong option; 130 when it is interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import FrameType, GeneratorType
from typing import cast

from tests.faults.ledger import Entry, Ledger, Taken, source_digest
from tests.faults.report import done, repeating, report
from tests.faults.row import CannotInject, Injected, Row
from tests.faults.telling import Teller

STATE = Path(__file__).parents[2] / "build" / "torture"
_SEEDS = 1_000_000
_SHOWN = 8
"""Sentences of a failure; the rest stand in the ledger."""
_BROKEN_OFF = 3
"""A row that can't get through a fault so many times in succession is left for this call."""


def main(words: Sequence[str], rows: Sequence[Row] | None = None, state: Path = STATE) -> int:
    """Run the rows; gives the exit code."""
    rows = collected() if rows is None else rows
    options = _options(words, rows)
    chosen = [row for row in rows if not options.row or row.name in options.row]
    teller = Teller()
    signal.signal(signal.SIGTERM, _interrupt)
    state.mkdir(parents=True, exist_ok=True)
    if options.number is not None:
        return _repeat(chosen[0], options.seed, options.number, teller)
    code = 0
    try:
        for row in chosen:
            _run(row, state, options, teller)
    except KeyboardInterrupt:
        code = 130
    told = report(rows, state, source_digest())
    (state / "report.md").write_text(told, encoding="utf-8")
    teller.say(told)
    return code or int(any(Ledger(state, row.name).failed for row in rows))


def collected(folder: Path = Path(__file__).parent) -> list[Row]:
    """Give the rows that the modules beside this one export as `ROWS`, by name."""
    rows: list[Row] = []
    for path in sorted(folder.glob("*.py")):
        if not path.name.startswith("test_") and "\nROWS" in path.read_text(encoding="utf-8"):
            rows += importlib.import_module(f"tests.faults.{path.stem}").ROWS
    return sorted(rows, key=lambda row: row.name)


def _options(words: Sequence[str], rows: Sequence[Row]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.faults.torture", description="The long columns of faults.")
    names = [row.name for row in rows]
    parser.add_argument("--row", action="append", choices=names, metavar="NAME", help=f"only this: {', '.join(names)}")
    parser.add_argument("--minutes", type=float, default=15.0, help="at most so long for each row in this call")
    parser.add_argument("--seed", type=int, help="of what is drawn by chance; a row goes on with the seed it has")
    parser.add_argument("--number", type=int, help="with one --row and its --seed: this fault again, off the record")
    parser.add_argument("--fresh", action="store_true", help="forget what was found, and begin anew")
    options = parser.parse_args(words)
    if options.number is not None and (options.seed is None or len(options.row or ()) != 1):
        parser.error("--number needs one --row and its --seed")
    return options


def _run(row: Row, state: Path, options: argparse.Namespace, teller: Teller) -> None:
    ledger = Ledger(state, row.name)
    try:
        with ledger.taken():
            if options.fresh:
                ledger.begin_anew()
            if done(row, ledger):
                return
            if row.minutes > options.minutes:
                teller.say(f"{row.name}: not begun, one fault takes {row.minutes:g} minutes: give it with --minutes.")
                return
            seed = options.seed
            if seed is None:
                seed = ledger.entries[-1].seed if ledger.entries else secrets.randbelow(_SEEDS)
            with teller.row(row.title, row.wanted):
                _inject(row, ledger, seed, time.monotonic() + 60 * options.minutes, teller)
    except Taken:
        teller.say(f"{row.name}: another process runs it now.")


def _inject(row: Row, ledger: Ledger, seed: int, ends: float, teller: Teller) -> None:
    """Inject faults until none is left or the time is over; after a failure in a new folder, the old one is kept."""
    broken_off = 0
    while not done(row, ledger) and time.monotonic() < ends and broken_off < _BROKEN_OFF:
        try:
            broken_off = 0 if _inject_in_a_row(row, ledger, seed, ends, teller) else broken_off + 1
        except CannotInject as why:
            ledger.give_up(str(why))
            return


def _inject_in_a_row(row: Row, ledger: Ledger, seed: int, ends: float, teller: Teller) -> bool:
    """Inject until one fails; False where it was the row itself that didn't get through."""
    folder = _folder(row)
    began = time.monotonic()
    whole, keep = True, False
    try:
        with closing(_lazily(row.inject(folder, seed, ledger.next_number))) as faults:
            while not done(row, ledger) and time.monotonic() < ends:
                try:
                    injected = next(faults, None)
                except CannotInject:
                    raise
                except Exception as error:  # noqa: BLE001 - whatever it is, this fault can't be said to be survived
                    whole = False
                    injected = Injected(ledger.next_number, "no verdict", (f"{type(error).__name__}: {error}",))
                if injected is None:
                    ledger.finish()
                    break
                ledger.add(Entry.of(injected, seed, time.monotonic() - began))
                began = time.monotonic()
                teller.injected(row.name, len(ledger.entries), row.wanted, ledger.failed)
                if injected.wrong:
                    keep = True
                    _tell(row, injected, seed, folder, teller)
                    break
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    return whole


def _repeat(row: Row, seed: int, number: int, teller: Teller) -> int:
    """Inject one fault again, off the record."""
    folder = _folder(row)
    try:
        with closing(_lazily(row.inject(folder, seed, number))) as faults:
            injected = next(faults, None)
    except CannotInject as why:
        teller.say(str(why))
        return 1
    if injected is None:
        teller.say(f"{row.name}: there is no fault {number}.")
        return 1
    if injected.wrong:
        _tell(row, injected, seed, folder, teller)
        return 1
    teller.say(f"{row.name}: fault {number}, {injected.at}: the invariant holds.")
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def _tell(row: Row, injected: Injected, seed: int, folder: Path, teller: Teller) -> None:
    teller.say(f"{row.name}: fault {injected.number}, {injected.at}: the invariant failed; look into {folder}")
    for sentence in injected.wrong[:_SHOWN]:
        teller.say(f"  {sentence}")
    if len(injected.wrong) > _SHOWN:
        teller.say(f"  and {len(injected.wrong) - _SHOWN} more")
    teller.say(f"  again: {repeating(row.name, seed, injected.number)}")


def _folder(row: Row) -> Path:
    # Not under build/: PostgreSQL's socket has a path of 107 bytes at most.
    return Path(tempfile.mkdtemp(prefix=f"skrynka-{row.name}-"))


def _lazily(faults: Iterator[Injected]) -> GeneratorType[Injected, None, None]:
    """See in a row's iterator what can be closed: rows are generators."""
    return cast("GeneratorType[Injected, None, None]", faults)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
