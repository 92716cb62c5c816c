"""The rows of what happens in inboxes: what befalls the folders, and writers that take their time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.faults import inbox_troubles
from tests.faults.outcries import outcries
from tests.faults.row import Injected, Row
from tests.support import growing, slow_writer
from tests.support.drawn_sheets import SheetFields
from tests.support.oracle import dropped, misfits
from tests.support.processes import await_that
from tests.support.scans import pdf_of, truncated, write_slowly
from tests.support.stacks import DrawnStack, Envelope, Paper, draw_stack
from tests.support.stations import Daemon, make_station

Trouble = Callable[[Path, int], list[str]]

TROUBLES: dict[str, Trouble] = {
    "many files at once, the kernel's queue full": inbox_troubles.many_at_once,
    "the folder replaced": inbox_troubles.folder_replaced,
    "the share away": inbox_troubles.share_away,
    "the share hung": inbox_troubles.share_hangs,
    "no watches left": inbox_troubles.watches_exhausted,
    "the inbox appears later": inbox_troubles.inbox_appears,
    "a local file system unmounted": inbox_troubles.local_unmounted,
}

WRITERS_AT_ONCE = 10
_QUIET_SECONDS = 3.0
"""Far longer than the pauses, so that a writer that a busy machine holds up isn't taken for one that is done."""
_MOST_PAUSE_SECONDS = 0.7
_SHARE = "OBL-05"


def troubles(folder: Path, seed: int, first: int) -> Iterator[Injected]:
    """Let each trouble happen, one after another and then again."""
    listed = list(TROUBLES.items())
    number = first
    while True:
        name, trouble = listed[(number - 1) % len(listed)]
        place = folder / f"station-{number}"
        place.mkdir()
        yield Injected(number, name, tuple(trouble(place, seed + number)))
        number += 1


def writers(folder: Path, seed: int, first: int) -> Iterator[Injected]:
    """Let several writers at a time write into a station's inboxes, each in its own way, and see what was taken."""
    while True:
        place = folder / f"station-{first}"
        place.mkdir()
        batch = [_writer(seed, number) for number in range(first, first + WRITERS_AT_ONCE)]
        wrong = _write_all(place, batch)
        for writer in batch:
            yield Injected(writer.number, f"{writer.way} into {writer.box}", wrong)
        first += WRITERS_AT_ONCE


@dataclass(frozen=True, slots=True)
class _Writer:
    """Somebody who saves a scan, and how."""

    number: int
    way: str
    box: str
    stack: DrawnStack
    pause: float
    """Seconds between pages or pieces, at most."""
    states: list[bytes] = field(repr=False)
    """What the file is after each page; the last is all of it."""


def _writer(seed: int, number: int) -> _Writer:
    rng = np.random.default_rng([seed, number])
    box = f"OBL-{number % 5 + 1:02d}"
    papers = tuple(Paper(str(kind)) for kind in rng.choice(["CERT", "SEAL", "WORKS", "PHOTO"], rng.integers(1, 4)))
    envelope = Envelope(papers, SheetFields(serial=f"A{number:06d}", box=box))
    stack = draw_stack([envelope], rng, dpi=100, first_id=10 * number)
    way = list(_WAYS)[number % len(_WAYS)]
    return _Writer(number, way, box, stack, float(rng.uniform(0.1, _MOST_PAUSE_SECONDS)), _states(way, stack))


def _states(way: str, stack: DrawnStack) -> list[bytes]:
    if way == "a TIFF page by page":
        return growing.growing_tiff(stack.scanned)
    return growing.growing_pdf(stack.scanned) if way == "a PDF page by page" else [pdf_of(stack.scanned)]


def _write_all(folder: Path, batch: list[_Writer]) -> tuple[str, ...]:
    boxes: dict[str, dict[str, str]] = {f"OBL-{number:02d}": {} for number in range(1, 6)}
    boxes[_SHARE] = {"kind": '"share"'}
    seconds = {"QUIET_SECONDS": _QUIET_SECONDS, "SHARE_QUIET_SECONDS": _QUIET_SECONDS, "GIVE_UP_SECONDS": 600.0}
    seconds |= {"SWEEP_SECONDS": 0.2, "SHARE_SWEEP_SECONDS": 0.2}
    options = {f"INTAKE__{name}": str(value) for name, value in seconds.items()}
    station = make_station(folder / "station", boxes, options=options)
    with station.running() as daemon:
        threads = []
        for writer in batch:
            target = station.inbox(writer.box) / f"scan{writer.number:04d}.pdf"
            threads.append(threading.Thread(target=_WAYS[writer.way], args=(writer, target, folder), daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join()
        await_that(lambda: _filed(daemon) >= len(batch), "every scan is filed", limit=120)
    truth = [dropped(writer.states[-1], writer.stack.pages) for writer in batch]
    cases = [case.page_ids for writer in batch for case in writer.stack.cases]
    wrong = misfits(station.database, station.archive, truth, cases, empty_folders=station.leftovers)
    early = [line for line in daemon.lines if line["event"] == "scan_claimed" and "unfinished" in line]
    wrong += [f"{len(early)} scans were taken unfinished"] if early else []
    errors = [line for line in daemon.lines if line["level"] == "error" and line["event"] != "scan_overwritten"]
    wrong += [f"an error {line['event']}: {line['message']}" for line in errors]
    return (*wrong, *outcries([daemon]))


def _page_by_page(writer: _Writer, target: Path, folder: Path) -> None:
    """Write page after page, a whole file after each; in a process of its own, as a scanner's software is."""
    process = slow_writer.start(
        folder / str(writer.number), writer.states, target, bytes_a_second=400_000, pause=writer.pause
    )
    process.communicate()


def _slowly(writer: _Writer, target: Path, _folder: Path) -> None:
    """Write piece after piece, its end last; closed and opened again now and then, once for longer than it is quiet."""
    data = writer.states[-1]
    cut = len(data) - 200
    write_slowly(target, data[:cut], _wait, chunk=cut // 6 + 1, pause=writer.pause, reopen_every=2)
    _wait(1.5 * _QUIET_SECONDS)
    with target.open("ab") as file:
        file.write(data[cut:])


def _renamed_in(writer: _Writer, target: Path, _folder: Path) -> None:
    """Write it under a writer's temporary name, and give it its own when it is whole."""
    temporary = target.with_name(f"{target.name}.part")
    write_slowly(temporary, writer.states[-1], _wait, chunk=len(writer.states[-1]) // 4 + 1, pause=writer.pause)
    _wait(1.2 * _QUIET_SECONDS)
    temporary.rename(target)


def _written_anew(writer: _Writer, target: Path, _folder: Path) -> None:
    """Write the beginning of it, think better of it, and write all of it from the start."""
    data = writer.states[-1]
    target.write_bytes(truncated(data))
    _wait(writer.pause)
    with target.open("wb") as file:
        file.write(data[: len(data) // 2])
        file.flush()
        _wait(writer.pause)
        file.write(data[len(data) // 2 :])


def _written_over(writer: _Writer, target: Path, _folder: Path) -> None:
    """Keep the room first, then fill it in, the end before the beginning."""
    data = writer.states[-1]
    half = len(data) // 2
    target.write_bytes(bytes(len(data)))
    for begin, end in ((half, len(data)), (0, half)):
        with target.open("r+b") as file:
            file.seek(begin)
            file.write(data[begin:end])
        _wait(writer.pause)


_WAYS: dict[str, Callable[[_Writer, Path, Path], None]] = {
    "a PDF page by page": _page_by_page,
    "a TIFF page by page": _page_by_page,
    "slowly": _slowly,
    "renamed in": _renamed_in,
    "written anew": _written_anew,
    "written over": _written_over,
}


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)


def _filed(daemon: Daemon) -> int:
    return sum(line["event"] in {"stack_filed", "scan_quarantined"} for line in list(daemon.lines))


ROWS: tuple[Row, ...] = (
    Row("slow-writers", "Scans are saved slowly, page by page, twice, or renamed in", 200, writers, 0.3),
    Row("inbox-troubles", "Inboxes are replaced, away, hung, flooded, unwatched, or not there yet", 14, troubles, 3.0),
)
