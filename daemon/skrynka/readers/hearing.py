"""What is heard of a portion of a scan while reader processes read it, one after another: only what can be true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from skrynka.core.errors import ScanRejected
from skrynka.core.model import PageReading
from skrynka.core.reasons import QuarantineReason
from skrynka.readers.believing import is_believable
from skrynka.readers.messages import Answer, Began, Busy, Done, Opened, Read, ReadOrder
from skrynka.readers.portions import Portion


class HeardPortion:
    """What is known of a portion; one thread's."""

    def __init__(self, order: ReadOrder, portion: Portion, opened: Callable[[int], None]) -> None:
        """Take the order for the whole scan.

        `opened` is told how many pages each process finds in it, and raises ScanRejected where that can't be.
        """
        self.portion = portion
        self.readings: list[PageReading] = []
        self._order = order
        self._tell_opened = opened
        self._pages: int | None = None
        self._opened = False
        """By the child that reads now."""
        self._begun = False
        self._alone: int | None = None
        """The page that is read alone, because a child died of it."""

    @property
    def whole(self) -> bool:
        """Say whether every page of it was read."""
        return self._pages is not None and self._next > self._end

    def next_order(self) -> ReadOrder:
        """Give what the next child is to do: the page that is tried alone, or all from the first that wasn't read."""
        self._opened = self._begun = False
        return replace(self._order, first=self._next, last=self._alone or self.portion.last)

    def go_back(self, page: int | None) -> None:
        """Have this page read next, alone: a child died of it. None: it died before it came to any."""
        if page is not None:
            del self.readings[page - self.portion.first :]
            self._alone = page

    def hear(self, answer: Answer) -> None:
        """Take in an answer. Raises ScanRejected: reader_incoherent for what can't be true, too_large."""
        match answer:
            case Busy() if not self._opened:
                pass
            case Opened(pages=pages) if not self._opened and pages > 0 and self._pages in (None, pages):
                self._tell_opened(pages)
                self._opened, self._pages = True, pages
            case Began(number=number) if self._opened and not self._begun and number == self._next <= self._last:
                self._begun = True
            case Read(reading=reading) if self._begun and reading.number == self._next:
                if not is_believable(reading, self._order):
                    raise ScanRejected(QuarantineReason.READER_INCOHERENT, self._next, "not a page's reading")
                self.readings.append(reading)
                self._begun = False
            case Done() if self._opened and not self._begun and self._next == self._last + 1:
                self._alone = None
            case _:
                raise ScanRejected(QuarantineReason.READER_INCOHERENT, detail="answers out of order")

    @property
    def _next(self) -> int:
        return self.portion.first + len(self.readings)

    @property
    def _end(self) -> int:
        return min(self.portion.last, self._pages or self.portion.last)

    @property
    def _last(self) -> int:
        return self._alone or self._end
