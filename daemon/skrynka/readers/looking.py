"""What a reader sees on a page: a glance at few pixels for every page, more of them for pages that give a sign."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from skrynka.core.mark import Marked
from skrynka.core.model import PageReading, Symbology
from skrynka.core.paper_size import other_scale
from skrynka.steps import barcodes, blankness, fingerprints, marks, pages

Pixels = npt.NDArray[np.uint8]

QUICK_DPI = 75
"""A quarter of a usual scan, which a JPEG gives for half of what it costs whole: a module of 0.8 mm is 2.4 pixels."""
FAST_DPI = 150
FULL_DPI = 300
_MM_PER_POINT = 25.4 / 72
_MUCH_LARGER = 1.45
"""Of a page that says it is A5 the usual pixels show a mark on A4."""
_SAME = 1.01
"""Widths are whole pixels: below that, two resolutions are the same."""


def look(
    page: pages.OpenPage, symbologies: frozenset[Symbology], separators: frozenset[str], *, foreign_text: bool
) -> PageReading:
    """Look at a page: for our sheets' mark, ink, codes of these symbologies, and what tells it from other pages.

    On a page that isn't stated to be A4, the mark is looked for as if it were, too.

    Raises ScanRejected and EnvironmentUnfit as the page's pixels do.
    """
    glancing = barcodes.may_settle(symbologies, separators, foreign_text=foreign_text)
    larger = other_scale(*(side * _MM_PER_POINT for side in (page.width_pt, page.height_pt)))
    # What may be much larger than it says needs so many more pixels for each inch that it says it has.
    finer = larger if larger > _MUCH_LARGER else 1.0
    quick, fast, full = (math.ceil(dpi * finer) for dpi in (QUICK_DPI, FAST_DPI, FULL_DPI))
    pixels = page.pixels(quick if glancing else fast)
    dpi = _dpi(page, pixels)
    marked = max(marks.judge(pixels, each) for each in dict.fromkeys((dpi, dpi / larger)))
    ink = blankness.measure(pixels, dpi)
    fingerprint = fingerprints.fingerprint(pixels)
    sign = marked >= Marked.PERHAPS
    glanced = barcodes.glance(pixels, symbologies, sign=sign, blank=ink.blank) if glancing else barcodes.NOTHING_SEEN
    if glancing and barcodes.is_enough(glanced, symbologies, sign=sign, blank=ink.blank):
        codes = barcodes.judged(glanced.seen, separators, foreign_text=foreign_text)
    else:
        if _has_finer(page, fast, dpi):
            pixels = page.pixels(fast)
            dpi = _dpi(page, pixels)
        codes = barcodes.read_codes(
            pixels,
            dpi,
            symbologies=symbologies,
            separators=separators,
            foreign_text=foreign_text,
            sign=sign,
            blank=ink.blank,
            full=(lambda: page.pixels(full)) if _has_finer(page, full, dpi) else None,
            glanced=glanced,
        )
    return PageReading(
        number=page.number,
        width=page.width_pt,
        height=page.height_pt,
        rotation=page.rotation,
        source=page.source,
        dpi=page.dpi,
        codes=codes,
        marked=marked is Marked.YES,
        blank=ink.blank,
        ink=ink.ink,
        fingerprint=fingerprint,
    )


def _dpi(page: pages.OpenPage, pixels: Pixels) -> float:
    return float(pixels.shape[1] / page.width_pt * 72)


def _has_finer(page: pages.OpenPage, wanted_dpi: float, dpi: float) -> bool:
    """Tell whether a page has more pixels to give than those of this resolution, up to one that is wanted."""
    return min(page.finest_dpi, wanted_dpi) > dpi * _SAME
