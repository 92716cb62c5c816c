"""The service's threads: each calls one unit of work again and again, and none dies of what a call raises."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from skrynka.core.errors import DatabaseAway, EnvironmentUnfit, LeaseLost
from skrynka.core.outages import Outage, observe
from skrynka.readers.processes import ReaderStopped
from skrynka.shares.process import ShareStopped
from skrynka.steps.archive import ArchiveAway, ArchiveDamaged

_LOG = structlog.get_logger(__name__)
_RETRY_SECONDS = 5.0
_RECONNECT_SECONDS = 2.0
"""A database that is away is asked for so often: what waits for it has waited for long, and to ask costs little."""
_PAST_SECONDS = 60.0
"""A trouble that wasn't met for so long is over: the next one of its kind is told anew."""
_DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENFILE})
"""What a file system or a machine says that is full, failing or away."""
_LONGEST_WAIT_SECONDS = 5.0
"""A loop with nothing to do still looks so often: a wake-up that was missed costs no more than this."""


class Loop:
    """A thread that works while there is work, and waits for a wake-up otherwise."""

    def __init__(
        self,
        name: str,
        work: Callable[[], float | None],
        stop: threading.Event,
        longest_wait: float | None = None,
    ) -> None:
        """`work` does one unit and gives the seconds until it wants to be called again; None: when woken.

        It is called after `longest_wait` seconds at the latest, by default after five.
        """
        self.name = name
        self.beat = time.monotonic()
        """When the loop last showed that it is alive: seconds of the monotonic clock."""
        self.progress = 0
        """How many units of work it has done."""
        self._began: float | None = None
        self._work = work
        self._longest_wait = longest_wait
        self._stop = stop
        self._woken = threading.Event()
        self._pausing = False
        """Something failed: to be woken is no reason to try it again at once, and to use up the work's attempts."""
        self.missing: str | None = None
        """What its last unit of work missed: "database", or "archive"."""
        self.why: str | None = None
        """Why: the name of an error, where there is one."""
        self._trouble = ""
        self._troubled_at = 0.0
        self._outage: Outage | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Say that there may be work."""
        self._woken.set()

    def show_life(self) -> None:
        """Say, from within a long unit of work, that it goes on."""
        self.beat = time.monotonic()
        # Work asks the database before all else, so what goes on has it; an archive may still fail in the middle.
        if self.missing == "database":
            self.missing = None

    @property
    def in_hand_seconds(self) -> float:
        """How long the unit of work in hand has taken by now; 0 where there is none."""
        began = self._began
        return 0.0 if began is None else time.monotonic() - began

    def join(self, seconds: float) -> bool:
        """Wait for the thread's end; give False if it goes on."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.beat = self._began = time.monotonic()
            wait = self._once()
            self._began = None
            if wait != 0:
                awaited = self._stop if self._pausing else self._woken
                longest = _LONGEST_WAIT_SECONDS if self._longest_wait is None else self._longest_wait
                awaited.wait(longest if wait is None else min(wait, longest))
                self._woken.clear()

    def _once(self) -> float | None:
        self._pausing = False
        try:
            wait = self._work()
        except (ReaderStopped, ShareStopped):
            return None
        except LeaseLost:
            _LOG.info("lease_lost", work=self.name)
            return 0
        except Exception as error:  # noqa: BLE001 - the boundary: whatever it is, the loop goes on and an admin hears
            self._tell(error)
            # A database that is away costs no attempt, and whoever wakes us has seen that it is back.
            self._pausing = not isinstance(error, DatabaseAway)
            return _RETRY_SECONDS if self._pausing else _RECONNECT_SECONDS
        self.missing = None
        # That there was nothing to do proves little: another worker may have what failed here.
        if wait is not None or time.monotonic() - self._troubled_at > _PAST_SECONDS:
            self._trouble = ""
        if wait == 0:
            self.progress += 1
        return wait

    def _tell(self, error: Exception) -> None:
        """Say what is wrong, unless the service does; the same trouble again only now and then."""
        # What it missed before isn't known to be away any more: it failed of something else.
        missing, self.why = None, None
        match error:
            # These two are told by the service, once for all its loops.
            case DatabaseAway():
                missing, self.why = "database", error.why or None
            case ArchiveAway():
                missing, self.why = "archive", error.why
            case ArchiveDamaged():
                self._say("archive_damaged")
            case EnvironmentUnfit():
                self._say("service_degraded", detail=error.message, advice=error.remedy)
            case OSError(errno=int(number)) if number in _DISK_ERRORS:
                self._say("disk_failed", error=errno.errorcode[number])
            case _:
                self._say("work_failed", error=type(error).__name__, location=where(error))
        # Once, so that who looks meanwhile doesn't find it back for a moment.
        self.missing = missing

    def _say(self, event: str, **fields: str) -> None:
        self._troubled_at = time.monotonic()
        trouble = " ".join([event, *fields.values()])
        if trouble != self._trouble:
            self._trouble, self._outage = trouble, None
        self._outage, telling = observe(self._outage, time.monotonic(), away=True)
        if telling is None:
            return
        # The catalogue has the level.
        _LOG.warning(event, work=self.name, seconds=telling.seconds or None, **fields)


def where(error: BaseException) -> str:
    """Give the place in our code that an exception came through last, as `file:line`; never its message."""
    place = "?"
    traceback = error.__traceback__
    while traceback is not None:
        file = Path(traceback.tb_frame.f_code.co_filename)
        if "skrynka" in file.parts:
            place = f"{file.name}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place
