"""A scan that several reader processes read at a time: what comes of it is what one would have made of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from skrynka.core.errors import ScanRejected
from skrynka.core.formats import FileType
from skrynka.core.model import PageReading
from skrynka.core.reasons import QuarantineReason
from skrynka.readers import entry
from skrynka.readers.messages import PageLimits, ReadOrder
from skrynka.readers.portions import LEAST
from skrynka.readers.processes import ProcessLimits, Readers, ReaderStopped
from skrynka.readers.slots import Slots
from tests.readers import misbehaving
from tests.readers.threads import no_more_threads
from tests.support.pdf_pages import numbered_pdf
from tests.support.processes import await_that, readers

PAGES = 60
LIMITS = ProcessLimits(60.0, 120.0, 4 << 30)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return numbered_pdf(list(range(1, PAGES + 1)), tmp_path_factory.mktemp("many") / "many.pdf")


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    yield
    await_that(lambda: not readers(), "no process is left")


def reading(
    file: Path,
    work: Path,
    count: int,
    *,
    stopping: Callable[[], bool] = lambda: False,
    progress: Callable[[], None] = lambda: None,
) -> list[PageReading]:
    """Read a file with so many readers."""
    order = ReadOrder(
        file, FileType.PDF, work / "work", PageLimits(1 << 30, 120_000_000, 60.0), frozenset(), frozenset(),
        foreign_text=False,
    )  # fmt: skip
    return Readers(LIMITS, count, stopping).read(order, progress)


def test_several_readers_give_what_one_gives(many: Path, tmp_path: Path, orders: list[ReadOrder]) -> None:
    alone = reading(many, tmp_path, 1)
    assert [page.number for page in alone] == list(range(1, PAGES + 1))
    assert len(orders) < PAGES / LEAST
    orders.clear()
    assert reading(many, tmp_path, 3) == alone
    assert sorted(number for order in orders for number in range(order.first, (order.last or 0) + 1)) == list(
        range(1, PAGES + 1)
    )


def test_readers_that_nobody_uses_read_along(many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "run", misbehaving.reads_when_three_do)
    assert len(reading(many, tmp_path, 3)) == PAGES


def test_the_failure_that_lies_first_is_told_though_another_came_sooner(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry, "run", misbehaving.refuses_its_first_page_once_the_second_portion_was)
    with pytest.raises(ScanRejected) as refused:
        reading(many, tmp_path, 2)
    assert (refused.value.reason, refused.value.page) == (QuarantineReason.PAGE_UNREADABLE, 1)


def test_readers_that_see_different_numbers_of_pages_are_not_believed(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry, "run", misbehaving.opens_more_pages_further_on)
    with pytest.raises(ScanRejected) as refused:
        reading(many, tmp_path, 2)
    assert refused.value.reason is QuarantineReason.READER_INCOHERENT


def test_a_service_that_stops_ends_all_readers_of_a_scan(many: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    with pytest.raises(ReaderStopped):
        reading(many, tmp_path, 3, stopping=stop.is_set, progress=stop.set)


def test_whoever_loses_the_scan_ends_all_its_readers(many: Path, tmp_path: Path) -> None:
    def lost() -> None:
        raise TimeoutError("It is another's.")

    with pytest.raises(TimeoutError):
        reading(many, tmp_path, 3, progress=lost)


def test_a_scan_is_read_where_no_more_threads_can_be_had(many: Path, tmp_path: Path) -> None:
    with no_more_threads():
        assert [page.number for page in reading(many, tmp_path, 3)] == list(range(1, PAGES + 1))


def test_a_scan_is_read_where_memory_is_too_short_for_a_thread(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: threading.Thread) -> None:
        raise MemoryError

    monkeypatch.setattr(threading.Thread, "start", refused)
    assert [page.number for page in reading(many, tmp_path, 3)] == list(range(1, PAGES + 1))


def test_what_is_lent_is_missed_when_a_scan_comes() -> None:
    slots = Slots(2)
    with slots.own():
        assert slots.free == 1
        assert slots.borrow()
        assert not slots.borrow()
        assert not slots.missed
        with slots.own():
            assert slots.missed
            slots.give_back()
            assert not slots.missed
    assert slots.free == 2
