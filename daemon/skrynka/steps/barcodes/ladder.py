"""The order of attempts on pages on which a glance didn't settle what codes there are, cheap ones first.

Measured on 200 sheets of one QR code each, badly printed and badly scanned: the fast attempt read 132. Of the other 68,
the same pixels softened gave 15 in 4 ms, the page's own pixels 9 in 25 ms, zbar on those 4 in 180 ms, zbar on the given
pixels 1 in 60 ms, all together 21.

Pixels are uint8 (height, width), 0 black, as displayed. Places are fractions of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import IntEnum

import numpy as np

from skrynka.core.model import CODES_ON_SHEETS, Code, Standing, Symbology
from skrynka.core.routing_code import looks_own, parse, verifies
from skrynka.steps.barcodes.engines import Pixels, Place, Seen, zbar, zxing
from skrynka.steps.barcodes.glancing import NOTHING_SEEN, Glance
from skrynka.steps.barcodes.softening import softened

FAST, SOFT, ZBAR, FULL, FULL_ZBAR, BARE = "fast", "soft", "zbar", "full", "full_zbar", "bare"
"""The rungs: zxing-cpp on the pixels given, on the same softened, zbar, then both on the page's own pixels. At last
zxing-cpp on these without white around: what it takes for black at a code may depend on what lies far from it."""

SAME_PLACE_MM = 4.0
"""Two readings of one code differ by a module or two; two codes on one paper keep their quiet zones apart."""


class _Want(IntEnum):
    """How much more a page needs."""

    NOTHING = 0
    ANOTHER_LOOK = 1
    SECOND_OPINION = 2
    EVERYTHING = 3


def may_settle(symbologies: frozenset[Symbology], separators: frozenset[str], *, foreign_text: bool) -> bool:
    """Tell whether a glance may settle what codes a page has: it sees QR codes alone.

    Other codes matter where our sheets' mark is, which is a reason to read by itself; where separators from elsewhere
    or all foreign codes are asked for, which is one for every page; and where QR codes aren't looked for.
    """
    others = symbologies - {Symbology.QR}
    return Symbology.QR in symbologies and not (others and (separators or foreign_text))


def is_enough(glanced: Glance, symbologies: frozenset[Symbology], *, sign: bool, blank: bool) -> bool:
    """Tell whether a glance has settled what codes a page has; else they are to be read.

    On a page with a `sign` of our sheets' mark all codes that they bear must have been read, and say the same of kind
    and serial.
    """
    if sign:
        own = [one for one in glanced.seen if looks_own(one.text)]
        kinds = [one.symbology for one in own]
        all_there = all(kinds.count(each) >= CODES_ON_SHEETS[each] for each in symbologies & CODES_ON_SHEETS.keys())
        if not all_there or not all(verifies(one.text) for one in own):
            return False
        if len({(code.kind, code.serial) for code in (parse(one.text) for one in own)}) > 1:
            return False
    return _want(glanced.seen, glanced.broken, sign=sign, blank=blank) <= _Want.ANOTHER_LOOK


def read_codes(
    pixels: Pixels,
    dpi: float,
    symbologies: frozenset[Symbology],
    separators: frozenset[str],
    *,
    foreign_text: bool,
    sign: bool,
    blank: bool,
    full: Callable[[], Pixels] | None,
    glanced: Glance = NOTHING_SEEN,
) -> tuple[Code, ...]:
    """Read all codes of a page, at any rotation, and say what each is to us.

    2D codes are read at any angle; linear ones at quarter turns and as crooked as a straight line still crosses all
    their bars, some 6 degrees on our sheets.

    `pixels` (about 150 dpi, `dpi` says) serve the fast attempt. With a `sign` of our sheets' mark codes are
    expected; `blank` says that there is nothing on the page. `full` gives the page's own pixels, and is called only
    when the page needs them; None: they are those given. `separators` are the foreign texts that separate; other
    foreign texts are given back only with `foreign_text`. What was seen at a glance is among what is given back.

    The same text at about the same place is one code with all its engines, under the first one's rung. Different texts
    at one place are all given back: which is right is not for this step to guess.
    """
    if not symbologies:
        return ()
    size_mm = (pixels.shape[1] / dpi * 25.4, pixels.shape[0] / dpi * 25.4)
    found, broken = zxing(pixels, symbologies, FAST)
    # What was broken at a glance isn't heeded any more: print on few pixels has the look of a code now and then.
    seen = _merged(glanced.seen, found, size_mm)

    def want() -> _Want:
        return _want(seen, broken, sign=sign, blank=blank)

    if want() > _Want.NOTHING:
        more, broken_too = zxing(softened(pixels), symbologies & {Symbology.QR}, SOFT)
        seen = _merged(seen, more, size_mm)
        broken += broken_too
    if want() > _Want.ANOTHER_LOOK:
        seen = _merged(seen, zbar(pixels, symbologies, ZBAR), size_mm)
    if want() is _Want.EVERYTHING and full is not None:
        pixels = full()
        seen = _merged(seen, zxing(pixels, symbologies, FULL)[0], size_mm)
        if want() is _Want.EVERYTHING:
            seen = _merged(seen, zbar(pixels, symbologies, FULL_ZBAR), size_mm)
    if want() is _Want.EVERYTHING:
        seen = _merged(seen, zxing(pixels, symbologies, BARE, on_white=False)[0], size_mm)
    return judged(seen, separators, foreign_text=foreign_text)


def _want(seen: Sequence[Seen], broken: Sequence[Place], *, sign: bool, blank: bool) -> _Want:
    """Say how much more a page needs, by what was read so far and where codes are that couldn't be."""
    own = [one for one in seen if looks_own(one.text)]
    verified = [one for one in own if verifies(one.text)]
    # A linear code says no more than kind and serial: the QR codes beside it say the rest.
    whole = [one for one in verified if one.symbology is not Symbology.CODE_128]
    if (sign or own) and (not whole or len(verified) < len(own)):
        return _Want.EVERYTHING
    if not own and not blank:
        # One attempt may fail on a code, a foreign one perhaps, that another has read.
        unread = any(not any(one.covers(place) for one in seen) for place in broken)
        return _Want.EVERYTHING if unread else _Want.ANOTHER_LOOK
    # A sheet says everything in two corners: where one reading was all, the other may say something else.
    if sign and len(own) == 1:
        return _Want.SECOND_OPINION
    return _Want.NOTHING


def _merged(seen: Sequence[Seen], more: Sequence[Seen], size_mm: tuple[float, float]) -> list[Seen]:
    """Add another attempt's readings to those that there are; readings of one code become one."""
    merged = list(seen)
    for one in more:
        for place, other in enumerate(merged):
            same = (other.symbology, other.text) == (one.symbology, one.text)
            if same and _same_place(other, one, size_mm):
                engines = tuple(dict.fromkeys((*other.engines, *one.engines)))
                merged[place] = replace(other, engines=engines)
                break
        else:
            merged.append(one)
    return merged


def _same_place(one: Seen, other: Seen, size_mm: tuple[float, float]) -> bool:
    """Tell whether the middle of either lies within the other's box: zbar's box of a linear code may be a line."""
    return _holds(one, other, size_mm) or _holds(other, one, size_mm)


def _holds(one: Seen, other: Seen, size_mm: tuple[float, float]) -> bool:
    box = np.asarray(one.corners) * size_mm
    middle = (np.asarray(other.corners) * size_mm).mean(axis=0)
    inside = (middle >= box.min(axis=0) - SAME_PLACE_MM) & (middle <= box.max(axis=0) + SAME_PLACE_MM)
    return bool(inside.all())


def judged(seen: Sequence[Seen], separators: frozenset[str], *, foreign_text: bool) -> tuple[Code, ...]:
    """Say what codes are to us; the text of foreign ones is given back only with `foreign_text`."""
    return tuple(_judged(one, separators, foreign_text=foreign_text) for one in seen)


def _judged(one: Seen, separators: frozenset[str], *, foreign_text: bool) -> Code:
    if looks_own(one.text):
        standing = Standing.OWN
    elif one.text in separators:
        standing = Standing.SEPARATOR
    else:
        standing = Standing.FOREIGN
    return Code(
        symbology=one.symbology,
        engines=one.engines,
        text=one.text if standing is not Standing.FOREIGN or foreign_text else None,
        standing=standing,
        mirrored=one.mirrored and standing is Standing.OWN,
        corners=one.corners,
        rung=one.rung,
    )
