"""A loop's boundary: whatever its work raises, it goes on, and an admin hears of it in few words."""

from __future__ import annotations

import errno
import json
import threading

import pytest

from skrynka.core.errors import DatabaseAway, EnvironmentUnfit, LeaseLost
from skrynka.logs import Mode
from skrynka.loops import Loop
from skrynka.readers.processes import ReaderStopped
from skrynka.steps.archive import ArchiveAway, ArchiveDamaged
from tests.support.log_lines import listening
from tests.support.processes import await_that

CALLS = 3


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what fails tried again at once."""
    monkeypatch.setattr("skrynka.loops._RETRY_SECONDS", 0.01)
    monkeypatch.setattr("skrynka.loops._RECONNECT_SECONDS", 0.01)


def told_of(raised: Exception) -> tuple[Loop, list[dict[str, object]]]:
    """Let a loop's work raise the same thing several times, then do well; give its log."""
    stream = listening(Mode.JSON)
    stop = threading.Event()
    calls = 0

    def work() -> float | None:
        nonlocal calls
        calls += 1
        loop.wake()
        if calls > CALLS:
            stop.set()
            return None
        raise raised

    loop = Loop("toil", work, stop)
    loop.start()
    await_that(stop.is_set, "the loop went on")
    assert loop.join(10)
    return loop, [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("raised", "event", "level", "fields"),
    [
        (OSError(errno.ENOSPC, "full"), "disk_failed", "warning", {"error": "ENOSPC"}),
        (OSError(errno.EROFS, "read-only"), "disk_failed", "warning", {"error": "EROFS"}),
        (
            EnvironmentUnfit("Something is away.", "Bring it."),
            "service_degraded",
            "warning",
            {"detail": "Something is away.", "advice": "Bring it."},
        ),
        (ArchiveDamaged("It is gone."), "archive_damaged", "error", {}),
        (ValueError("Шевченко 0099887766"), "work_failed", "error", {"error": "ValueError"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_trouble_that_lasts_is_told_once_and_the_work_goes_on(
    raised: Exception, event: str, level: str, fields: dict[str, str]
) -> None:
    _, told = told_of(raised)
    (line,) = told
    assert (line["event"], line["level"], line["work"]) == (event, level, "toil")
    assert {name: line.get(name) for name in fields} == fields
    assert "Шевченко" not in json.dumps(line, ensure_ascii=False)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "raised",
    [DatabaseAway("It is away."), ArchiveAway("EROFS"), LeaseLost("It is another's.")],
    ids=lambda each: each.__class__.__name__,
)
def test_what_the_service_tells_or_is_nothing_wrong_is_no_warning_of_the_loop(raised: Exception) -> None:
    loop, told = told_of(raised)
    assert {line["event"] for line in told} <= {"lease_lost"}
    assert loop.missing is None, "it did well in the end"


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "later",
    [ArchiveDamaged("It is gone."), OSError(errno.ENOSPC, "full"), ValueError("a defect")],
    ids=lambda each: each.__class__.__name__,
)
@pytest.mark.parametrize("away", [DatabaseAway("It is away."), ArchiveAway("EROFS")], ids=["database", "archive"])
def test_what_was_away_is_not_missed_any_more_once_the_work_fails_of_something_else(
    away: Exception, later: Exception
) -> None:
    listening(Mode.JSON)
    stop = threading.Event()
    missed: list[str | None] = []

    def work() -> float | None:
        missed.append(loop.missing)
        loop.wake()
        if len(missed) < CALLS:
            raise away if len(missed) == 1 else later
        stop.set()
        return None

    loop = Loop("toil", work, stop)
    loop.start()
    await_that(stop.is_set, "the loop went on")
    assert loop.join(10)
    assert missed == [None, "archive" if isinstance(away, ArchiveAway) else "database", None]
    assert loop.why is None


@pytest.mark.parametrize(
    ("raised", "again"), [(OSError(errno.EAGAIN, "no process"), False), (DatabaseAway("it is away"), True)], ids=str
)
def test_to_be_woken_is_a_reason_to_try_again_at_once_only_where_the_database_was_away(
    raised: Exception, *, again: bool
) -> None:
    """Else scans that come in one by one would use up the attempts of one that fails of the machine."""
    listening(Mode.JSON)
    stop, failed, called_again = threading.Event(), threading.Event(), threading.Event()

    def work() -> float | None:
        if failed.is_set():
            called_again.set()
            return None
        loop.wake()
        failed.set()
        raise raised

    loop = Loop("toil", work, stop)
    loop.start()
    assert failed.wait(10)
    assert called_again.wait(10 if again else 1) is again
    stop.set()
    loop.wake()
    assert loop.join(10)


def test_the_database_is_there_as_soon_as_work_goes_on_however_long_it_takes() -> None:
    stop, missed = threading.Event(), list[str | None]()

    def work() -> float | None:
        missed.append(loop.missing)
        if len(missed) == 1:
            loop.wake()
            raise DatabaseAway("it is away")
        loop.show_life()
        missed.append(loop.missing)
        stop.set()
        return None

    loop = Loop("toil", work, stop)
    loop.start()
    await_that(stop.is_set, "the loop went on")
    assert loop.join(10)
    assert missed == [None, "database", None]


@pytest.mark.usefixtures("impatient")
def test_a_trouble_is_told_once_though_another_worker_has_what_fails_now_and_then() -> None:
    stream = listening(Mode.JSON)
    stop = threading.Event()
    calls = 0

    def work() -> float | None:
        nonlocal calls
        calls += 1
        loop.wake()
        if calls > 2 * CALLS:
            stop.set()
        if calls % 2:
            raise OSError(errno.ENOSPC, "full")
        return None

    loop = Loop("toil", work, stop)
    loop.start()
    await_that(stop.is_set, "the loop went on")
    assert loop.join(10)
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["disk_failed"]


def test_only_what_is_done_is_progress_and_a_long_unit_is_seen_to_be_in_hand() -> None:
    stop, in_hand, go_on = threading.Event(), threading.Event(), threading.Event()

    def work() -> float | None:
        loop.show_life()
        in_hand.set()
        assert go_on.wait(10)
        if loop.progress:
            stop.set()
            raise ReaderStopped
        return 0

    loop = Loop("toil", work, stop)
    assert loop.in_hand_seconds == 0
    loop.start()
    assert in_hand.wait(10)
    await_that(lambda: loop.in_hand_seconds > 0.1, "the unit has been in hand for a while")
    assert loop.progress == 0
    go_on.set()
    assert loop.join(10)
    assert (loop.progress, loop.in_hand_seconds) == (1, 0)
