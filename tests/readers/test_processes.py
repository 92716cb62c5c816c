from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pikepdf
import psutil
import pytest

from skrynka.core.errors import ScanRejected
from skrynka.core.formats import FileType
from skrynka.core.model import PageReading, PageRef, Symbology
from skrynka.core.reasons import QuarantineReason
from skrynka.readers import tasks
from skrynka.readers.messages import CutOrder, PageLimits, ReadOrder
from skrynka.readers.processes import ProcessLimits, Readers, ReaderStopped
from tests.readers import misbehaving, unimportable
from tests.support import hostile
from tests.support.pdf_pages import numbered_pdf
from tests.support.processes import alive, await_that, drawers, readers

MEMORY = 4 << 30
LONG = 120.0
"""Seconds: a limit that no test here waits for."""
SHORT = 1.5
"""Seconds: a limit that tests here do wait for."""
PAGE_PIXELS = 120_000_000


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    """Whatever a test does to readers, none is left, and nothing that they started."""
    yield
    await_that(lambda: not readers() and not drawers(), "no process is left")


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return numbered_pdf([1, 2, 3], tmp_path / "good.pdf")


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A page that a renderer finishes, one that it doesn't, and another good one."""
    path = tmp_path / "endless.pdf"
    path.write_bytes(hostile.endless_pdf(1, 1))
    return path


def reading(
    file: Path,
    *,
    silent: float = LONG,
    total: float = LONG,
    memory: int = MEMORY,
    page_pixels: int = PAGE_PIXELS,
    raster: float = LONG,
    stopping: Callable[[], bool] = lambda: False,
    progress: Callable[[], None] = lambda: None,
) -> list[PageReading]:
    """Read a file with these limits."""
    limits = PageLimits(1 << 30, page_pixels, raster)
    work = file.parent / "work"
    order = ReadOrder(file, FileType.PDF, work, limits, frozenset({Symbology.QR}), frozenset(), foreign_text=False)
    return Readers(ProcessLimits(silent, total, memory), stopping).read(order, progress)


def cutting(file: Path, *documents: tuple[PageRef, ...]) -> list[Path]:
    """Cut documents out of a file that is scan "A"."""
    limits = PageLimits(1 << 30, PAGE_PIXELS, LONG)
    order = CutOrder({"A": (file, FileType.PDF)}, documents, file.parent / "cuts", limits)
    return Readers(ProcessLimits(LONG, LONG, MEMORY)).cut(order)


@contextlib.contextmanager
def rejected(reason: QuarantineReason, page: int | None, detail: str | None = None) -> Iterator[None]:
    """See that a scan is refused for this reason at this page."""
    with pytest.raises(ScanRejected) as refused:
        yield
    assert (refused.value.reason, refused.value.page) == (reason, page)
    assert detail is None or refused.value.detail == detail


def still_reads(file: Path) -> bool:
    """Tell whether the next scan is read as if nothing had been."""
    return [page.number for page in reading(file)] == [1, 2, 3]


def the_reader() -> psutil.Process:
    """Give the one reader there is."""
    (reader,) = readers()
    return reader


def while_drawing(do: Callable[[psutil.Process, psutil.Process], None]) -> Callable[[], None]:
    """Give a `progress` that waits until poppler draws the second page, and does something to reader and poppler."""

    def progress() -> None:
        await_that(lambda: bool(drawers()), "poppler draws")
        (drawer,) = drawers()
        do(the_reader(), drawer)

    return progress


def test_every_page_is_read_in_order_and_progress_is_told_after_each(good: Path) -> None:
    told: list[None] = []
    assert [page.number for page in reading(good, progress=lambda: told.append(None))] == [1, 2, 3]
    assert len(told) == 3


def test_each_scan_has_a_reader_process_of_its_own_outside_the_programs_session(good: Path) -> None:
    seen: list[int] = []

    def look() -> None:
        seen.extend(process.pid for process in readers())

    reading(good, progress=look)
    first = set(seen)
    seen.clear()
    reading(good, progress=look)
    assert first
    assert seen
    assert first.isdisjoint(seen)


def test_a_reader_that_is_killed_is_a_crash_at_its_page_and_what_it_had_started_goes_too(
    endless: Path, good: Path
) -> None:
    def kill(reader: psutil.Process, drawer: psutil.Process) -> None:
        struck.append(drawer)
        reader.kill()

    struck: list[psutil.Process] = []
    with rejected(QuarantineReason.READER_CRASHED, 2, "signal SIGKILL"):
        reading(endless, progress=while_drawing(kill))
    assert len(struck) == 1
    await_that(lambda: not alive(struck), "poppler has ended")
    assert still_reads(good)


def test_a_renderer_that_is_killed_makes_the_page_unreadable(endless: Path, good: Path) -> None:
    with rejected(QuarantineReason.PAGE_UNREADABLE, 2):
        reading(endless, progress=while_drawing(lambda _, drawer: drawer.kill()))
    assert still_reads(good)


def test_a_page_that_a_renderer_never_finishes_is_given_up_by_the_renderers_own_limit(
    endless: Path, good: Path
) -> None:
    with rejected(QuarantineReason.PAGE_UNREADABLE, 2):
        reading(endless, raster=SHORT)
    assert still_reads(good)


@pytest.mark.parametrize("limit", ["silent", "total"])
def test_a_reader_that_hangs_is_ended_with_all_it_has_started_at_the_limit(
    endless: Path, good: Path, limit: str
) -> None:
    struck: list[psutil.Process] = []
    with rejected(QuarantineReason.READER_TIMED_OUT, 2):
        reading(
            endless,
            silent=SHORT if limit == "silent" else LONG,
            total=SHORT if limit == "total" else LONG,
            progress=while_drawing(lambda *both: struck.extend(both)),
        )
    assert len(struck) == 2
    await_that(lambda: not alive(struck), "reader and poppler have ended")
    assert still_reads(good)


def test_a_reader_that_is_frozen_is_ended_too(endless: Path, good: Path) -> None:
    with rejected(QuarantineReason.READER_TIMED_OUT, 2):
        reading(endless, silent=SHORT, progress=while_drawing(lambda reader, _: reader.suspend()))
    assert still_reads(good)


def test_a_service_that_stops_ends_its_reader_at_once(endless: Path, good: Path) -> None:
    stops: list[bool] = []
    with pytest.raises(ReaderStopped):
        reading(endless, stopping=lambda: bool(stops), progress=while_drawing(lambda *_: stops.append(True)))
    assert still_reads(good)


def test_a_service_that_stops_ends_a_reader_that_never_falls_silent(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = iter([False] * 20)
    monkeypatch.setattr(tasks, "run", misbehaving.talks_without_end)
    with pytest.raises(ReaderStopped):
        reading(good, stopping=lambda: next(asked, None) is not False)


def test_an_image_bomb_is_told_by_its_measures_and_never_unpacked(tmp_path: Path, good: Path) -> None:
    bomb = tmp_path / "bomb.pdf"
    bomb.write_bytes(hostile.bomb_pdf())
    # Were it unpacked, this memory would not suffice, and the reason would be another.
    with rejected(QuarantineReason.PAGE_TOO_LARGE, 2):
        reading(bomb, memory=600 << 20)
    assert still_reads(good)


def test_a_reader_that_wants_more_memory_than_its_limit_is_a_crash_at_its_page(tmp_path: Path, good: Path) -> None:
    bomb = tmp_path / "bomb.pdf"
    bomb.write_bytes(hostile.bomb_pdf(side=25_000))
    with rejected(QuarantineReason.READER_CRASHED, 2):
        reading(bomb, memory=600 << 20, page_pixels=10**9)
    assert still_reads(good)


@pytest.mark.parametrize(
    "says",
    [
        misbehaving.says_no_json,
        misbehaving.says_another_shape,
        misbehaving.says_no_end,
        misbehaving.opens_nothing,
        misbehaving.opens_twice,
        misbehaving.reads_before_opening,
        misbehaving.ends_too_early,
        misbehaving.leaves_a_page_out,
        misbehaving.reads_a_page_twice,
        misbehaving.reads_a_page_too_many,
    ],
)
def test_a_reader_that_says_what_cant_be_is_not_believed(
    good: Path, monkeypatch: pytest.MonkeyPatch, says: Callable[..., None]
) -> None:
    monkeypatch.setattr(tasks, "run", says)
    with pytest.raises(ScanRejected) as refused:
        reading(good)
    assert refused.value.reason is QuarantineReason.READER_INCOHERENT
    assert "passwd" not in str(refused.value)
    monkeypatch.undo()
    assert still_reads(good)


@pytest.mark.parametrize(
    ("dies", "page", "how"),
    [
        (misbehaving.ends_well_without_an_answer, 1, "exit 0"),
        (misbehaving.ends_badly, 1, "exit 7"),
        (misbehaving.aborts, 2, "signal SIGABRT"),
        (unimportable.run, None, "exit 1"),
    ],
)
def test_a_reader_that_dies_is_a_crash_at_the_page_it_was_at(
    good: Path, monkeypatch: pytest.MonkeyPatch, dies: Callable[..., None], page: int | None, how: str
) -> None:
    monkeypatch.setattr(tasks, "run", dies)
    with rejected(QuarantineReason.READER_CRASHED, page, how):
        reading(good)
    monkeypatch.undo()
    assert still_reads(good)


@pytest.mark.parametrize(
    ("child", "page"),
    [
        (misbehaving.ignores_being_asked_to_end, None),
        (misbehaving.falls_silent_in_mid_answer, 1),
    ],
)
def test_a_reader_that_falls_silent_is_ended_whatever_it_was_saying(
    good: Path, monkeypatch: pytest.MonkeyPatch, child: Callable[..., None], page: int | None
) -> None:
    monkeypatch.setattr(tasks, "run", child)
    with rejected(QuarantineReason.READER_TIMED_OUT, page):
        reading(good, silent=SHORT)
    monkeypatch.undo()
    assert still_reads(good)


def test_a_reader_that_never_falls_silent_is_ended_at_the_limit_for_a_scan(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "run", misbehaving.talks_without_end)
    with rejected(QuarantineReason.READER_TIMED_OUT, 1):
        reading(good, total=SHORT)


def test_documents_are_cut_in_the_orders_order(good: Path) -> None:
    files = cutting(good, (PageRef("A", 3),), (PageRef("A", 1), PageRef("A", 2)))
    counts = []
    for file in files:
        with pikepdf.open(file) as pdf:
            counts.append(len(pdf.pages))
    assert counts == [1, 2]


@pytest.mark.parametrize(
    "cuts", [misbehaving.cuts_nothing, misbehaving.cuts_a_link, misbehaving.reads_instead_of_cutting]
)
def test_a_reader_that_hasnt_cut_what_it_says_is_not_believed(
    good: Path, monkeypatch: pytest.MonkeyPatch, cuts: Callable[..., None]
) -> None:
    monkeypatch.setattr(tasks, "run", cuts)
    with pytest.raises(ScanRejected) as refused:
        cutting(good, (PageRef("A", 1),))
    assert refused.value.reason is QuarantineReason.READER_INCOHERENT


def test_a_reader_gets_nothing_of_the_programs_environment(endless: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "canary")
    seen: list[dict[str, str]] = []

    def look(reader: psutil.Process, drawer: psutil.Process) -> None:
        seen.append(drawer.environ())
        os.kill(reader.pid, signal.SIGKILL)

    with pytest.raises(ScanRejected):
        reading(endless, progress=while_drawing(look))
    assert [set(environment) for environment in seen] == [{"PATH"}]
