"""In which portions a scan's pages are read, by one reader process after another or by several at a time.

Each portion costs the start of a process and the opening of the file once more. What processes read at once should end
at once too, so portions get smaller towards the end. None is large: what a file's library keeps of the pages that it
has shown grows with them, and goes with the process.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

LEAST = 8
"""Pages: at some 40 ms each they take five times as long as the start of a process."""
MOST = 50
"""Pages: of A4 in colour at 300 dpi the PDF library keeps some 40 MB by then."""


@dataclass(frozen=True, slots=True)
class Portion:
    """Some pages of a scan, one after another."""

    first: int
    """1-based."""
    last: int
    """1-based, inclusive; beyond the scan's last page where that isn't known yet."""


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
