"""What a reader sees on a page: a glance at few pixels for every page, more of them for pages that give a sign."""

from __future__ import annotations

from skrynka.core.mark import Marked, weigh
from skrynka.core.model import PageReading, Symbology
from skrynka.steps import barcodes, blankness, fingerprints, marks, pages

QUICK_DPI = 75
"""A quarter of a usual scan, which a JPEG gives for half of what it costs whole: a module of 0.8 mm is 2.4 pixels."""
FAST_DPI = 150
FULL_DPI = 300
_SAME = 1.01
"""Widths are whole pixels: below that, two resolutions are the same."""


def look(
    page: pages.OpenPage, symbologies: frozenset[Symbology], separators: frozenset[str], *, foreign_text: bool
) -> PageReading:
    """Look at a page: for our sheets' mark, ink, codes of these symbologies, and what tells it from other pages.

    Raises ScanRejected and EnvironmentUnfit as the page's pixels do.
    """
    quick = page.pixels(QUICK_DPI)
    quick_dpi = quick.shape[1] / page.width_pt * 72
    marked = weigh(*marks.find_marks(quick, quick_dpi))
    ink = blankness.measure(quick, quick_dpi)
    seen = barcodes.glance(quick, symbologies, blank=ink.blank)
    sign = marked >= Marked.PERHAPS
    if barcodes.is_enough(seen, symbologies, separators, foreign_text=foreign_text, marked=sign, blank=ink.blank):
        codes = barcodes.judged(seen.seen, separators, foreign_text=foreign_text)
    else:
        pixels = page.pixels(FAST_DPI)
        dpi = pixels.shape[1] / page.width_pt * 72
        finer = min(page.finest_dpi, FULL_DPI) > dpi * _SAME
        codes = barcodes.read_codes(
            pixels,
            dpi,
            symbologies=symbologies,
            separators=separators,
            foreign_text=foreign_text,
            marked=sign,
            blank=ink.blank,
            full=(lambda: page.pixels(FULL_DPI)) if finer else None,
            glanced=seen,
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
        fingerprint=fingerprints.fingerprint(quick),
    )
