"""How far a page's stated size can be believed: a program may write any resolution into a PDF.

A sheet is printed on A4. On a page whose size no scanner's paper has, an A4 sheet may lie all the same: saved with a
point for each pixel it is a metre long, and saved at twice its resolution it is a hand's breadth.
"""

from __future__ import annotations

_A4_LONG_MM = 297.0
_SHORTEST_MM, _LONGEST_MM = 200.0, 430.0
"""Of the longer side, from A5 to A3 with some to spare: the papers that such sheets are printed on, and copied to."""


def other_scale(width_mm: float, height_mm: float) -> float | None:
    """Say how many times larger than stated a page is if it is A4; None where its size may be what is stated.

    A long receipt is larger than A3 and no A4, and a small note is small: the stated size may be right as well.
    """
    longer = max(width_mm, height_mm)
    return None if _SHORTEST_MM <= longer <= _LONGEST_MM else _A4_LONG_MM / longer
