"""What a reader process says when a hostile file has taken it over: each function takes the place of `entry.run`.

A child finds its function by name, so they live in a module of their own.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from skrynka.core.model import PageReading, PageSource
from skrynka.core.reasons import QuarantineReason
from skrynka.readers import tasks
from skrynka.readers.confinement import SAID
from skrynka.readers.messages import (
    ANSWERS,
    Answer,
    Began,
    Busy,
    CutOrder,
    Done,
    Opened,
    Order,
    Read,
    ReadOrder,
    Rejected,
    Unconfined,
)


def says_no_json(answers: Connection, *_: Any) -> None:  # noqa: ANN401 - the order and limits don't matter here
    _write(answers, b"\x80\x04 not an answer\n")


def says_another_shape(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _write(answers, b'{"said": "opened", "pages": "many", "path": "/etc/passwd"}\n')


def says_no_end(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _write(answers, b'{"said": "opened", "pages": 1' + b" " * (5 << 20))


def opens_nothing(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Opened(0), Done())


def opens_twice(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Opened(1), Opened(2))


def reads_before_opening(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Read(_reading(1)))


def ends_too_early(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Opened(2), Began(1), Read(_reading(1)), Done())


def leaves_a_page_out(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Opened(2), Began(1), Read(_reading(1)), Began(3))


def reads_a_page_twice(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Opened(2), Began(1), Read(_reading(1)), Read(_reading(1)))


def reads_a_page_too_many(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Opened(1), Began(1), Read(_reading(1)), Began(2), Read(_reading(2)))


def opens_other_pages_the_second_time(answers: Connection, order: Order, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Opened(3 if _first(order) == 1 else 4), Began(_first(order)))
    _say(answers, Read(_reading(_first(order))), Began(_first(order) + 1))


def goes_on_behind_the_page_that_was_ordered_alone(answers: Connection, order: Order, *_: Any) -> None:  # noqa: ANN401
    first = _first(order)
    _say(answers, Opened(3), Began(first))
    if first == 2:
        _say(answers, Read(_reading(2)), Began(3), Read(_reading(3)), Done())
    _say(answers, Read(_reading(1)), Began(2))


def is_busy_after_opening(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Busy(), Opened(1), Busy())


def says_that_it_is_unconfined_late(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Opened(1), Unconfined({"seccomp": "EINVAL"}))


def says_what_hinders_it_in_its_own_words(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _write(answers, '{"said": "hindered", "why": "Шевченко, passwd"}\n'.encode())


def says_why_it_is_unconfined_in_its_own_words(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _write(answers, '{"said": "unconfined", "refused": {"seccomp": "Шевченко, passwd"}}\n'.encode())


def opens_a_library(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Opened(5001))


def refuses_another_page(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Opened(2), Began(1), Rejected(QuarantineReason.PAGE_UNREADABLE, 2, ""))


def refuses_for_the_parents_reason(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Rejected(QuarantineReason.ATTEMPTS_EXHAUSTED, None, ""))


def ends_well_without_an_answer(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Opened(2), Began(1))


def dies_as_it_cuts_the_first_time(answers: Connection, order: Order, *how: Any) -> None:  # noqa: ANN401
    before = order.work.parent / "died"
    if not before.exists():
        before.touch()
        _say(answers, Began(1))
        os.kill(os.getpid(), signal.SIGKILL)
    tasks.run(answers, order, *how)


def ends_badly(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Opened(2), Began(1))
    sys.exit(7)


def aborts(answers: Connection, order: Order, *_: Any) -> None:  # noqa: ANN401
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _say(answers, Opened(2))
    for number in range(_first(order), 2):
        _say(answers, Began(number), Read(_reading(number)))
    _say(answers, Began(2))
    os.abort()


def spends_its_processor_time(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Opened(2), Began(1))
    resource.setrlimit(resource.RLIMIT_CPU, (1, 5))
    while True:
        pass


def ignores_being_asked_to_end(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _say(answers, Opened(1))
    signal.pause()


def falls_silent_in_mid_answer(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Opened(2), Began(1))
    _write(answers, b'{"said": "read", "rea')
    signal.pause()


def talks_without_end(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    while True:
        _say(answers, Busy())


def fills_what_it_prints_with_a_pipe(answers: Connection, order: Order, *_: Any) -> None:  # noqa: ANN401
    os.mkfifo(order.work / SAID)
    _say(answers, Opened(1), Began(1), Read(_reading(1)), Done())


def cuts_a_pipe(answers: Connection, order: Order, *_: Any) -> None:  # noqa: ANN401
    os.mkfifo(order.work / "0.pdf")
    _say(answers, Began(1), Done())


def cuts_a_second_name(answers: Connection, order: Order, *_: Any) -> None:  # noqa: ANN401
    (order.work / "0.pdf").hardlink_to(order.work.parents[1] / "good.pdf")
    _say(answers, Began(1), Done())


def cuts_what_is_no_pdf(answers: Connection, order: Order, *_: Any) -> None:  # noqa: ANN401
    (order.work / "0.pdf").write_bytes(b"root:x:0:0")
    _say(answers, Began(1), Done())


def cuts_nothing(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Began(1), Done())


def cuts_a_link(answers: Connection, order: Order, *_: Any) -> None:  # noqa: ANN401
    assert isinstance(order, CutOrder)
    (order.work / "0.pdf").symlink_to(Path("/etc/passwd"))
    _say(answers, Began(1), Done())


def reads_instead_of_cutting(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Opened(1), Began(1), Read(_reading(1)), Done())


def is_hindered_by_some(answers: Connection, order: Order, *limits: Any) -> None:  # noqa: ANN401
    """Do as a reader does, but for a scan that ends with `%hinders` and a word: that is what hinders it."""
    sources = [order.source] if isinstance(order, ReadOrder) else [source.file for source in order.sources.values()]
    for source in sources:
        _, hinders, why = source.read_bytes().rpartition(b"%hinders ")
        if hinders:
            _write(answers, b'{"said": "hindered", "why": "%s"}\n' % why)
            return
    tasks.run(answers, order, *limits)


def is_overtaken(answers: Connection, order: Order, *limits: Any) -> None:  # noqa: ANN401
    """Do as a reader does; the first of all first waits for its scan's next reader to be done, in its work folder."""
    marks = order.work.parents[2]
    try:
        (marks / "begun").touch(exist_ok=False)
    except FileExistsError:
        tasks.run(answers, order, *limits)
        return
    mine = order.work / "page.ppm"
    mine.touch()
    while not (marks / "overtaken").exists():
        threading.Event().wait(0.01)
    if mine.exists():
        (marks / "kept").touch()
    tasks.run(answers, order, *limits)


def reads_when_three_do(answers: Connection, order: Order, *_: Any) -> None:  # noqa: ANN401
    """Read sixty pages, once as many readers are at portions of them."""
    assert isinstance(order, ReadOrder)
    _say(answers, Opened(60))
    (order.work.parent / f"here-{order.first}").touch()
    _wait_for(lambda: len(list(order.work.parent.glob("here-*"))) >= 3)
    _read_all(answers, order)


def refuses_its_first_page_once_the_second_portion_was(answers: Connection, order: Order, *_: Any) -> None:  # noqa: ANN401
    """Refuse the first page of each portion, that of the scan's first when a later one's process has ended."""
    first, told = _first(order), order.work.parent / "told"
    _say(answers, Opened(60), Began(first))
    if first == 1:
        _wait_for(lambda: told.exists() and not Path("/proc", told.read_text()).exists())
    else:
        fresh = order.work / "told"
        fresh.write_text(str(os.getpid()))
        fresh.rename(told)
    _say(answers, Rejected(QuarantineReason.PAGE_UNREADABLE, first, ""))


def opens_more_pages_further_on(answers: Connection, order: Order, *_: Any) -> None:  # noqa: ANN401
    assert isinstance(order, ReadOrder)
    _say(answers, Opened(60 if order.first == 1 else 61))
    _read_all(answers, order)


def _read_all(answers: Connection, order: ReadOrder) -> None:
    for number in range(order.first, (order.last or order.first) + 1):
        _say(answers, Began(number), Read(_reading(number)))
    _say(answers, Done())


def _wait_for(true: Callable[[], bool]) -> None:
    while not true():
        threading.Event().wait(0.01)


def _first(order: Order) -> int:
    assert isinstance(order, ReadOrder)
    return order.first


def _say(answers: Connection, *said: Answer) -> None:
    for each in said:
        _write(answers, ANSWERS.dump_json(each) + b"\n")


def _write(answers: Connection, data: bytes) -> None:
    while data:
        data = data[os.write(answers.fileno(), data) :]


def _reading(number: int) -> PageReading:
    return PageReading(
        number=number, width=595, height=842, rotation=0, source=PageSource.IMAGE, dpi=200, codes=(), marked=False,
        blank=False, ink=0.1, fingerprint="0" * 16,
    )  # fmt: skip
