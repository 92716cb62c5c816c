"""The law of conservation: every page of a stack ends in its account exactly once, and the account is true."""

from __future__ import annotations

from collections.abc import Sequence

from skrynka.core.errors import ConservationBroken
from skrynka.core.model import Disposition, PageRef, Plan

_IN_NO_DOCUMENT = frozenset({Disposition.BLANK, Disposition.DUPLICATE, Disposition.QUARANTINED})


def check_conservation(pages: Sequence[PageRef], plan: Plan) -> None:
    """Compare a plan with the pages it was made from; raise ConservationBroken where they differ.

    Each page stands in the account once, in the order of the pile; what is said to be in a document is at that very
    place in it; documents hold nothing else, and none is empty; ordinals count from 1 without a gap.
    """
    if [page.ref for page in plan.pages] != list(pages):
        raise ConservationBroken("the account's pages aren't the stack's pages, once each and in order")
    if [case.ordinal for case in plan.cases] != list(range(1, len(plan.cases) + 1)):
        raise ConservationBroken("the cases' ordinals don't count from 1")
    places = {
        (case.ordinal, document, number): ref
        for case in plan.cases
        for document, paper in enumerate(case.documents, start=1)
        for number, ref in enumerate(paper.pages, start=1)
    }
    if any(not paper.pages for case in plan.cases for paper in case.documents):
        raise ConservationBroken("a document has no pages")
    accounted = {}
    for page in plan.pages:
        place = (page.case, page.document, page.page_in_document)
        if place == (None, None, None):
            if page.disposition is Disposition.DOCUMENT:
                raise ConservationBroken("a document's page is in no document")
            continue
        if page.disposition in _IN_NO_DOCUMENT:
            raise ConservationBroken("a page that was set aside is in a document")
        accounted[place] = page.ref
    if accounted != places:
        raise ConservationBroken("the account and the documents disagree")
