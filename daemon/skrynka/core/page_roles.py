"""What each page of a pile is: paper, blank, one of our sheets, a sheet's back, or a boundary that doesn't verify.

One page's codes are weighed first, alone; then neighbours, because a sheet's back can only be told by its front.
Anything in our scheme that doesn't verify, and any sheet whose codes can't be read, is *held*: it is a boundary,
and nobody knows whose. That is the safe side: a held page costs a person a look, a missed one merges two applicants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from skrynka.core.model import CODES_ON_SHEETS, Code, PageReading, RoutingCode, SheetKind, Standing, Symbology
from skrynka.core.reasons import ReviewReason
from skrynka.core.routing_code import CodeRejected, is_short, parse
from skrynka.core.signing import NOT_LOOKED_AT, Signatures, Verdict


class Role(StrEnum):
    """What a page is to the pile it lies in."""

    PAPER = "paper"
    BLANK = "blank"
    SHEET = "sheet"
    BACK = "back"
    """The other side of a neighbouring sheet."""
    HELD = "held"


@dataclass(frozen=True, slots=True)
class PageRole:
    """A page's role, with what its code says."""

    role: Role
    code: RoutingCode | None = None
    """For SHEET always; for PAPER the sticker's, where there is one; for HELD where only the signature isn't good."""
    held_for: ReviewReason | None = None
    """For HELD: why."""
    fields_known: bool = True
    """False: only a short code was read, and no printed sheet has its serial."""
    of_next: bool = False
    """For BACK: the sheet is the next page, not the previous one."""
    verified: bool = False
    """Its signature was looked at, and is good."""
    empty: bool = True
    """For BACK: there is nothing on it but what shines through."""


def page_roles(
    readings: Sequence[PageReading],
    printed: Mapping[str, RoutingCode],
    before: PageReading | None = None,
    signatures: Signatures = NOT_LOOKED_AT,
) -> list[PageRole]:
    """Give the role of each page, in order.

    `printed` has the fields of sheets printed here, by serial, for pages on which only the short code was read.
    `before` is the page that lay just before the first, in an earlier scan, when there was one. `signatures` judges
    the sheets' signatures: a sheet that it objects to is held. Configured separators from elsewhere have none.
    """
    pile = [*([before] if before else []), *readings]
    alone = [_alone(reading, printed, signatures) for reading in pile]
    roles = [_beside(alone, place) for place in range(len(alone))]
    return roles[1:] if before else roles


@dataclass(frozen=True, slots=True)
class _Alone:
    """A page before its neighbours are asked; `faint` codes may be those of the other side."""

    role: PageRole
    faint: RoutingCode | None = None
    blank: bool = False


def _alone(reading: PageReading, printed: Mapping[str, RoutingCode], signatures: Signatures) -> _Alone:
    own = [code for code in reading.codes if code.standing is Standing.OWN]
    if own:
        return _weigh(own, printed, signatures, reading)
    if any(code.standing is Standing.SEPARATOR for code in reading.codes):
        return _Alone(PageRole(Role.SHEET, RoutingCode(SheetKind.SEPARATOR)))
    if reading.marked:
        return _Alone(_held(ReviewReason.SHEET_UNREADABLE))
    # A foreign code is something, however little ink it is.
    return _Alone(PageRole(Role.BLANK if reading.blank and not reading.codes else Role.PAPER))


def _weigh(
    own: Sequence[Code], printed: Mapping[str, RoutingCode], signatures: Signatures, reading: PageReading
) -> _Alone:
    through = any(code.mirrored for code in own)
    # A mirrored QR code beside a plain one is the other side shining through: the plain one counts. A linear code
    # can't be told from its mirror image, so beside a mirrored QR code alone it says nothing about this side.
    plain = [code for code in own if not code.mirrored]
    this_side = [code for code in plain if not (through and code.symbology is Symbology.CODE_128)]
    this_side = [code for code in this_side if not _shines_through(code, this_side, (reading.width, reading.height))]
    seen = this_side or own
    try:
        texts = {text: parse(text) for text in (code.text or "" for code in seen)}
    except CodeRejected as rejected:
        return _Alone(_held(rejected.reason))
    if len({(code.kind, code.serial) for code in texts.values()}) > 1:
        return _Alone(_held(ReviewReason.CODES_DISAGREE))
    full = [text for text, code in texts.items() if not is_short(code)]
    if len(full) > 1:
        return _Alone(_held(ReviewReason.CODES_DISAGREE))
    text = next(iter(full or texts))
    code = texts[text]
    # A page that bears the mark is a sheet of its own, whatever it is that shines through it.
    faint = None if reading.marked else code
    if not this_side:
        return _Alone(_held(ReviewReason.SHEET_UNREADABLE), faint, reading.blank)
    verdict = signatures.judge(text)
    objection = signatures.objection(verdict)
    role = _held(objection, code) if objection else _sheet(code, printed, verified=verdict is Verdict.VERIFIED)
    only_linear = all(seen_code.symbology is Symbology.CODE_128 for seen_code in seen)
    return _Alone(role, faint if only_linear else None, reading.blank)


_LINEAR_BELOW = (0.2, 0.38)
"""How far below the middle between its QR codes a sheet has its linear code, as a share of the way between them: 0.29
but for feeders that shift a paper, and what "fit to page" does to the sheet on the other side alone."""
_ASLANT = 0.2
"""And how far from straight below, as a share of that."""
_SHORT = 0.1
"""Of a page's diagonal: our linear codes are at least four times as long."""
_APART, _BOTH_ENDS = 0.73, 0.45
"""Of a page's diagonal: a sheet's QR codes lie at both its ends, so far apart, and where it is printed smaller at least
that far."""


def _shines_through(code: Code, others: Sequence[Code], page: tuple[float, float]) -> bool:
    """Tell whether a linear code is that of a sheet on the other side, some of whose bars show beside this side's own.

    A sheet has it straight below the middle between its QR codes, running to the right. From behind the same place is
    there, and it runs to the left. Told where both QR codes of this side are read and say the same; where none is, by
    the page's own middle, for a page that was scanned whole. `page` is the page's width and height, in any unit.
    """
    if code.symbology is not Symbology.CODE_128 or not code.corners:
        return False
    qr_codes = [other for other in others if other.symbology is Symbology.QR]
    middle, apart = complex(*page) / 2, _APART * abs(complex(*page))
    if qr_codes:
        qr_codes = [one for one in qr_codes if one.corners]
        if len(qr_codes) < CODES_ON_SHEETS[Symbology.QR] or len({one.text for one in qr_codes}) > 1:
            return False
        ends = max(combinations([_middle(one, page) for one in qr_codes], 2), key=lambda two: abs(two[0] - two[1]))
        middle, apart = (ends[0] + ends[1]) / 2, abs(ends[0] - ends[1])
    if apart < _BOTH_ENDS * abs(complex(*page)):
        return False
    start, end = (complex(x * page[0], y * page[1]) for x, y in code.corners[:2])
    way = (end - start) / abs(end - start) if end != start else 0j
    # Turned so that the code runs along the real numbers: ahead of the middle, and to its right, for y goes down.
    off = (_middle(code, page) - middle) / apart * way.conjugate()
    # A code of which an engine gives but a point may lie on either side of it.
    straight_below = abs(off.real) < _ASLANT * abs(off) or abs(end - start) < _SHORT * abs(complex(*page))
    return straight_below and _LINEAR_BELOW[0] < -off.imag < _LINEAR_BELOW[1]


def _middle(code: Code, page: tuple[float, float]) -> complex:
    xs, ys = zip(*code.corners, strict=True)
    return complex(sum(xs) / len(xs) * page[0], sum(ys) / len(ys) * page[1])


def _sheet(code: RoutingCode, printed: Mapping[str, RoutingCode], *, verified: bool) -> PageRole:
    known = True
    if is_short(code) and code.kind in _NEED_FIELDS:
        from_table = printed.get(code.serial or "")
        known = from_table is not None and from_table.kind is code.kind
        if from_table is not None and known:
            code = from_table
    if code.sticker:
        return PageRole(Role.PAPER, code, fields_known=known, verified=verified)
    return PageRole(Role.SHEET, code, fields_known=known, verified=verified)


_NEED_FIELDS = frozenset({SheetKind.COLLECTION, SheetKind.CASE, SheetKind.DOCUMENT})


def _beside(alone: Sequence[_Alone], place: int) -> PageRole:
    here = alone[place]
    if here.faint is None:
        return here.role
    for neighbour, of_next in ((place - 1, False), (place + 1, True)):
        if not 0 <= neighbour < len(alone) or not _fronts(alone[neighbour], here.faint):
            continue
        front = alone[neighbour].role.role
        if front is Role.HELD and of_next:
            # Nobody knows whose that sheet is, so this side of it must not go to what lies before.
            continue
        if front is not Role.PAPER:
            return PageRole(Role.BACK, here.faint, of_next=of_next, empty=here.blank)
        # The back of a paper with a sticker: a page like any other.
        return PageRole(Role.BLANK if here.blank else Role.PAPER)
    return here.role


def _fronts(page: _Alone, back: RoutingCode) -> bool:
    front = page.role.code
    return (
        page.faint is None
        and page.role.role in {Role.SHEET, Role.PAPER, Role.HELD}
        and front is not None
        and (front.kind, front.serial) == (back.kind, back.serial)
    )


def _held(reason: ReviewReason, code: RoutingCode | None = None) -> PageRole:
    return PageRole(Role.HELD, code, held_for=reason)
