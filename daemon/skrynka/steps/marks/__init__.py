"""Find the mark of our sheets on a page, by the geometry in `core.mark`, however the page is turned.

judging        what marks make of the page
finding        where something is like one
drawing        the mark as pixels would show it
rings          is it our mark, or do other rings lie there?
beside         what lies where its sheet would have codes?
bars           is something left of its linear code?
finders        is something left of its QR codes?
fourier        comparing at every place at once
surroundings   what lies around the paper is taken away first
straightening  the paper alone, where it lay askew under an open lid
"""

from skrynka.steps.marks.finding import draw_ahead, find_marks
from skrynka.steps.marks.judging import judge

__all__ = ["draw_ahead", "find_marks", "judge"]
