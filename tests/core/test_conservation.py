from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from skrynka.core.conservation import check_conservation
from skrynka.core.errors import ConservationBroken
from skrynka.core.model import Disposition, PageRef, Plan
from tests.core.piles import planned

GOOD = planned("x _ C1 x x")
PAGES = [page.ref for page in GOOD.pages]


def change_page(made: Plan, place: int, **changes: object) -> Plan:
    """The plan with one row of its account changed."""
    rows = list(made.pages)
    rows[place] = replace(rows[place], **changes)  # type: ignore[arg-type] - the tests spell the fields
    return replace(made, pages=tuple(rows))


def change_document(made: Plan, pages: tuple[PageRef, ...]) -> Plan:
    """The plan with other pages in its first document."""
    case = made.cases[0]
    document = replace(case.documents[0], pages=pages)
    return replace(made, cases=(replace(case, documents=(document, *case.documents[1:])), *made.cases[1:]))


def test_a_true_account_passes() -> None:
    check_conservation(PAGES, GOOD)


@pytest.mark.parametrize(
    "breaks",
    [
        lambda made: replace(made, pages=made.pages[:-1]),
        lambda made: replace(made, pages=(*made.pages, made.pages[0])),
        lambda made: replace(made, pages=(made.pages[1], made.pages[0], *made.pages[2:])),
        lambda made: replace(made, cases=made.cases[1:]),
        lambda made: change_document(made, ()),
        lambda made: change_document(made, (PAGES[0], PAGES[1])),
        lambda made: change_document(made, (PAGES[4],)),
        lambda made: change_page(made, 0, case=None, document=None, page_in_document=None),
        lambda made: change_page(made, 0, disposition=Disposition.BLANK),
        lambda made: change_page(made, 0, page_in_document=2),
        lambda made: change_page(made, 0, document=None),
        lambda made: change_page(made, 1, case=1, document=1, page_in_document=2, disposition=Disposition.SHEET),
    ],
)
def test_a_page_that_is_lost_doubled_or_misplaced_breaks_the_law(breaks: Callable[[Plan], Plan]) -> None:
    with pytest.raises(ConservationBroken):
        check_conservation(PAGES, breaks(GOOD))
