"""What the builder of stacks says is true must be: it is compared with examples worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.drawn_sheets import SheetFields
from tests.support.page_ids import read_id
from tests.support.scanner import CLEAN, Scanning
from tests.support.stacks import DrawnStack, Envelope, Paper, Role, draw_stack, mixed_scanning

CERT = Paper("CERT")
SHEET = SheetFields(serial="A000001", box="OBL-03", case_type="VER")


def clean(rng: np.random.Generator) -> Scanning:
    del rng
    return CLEAN


def drawn(
    *envelopes: Envelope, duplex: bool = False, collection: SheetFields | None = None, end: SheetFields | None = None
) -> DrawnStack:
    rng = np.random.default_rng(1)
    return draw_stack(envelopes, rng, dpi=50, scanning=clean, duplex=duplex, collection=collection, end=end)


def documents(stack: DrawnStack) -> list[list[tuple[tuple[str, ...], list[int]]]]:
    return [[(document.kinds, document.page_ids) for document in case.documents] for case in stack.cases]


def test_a_case_sheet_opens_its_case() -> None:
    stack = drawn(Envelope((CERT, Paper("SEAL", 2)), SHEET), Envelope((CERT,), SHEET))

    assert documents(stack) == [
        [(("COVER",), [1]), (("UNSORTED",), [2, 3, 4])],
        [(("COVER",), [5]), (("UNSORTED",), [6])],
    ]
    assert [page.case for page in stack.pages] == [1, 1, 1, 1, 2, 2]
    assert stack.counts == {"sheet": 2, "document": 4}


def test_papers_before_the_first_sheet_are_a_case_of_their_own() -> None:
    stack = drawn(Envelope((CERT,)), Envelope((CERT,), SHEET))

    assert documents(stack) == [[(("UNSORTED",), [1])], [(("COVER",), [2]), (("UNSORTED",), [3])]]


def test_an_envelope_without_a_sheet_goes_on_with_the_case_before_it() -> None:
    stack = drawn(Envelope((CERT,), SHEET), Envelope((CERT,)))

    assert documents(stack) == [[(("COVER",), [1]), (("UNSORTED",), [2, 3])]]


def test_between_separators_the_sheet_may_lie_anywhere() -> None:
    stack = drawn(
        Envelope((CERT, CERT), SHEET, separator=True, papers_above_sheet=1),
        Envelope((CERT,), separator=True),
        Envelope((), separator=True),
        Envelope((CERT,), SHEET, separator=True, papers_above_sheet=1),
    )

    assert documents(stack) == [
        [(("COVER",), [3]), (("UNSORTED",), [2]), (("UNSORTED",), [4])],
        [(("UNSORTED",), [6])],
        [(("COVER",), [10]), (("UNSORTED",), [9])],
    ]
    assert [page.role for page in stack.pages if page.page_id in {1, 5, 7, 8}] == [Role.SHEET] * 4


def test_whose_papers_lie_above_a_sheet_is_not_known_without_separators() -> None:
    with pytest.raises(ValueError, match="separators"):
        drawn(Envelope((CERT,), SHEET, papers_above_sheet=1))


def test_document_sheets_and_stickers_begin_documents() -> None:
    declared = (Paper("CERT"), Paper("SEAL", 2, ("SEAL",)), Paper("PHOTO", 1, ("PHOTO",), sticker=True))
    stack = drawn(Envelope(declared, SHEET))

    assert documents(stack) == [[(("COVER",), [1]), (("UNSORTED",), [2]), (("SEAL",), [4, 5]), (("PHOTO",), [6])]]
    assert stack.pages[2].role is Role.SHEET


def test_collection_and_end_sheets_belong_to_no_case() -> None:
    stack = drawn(Envelope((CERT,), SHEET), collection=SheetFields("B", box="OBL-03"), end=SheetFields("E", counted=1))

    assert [(page.role, page.case) for page in stack.pages] == [
        (Role.SHEET, None), (Role.COVER, 1), (Role.PAPER, 1), (Role.SHEET, None),
    ]  # fmt: skip


def test_in_a_duplex_scan_every_front_has_a_back() -> None:
    stack = drawn(Envelope((CERT,), SHEET), duplex=True, collection=SheetFields("B", box="OBL-03"))

    assert [page.role for page in stack.pages] == [
        Role.SHEET, Role.SHEET, Role.COVER, Role.COVER_BACK, Role.PAPER, Role.BLANK,
    ]  # fmt: skip
    assert stack.page_ids == [1, None, 2, None, 3, None]


def test_a_mixed_scan_keeps_every_page_id() -> None:
    rng = np.random.default_rng(2)
    envelope = Envelope((CERT, Paper("PHOTO"), Paper("PROTOCOL", 2), Paper("BILL"), Paper("APPLICATION")), SHEET)
    stack = draw_stack([envelope, envelope], rng, dpi=100, first_id=900, scanning=mixed_scanning)

    assert [read_id(page.scanned.picture(), 100) for page in stack.pages] == list(range(900, 914))
