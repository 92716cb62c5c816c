"""What every page gets: QR codes are looked for, on few pixels, and the linear code where our sheets' mark is.

Measured on 340 of our own sheets, with modules of 0.8 mm and more, printed, handled and scanned badly in every way, at
75 dpi: zxing-cpp read 245 in less than a
millisecond a page. Of the other 95 it read 10 softened, and of what was left gave an error on 23. On the 62 that told
it nothing at all, it read one at 150 dpi, softened or not, that was no negative; negatives it reads here as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skrynka.core.model import CODES_ON_SHEETS, Symbology
from skrynka.core.routing_code import looks_own, verifies
from skrynka.steps.barcodes.engines import Pixels, Place, Seen, zxing
from skrynka.steps.barcodes.softening import softened

QUICK, QUICK_SOFT = "quick", "quick_soft"
"""The rungs: zxing-cpp on the pixels given, and on the same softened."""
_DARK = 128
"""Of 256 levels: half a page's pixels are darker where its ground is black."""
_APART = 8
"""Pixels from one that is asked for that to the next."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What was seen at a glance."""

    seen: tuple[Seen, ...] = ()
    broken: tuple[Place, ...] = ()
    """Middles of QR codes that couldn't be decoded, some perhaps in one of both looks only."""


NOTHING_SEEN = Glance()


def glance(pixels: Pixels, symbologies: frozenset[Symbology], *, sign: bool, blank: bool) -> Glance:
    """Look for QR codes, at any angle, if they are among `symbologies`.

    Where there is a `sign` of our sheets' mark, for the linear code too. `pixels` are uint8 (height, width), 0 black,
    at about 75 dpi; `blank` says that there is nothing on the page.
    """
    wanted = symbologies & (CODES_ON_SHEETS.keys() if sign else {Symbology.QR})
    # Our codes are black on white, but for negatives, whose ground is dark all over.
    asked = pixels[::_APART, ::_APART]
    dark = bool(2 * np.count_nonzero(asked < _DARK) > asked.size)
    seen, broken = zxing(pixels, wanted, QUICK, shrinking=False, inverting=dark)
    # On few pixels a bar may be taken for another, and one wrong code in a hundred has the right check symbol.
    seen = [one for one in seen if one.symbology is Symbology.QR or verifies(one.text)]
    if blank or any(looks_own(one.text) for one in seen):
        return Glance(tuple(seen), tuple(broken))
    # Softened, the bars of a linear code run into each other.
    more, broken_too = zxing(softened(pixels), wanted & {Symbology.QR}, QUICK_SOFT, shrinking=False, inverting=dark)
    known = {one.text for one in seen}
    return Glance((*seen, *(one for one in more if one.text not in known)), (*broken, *broken_too))
