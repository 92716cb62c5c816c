"""Tell whether a page is blank by what is on it, not by how dark it is. In doubt it isn't blank.

A page with something on it that is called blank is set aside, and nobody looks; a blank one that is kept costs a
glance. So only what is known to be no content is left out of account:

- the paper's own tone, however yellow or grey, light that falls off smoothly, and noise (`measuring`);
- dust, holes, staples, folds, shadows along the edges, and what shows through from the other side (`stains`).

Photos are told by their large shapes, which no lamp makes (`measuring`).
"""

from skrynka.steps.blankness.measuring import Ink, measure

__all__ = ["Ink", "measure"]
