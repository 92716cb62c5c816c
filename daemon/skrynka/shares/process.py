"""One child process at a time, waited for as long as it shows life and no longer."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence

from skrynka.core.errors import SkrynkaError
from skrynka.steps.listing import InboxAway

HUNG = "hung"
"""Why a share is away that doesn't answer."""
DIED = "died"
"""Why a share is away whose process died or raved."""
_STOP_SECONDS = 3.0
"""How long an errand may still take once the service stops: a rename is over, a long copy is made again."""
_TICK_SECONDS = 0.2
"""How often a stop is looked for while an errand goes on."""
_REAP_SECONDS = 1.0
"""A process that can be killed at all is gone long before."""
_PIECE = 1 << 16
"""Bytes read at a time: all that a pipe holds."""


class ShareStopped(SkrynkaError):
    """The service is stopping: the errand was left, and what became of it is looked up at the next start."""


class ShareProcess:
    """A process that answers questions, a line each; not for several threads at once."""

    def __init__(self, command: Sequence[str], silent_seconds: float, stopping: Callable[[], bool]) -> None:
        """Give a process up that says nothing for `silent_seconds`; `stopping` is asked several times a second."""
        self._command = command
        self._silent_seconds = silent_seconds
        self._stopping = stopping
        self._child: subprocess.Popen[bytes] | None = None
        self._hung: subprocess.Popen[bytes] | None = None

    def ask(self, question: bytes) -> Iterator[bytes]:
        """Ask a question and give the lines said to it; the caller knows which is the last, and takes no more.

        Raises InboxAway when the process says nothing for too long or dies, and ShareStopped. It may have done what it
        was asked for, then or later, until it is gone: no other is started before that.
        """
        child = self._living_child()
        rest = memoryview(question + b"\n")
        heard = bytearray()
        stop_at: float | None = None
        silent_since = time.monotonic()
        while True:
            if stop_at is None and self._stopping():
                stop_at = time.monotonic() + _STOP_SECONDS
            self._give_up(silent_since + self._silent_seconds, stop_at)
            rest, piece = self._exchange(child, rest)
            if not piece:
                continue
            silent_since = time.monotonic()
            heard += piece
            if b"\n" in piece:
                *lines, heard = heard.split(b"\n")
                yield from map(bytes, lines)

    def close(self) -> None:
        """Let the process end by itself if it is idle, and end it otherwise."""
        if self._child is not None and self._child.stdin is not None:
            self._child.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(_REAP_SECONDS)
        self.end()

    def end(self) -> None:
        """End the process, whatever it does. One that nothing ends is left: what it hangs in may still come to pass."""
        if self._hung is not None and self._hung.poll() is not None:
            self._hung = None
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            child.wait(_REAP_SECONDS)
        except subprocess.TimeoutExpired:
            self._hung = child

    def _give_up(self, silent_until: float, stop_at: float | None) -> None:
        now = time.monotonic()
        if stop_at is not None and now > stop_at:
            self.end()
            raise ShareStopped
        if now > silent_until:
            self.end()
            raise InboxAway(HUNG)

    def _exchange(self, child: subprocess.Popen[bytes], rest: memoryview) -> tuple[memoryview, bytes]:
        """Say what it takes of the question, and give what is left of that and what it has said by now."""
        assert child.stdin is not None  # noqa: S101 - it was started with pipes
        assert child.stdout is not None  # noqa: S101 - the same
        saying = [child.stdin] if rest else []
        readable, writable, _ = select.select([child.stdout], saying, [], _TICK_SECONDS)
        try:
            if writable:
                rest = rest[os.write(child.stdin.fileno(), rest) :]
            piece = os.read(child.stdout.fileno(), _PIECE) if readable else None
        except BrokenPipeError:
            piece = b""
        if piece == b"":
            self.end()
            raise InboxAway(DIED)
        return rest, piece or b""

    def _living_child(self) -> subprocess.Popen[bytes]:
        if self._hung is not None:
            if self._hung.poll() is None:
                raise InboxAway(HUNG)
            self._hung = None
        if self._child is not None and self._child.poll() is not None:
            self.end()
        if self._child is None:
            self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
            )
            assert self._child.stdin is not None  # noqa: S101 - it was started with pipes
            os.set_blocking(self._child.stdin.fileno(), False)
        return self._child
