"""What a reader process says when a hostile file has taken it over: each function takes the place of `tasks.run`.

A child finds its function by name, so they live in a module of their own.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from skrynka.core.model import PageReading, PageSource
from skrynka.readers.messages import ANSWERS, Answer, Began, CutOrder, Done, Opened, Order, Read


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


def ends_well_without_an_answer(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Opened(2), Began(1))


def ends_badly(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Opened(2), Began(1))
    sys.exit(7)


def aborts(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _say(answers, Opened(2), Began(1), Read(_reading(1)), Began(2))
    os.abort()


def ignores_being_asked_to_end(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _say(answers, Opened(1))
    signal.pause()


def falls_silent_in_mid_answer(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Opened(2), Began(1))
    _write(answers, b'{"said": "read", "rea')
    signal.pause()


def talks_without_end(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Opened(1))
    while True:
        _say(answers, Began(1))


def cuts_nothing(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Began(1), Done())


def cuts_a_link(answers: Connection, order: Order, *_: Any) -> None:  # noqa: ANN401
    assert isinstance(order, CutOrder)
    (order.work / "0.pdf").symlink_to(Path("/etc/passwd"))
    _say(answers, Began(1), Done())


def reads_instead_of_cutting(answers: Connection, *_: Any) -> None:  # noqa: ANN401
    _say(answers, Opened(1), Began(1), Read(_reading(1)), Done())


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
