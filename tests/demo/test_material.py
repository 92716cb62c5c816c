"""The demo's scans hold what the demo says they hold."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.demo.material import BOX, GOING_ON_BOX, SCANS, DemoScan, draw_demo
from tests.demo.printed_sheets import ORDERS, REUSED
from tests.support.drawn_sheets import SheetFields, full_sheet
from tests.support.stored_documents import ids_in_pdf
from tests.support.typeset import Picture


@pytest.fixture(scope="module")
def laid() -> Counter[SheetFields]:
    """How often each sheet was asked for, once all is drawn."""
    return Counter()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory, laid: Counter[SheetFields]) -> list[DemoScan]:
    def lay(fields: SheetFields, page_id: int, dpi: int) -> Picture:
        laid[replace(fields, serial=None)] += 1
        return full_sheet(fields, page_id, dpi)

    return draw_demo(tmp_path_factory.mktemp("demo"), sheets=lay)


@pytest.mark.usefixtures("drawn")
def test_as_many_sheets_are_printed_as_are_laid(laid: Counter[SheetFields]) -> None:
    assert {fields: 1 if fields.kind in REUSED else count for fields, count in laid.items()} == ORDERS


def test_every_pdf_holds_the_pages_that_its_truth_names(drawn: list[DemoScan]) -> None:
    whole = [scan for scan in drawn if scan.path.suffix == ".pdf" and not scan.truth.spoilt]

    assert len(whole) == 10
    for scan in whole:
        assert ids_in_pdf(scan.path) == [page.page_id for page in scan.truth.pages]


def test_every_drawn_page_of_paper_belongs_to_exactly_one_case(drawn: list[DemoScan]) -> None:
    once = {scan.truth.sha256: scan for scan in drawn}.values()
    papers = [page.page_id for scan in once for page in scan.truth.pages if page.role in {"paper", "cover"}]

    assert Counter(papers) == Counter(page_id for scan in drawn for case in scan.cases for page_id in case.page_ids)
    assert max(Counter(papers).values()) == 1


def test_one_file_comes_twice_and_two_are_spoilt(drawn: list[DemoScan]) -> None:
    times = Counter(scan.truth.sha256 for scan in drawn)

    assert len(drawn) == SCANS
    assert sorted(times.values())[-2:] == [1, 2]
    assert [scan.path.name for scan in drawn if scan.truth.spoilt] == ["scan0009.pdf", "scan0010.pdf"]
    assert {scan.box for scan in drawn} == {BOX, GOING_ON_BOX}
    assert {scan.path.suffix for scan in drawn} == {".pdf", ".tif", ".jpg", ".png"}


def test_names_repeat_only_in_different_boxes(drawn: list[DemoScan]) -> None:
    names = Counter((scan.box, Path(scan.path).name) for scan in drawn)

    assert set(names.values()) == {1}
