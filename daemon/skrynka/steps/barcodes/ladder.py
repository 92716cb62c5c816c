"""The order of attempts: a fast one on every page, costlier ones only where the page needs them.

Pixels are uint8 (height, width), 0 black, as displayed. Places are fractions of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from skrynka.core.model import Code, Standing, Symbology
from skrynka.core.routing_code import CodeRejected, is_short, looks_own, parse
from skrynka.steps.barcodes.engines import Seen, zbar, zxing

Pixels = npt.NDArray[np.uint8]

FAST, ZBAR, FULL, FULL_ZBAR = "fast", "zbar", "full", "full_zbar"
"""The rungs: zxing-cpp then zbar on the pixels given, then both on the page's own pixels."""

SAME_PLACE_MM = 4.0
"""Two readings of one code differ by a module or two; two codes on one paper keep their quiet zones apart."""


class _Want(IntEnum):
    """How much more a page needs."""

    NOTHING = 0
    SECOND_OPINION = 1
    EVERYTHING = 2


def read_codes(
    pixels: Pixels,
    dpi: float,
    symbologies: frozenset[Symbology],
    separators: frozenset[str],
    *,
    foreign_text: bool,
    marked: bool,
    blank: bool,
    full: Callable[[], Pixels],
) -> tuple[Code, ...]:
    """Read all codes of a page, at any rotation, and say what each is to us.

    `pixels` (about 150 dpi, `dpi` says) serve the fast attempt. `marked` says that the page bears our sheets' mark, so
    that codes are expected; `blank` that there is nothing on it. `full` gives the page's own pixels, and is called
    only when the page needs them. `separators` are the foreign texts that separate; other foreign texts are given back
    only with `foreign_text`.

    The same text at about the same place is one code with all its engines, under the first one's rung. Different texts
    at one place are all given back: which is right is not for this step to guess.
    """
    if not symbologies:
        return ()
    seen, damaged = zxing(pixels, symbologies, FAST)
    size_mm = (pixels.shape[1] / dpi * 25.4, pixels.shape[0] / dpi * 25.4)

    def want() -> _Want:
        return _want(seen, marked=marked, damaged=damaged and not blank)

    if want() > _Want.NOTHING:
        seen = _merged(seen, zbar(pixels, symbologies, ZBAR), size_mm)
    if want() is _Want.EVERYTHING:
        large = full()
        seen = _merged(seen, zxing(large, symbologies, FULL)[0], size_mm)
        if want() is _Want.EVERYTHING:
            seen = _merged(seen, zbar(large, symbologies, FULL_ZBAR), size_mm)
    return tuple(_judged(one, separators, foreign_text=foreign_text) for one in seen)


def _want(seen: Sequence[Seen], *, marked: bool, damaged: bool) -> _Want:
    """Say how much more a page needs, by what was read so far."""
    own = [one for one in seen if looks_own(one.text)]
    verified = [one for one in own if _full_text_verifies(one.text)]
    if marked and not verified:
        return _Want.EVERYTHING
    if any(not _verifies(one.text) for one in own) or (own and not verified):
        return _Want.EVERYTHING
    if damaged and not own:
        return _Want.EVERYTHING
    # A sheet says everything in two corners: where one reading was all, the other may say something else.
    if marked and len(own) == 1:
        return _Want.SECOND_OPINION
    return _Want.NOTHING


def _verifies(text: str) -> bool:
    try:
        parse(text)
    except CodeRejected:
        return False
    return True


def _full_text_verifies(text: str) -> bool:
    try:
        return not is_short(parse(text))
    except CodeRejected:
        return False


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
