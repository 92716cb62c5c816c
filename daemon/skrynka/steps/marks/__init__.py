"""Find the mark of our sheets on a page, by the geometry in `core.mark`, however the page is turned.

finding       where something is like it
drawing       the mark as pixels would show it
bars          is something left of its linear code?
rings         is it our mark, or do other rings lie there?
surroundings  what lies around the paper is taken away first
"""

from skrynka.steps.marks.finding import draw_ahead, find_marks

__all__ = ["draw_ahead", "find_marks"]
