"""Files that are written slowly, at the real figures and with the daemon's default settings.

    python -m tests.acceptance.slow_writer

Three scanners write at 1 kB/s, close the file after every page, pause for 4 s, and open it again: a PDF and a TIFF
that are whole after every page, so that nothing but the quiet tells that more will come, and a PDF whose end comes
last. None may be touched before its writer is done, and all must then be cases, their pages accounted for. It takes
four minutes.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from tests.support import growing, slow_writer
from tests.support.drawn_sheets import SheetFields
from tests.support.oracle import dropped, misfits
from tests.support.scanner import Scanning
from tests.support.scans import pdf_of
from tests.support.stacks import DrawnStack, Envelope, Paper, draw_stack
from tests.support.stations import make_station

BYTES_A_SECOND = 1000
PAUSE_SECONDS = 4.0
_PARTS = 5
CHEAP = Scanning(quality=20)
_BOXES = {"OBL-01": "PDF, whole after every page", "OBL-02": "TIFF, whole after every page", "OBL-03": "PDF"}


def main() -> int:
    """Write, wait, print, judge."""
    stacks = {box: _small_stack(number, box) for number, box in enumerate(_BOXES, start=1)}
    states = {
        "OBL-01": growing.growing_pdf(stacks["OBL-01"].scanned),
        "OBL-02": growing.growing_tiff(stacks["OBL-02"].scanned),
        "OBL-03": _parts(pdf_of(stacks["OBL-03"].scanned)),
    }
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        station = make_station(Path(folder) / "station", tuple(_BOXES))
        station.environment.clear()
        with station.running() as daemon:
            begin = time.monotonic()
            writers = {
                box: slow_writer.start(
                    Path(folder) / box,
                    states[box],
                    station.inbox(box) / "scan.pdf",
                    bytes_a_second=BYTES_A_SECOND,
                    pause=PAUSE_SECONDS,
                )
                for box in _BOXES
            }
            done: dict[str, float] = {}
            claimed: dict[str, float] = {}
            while len(claimed) < len(_BOXES):
                now = time.monotonic() - begin
                for line in list(daemon.lines):
                    if line["event"] == "scan_claimed":
                        claimed.setdefault(line["box"], now)
                for box, writer in writers.items():
                    if writer.poll() is not None:
                        done.setdefault(box, now)
                threading.Event().wait(0.02)
            for _ in _BOXES:
                daemon.wait_for("stack_filed")
        for box, what in _BOXES.items():
            early = claimed[box] < done.get(box, float("inf"))
            failed += early
            said = f"{len(states[box][-1])} bytes; its writer was done after {done.get(box, float('nan')):.1f} s"
            print(f"{what}: {said}, claimed after {claimed[box]:.1f} s{': TOO EARLY' if early else ''}")  # noqa: T201
        truth = [dropped(states[box][-1], stacks[box].pages) for box in _BOXES]
        cases = [case.page_ids for stack in stacks.values() for case in stack.cases]
        wrong = misfits(station.database, station.archive, truth, cases, empty_folders=station.leftovers)
    for sentence in wrong:
        print(sentence)  # noqa: T201 - its output
    print("every page is accounted for" if not wrong else f"{len(wrong)} misfits")  # noqa: T201 - the same
    return int(bool(failed or wrong))


def _small_stack(number: int, box: str) -> DrawnStack:
    """Scan as small as can be: a page takes some ten seconds to write."""
    envelope = Envelope((Paper("SEAL"), Paper("WORKS")), SheetFields(serial=f"A00000{number}", box=box))
    rng = np.random.default_rng(number)
    return draw_stack([envelope], rng, dpi=100, first_id=100 * number, scanning=lambda _: CHEAP)


def _parts(data: bytes) -> list[bytes]:
    """Give what a file is when a part of it is there, and another, up to all of it."""
    return [data[: len(data) * part // _PARTS] for part in range(1, _PARTS + 1)]


if __name__ == "__main__":
    sys.exit(main())
