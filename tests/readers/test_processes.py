from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import string
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import util
from pathlib import Path
from typing import Any

import pikepdf
import psutil
import pytest
import structlog

from skrynka import logs
from skrynka.core.errors import ScanRejected
from skrynka.core.formats import FileType
from skrynka.core.model import PageReading, PageRef, PageSource, Symbology
from skrynka.core.reasons import QuarantineReason
from skrynka.readers import entry
from skrynka.readers.messages import CutOrder, CutSource, PageLimits, ReadOrder
from skrynka.readers.portions import MOST
from skrynka.readers.processes import ProcessLimits, Readers, ReaderStopped
from tests.readers import misbehaving, unimportable
from tests.readers.threads import no_more_threads
from tests.support import hostile
from tests.support.pdf_pages import jpeg, numbered_pdf
from tests.support.processes import alive, await_that, descendants, drawers, readers

AMPLE = 5.0
"""Seconds: enough to start a reader and cut some pages."""
MEMORY = 4 << 30
LONG = 120.0
"""Seconds: a limit that no test here waits for."""
SHORT = 5.0
"""Seconds: a limit that tests here do wait for; a busy machine starts a reader well within it."""
PAGE_PIXELS = 120_000_000
IMAGE, RASTER = PageSource.IMAGE, PageSource.RASTER
LogLines = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    """Whatever a test does to readers, none is left, and nothing that they started."""
    yield
    await_that(lambda: not readers() and not drawers(), "no process is left")


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return numbered_pdf([1, 2, 3], tmp_path / "good.pdf")


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """Three pages that poppler has nothing to do with, but for the second, which it draws for a second or so."""
    path = tmp_path / "drawn.pdf"
    path.write_bytes(hostile.slow_pdf(1, 1))
    return path


@pytest.fixture
def log() -> Iterator[LogLines]:
    """Give what is logged meanwhile, by event."""
    stream = io.StringIO()
    logs.configure(stream, logs.Mode.JSON, level=logs.Level.DEBUG, strict=True)
    yield lambda event: [line for line in map(json.loads, stream.getvalue().splitlines()) if line["event"] == event]
    structlog.reset_defaults()


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
    return Readers(ProcessLimits(silent, total, memory), stopping=stopping).read(order, progress)


def cutting(
    *files: Path,
    documents: Sequence[tuple[PageRef, ...]],
    count: int = 1,
    total: float = LONG,
    storing: Callable[[], object] = lambda: None,
    told: Callable[[], None] = lambda: None,
    stopping: Callable[[], bool] = lambda: False,
) -> list[Path]:
    """Cut documents out of files that are scans "A", "B" and so on."""
    limits = PageLimits(1 << 30, PAGE_PIXELS, LONG)
    sources = {
        scan_id: CutSource(file, FileType.PDF, scan_id)
        for scan_id, file in zip(string.ascii_uppercase, files, strict=False)
    }
    order = CutOrder(sources, tuple(documents), files[0].parent / "cuts", limits)
    stored: dict[int, Path] = {}

    def store(number: int, file: Path, progress: Callable[[], None]) -> None:
        stored[number] = file.rename(files[0].parent / f"stored-{number}.pdf")
        storing()
        progress()

    Readers(ProcessLimits(LONG, total, MEMORY), count, stopping).cut(order, store, told)
    return [file for _, file in sorted(stored.items())]


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


@contextlib.contextmanager
def while_drawing(do: Callable[[psutil.Process, psutil.Process], None], times: int = 1) -> Iterator[None]:
    """Do something to reader and poppler as soon as poppler draws, this often: each time to another poppler."""
    done: list[int] = []
    failures: list[BaseException] = []

    def strike() -> None:
        try:
            while len(done) < times:
                await_that(lambda: any(drawer.pid not in done for drawer in drawers()), "poppler draws")
                (drawer,) = drawers()
                done.append(drawer.pid)
                do(the_reader(), drawer)
        except BaseException as failure:  # noqa: BLE001 - told below, in the test's own thread
            failures.append(failure)

    thread = threading.Thread(target=strike)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    assert failures == []
    assert len(done) == times


def test_every_page_is_read_in_order_and_progress_is_told_after_each(good: Path) -> None:
    told: list[None] = []
    assert [page.number for page in reading(good, progress=lambda: told.append(None))] == [1, 2, 3]
    assert len(told) == 3


def test_each_scan_has_a_reader_process_of_its_own_outside_the_programs_session(drawn: Path) -> None:
    seen: list[int] = []

    def look() -> None:
        seen.extend(process.pid for process in readers())

    reading(drawn, progress=look)
    first = set(seen)
    seen.clear()
    reading(drawn, progress=look)
    assert first
    assert seen
    assert first.isdisjoint(seen)


def test_a_page_that_kills_two_readers_is_a_crash_at_it_and_what_they_had_started_goes_too(
    endless: Path, good: Path
) -> None:
    def kill(reader: psutil.Process, drawer: psutil.Process) -> None:
        struck.append(drawer)
        reader.kill()

    struck: list[psutil.Process] = []
    with rejected(QuarantineReason.READER_CRASHED, 2, "signal SIGKILL"), while_drawing(kill, times=2):
        reading(endless)
    assert len(struck) == 2
    await_that(lambda: not alive(struck), "poppler has ended")
    assert still_reads(good)


def test_a_page_whose_reader_was_killed_is_read_by_another_alone_and_the_rest_by_a_third(
    drawn: Path, orders: list[ReadOrder], log: LogLines
) -> None:
    with while_drawing(lambda reader, _: reader.kill()):
        pages = reading(drawn)
    assert [(page.number, page.source) for page in pages] == [(1, IMAGE), (2, RASTER), (3, IMAGE)]
    assert [(order.first, order.last) for order in orders] == [(1, MOST), (2, 2), (3, MOST)]
    (line,) = log("reader_died")
    assert (line["level"], line["page"], line["signal"]) == ("info", 2, "SIGKILL")
    assert line["detail"] == "signal SIGKILL"


def test_a_renderer_that_is_killed_costs_the_page_a_second_try(drawn: Path, log: LogLines) -> None:
    with while_drawing(lambda _, drawer: drawer.kill()):
        assert [page.number for page in reading(drawn)] == [1, 2, 3]
    (line,) = log("reader_died")
    assert (line["page"], line["detail"]) == (2, "the renderer failed")


def test_a_renderer_that_is_killed_twice_makes_the_page_unreadable(endless: Path, good: Path) -> None:
    with (
        rejected(QuarantineReason.PAGE_UNREADABLE, 2, "the renderer failed"),
        while_drawing(lambda _, drawer: drawer.kill(), times=2),
    ):
        reading(endless)
    assert still_reads(good)


def test_a_page_that_a_renderer_never_finishes_is_given_up_by_the_renderers_own_limit(
    endless: Path, good: Path
) -> None:
    with rejected(QuarantineReason.PAGE_UNREADABLE, 2):
        reading(endless, raster=SHORT)
    assert still_reads(good)


def test_a_reader_that_hangs_twice_is_ended_with_all_it_has_started(endless: Path, good: Path) -> None:
    struck: list[psutil.Process] = []
    with (
        rejected(QuarantineReason.READER_TIMED_OUT, 2, "silent for too long"),
        while_drawing(lambda *both: struck.extend(both), times=2),
    ):
        reading(endless, silent=SHORT)
    assert len(struck) == 4
    await_that(lambda: not alive(struck), "readers and poppler have ended")
    assert still_reads(good)


def test_a_scan_whose_time_is_over_has_no_second_try(endless: Path, good: Path) -> None:
    struck: list[psutil.Process] = []
    with (
        rejected(QuarantineReason.READER_TIMED_OUT, 2, "longer than a scan may take"),
        while_drawing(lambda *both: struck.extend(both)),
    ):
        reading(endless, total=SHORT)
    await_that(lambda: not alive(struck), "reader and poppler have ended")
    assert still_reads(good)


def test_a_reader_that_is_frozen_is_ended_and_its_page_read_by_another(drawn: Path, log: LogLines) -> None:
    with while_drawing(lambda reader, _: reader.suspend()):
        assert [page.number for page in reading(drawn, silent=6)] == [1, 2, 3]
    (line,) = log("reader_died")
    assert (line["page"], line["detail"]) == (2, "silent for too long")


def test_a_service_that_stops_ends_its_reader_at_once(endless: Path, good: Path) -> None:
    stops: list[bool] = []
    with pytest.raises(ReaderStopped), while_drawing(lambda *_: stops.append(True)):
        reading(endless, stopping=lambda: bool(stops))
    assert still_reads(good)


def test_a_service_that_stops_ends_a_reader_that_never_falls_silent(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = iter([False] * 20)
    monkeypatch.setattr(entry, "run", misbehaving.talks_without_end)
    with pytest.raises(ReaderStopped):
        reading(good, stopping=lambda: next(asked, None) is not False)


def test_an_image_bomb_is_told_by_its_measures_and_never_unpacked(tmp_path: Path, good: Path) -> None:
    bomb = tmp_path / "bomb.pdf"
    bomb.write_bytes(hostile.bomb_pdf())
    # Were it unpacked, this memory would not suffice, and the reason would be another.
    with rejected(QuarantineReason.PAGE_TOO_LARGE, 2):
        reading(bomb, memory=600 << 20)
    assert still_reads(good)


def test_a_page_that_wants_more_memory_than_the_limit_twice_is_a_crash_at_it(
    tmp_path: Path, good: Path, log: LogLines
) -> None:
    bomb = tmp_path / "bomb.pdf"
    bomb.write_bytes(hostile.bomb_pdf(side=25_000))
    with rejected(QuarantineReason.READER_CRASHED, 2, "out of memory"):
        reading(bomb, memory=600 << 20, page_pixels=10**9)
    assert [(line["page"], line["detail"]) for line in log("reader_died")] == [(2, "out of memory")]
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
        misbehaving.opens_other_pages_the_second_time,
        misbehaving.goes_on_behind_the_page_that_was_ordered_alone,
        misbehaving.is_busy_after_opening,
        misbehaving.says_that_it_is_unconfined_late,
        misbehaving.says_what_hinders_it_in_its_own_words,
        misbehaving.says_why_it_is_unconfined_in_its_own_words,
        misbehaving.refuses_another_page,
        misbehaving.refuses_for_the_parents_reason,
    ],
)
def test_a_reader_that_says_what_cant_be_is_not_believed(
    good: Path, monkeypatch: pytest.MonkeyPatch, says: Callable[..., None]
) -> None:
    monkeypatch.setattr(entry, "run", says)
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
def test_a_reader_that_dies_again_is_a_crash_at_the_page_it_was_at(
    good: Path, monkeypatch: pytest.MonkeyPatch, dies: Callable[..., None], page: int | None, how: str, log: LogLines
) -> None:
    monkeypatch.setattr(entry, "run", dies)
    with rejected(QuarantineReason.READER_CRASHED, page, how):
        reading(good)
    assert [(line.get("page"), line["detail"]) for line in log("reader_died")] == [(page, how)]
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
    monkeypatch.setattr(entry, "run", child)
    with rejected(QuarantineReason.READER_TIMED_OUT, page):
        reading(good, silent=SHORT)
    monkeypatch.undo()
    assert still_reads(good)


def test_a_reader_that_never_falls_silent_is_ended_at_the_limit_for_a_scan(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry, "run", misbehaving.talks_without_end)
    with rejected(QuarantineReason.READER_TIMED_OUT, None):
        reading(good, total=SHORT)


def test_documents_are_cut_in_the_orders_order(good: Path) -> None:
    files = cutting(good, documents=[(PageRef("A", 3),), (PageRef("A", 1), PageRef("A", 2))])
    counts = []
    for file in files:
        with pikepdf.open(file) as pdf:
            counts.append(len(pdf.pages))
    assert counts == [1, 2]


@pytest.mark.parametrize("count", [1, 3])
def test_documents_of_several_scans_are_cut_right_however_many_pages_they_have(tmp_path: Path, count: int) -> None:
    each = range(1, 31)
    scans = [
        numbered_pdf(list(each), tmp_path / "a.pdf"),
        numbered_pdf([number + len(each) for number in each], tmp_path / "b.pdf"),
        numbered_pdf([99], tmp_path / "c.pdf"),
    ]
    documents = [*((PageRef("A", number), PageRef("B", number)) for number in each), (PageRef("C", 1),)]
    assert sum(map(len, documents)) > MOST
    *files, last = cutting(*scans, documents=documents, count=count)
    for number, file in zip(each, files, strict=True):
        assert [file.read_bytes().count(jpeg(shown)) for shown in (number, number + len(each), 99)] == [1, 1, 0]
    assert last.read_bytes().count(jpeg(99)) == 1


@pytest.mark.parametrize(
    "cuts",
    [
        misbehaving.cuts_nothing,
        misbehaving.cuts_a_link,
        misbehaving.cuts_a_pipe,
        misbehaving.cuts_a_second_name,
        misbehaving.cuts_what_is_no_pdf,
        misbehaving.reads_instead_of_cutting,
    ],
)
def test_a_reader_that_hasnt_cut_what_it_says_is_not_believed(
    good: Path, monkeypatch: pytest.MonkeyPatch, cuts: Callable[..., None]
) -> None:
    monkeypatch.setattr(entry, "run", cuts)
    with pytest.raises(ScanRejected) as refused:
        cutting(good, documents=[(PageRef("A", 1),)])
    assert refused.value.reason is QuarantineReason.READER_INCOHERENT


def test_a_reader_gets_nothing_of_the_programs_environment(endless: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "canary")
    seen: list[dict[str, str]] = []

    def look(reader: psutil.Process, drawer: psutil.Process) -> None:
        seen.append(drawer.environ())
        os.kill(reader.pid, signal.SIGKILL)

    with pytest.raises(ScanRejected), while_drawing(look, times=2):
        reading(endless)
    assert [set(environment) for environment in seen] == [{"PATH"}] * 2


def test_a_scan_of_more_pages_than_the_limit_is_too_large_whatever_its_reader_says(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry, "run", misbehaving.opens_a_library)
    with rejected(QuarantineReason.TOO_LARGE, None):
        reading(good)


def test_a_reader_that_spends_its_processor_time_has_timed_out(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "run", misbehaving.spends_its_processor_time)
    with rejected(QuarantineReason.READER_TIMED_OUT, 1, "signal SIGXCPU"):
        reading(good)


def test_a_pipe_in_the_place_of_what_a_reader_prints_is_not_waited_for(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry, "run", misbehaving.fills_what_it_prints_with_a_pipe)
    assert len(reading(good)) == 1


def test_a_reader_that_dies_while_it_cuts_has_a_second_try(
    good: Path, log: LogLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry, "run", misbehaving.dies_as_it_cuts_the_first_time)
    (file,) = cutting(good, documents=[(PageRef("A", 2),)])
    assert len(pikepdf.open(file).pages) == 1
    assert [line["detail"] for line in log("reader_died")] == ["signal SIGKILL"]


@pytest.fixture(scope="module")
def six_hundred(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return numbered_pdf(list(range(1, 601)), tmp_path_factory.mktemp("many") / "many.pdf")


HUNDREDS = [tuple(PageRef("A", number) for number in range(first, first + 100)) for first in range(1, 601, 100)]


def test_an_archive_that_stores_slowly_takes_none_of_a_scans_time(six_hundred: Path) -> None:
    began: list[float] = []

    def storing() -> None:
        began.append(time.monotonic())
        await_that(lambda: time.monotonic() > began[0] + AMPLE + 1, "the archive has taken longer than a scan may")

    # Two readers and three threads that store: the last portion is cut when all of these have waited.
    assert len(cutting(six_hundred, documents=HUNDREDS, count=2, total=AMPLE, storing=storing)) == len(HUNDREDS)


def test_documents_are_stored_while_others_are_cut(six_hundred: Path) -> None:
    at_once = threading.Barrier(3, timeout=LONG)

    assert len(cutting(six_hundred, documents=HUNDREDS, count=2, storing=at_once.wait)) == len(HUNDREDS)


def test_whoever_has_documents_cut_hears_of_it_in_its_own_thread_alone(six_hundred: Path) -> None:
    heard: list[int] = []

    cutting(six_hundred, documents=HUNDREDS, count=2, told=lambda: heard.append(threading.get_ident()))

    assert set(heard) == {threading.get_ident()}


def test_a_service_that_stops_stores_no_further_document(six_hundred: Path) -> None:
    stop = threading.Event()
    stored: list[None] = []

    def storing() -> None:
        stored.append(None)
        stop.set()

    with pytest.raises(ReaderStopped):
        cutting(six_hundred, documents=HUNDREDS, count=1, storing=storing, stopping=stop.is_set)
    assert len(stored) < len(HUNDREDS)


def test_documents_are_stored_where_no_more_threads_can_be_had(six_hundred: Path) -> None:
    with no_more_threads():
        assert len(cutting(six_hundred, documents=HUNDREDS, count=2)) == len(HUNDREDS)


def test_what_fails_as_a_document_is_stored_is_told_to_whoever_had_it_cut(six_hundred: Path) -> None:
    def storing() -> None:
        raise TimeoutError("The archive hangs.")

    with pytest.raises(TimeoutError):
        cutting(six_hundred, documents=HUNDREDS, count=2, storing=storing)


def test_a_reader_can_be_started_when_the_folder_of_the_servers_socket_was_removed_while_it_rested(
    good: Path,
) -> None:
    assert still_reads(good)
    resting = Readers(ProcessLimits(LONG, LONG, MEMORY))
    folder = Path(util.get_temp_dir())
    shutil.rmtree(folder)
    resting.rest(0)
    resting.prepare()
    assert still_reads(good)
    assert folder.exists()


def test_the_server_process_rests_where_nothing_was_ordered_for_long_and_is_there_again_when_something_is(
    good: Path,
) -> None:
    readers_at_rest = Readers(ProcessLimits(LONG, LONG, MEMORY))
    readers_at_rest.prepare()
    await_that(lambda: bool(_servers()), "the server is there")
    readers_at_rest.rest()
    assert _servers()
    readers_at_rest.rest(0)
    assert not _servers()
    readers_at_rest.rest(0)
    assert still_reads(good)


def test_the_server_process_does_not_rest_while_a_reader_is_at_work(
    good: Path,
) -> None:
    order = ReadOrder(
        good, FileType.PDF, good.parent / "work", PageLimits(1 << 30, PAGE_PIXELS, LONG), frozenset(), frozenset(),
        foreign_text=False,
    )  # fmt: skip
    working = Readers(ProcessLimits(LONG, LONG, MEMORY))
    seen: list[bool] = []

    def rest() -> None:
        working.rest(0)
        seen.append(bool(_servers()))

    assert len(working.read(order, rest)) == 3
    assert seen
    assert all(seen)


def _servers() -> list[psutil.Process]:
    return [each for each in descendants() if any("forkserver" in word for word in each.cmdline())]
