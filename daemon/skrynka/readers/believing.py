"""What of a child's answers can be true: a hostile file may have taken it over, and what it says goes on records.

The types were checked when the answer was taken apart (`messages`); these are the values.
"""

from __future__ import annotations

import math
import re

from skrynka.core.model import Code, PageReading, Standing
from skrynka.core.reasons import QuarantineReason
from skrynka.readers.messages import CutOrder, Order, ReadOrder

_LONGEST_SIDE_PT = 50_000.0
"""Points, 17 m: no longer page is read."""
_MOST_DPI = 1e6
_MOST_CODES = 256
"""On one page. A sheet of labels has a hundred."""
_LONGEST_TEXT = 7089
"""Characters: what the largest QR code holds (ISO/IEC 18004, table 7)."""
_FURTHEST = 8.0
"""Pages' widths or heights: a code's corner may be found a little beyond the page, not on the next table."""
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_RUNG = re.compile(r"[a-z_]{1,20}")
_READING = frozenset({
    QuarantineReason.CORRUPT, QuarantineReason.ENCRYPTED, QuarantineReason.EMPTY, QuarantineReason.UNSUPPORTED,
    QuarantineReason.TOO_LARGE, QuarantineReason.NO_PAGES, QuarantineReason.PAGE_TOO_LARGE,
    QuarantineReason.PAGE_UNREADABLE, QuarantineReason.READER_CRASHED,
})  # fmt: skip
_CUTTING = _READING | {QuarantineReason.CUT_FAILED}


def may_refuse_for(order: Order, reason: QuarantineReason) -> bool:
    """Tell whether a child that has this order may give this reason; the others are the parent's to find."""
    return reason in (_CUTTING if isinstance(order, CutOrder) else _READING)


def is_believable(reading: PageReading, order: ReadOrder) -> bool:
    """Tell whether a page can look like this, and whether nothing is in its reading that wasn't ordered."""
    return (
        _within(reading.width, 0, _LONGEST_SIDE_PT)
        and _within(reading.height, 0, _LONGEST_SIDE_PT)
        and reading.rotation in (0, 90, 180, 270)
        and _within(reading.dpi, 0, _MOST_DPI)
        and (reading.ink == 0 or _within(reading.ink, 0, 1))
        and _FINGERPRINT.fullmatch(reading.fingerprint) is not None
        and len(reading.codes) <= _MOST_CODES
        and all(_is_believable_code(code, order) for code in reading.codes)
    )


def _is_believable_code(code: Code, order: ReadOrder) -> bool:
    return (
        code.symbology in order.symbologies
        and 1 <= len(code.engines) == len(set(code.engines))
        and _RUNG.fullmatch(code.rung) is not None
        and len(code.corners) in (0, 4)
        and all(math.isfinite(part) and abs(part) <= _FURTHEST for corner in code.corners for part in corner)
        and _is_believable_text(code, order)
    )


def _is_believable_text(code: Code, order: ReadOrder) -> bool:
    if code.text is None:
        return code.standing is Standing.FOREIGN
    if len(code.text) > _LONGEST_TEXT:
        return False
    if code.standing is Standing.SEPARATOR:
        return code.text in order.separators
    # The text of somebody else's code is nobody's business unless a person asked.
    return code.standing is Standing.OWN or order.foreign_text


def _within(value: float, above: float, most: float) -> bool:
    """Tell whether a number lies above the one and not above the other; NaN lies nowhere."""
    return above < value <= most
