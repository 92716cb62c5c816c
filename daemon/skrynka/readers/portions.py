"""In which portions pages are read, and documents cut, by one reader process after another or by several at a time.

Each portion costs the start of a process and the opening of the file once more. What processes read at once should end
at once too, so portions get smaller towards the end. None is large: what a file's library keeps of the pages that it
has shown grows with them, and goes with the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil

LEAST = 8
"""Pages: at some 25 ms each they take six times as long as the start of a process."""
MOST = 50
"""Pages: of A4 in colour at 300 dpi the PDF library keeps some 40 MB by then."""
LEAST_CUT, MOST_CUT = 25, 100
"""Pages of documents that are cut, at some 2 ms each."""


@dataclass(frozen=True, slots=True)
class Portion:
    """Some pages of a scan, or some documents, one after another."""

    first: int
    """1-based."""
    last: int
    """1-based, inclusive; beyond the scan's last page where that isn't known yet."""

    @property
    def slice(self) -> slice:
        """As a part of a sequence."""
        return slice(self.first - 1, self.last)


def next_portion(first: int, pages: int | None, workers: int) -> Portion:
    """Say what is read next, from page `first` on.

    `pages` is how many the scan has, None where nobody has opened it yet; `workers` is how many processes may read it,
    the one that asks among them. Pure.
    """
    if workers == 1:
        size = MOST
    elif pages is None:
        size = LEAST
    else:
        size = min(max(ceil((pages - first + 1) / (2 * workers)), LEAST), MOST)
    last = first + size - 1
    # A few pages more are sooner read than another process is started for them.
    if pages is not None and pages - last < LEAST // 2:
        last = pages
    return Portion(first, last)


def portions_to_cut(pages: Sequence[int], workers: int) -> list[Portion]:
    """Say in which portions documents are cut: `pages` are how many each has, `workers` how many processes may cut.

    Pure.
    """
    if not pages:
        return []
    total = max(sum(pages), 1)
    size = total / max(min(total // LEAST_CUT, 2 * workers), ceil(total / MOST_CUT), 1)
    # A document belongs where its middle page lies.
    where = [(end - own / 2) // size for end, own in zip(accumulate(pages), pages, strict=True)]
    firsts = [place for place, own in enumerate(where, start=1) if place == 1 or own != where[place - 2]]
    return [
        Portion(first, following - 1) for first, following in zip(firsts, [*firsts[1:], len(pages) + 1], strict=True)
    ]
