"""A stream of tiny scans into a station's inboxes, and what must become of them.

Six scans are a block. Three are a stack each, in OBL-01. The other three are one stack in OBL-02, with two cases whose
papers lie in two scans each. Pages are as coarse as sheets and page ids can be read at, so that a scan costs little.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from tests.journey.drawn_piles import File, Pile, draw_pile
from tests.support.oracle import Dropped, misfits, query
from tests.support.processes import await_that
from tests.support.stacks import Role
from tests.support.stations import Station

BOXES = {"OBL-01": {}, "OBL-02": {"assemble": '"stack"'}}
OPTIONS = {
    "INTAKE__QUIET_SECONDS": "0.1",
    "FILING__END_SHEET_QUIET_SECONDS": "0.2",
    "READING__READERS": "2",
}
"""Scans are renamed in, so nothing waits for quiet; a stack ends by its end sheet."""
BLOCK = 6
_DPI = 75
_LONE = ("C1 x", "C1 x x", "C1 x D:SEAL x")
_LASTING = "B C1 x x C2 x x E"
_SINGLES, _OPEN = 5000, 4000
"""Their piles are numbered from here on, so that no id comes twice."""
_PARTS = ((1, 3), (4, 6), (7, 8))
_DONE = ("filed", "quarantined", "duplicate")
_STATES = (
    "SELECT 'scan' AS what, state, count(*) AS rows FROM scan GROUP BY state"
    " UNION ALL SELECT 'stack', state, count(*) FROM stack GROUP BY state"
)


@dataclass(frozen=True, slots=True)
class TinyScan:
    """A scan of the stream."""

    box: str
    name: str
    file: File
    ids: tuple[int, ...] = ()
    """The pages of the one case that it makes, where it makes one alone."""


@dataclass(slots=True)
class Stream:
    """What comes to one station; whoever drops a scan notes it, and is told at the end what isn't as it must be."""

    station: Station
    noted: list[Dropped] = field(default_factory=list)
    blocks: int = 0
    """How many were begun."""

    def block(self) -> list[TinyScan]:
        """Give the scans of the next block, in the order of their coming."""
        self.blocks += 1
        return block(self.blocks)

    def drop(self, scan: TinyScan) -> None:
        """Save a scan into its inbox and note it once its bytes and its name are durable: so long it isn't there."""
        outside = self.station.folder / f".outside-{scan.name}"
        with outside.open("wb") as file:
            file.write(scan.file.data)
            os.fsync(file.fileno())
        inbox = self.station.inbox(scan.box)
        outside.rename(inbox / scan.name)
        _fsync(inbox)
        self.note(scan)

    def note(self, scan: TinyScan) -> None:
        """Note that a scan was dropped."""
        self.noted.append(scan.file.truth)

    def drop_all(self, scans: Sequence[TinyScan]) -> None:
        """Drop some, one after the other."""
        for scan in scans:
            self.drop(scan)

    def unfinished(self) -> str:
        """Say what isn't finished; empty: nothing. Counts only what is noted."""
        rows = query(self.station.database, _STATES)
        scans = sum(row["rows"] for row in rows if row["what"] == "scan")
        told = [f"{len(self.noted) - scans} scans aren't registered"] if scans < len(self.noted) else []
        told += [f"a {row['what']} is {row['state']}" for row in rows if row["state"] not in _DONE]
        told += [f"{folder.name} isn't empty" for folder in self.station.leftovers if _holds_something(folder)]
        return ", ".join(dict.fromkeys(told))

    def await_end(self, limit: float = 60.0, every: float = 0.1) -> None:
        """Wait until all that was dropped is finished, and look `every` so many seconds. Raises AssertionError."""
        try:
            await_that(lambda: not self.unfinished(), "everything is finished", limit, every=every)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.unfinished()}") from None

    def wrong(self, others: Sequence[list[int]] = ()) -> tuple[str, ...]:
        """Say what isn't as it must be once all is finished.

        Whole blocks are taken to be dropped; `others` are the page ids of the cases that make no block.
        """
        cases = [case for number in range(1, self.blocks + 1) for case in cases_of_block(number)]
        station = self.station
        found = misfits(
            station.database, station.archive, self.noted, [*cases, *others], empty_folders=station.leftovers
        )
        return tuple(dict.fromkeys(found))


@lru_cache(maxsize=256)
def block(number: int) -> list[TinyScan]:
    """Draw the scans of a block."""
    *lone, lasting = _piles(number)
    scans = []
    for place, (pile, (first, last)) in enumerate(zip(lone, _PARTS, strict=True)):
        name = f"{number:04d}-{place}.pdf"
        scans += [TinyScan("OBL-01", name, pile.file), TinyScan("OBL-02", name, lasting.part(first, last))]
    return scans


@lru_cache(maxsize=256)
def single(number: int) -> TinyScan:
    """Draw a scan of a single page, which makes a case of its own."""
    pile = draw_pile(_SINGLES + number, "x", dpi=_DPI)
    return TinyScan("OBL-01", f"single-{number:04d}.pdf", pile.file, tuple(next(_cases(pile))))


def lasting(number: int) -> TinyScan:
    """Draw a scan of one case, in the box whose stacks go on: nothing but time ends this one."""
    pile = draw_pile(_OPEN + number, "B C1 x", box="OBL-02", dpi=2 * _DPI)
    return TinyScan("OBL-02", f"lasting-{number:04d}.pdf", pile.file, tuple(next(_cases(pile))))


def cases_of_block(number: int) -> list[list[int]]:
    """Give the page ids of the cases that must come of a block."""
    return [case for pile in _piles(number) for case in _cases(pile)]


@lru_cache(maxsize=256)
def _piles(number: int) -> list[Pile]:
    first = 4 * number
    lone = [draw_pile(first + place, words, dpi=_DPI) for place, words in enumerate(_LONE)]
    return [*lone, draw_pile(first + len(lone), _LASTING, box="OBL-02", dpi=_DPI)]


def _cases(pile: Pile) -> Iterator[list[int]]:
    """Each case sheet begins a case, and the papers after it are its own."""
    ids: list[int] = []
    for page in pile.pages:
        if page.role is Role.COVER and ids:
            yield ids
            ids = []
        if page.role in {Role.COVER, Role.PAPER} and page.page_id is not None:
            ids.append(page.page_id)
    yield ids


def _holds_something(folder: Path) -> bool:
    try:
        return any(not path.is_dir() for path in folder.rglob("*"))
    except FileNotFoundError:
        return True  # it went while it was looked at: look again


def _fsync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
