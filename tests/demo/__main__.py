"""`make demo`: papers are drawn and scanned, and the real daemon files them; nothing is simulated but the people.

    python -m tests.demo [FOLDER]

The folder is ./demo-station unless another is named; what an earlier demo left there is removed. Exit code 0 where
every drawn page is where it belongs, 1 where not, 130 when it is interrupted.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from tests.demo.material import SCANS, DemoScan, draw_demo
from tests.demo.printed_sheets import PrintedSheets
from tests.demo.results import judge, say_what_next, show_results
from tests.demo.scanners import Scanners
from tests.demo.station import CommandFailed, DemoStation
from tests.demo.telling import Teller

_FINISH_SECONDS = 100
"""From the last scan's arrival to the last case: it takes seconds."""
_LOOK_SECONDS = 0.5
_DONE = ("filed", "quarantined", "duplicate")


def main(words: Sequence[str]) -> int:
    """Run the demo; gives its exit code."""
    parser = argparse.ArgumentParser("python -m tests.demo", description="The demo of `make demo`.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("demo-station"), help="a new station's folder")
    folder = parser.parse_args(words).folder
    teller = Teller()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        wrong = _demonstrate(DemoStation(folder, teller), teller)
    except CommandFailed as failure:
        wrong = [str(failure)]
    except KeyboardInterrupt:
        teller.verdict("Interrupted; no daemon is left.", good=False)
        return 130
    except BrokenPipeError:
        # Whoever read has seen enough; Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    for sentence in wrong:
        teller.item(sentence, bad=True)
    return 1 if wrong else 0


def _demonstrate(station: DemoStation, teller: Teller) -> list[str]:
    """Tell the story; gives what went wrong, a sentence each."""
    started = time.monotonic()
    teller.title("Skrynka: papers from two drop boxes become cases in a database.")

    teller.chapter("A new station")
    station.make()

    teller.chapter("Sheets are printed")
    sheets = PrintedSheets(station.folder / "sheets")
    for words, said in sheets.print(station):
        teller.item(f"sheets {words}", f"  {said}")

    teller.chapter("Papers are written, stamped, put into envelopes and scanned")
    scans = _draw(station.folder / "drawn", sheets, teller)

    teller.chapter("The daemon runs, and the scanners save into its inboxes")
    teller.text("With shorter waits than a real station has, for you are watching; its log is what an admin sees.")
    with station.daemon() as daemon:
        with Scanners(scans, station.inbox, teller.scanner) as scanners:
            scanners.wait(lambda: daemon.poll() is None)
        _wait_for_end(station, daemon, len(scans))

    found = show_results(station, teller)

    teller.chapter("Is every page where it belongs?")
    wrong = judge(station, scans)
    pages = sum(len(scan.truth.pages) for scan in scans)
    seconds = time.monotonic() - started
    if wrong:
        teller.verdict(f"No: {len(wrong)} things aren't as they were drawn.", good=False)
    else:
        cases = sum(len(scan.cases) for scan in scans)
        teller.verdict(
            f"Yes: each of the {pages} pages drawn was looked for by the mark at its foot, and all {cases} cases "
            f"hold the papers of their envelope and no other's. That took {seconds:.0f} s.",
            good=True,
        )
        teller.chapter("What to try next")
        say_what_next(station, scans, found, teller)
    return wrong


def _draw(folder: Path, sheets: PrintedSheets, teller: Teller) -> list[DemoScan]:
    with teller.progress("drawing", SCANS) as progress:

        def tell(scan: DemoScan) -> None:
            count = len(scan.truth.pages)
            pages = f" {count} page{'' if count == 1 else 's'}:" if count else ""
            teller.item(f"{scan.box} {scan.path.name}", f"{pages} {scan.description}")
            progress.advance(progress.task_ids[0])

        return draw_demo(folder, sheets=sheets.lay, on_drawn=tell)


def _wait_for_end(station: DemoStation, daemon: subprocess.Popen[bytes], scans: int) -> None:
    """Wait until the daemon says that nothing is left to do. Raises CommandFailed if that never comes."""
    ends = time.monotonic() + _FINISH_SECONDS
    while True:
        status = station.ask("status")
        done = sum(status["scans"][state] for state in _DONE)
        waiting = sum(count for state, count in status["stacks"].items() if state not in _DONE)
        if done == scans and not waiting and not status["claims"]:
            return
        if daemon.poll() is not None:
            raise CommandFailed(f"The daemon ended by itself, with exit code {daemon.returncode}.")
        if time.monotonic() > ends:
            raise CommandFailed(f"Not finished in {_FINISH_SECONDS} s: {done} of {scans} scans, {waiting} stacks wait.")
        with suppress(subprocess.TimeoutExpired):
            daemon.wait(_LOOK_SECONDS)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
