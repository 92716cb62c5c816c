from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrynka.core.auditing import (
    CaseFigures,
    DocumentFigures,
    OriginalFigures,
    Report,
    ScanFigures,
    StackFigures,
    case_flaws,
    case_number_flaws,
    document_flaws,
    gaps,
    scan_flaws,
    spans,
    stack_flaws,
)
from skrynka.core.flaws import Flaw, FoundFlaw, Weight
from skrynka.core.model import Disposition

FILED = ("document", "sheet", "blank", "duplicate")
ITS_ORIGINAL = OriginalFigures(same_bytes=True, duplicate=False, page_count=1)
NOTHING = dict.fromkeys(Disposition, 0)


def scan_of(state: str, pages: list[str | None], original: OriginalFigures | None = None) -> ScanFigures:
    """Give the figures of a scan that is as it must be, from what became of its pages."""
    counted = {**NOTHING, **Counter(page for page in pages if page is not None)}
    finished = state in {"filed", "quarantined", "duplicate"}
    return ScanFigures(
        id="id", name="A-1", station="A", state=state,
        page_count=len(pages) or None, counters=counted if finished else NOTHING, counted=counted,
        pending=pages.count(None), rows=len(pages), first=1 if pages else None, last=len(pages) or None,
        original=original,
    )  # fmt: skip


@st.composite
def good_scans(draw: st.DrawFn) -> ScanFigures:
    """Draw a scan at any step of its way."""
    state = draw(st.sampled_from(["received", "reading", "read", "filed", "quarantined", "duplicate"]))
    match state:
        case "received" | "reading":
            return scan_of(state, [])
        case "read":
            settled = draw(st.lists(st.sampled_from([None, *FILED, "quarantined"])))
            return scan_of(state, [*settled, None])
        case "filed":
            return scan_of(state, draw(st.lists(st.sampled_from(FILED), min_size=1)))
        case "quarantined":
            pages = draw(st.lists(st.sampled_from([*FILED, "quarantined"])))
            return scan_of(state, [*pages, "quarantined"] if draw(st.booleans()) else [])
    pages = draw(st.lists(st.just("duplicate")))
    known = len(pages) or None
    return scan_of(state, list(pages), replace(ITS_ORIGINAL, page_count=draw(st.sampled_from([known, None]))))


def flaws(found: list[FoundFlaw]) -> set[Flaw]:
    return {each.flaw for each in found}


@given(good_scans())
def test_an_account_that_adds_up_has_no_flaw(scan: ScanFigures) -> None:
    assert list(scan_flaws(scan)) == []


@given(good_scans().filter(lambda scan: scan.rows > 0))
def test_a_page_that_was_lost_is_found_whatever_the_scans_state(scan: ScanFigures) -> None:
    rows = scan.rows - 1
    less = replace(scan, rows=rows, last=rows or None, first=1 if rows else None)
    assert Flaw.PAGES_MISSING in flaws(list(scan_flaws(less)))


@given(good_scans().filter(lambda scan: scan.rows > 1))
def test_a_gap_between_pages_is_found(scan: ScanFigures) -> None:
    assert Flaw.PAGES_MISSING in flaws(list(scan_flaws(replace(scan, last=scan.rows + 1))))


@given(good_scans(), st.sampled_from(sorted(Disposition)))
def test_a_counter_that_is_off_is_found(scan: ScanFigures, disposition: str) -> None:
    off = {**scan.counters, disposition: scan.counters[disposition] + 1}
    assert flaws(list(scan_flaws(replace(scan, counters=off)))) == {Flaw.COUNTERS_WRONG}


@pytest.mark.parametrize(
    ("scan", "wanted"),
    [
        (scan_of("filed", ["document", None]), {Flaw.PAGE_UNSETTLED}),
        (scan_of("filed", ["document", "quarantined"]), {Flaw.PAGE_MISPLACED}),
        (scan_of("quarantined", ["document"]), {Flaw.PAGE_MISPLACED}),
        (scan_of("read", ["document", "blank"]), {Flaw.UNFINISHED}),
        (scan_of("duplicate", ["duplicate"]), {Flaw.DUPLICATE_OF_NOTHING}),
        (scan_of("duplicate", ["duplicate"], replace(ITS_ORIGINAL, same_bytes=False)), {Flaw.DUPLICATE_OF_NOTHING}),
        (scan_of("duplicate", ["duplicate"], replace(ITS_ORIGINAL, duplicate=True)), {Flaw.DUPLICATE_OF_NOTHING}),
        (scan_of("duplicate", ["duplicate"], replace(ITS_ORIGINAL, page_count=2)), {Flaw.DUPLICATE_OF_NOTHING}),
        (scan_of("duplicate", [], replace(ITS_ORIGINAL, page_count=2)), {Flaw.DUPLICATE_OF_NOTHING}),
        (scan_of("duplicate", ["blank"], ITS_ORIGINAL), {Flaw.PAGE_MISPLACED}),
    ],
)
def test_what_is_wrong_with_a_scan_is_told(scan: ScanFigures, wanted: set[Flaw]) -> None:
    assert flaws(list(scan_flaws(scan))) == wanted


GOOD_STACK = StackFigures("id", "A/1", "A", "filed", 5, 1, 5, 0, 0, 0, 0, 2, 1, 2)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, set()),
        ({"state": "quarantined", "quarantined": 5, "cases": 0, "first_case": None, "last_case": None}, set()),
        ({"state": "open", "pending": 5}, set()),
        ({"rows": 0, "first": None, "last": None}, {Flaw.STACK_EMPTY}),
        ({"last": 6}, {Flaw.STACK_OUT_OF_ORDER}),
        ({"first": 2}, {Flaw.STACK_OUT_OF_ORDER}),
        ({"broken_runs": 1}, {Flaw.STACK_OUT_OF_ORDER}),
        ({"strangers": 1}, {Flaw.STACK_MIXED}),
        ({"pending": 1}, {Flaw.PAGE_UNSETTLED}),
        ({"state": "planned"}, {Flaw.UNFINISHED}),
        ({"quarantined": 1}, {Flaw.PAGE_MISPLACED}),
        ({"state": "quarantined", "quarantined": 4}, {Flaw.PAGE_MISPLACED}),
        ({"last_case": 3}, {Flaw.ORDINALS_WRONG}),
    ],
)
def test_what_is_wrong_with_a_stack_is_told(changes: dict[str, object], wanted: set[Flaw]) -> None:
    assert flaws(list(stack_flaws(replace(GOOD_STACK, **changes)))) == wanted  # type: ignore[arg-type] - names of fields


def test_what_is_wrong_with_a_case_and_a_document_is_told() -> None:
    assert list(case_flaws(CaseFigures("A/2026/000001", "A", 2, 1, 2, 1))) == []
    assert flaws(list(case_flaws(CaseFigures("A/2026/000001", "A", 2, 1, 3, 1)))) == {Flaw.ORDINALS_WRONG}
    assert [found.detail for found in case_flaws(CaseFigures("A/2026/000001", "A", 0, None, None, 2))] == ["2 times"]
    assert list(document_flaws(DocumentFigures("d", "A", 2, 2, 1, 2))) == []
    for rows, first, last in ((1, 1, 1), (2, 2, 3), (0, None, None)):
        assert flaws(list(document_flaws(DocumentFigures("d", "A", 2, rows, first, last)))) == {
            Flaw.DOCUMENT_INCOMPLETE
        }


@pytest.mark.parametrize(
    ("numbers", "last", "detail"),
    [
        ([1, 2, 3], 3, None),
        ([], 0, None),
        ([1, 3, 4, 7], 7, "missing 2, 5-6; the counter says 7, the highest is 7"),
        ([1, 2], 4, "missing 3-4; the counter says 4, the highest is 2"),
        ([1, 2], 1, "the counter says 1, the highest is 2"),
        ([1], None, "the counter says None, the highest is 1"),
        ([], 2, "missing 1-2; the counter says 2, the highest is None"),
    ],
)
def test_case_numbers_run_from_1_to_the_counter(numbers: list[int], last: int | None, detail: str | None) -> None:
    found = list(case_number_flaws("OBL-03", 2026, numbers, last, "A"))
    assert [(each.about, each.detail) for each in found] == ([("OBL-03/2026", detail)] if detail else [])


@given(st.sets(st.integers(1, 60)), st.integers(0, 60))
def test_gaps_are_what_is_missing(numbers: set[int], last: int) -> None:
    missing = {number for first, end in gaps(sorted(numbers), last) for number in range(first, end + 1)}
    assert missing == set(range(1, max([*numbers, last]) + 1)) - numbers


def test_runs_are_written_as_people_do() -> None:
    assert spans([(3, 3), (7, 9)]) == "3, 7-9"
    assert spans([(number, number + 1) for number in range(1, 100, 3)], most=2) == "1-2, 4-5 and 62 more"
    assert spans([]) == ""


def test_a_report_keeps_so_many_of_each_flaw_and_counts_the_rest() -> None:
    report = Report(2)
    kept = [report.add(FoundFlaw(Flaw.DOCUMENT_MISSING, str(number))) for number in range(5)]
    report.add(FoundFlaw(Flaw.WORK_LEFT, "work"))
    report.add(FoundFlaw(Flaw.NOTE_STRAY, "note"))
    assert kept == [True, True, False, False, False]
    assert [each.about for each in report.found] == ["0", "1", "note", "work"]
    assert (report.count(Weight.ERROR), report.count(Weight.WARNING), report.count(Weight.NOTE)) == (5, 1, 1)
    assert not report.good
    report.leave(lambda found: found.flaw is Flaw.WORK_LEFT)
    assert [each.about for each in report.found] == ["work"]
    assert not report.good, "what wasn't kept is still counted"


def test_notes_alone_are_good() -> None:
    report = Report()
    report.add(FoundFlaw(Flaw.SCAN_NUMBERS_MISSING, "A", "7"))
    assert report.good


@pytest.mark.parametrize("flaw", list(Flaw))
def test_every_flaw_says_what_it_is_and_what_to_do(flaw: Flaw) -> None:
    about = flaw.about
    assert about.sentence.endswith(".")
    assert about.remedy.endswith(".")
    assert about.mends == ("`--repair`" in about.remedy and "call" not in about.remedy) or flaw is Flaw.WORK_LEFT
