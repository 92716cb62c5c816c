"""Two slow scanners, one for each box: files grow page by page, are closed and opened again, or are moved in whole."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from tests.demo.material import DemoScan, WriteStyle
from tests.support.scans import write_slowly

_PAGE_SECONDS = 0.13
_PAGES_AT_A_TIME = 4
"""Then the scanner closes the file, and opens it again for the next page."""
_BETWEEN_SCANS_SECONDS = 0.4


class Scanners:
    """Save the scans into the boxes' inboxes, in their order within each box, all boxes at a time."""

    def __init__(
        self, scans: Sequence[DemoScan], inbox: Callable[[str], Path], say: Callable[[str, str], None]
    ) -> None:
        """`say` is told box and sentence as each scan begins."""
        self._inbox = inbox
        self._say = say
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._failed: list[BaseException] = []
        boxes = sorted({scan.box for scan in scans})
        self._threads = [
            threading.Thread(target=self._work, args=([scan for scan in scans if scan.box == box],)) for box in boxes
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait(self, alive: Callable[[], bool]) -> None:
        """Wait until everything is saved, or `alive` is false. Raises what a scanner failed with."""
        while alive() and any(thread.is_alive() for thread in self._threads):
            for thread in self._threads:
                thread.join(0.2)
        if self._failed:
            raise self._failed[0]

    def _work(self, scans: Sequence[DemoScan]) -> None:
        try:
            for scan in scans:
                if self._stop.wait(_BETWEEN_SCANS_SECONDS):
                    return
                self._save(scan)
        except BaseException as error:  # noqa: BLE001 - told to who waits
            self._failed.append(error)

    def _save(self, scan: DemoScan) -> None:
        name, pages = scan.path.name, len(scan.truth.pages)
        size = f"{pages} page{'' if pages == 1 else 's'}" if pages else "unreadable"
        target = self._inbox(scan.box) / name
        moved = scan.write_style is WriteStyle.MOVED
        with self._lock:
            self._say(scan.box, f"{name} ({size}) {'moved in whole' if moved else 'begins to grow'}")
        data = scan.path.read_bytes()
        if moved:
            # In a folder beside the inboxes, as a scanner's own software has one: a move must be a rename.
            outside = target.parents[1] / f".{scan.box}-{name}"
            outside.write_bytes(data)
            os.replace(outside, target)  # noqa: PTH105 - the very call that scanners' software makes
            return
        chunk = -(-len(data) // max(pages, 1))
        write_slowly(target, data, self._stop.wait, chunk=chunk, pause=_PAGE_SECONDS, reopen_every=_PAGES_AT_A_TIME)
