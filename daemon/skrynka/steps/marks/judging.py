"""Say what the marks on a page make of it."""

from __future__ import annotations

from skrynka.core.mark import Marked, weigh
from skrynka.steps.marks.drawing import Pixels
from skrynka.steps.marks.finding import find_marks
from skrynka.steps.marks.straightening import straightened
from skrynka.steps.marks.surroundings import surroundings, without_surroundings


def judge(pixels: Pixels, dpi: float) -> Marked:
    """Say whether a page bears our sheets' mark, where need be of the paper alone that lies under an open lid.

    `pixels` are uint8 (height, width), 0 black; below 40 dpi nothing is found.
    """
    around = surroundings(pixels, dpi)
    if around is None:
        return weigh(*find_marks(pixels, dpi))
    pixels = without_surroundings(pixels, around)
    seen = weigh(*find_marks(pixels, dpi))
    paper = None if seen is Marked.YES else straightened(pixels, around, dpi)
    return seen if paper is None else max(seen, weigh(*find_marks(paper, dpi)))
