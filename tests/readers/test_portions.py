from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from skrynka.readers.portions import LEAST, LEAST_CUT, MOST, MOST_CUT, Portion, next_portion, portions_to_cut

PAGES = st.integers(1, 5000)
WORKERS = st.integers(1, 64)


@given(PAGES, st.data())
def test_portions_hold_every_page_once_and_in_order(pages: int, data: st.DataObject) -> None:
    first, known = 1, None
    while known is None or first <= pages:
        portion = next_portion(first, known, data.draw(WORKERS))
        assert portion.first == first <= portion.last
        assert known is None or portion.last <= pages
        first, known = portion.last + 1, pages


@given(PAGES, WORKERS)
def test_no_process_reads_many_pages_and_none_is_started_for_a_few(pages: int, workers: int) -> None:
    first = 1
    while first <= pages:
        portion = next_portion(first, pages, workers)
        assert portion.last - portion.first < MOST + LEAST // 2
        assert portion.last == pages or portion.last - portion.first + 1 >= LEAST
        assert portion.last == pages or pages - portion.last >= LEAST // 2
        first = portion.last + 1


@given(PAGES.filter(lambda pages: pages > 2 * LEAST), st.integers(2, 64))
def test_several_processes_share_what_is_left(pages: int, workers: int) -> None:
    assert next_portion(1, pages, workers).last <= max(pages // 2 + LEAST, LEAST)


def test_a_scan_that_nobody_has_opened_is_begun_with_a_few_pages_where_others_could_read_along() -> None:
    assert next_portion(1, None, 2).last == LEAST
    assert next_portion(1, None, 1).last == MOST


@given(st.lists(st.integers(1, 200), min_size=1, max_size=60), WORKERS)
def test_portions_to_cut_hold_every_document_once_and_in_order(pages: list[int], workers: int) -> None:
    portions = portions_to_cut(pages, workers)

    assert [page for portion in portions for page in pages[portion.slice]] == pages
    assert all(pages[portion.slice] for portion in portions)
    for portion in portions:
        # The first and the last of them may reach out of it.
        assert sum(pages[portion.slice][1:-1]) <= MOST_CUT


def test_documents_are_cut_by_several_processes_where_there_are_many_pages() -> None:
    assert portions_to_cut([1, 6] * 4, 2) == [Portion(1, 8)]
    assert portions_to_cut([LEAST_CUT] * 8, 2) == [Portion(1, 2), Portion(3, 4), Portion(5, 6), Portion(7, 8)]
    assert portions_to_cut([LEAST_CUT] * 8, 1) == [Portion(1, 4), Portion(5, 8)]


@given(WORKERS)
def test_no_documents_make_no_portions(workers: int) -> None:
    assert portions_to_cut([], workers) == []
    assert portions_to_cut([0, 0], workers) == [Portion(1, 2)]
