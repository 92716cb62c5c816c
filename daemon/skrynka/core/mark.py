"""The mark of our sheets: what still says "this is a sheet" when no code can be read.

A disc and two rings around it, black on white, of widths that differ. It looks the same however the page is turned, and
is half as large as a hand, so that what doesn't leave a code alone (worn toner, streaks, a soft focus, a bad threshold,
a fax) leaves most of it.

Each sheet bears it twice, at the ends of one diagonal: in the upper left corner and in the lower right one, across from
the QR codes. Two of them at the right distance are hardly ever chance, though each may be nearly gone; and a cut or
stained side takes one of them at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import hypot

RADII_MM = (5.0, 9.5, 14.0, 17.0, 21.0)
"""Where black ends and begins in turn, from the black middle outwards."""
RADIUS_MM = RADII_MM[-1]
FROM_EDGE_MM = 36.0
"""From the middle of a mark to the two sides of the paper beside it."""
APART = (210.0 - 2 * FROM_EDGE_MM, 297.0 - 2 * FROM_EDGE_MM)
"""Millimetres across and down from the upper mark to the lower one, on A4: 138 and 225. The QR codes are at the other
corners, so one of them is as far across from a mark, the other as far down."""
APART_MM = hypot(*APART)
_SLACK = 0.15
"""Photographs that are taken a little aslant, and paper that is crumpled, change distance and sizes by so much."""
_APART_ASLANT, _SIZES_ASLANT = 0.18, 0.4
"""Photographs from the side change them by so much."""
_EXACT = 0.06
"""What misfit a flat, straight sheet may show: sizes are told in steps of a twentieth."""
_ALONG, _ASIDE = APART[0] ** 2 / APART_MM, APART[0] * APART[1] / APART_MM
"""Millimetres from a mark to the nearer QR code's middle: along the line between the marks, and at right angles."""
OFF_THE_PAGE = -1.0
"""Stands for how restless a place is that doesn't lie on the page."""


CORNER_SLACK_MM = 7.0
"""A feeder's skew and shift, and what a scanner cuts off."""
_CORNER_SIZE = 0.11
"""From 90 % to 110 %: what is printed smaller lies elsewhere."""


class Marked(IntEnum):
    """What marks say of a page."""

    NO = 0
    PERHAPS = 1
    """Worth a closer look for codes; no more than that."""
    YES = 2
    """It is a sheet, whether or not a code can be read."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something like the mark."""

    x: float
    y: float
    """Millimetres from the page's upper left, of its middle."""
    size: float
    """As a share of the mark's own."""
    likeness: float
    """The correlation: 1 for the mark itself, 0 for nothing like it, -1 for its negative."""
    contrast: float
    """From its black to its white, as a share of the white."""
    page: tuple[float, float]
    """The page's width and height, in millimetres."""
    rings: float = 0.0
    """The correlation of what is seen from its middle outwards, all directions together, with the mark: 1 for it."""
    codes: float = OFF_THE_PAGE
    one_code: float = OFF_THE_PAGE
    """Of a mark in its corner: how restless, beyond noise, the calmer of the two places is where its sheet's QR codes
    are, and how restless the other one."""
    bars: float = 0.0
    """And how much like a linear code the place is where its sheet's one is, 0 to 1; 0 where all else says enough."""
    finders: tuple[float, float] = (0.0, 0.0)
    """How much like QR codes both places together are where its sheet's are, by their finders on average, at most 2,
    and the liker one by its worst finder, at most 1; 0 where all else says enough. Of a mark that isn't in its corner:
    0, and how much like a QR code anything is that lies as far from it as its sheet's are."""

    @property
    def in_its_corner(self) -> bool:
        """Tell whether it lies where a sheet's mark does on a page that is scanned whole and straight, from the front.

        Of an upright page these are the upper left and the lower right corner, whichever way up; of one that was turned
        by a quarter, the other two.
        """
        return self._in_a_corner and self._left_above is (self.page[1] >= self.page[0])

    @property
    def in_a_backs_corner(self) -> bool:
        """Tell whether it lies where it would shine through a sheet's back, and on no front."""
        return self._in_a_corner and self._left_above is not (self.page[1] >= self.page[0])

    @property
    def _in_a_corner(self) -> bool:
        (x, y), (width, height) = (self.x, self.y), self.page
        off = max(abs(min(x, width - x) - FROM_EDGE_MM), abs(min(y, height - y) - FROM_EDGE_MM))
        return off < CORNER_SLACK_MM and abs(self.size - 1) < _CORNER_SIZE

    @property
    def _left_above(self) -> bool:
        return (self.x < self.page[0] / 2) is (self.y < self.page[1] / 2)

    def code_places(self) -> list[tuple[float, float]]:
        """Give the middles (x, y) of its sheet's QR codes, if it lies in its corner."""
        width, height = self.page
        across, down = APART if height >= width else APART[::-1]
        right, below = (-across if self.x > width / 2 else across), (-down if self.y > height / 2 else down)
        return [(self.x + right, self.y), (self.x, self.y + below)]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two of them as far from each other as a sheet's two marks, and what lies where its codes would be."""

    one: Mark
    other: Mark
    front_codes: float
    """How restless, beyond noise, the calmer of the two places is, in levels of 256, if the sheet's front is seen."""
    back_codes: float
    """The same if its back is seen."""

    @staticmethod
    def fits(one: Mark, other: Mark) -> bool:
        """Tell whether two marks, both black on white or both the other way, may be a sheet's two marks."""
        apart, sizes = _misfits(one, other)
        return one.likeness * other.likeness > 0 and apart < _APART_ASLANT and sizes < _SIZES_ASLANT

    @property
    def aslant(self) -> bool:
        """Tell whether sizes and distance fit each other only as a photograph from the side shows them."""
        return max(_misfits(self.one, self.other)) >= _SLACK

    @property
    def exact(self) -> bool:
        """Tell whether sizes and distance fit each other as they do where nothing bends or slants the paper."""
        return max(_misfits(self.one, self.other)) < _EXACT

    @staticmethod
    def code_places(one: Mark, other: Mark) -> list[tuple[float, float]]:
        """Give the middles (x, y) of both QR codes of a sheet seen from its front, then of one seen from its back."""
        across, down = (other.x - one.x) / APART_MM, (other.y - one.y) / APART_MM
        places = []
        for side in (1, -1):
            # A mark's code lies to the left of the way to the other mark, seen from the front: y goes down.
            step = across * _ALONG + side * down * _ASIDE, down * _ALONG - side * across * _ASIDE
            places += [(one.x + step[0], one.y + step[1]), (other.x - step[0], other.y - step[1])]
        return places

    @property
    def likeness(self) -> float:
        """Both likenesses together, 0 to 2."""
        return abs(self.one.likeness) + abs(self.other.likeness)

    @property
    def least_likeness(self) -> float:
        """The worse one's, 0 to 1."""
        return min(abs(self.one.likeness), abs(self.other.likeness))

    @property
    def rings(self) -> tuple[float, float]:
        """Give those of the two, the worse first: a stain may lie on one."""
        worse, better = sorted((self.one.rings, self.other.rings))
        return worse, better

    @property
    def finders(self) -> float:
        """How much like QR codes both places are where its sheet's are, by the mark that says more of them."""
        return max(self.one.finders[0], self.other.finders[0])

    @property
    def in_corners(self) -> bool:
        """Tell whether both lie where a sheet's marks do on a page that is scanned whole and straight."""
        return self.one.in_its_corner and self.other.in_its_corner

    @property
    def in_place(self) -> bool:
        """Tell whether they lie as a flat, straight sheet's marks do, by their distance or by where they are."""
        return self.exact or self.in_corners

    @property
    def from_behind(self) -> bool:
        """Tell whether it is a sheet's back that its front shines through: pale, with codes on the other diagonal.

        Codes that are covered can't be seen from behind either, but there is no paper where the front would have them.
        """
        if self.aslant or not (_is_pale(self.one) and _is_pale(self.other)):
            return False
        if self.one.in_a_backs_corner and self.other.in_a_backs_corner:
            return True
        if self.back_codes == OFF_THE_PAGE:
            return False
        return self.front_codes == OFF_THE_PAGE or self.back_codes > max(2 * self.front_codes, _LEAST_CODES)


def _misfits(one: Mark, other: Mark) -> tuple[float, float]:
    """Give by how much of it the distance differs from what the sizes would have it, and the sizes."""
    size = (one.size + other.size) / 2
    apart = hypot(other.x - one.x, other.y - one.y) / size
    return abs(apart / APART_MM - 1), abs(one.size - other.size) / size


def _is_pale(mark: Mark) -> bool:
    return mark.contrast < _SHINES_THROUGH


_SHINES_THROUGH = 0.35
"""A sheet's front shines through office paper (80 g) at 8 to 20 % of its contrast."""
_LEAST_CODES = 0.5
"""Levels: an even ground differs by less, and a QR code through paper, out of focus, by more."""
LEAST_LIKENESS, LEAST_OF_TWO = 0.2, 0.15
"""Of anything that is made something of; of each of two in both their corners, with bars where the linear code is."""
_ONE_PERHAPS, _TWO_PERHAPS = 0.5, 0.56
"""Likenesses, of both together where there are two, that are worth a look."""

# What makes a sheet. Likeness says how much of a mark can be seen, rings whether it is ours: what wears a mark takes
# more of its likeness than of its rings, and what only looks like one has hardly better rings than likeness.
# The bounds are set on the reading benchmark: of its sheets in every bad state hardly any is passed over, and of its
# pages without one hardly any is held but those on which rings are drawn that are nearly our mark's.
_ANYWHERE = (0.85, 0.95), (0.6, 0.96)
"""Likeness and rings of one mark alone, wherever it lies: of which half may be cut off, if what is left is ours."""
_IN_CORNER, _RINGS_IN_CORNER, _BETTER_IN_CORNER = 0.35, (0.8, 0.92), 0.42
"""Likeness of one in its corner, and the rings it must have: so much more than its likeness, between these bounds."""
_BESIDE_CODES, _RINGS_BESIDE_CODES, _BETTER_BESIDE_CODES = 0.32, (0.6, 0.9), 0.07
"""The same of one with something like codes in both other corners; the rings between these bounds."""
_ONE_OF_LITTLE, _RINGS_OF_ONE, _CODES_OF_ONE = 0.23, 0.72, 5.0
"""Likeness and rings of one beside codes that is hardly there, and the levels of the calmer of these: a framed form has
such a thing beside lines of text, which come to 1 level, now and then."""
_BARS, _RINGS_WITH_BARS, _BETTER_WITH_BARS = 0.42, (0.48, 0.85), 0.2
"""Of one of any likeness, with bars where the linear code is: how like one these must be, and its rings: by so much
better than its likeness, between these bounds. A fax's pixels, which aren't square, leave 0.89."""
_CODES_IN_CORNERS = 1.0
"""Levels, of the calmer of the two places where a code is."""
_TWO_ANYWHERE = 1.25, 0.9
"""Likeness of both together, anywhere about the right distance, and the better one's rings."""
_TWO_RINGED = (0.7, 0.8, 0.8), (0.8, 0.5, 0.9)
"""Likeness of both together, however aslant they lie, and the rings of the worse and of the better one. Of 8,000 pages
without a sheet none had two things of 0.6 with rings of 0.7 each, and two had one of 0.8 to 0.86 beside one of 0.6."""
_TWO_CUT = 0.8, 0.65, 30.0
"""Likeness of both together, the worse one's rings, and the levels where the codes are, of two about the right distance
apart that aren't in place: of marks that are cut in half it isn't known exactly where they are. A QR code comes to 50
levels, a text to 15."""
_TWO_BESIDE_CODES = 0.64, 0.6
"""The same where they are in place, with codes that can be guessed at."""
_TWO_BY_RINGS, _RINGS_OF_EACH, _BETTER_BY_RINGS = 0.6, 0.75, 0.4
"""Likeness of both together in place, without any codes, the rings of the worse, and by how much both's must be more
than the likeness."""
_TWO_OF_LITTLE, RINGS_OF_LITTLE = 0.42, (0.45, 1.1)
"""Likeness of both that are hardly there, the worse one's rings, and both's together, in both corners or at their
distance beside codes. With bars where the linear code is, such rings are enough in both corners of two that are less
like it."""
_LITTLE_OF_ALL = 2.55
"""What likeness, rings, and the finders of both codes come to together, of two that are hardly there in both corners.
Of 200 sheets without 87 % of their toner 23 are known by nothing else, all by 2.62 or more; of 8,000 pages without a
sheet three had anything like it, of 2.48 at most."""
_ONE_BY_FINDERS, _RINGS_BY_FINDERS, _BOTH_FINDERS = 0.3, 0.6, 0.7
"""Likeness and rings of one in its corner, and of how much of both codes' finders is left: of 8,000 pages without a
sheet none with such a mark came to more than 0.66."""
RESTLESS, _FINDERS = 15.0, 0.37
"""Levels, and likeness by its finders, of one QR code beside what is hardly a mark, in its corner: of 8,000 pages
without a sheet ten had anything so restless there, and came to 0.32."""
MAYBE_ANYWHERE, FINDERS_ANYWHERE = (0.5, 0.75), 0.47
"""Likeness and rings of one, wherever it lies, with a QR code as far from it as on a sheet, and how much like one that
is by its finders: of 8,000 pages without a sheet 44 had such a mark, and came to 0.41."""


def weigh(marks: Sequence[Mark], pairs: Sequence[Pair]) -> Marked:
    """Say what marks and pairs of them make a page.

    A sheet's back, through which both marks of its front shine, is `PERHAPS`: its codes may be read from behind.
    """
    likely = [pair for pair in pairs if pair.least_likeness >= LEAST_LIKENESS]
    # Beside marks that shine through, what is hardly a mark is none.
    little = [] if any(pair.from_behind for pair in likely) else pairs
    if any(_is_a_sheets(pair) for pair in likely) or any(_lies_beside_bars(pair) for pair in little):
        return Marked.YES
    if any(_says_enough(mark) for mark in of_this_side(marks, pairs)):
        return Marked.YES
    two = any(pair.likeness >= _TWO_PERHAPS for pair in likely)
    return Marked.PERHAPS if two or any(abs(mark.likeness) >= _ONE_PERHAPS for mark in marks) else Marked.NO


def of_this_side(marks: Sequence[Mark], pairs: Sequence[Pair]) -> list[Mark]:
    """Give the marks but for those that shine through from the other side, as far as that can be told."""
    likely = [pair for pair in pairs if pair.least_likeness >= LEAST_LIKENESS]
    behind = [mark for pair in likely if pair.from_behind for mark in (pair.one, pair.other)]
    return [mark for mark in marks if mark not in behind and not (mark.in_a_backs_corner and _is_pale(mark))]


def _is_a_sheets(pair: Pair) -> bool:
    if pair.from_behind:
        return False
    likeness, (worse, better) = pair.likeness, pair.rings
    if any(likeness >= enough and worse >= least and better >= most for enough, least, most in _TWO_RINGED):
        return True
    if pair.aslant and not pair.in_corners:
        return False
    if likeness >= _TWO_ANYWHERE[0] and better >= _TWO_ANYWHERE[1]:
        return True
    if not pair.in_place:
        enough, needed, restless = _TWO_CUT
        return likeness >= enough and worse >= needed and pair.front_codes >= restless
    beside_codes = pair.front_codes >= _LEAST_CODES and likeness >= _TWO_BESIDE_CODES[0]
    by_rings = likeness >= _TWO_BY_RINGS and worse >= _RINGS_OF_EACH
    return (
        (beside_codes and better >= _TWO_BESIDE_CODES[1])
        or (by_rings and worse + better >= likeness + _BETTER_BY_RINGS)
        or (likeness >= _TWO_OF_LITTLE and _have_rings(pair) and _borne_out(pair))
    )


def _borne_out(pair: Pair) -> bool:
    """Tell whether codes, or what is left of them, bear out two marks of which hardly anything is left."""
    if pair.in_corners:
        return pair.likeness + sum(pair.rings) + pair.finders >= _LITTLE_OF_ALL
    return pair.front_codes >= _CODES_IN_CORNERS


def _lies_beside_bars(pair: Pair) -> bool:
    """Tell whether two of which hardly anything is left lie in both corners of a page with our linear code's bars."""
    bars = max(pair.one.bars, pair.other.bars) >= _BARS
    there = pair.in_corners and pair.least_likeness >= LEAST_OF_TWO and not pair.from_behind
    return bars and there and _have_rings(pair)


def _have_rings(pair: Pair) -> bool:
    worse, better = pair.rings
    return worse >= RINGS_OF_LITTLE[0] and worse + better >= RINGS_OF_LITTLE[1]


def _says_enough(alone: Mark) -> bool:
    """Tell whether one mark alone makes the page a sheet."""
    likeness, rings = abs(alone.likeness), alone.rings
    if not alone.in_its_corner:
        bounds = _ANYWHERE if alone.finders[1] < FINDERS_ANYWHERE else (MAYBE_ANYWHERE,)
        return any(likeness >= enough and rings >= needed for enough, needed in bounds)
    if _lies_beside_finders(alone) or _lies_beside_a_linear_code(alone):
        return True
    if alone.codes >= _CODES_IN_CORNERS:
        least, enough = _RINGS_BESIDE_CODES
        if likeness < _BESIDE_CODES:
            return alone.codes >= _CODES_OF_ONE and likeness >= _ONE_OF_LITTLE and rings >= _RINGS_OF_ONE
        return rings >= max(least, min(likeness + _BETTER_BESIDE_CODES, enough))
    least, enough = _RINGS_IN_CORNER
    return likeness >= _IN_CORNER and rings >= max(least, min(likeness + _BETTER_IN_CORNER, enough))


def _lies_beside_finders(alone: Mark) -> bool:
    likeness, (both, one) = abs(alone.likeness), alone.finders
    if likeness >= _ONE_BY_FINDERS and alone.rings >= _RINGS_BY_FINDERS and both >= _BOTH_FINDERS:
        return True
    return alone.one_code >= RESTLESS and one >= _FINDERS and likeness >= LEAST_OF_TWO


def _lies_beside_a_linear_code(alone: Mark) -> bool:
    likeness, (least, enough) = abs(alone.likeness), _RINGS_WITH_BARS
    needed = max(least, min(likeness + _BETTER_WITH_BARS, enough))
    return alone.bars >= _BARS and likeness >= LEAST_LIKENESS and alone.rings >= needed
