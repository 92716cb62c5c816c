"""Look at many images with several processes. A reader's libraries may end a process: that costs one image's verdict.

A process does one image after the other and is replaced now and then, as zbar is known to leak. Each imports what lies
on the disk by then: where that isn't what the run began with, the run ends, and nothing that such a process saw counts.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from enum import Enum, auto

from tests.benchmarks.reading.images import Key, image_of
from tests.benchmarks.reading.looking import Alone, Seen, Verdict, alone, program
from tests.benchmarks.reading.states import Changed, State


class Engines(Enum):
    """When the engines are put before an image."""

    NEVER = auto()
    WHERE_UNREAD = auto()
    """Where the program didn't read a sheet."""
    ALWAYS = auto()


Todo = tuple[Key, bool, Engines]
"""An image, whether the program is put before it, and whether the engines are."""
Done = tuple[Key, Seen | None, Alone | None]
_IMAGES_A_PROCESS = 300
_AHEAD = 2
"""Images handed out for each process: enough to keep it busy, few to lose."""
_changed: list[Changed] = []
"""Why this process looks at nothing: an initializer that raises looks to the pool like a process that died."""


def look(todo: Todo) -> Done:
    """Look at one image: for the program, for the engines, or for both. Raises Changed."""
    if _changed:
        raise _changed[0]
    key, for_program, engines = todo
    image = image_of(key)
    seen = program(image) if for_program else None
    unread = seen is not None and seen.verdict is not Verdict.READ
    asked = engines is Engines.ALWAYS or (engines is Engines.WHERE_UNREAD and unread)
    return key, seen, alone(image) if asked else None


def look_at_all(todo: Sequence[Todo], processes: int, state: State) -> Iterator[Done]:
    """Look at images, and give what was seen as it comes, in no order.

    Raises Changed when a process finds another state on the disk than this, or can't begin with what it finds.
    """
    left = list(reversed(todo))
    while left:
        begun: dict[Future[Done], Todo] = {}
        try:
            with _pool(processes, state) as pool:
                try:
                    while left or begun:
                        while left and len(begun) < processes * _AHEAD:
                            one = left.pop()
                            begun[pool.submit(look, one)] = one
                        for future in wait(begun, return_when=FIRST_COMPLETED).done:
                            done = future.result()
                            del begun[future]
                            yield done
                finally:
                    pool.shutdown(wait=False, cancel_futures=True)
        except BrokenProcessPool:
            # Whose fault it was can't be told: each one that was begun is tried by itself.
            yield from (_by_itself(one, state) for one in begun.values())


def _by_itself(todo: Todo, state: State) -> Done:
    key, for_program, engines = todo
    with _pool(1, state) as pool:
        try:
            pool.submit(_nothing).result()
        except BrokenProcessPool:
            # It died of no image, but of files that it can't import any more.
            state.require()
            raise Changed("a process that looks at images can't begin any more") from None
        try:
            return pool.submit(look, todo).result()
        except BrokenProcessPool:
            crashed = Seen(Verdict.CRASHED, "", "", marked=False, blank=False, codes=(), false_texts=0, seconds=0.0)
            nothing = Alone(zxing=False, zbar=False, zxing_wrong=0, zbar_wrong=0, zxing_false=0, zbar_false=0)
            return key, crashed if for_program else None, nothing if engines is Engines.ALWAYS else None


def _nothing() -> None:
    """Do nothing: what a process can do that has begun."""


def _pool(processes: int, state: State) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("forkserver")
    return ProcessPoolExecutor(
        processes, context, initializer=_begin, initargs=(state,), max_tasks_per_child=_IMAGES_A_PROCESS
    )


def _begin(state: State) -> None:
    """Begin a process. It finishes the image in hand when it is interrupted: a Ctrl-C goes to every process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        state.require()
    except Changed as changed:
        _changed.append(changed)
