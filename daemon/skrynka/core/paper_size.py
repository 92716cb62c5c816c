"""How far a page's stated size can be believed: a program may write any resolution into a PDF.

A sheet is printed on A4. On a page that is stated to be of another size an A4 sheet may lie all the same: saved with a
point for each pixel it is a metre long, at twice its resolution a hand's breadth, and on a copier that makes A3 of A4
it is as large as it says.
"""

from __future__ import annotations

_A4_LONG_MM = 297.0
_SHORTEST_MM, _LONGEST_MM = 215.0, 315.0
"""Of the longer side: where a sheet's mark is found at the size that is stated, for it is looked for at several."""


def other_scale(width_mm: float, height_mm: float) -> float:
    """Say how many times larger than stated a page is if it is A4; 1 where that makes no difference.

    The stated size may be right as well: a certificate on A5, a plan on A3, a long receipt, a small note.
    """
    longer = max(width_mm, height_mm)
    return 1.0 if _SHORTEST_MM <= longer <= _LONGEST_MM else _A4_LONG_MM / longer
