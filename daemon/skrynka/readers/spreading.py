"""One piece of work, done in portions by as many threads as are free, each with one reader process at a time.

What comes of it is what one thread would have made of it: all that it should be, or the failure that lies first.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable

from skrynka.core.errors import ScanRejected
from skrynka.core.model import PageReading
from skrynka.core.reasons import QuarantineReason
from skrynka.readers.portions import LEAST, Portion, next_portion
from skrynka.readers.slots import Slots

_LOOK_SECONDS = 0.2
_MOST_FOLLOWING = 3
"""Threads that do what follows portions: the disk has enough to do with them, and fsyncs wait for each other."""

Progress = Callable[[], None]
ReadPortion = Callable[["SpreadScan", Portion, Progress], list[PageReading]]


class Spreading:
    """Portions, and the threads that do them. Its methods may be called from any of these."""

    def __init__(
        self, slots: Slots, take: Callable[[int], Portion | None], do: Callable[[Portion, Progress], None]
    ) -> None:
        """`take` gives the next portion for one of so many threads, None when no more is left, never called by two.

        `do` does a portion, and may raise whatever ends the work.
        """
        self._slots = slots
        self._take_next = take
        self._do = do
        self.changed = threading.Condition()
        """Held while portions are taken."""
        self._workers = 1
        self._following = 0
        self._steps = 0
        self._failure: tuple[int, BaseException] | None = None
        """What lies first of what failed, and where its portion begins."""

    def run(self, progress: Progress, worth: Callable[[int], bool] = lambda _: False) -> None:
        """Do all of it, from the thread that has the work; `progress` is called from this thread alone.

        It has a slot of its own for as long as it does portions itself, and helpers from the start as with `hire`.
        Raises what lies first of what its portions raised, and what `progress` raises.
        """
        try:
            with self._slots.own():
                self.hire(worth)
                self._work(progress, lent=False)
            self._await_others(progress)
        except BaseException as error:
            self._fail(0, error)
            self._await_others(lambda: None)
            raise
        if self._failure is not None:
            raise self._failure[1]

    def hire(self, worth: Callable[[int], bool]) -> None:
        """Have helpers as long as slots are free and one is `worth` it beside so many."""
        helpers = 0
        while worth(helpers) and self._slots.borrow():
            helpers += 1
            with self.changed:
                self._workers += 1
            if not _started(self._help):  # the others do its share
                self._leave()
                return

    def follow_up(self, portion: Portion, work: Callable[[Progress], None], progress: Progress) -> None:
        """Have what follows a portion, and needs no slot, done by a thread of its own; by this one where many do so.

        What it raises is raised here, or counts as the portion's.
        """
        with self.changed:
            many = self._following >= _MOST_FOLLOWING
            self._following += not many
        if many:
            work(progress)
        elif not _started(self._follow, portion, work):
            self._end_following()
            work(progress)

    def is_pointless(self, portion: Portion) -> bool:
        """Say whether a portion needn't be done any more: what lies before it has failed."""
        failure = self._failure
        return failure is not None and failure[0] < portion.first

    def _help(self) -> None:
        try:
            self._work(lambda: None, lent=True)
        finally:
            self._leave()

    def _leave(self) -> None:
        self._slots.give_back()
        with self.changed:
            self._workers -= 1
            self.changed.notify_all()

    def _follow(self, portion: Portion, work: Callable[[Progress], None]) -> None:
        try:
            work(self._step)
        except BaseException as error:  # noqa: BLE001 - as below
            self._fail(portion.first, error)
        finally:
            self._end_following()

    def _end_following(self) -> None:
        with self.changed:
            self._following -= 1
            self.changed.notify_all()

    def _work(self, progress: Progress, *, lent: bool) -> None:
        def step() -> None:
            self._step()
            try:
                progress()
            except BaseException as error:
                self._fail(0, error)  # nothing of it is worth going on with
                raise

        while not (lent and self._slots.missed) and (portion := self._take()) is not None:
            try:
                self._do(portion, step)
            except BaseException as error:  # noqa: BLE001 - it is raised again in the work's own thread
                self._fail(portion.first, error)

    def _step(self) -> None:
        self._steps += 1

    def _take(self) -> Portion | None:
        with self.changed:
            return None if self._failure is not None else self._take_next(self._workers + self._slots.free)

    def _fail(self, place: int, error: BaseException) -> None:
        with self.changed:
            if self._failure is None or place < self._failure[0]:
                self._failure = place, error

    def _await_others(self, progress: Progress) -> None:
        seen = self._steps
        while True:
            with self.changed:
                if self._workers == 1 and self._following == 0:
                    return
                self.changed.wait(_LOOK_SECONDS)
            if self._steps != seen:
                seen = self._steps
                progress()


def _started(work: Callable[..., None], *given: object) -> bool:
    """Start a thread; False where there are no more."""
    try:
        # The names that are bound to what is logged go along.
        threading.Thread(target=contextvars.copy_context().run, args=(work, *given), name="working-along").start()
    except (RuntimeError, MemoryError):
        return False
    return True


class SpreadScan:
    """What is read of a scan, and what is left."""

    def __init__(self, most_pages: int, slots: Slots, read: ReadPortion) -> None:
        """`most_pages` is what a scan may have; `read` reads a portion, and may raise whatever ends the scan."""
        self._most_pages = most_pages
        self._read = read
        self._spreading = Spreading(slots, self._take, self._do)
        self._pages: int | None = None
        self._next = 1
        self._readings: dict[int, list[PageReading]] = {}

    def read(self, progress: Progress) -> list[PageReading]:
        """Read all of it; the rest is as with `Spreading.run`."""
        self._spreading.run(progress)
        return [reading for _, readings in sorted(self._readings.items()) for reading in readings]

    def tell_opened(self, pages: int) -> None:
        """Take how many pages a process found. Raises ScanRejected: too_large, or another number than before."""
        if pages > self._most_pages:
            raise ScanRejected(QuarantineReason.TOO_LARGE, detail="more pages than a scan may have")
        with self._spreading.changed:
            if self._pages not in (None, pages):
                raise ScanRejected(QuarantineReason.READER_INCOHERENT, detail="another number of pages")
            self._pages = pages
        self._spreading.hire(lambda helpers: self._left >= LEAST * (helpers + 1))

    def is_pointless(self, portion: Portion) -> bool:
        """Say whether a portion needn't be read any more: the scan has failed before it."""
        return self._spreading.is_pointless(portion)

    def _take(self, workers: int) -> Portion | None:
        if self._pages is not None and self._left <= 0:
            return None
        portion = next_portion(self._next, self._pages, workers)
        self._next = portion.last + 1
        return portion

    def _do(self, portion: Portion, progress: Progress) -> None:
        readings = self._read(self, portion, progress)
        with self._spreading.changed:
            self._readings[portion.first] = readings

    @property
    def _left(self) -> int:
        return self._pages - self._next + 1 if self._pages is not None else 0
