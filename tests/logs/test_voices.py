from __future__ import annotations

import gc
import json
import logging
import subprocess
import sys
import threading
import warnings

import pytest
import structlog

from skrynka.logs import hear_failures
from skrynka.logs.rendering import as_json
from tests.support.log_lines import PRIVATE, entry, lines, listening


def test_an_unforeseen_failure_tells_its_type_and_place_and_never_its_words() -> None:
    stream = listening()
    try:
        try:
            int(PRIVATE)
        except ValueError as failure:
            raise LookupError(PRIVATE) from failure
    except LookupError:
        structlog.get_logger().exception("work_failed", work="reading")
    (line,) = lines(stream)
    assert (line["error"], line["cause"]) == ("LookupError", "ValueError")
    assert line["location"].startswith("logs/test_voices.py:")
    assert line["message"] == f"reading failed: LookupError at {line['location']}"
    assert "0099887766" not in stream.getvalue()


def test_a_failure_is_placed_at_the_deepest_line_of_ours() -> None:
    stream = listening()
    try:
        as_json(entry(detail=object()))  # json fails, below as_json
    except TypeError:
        structlog.get_logger().exception("work_failed", work="x")
    (line,) = lines(stream)
    assert line["location"].startswith("skrynka/logs/rendering.py:")


@pytest.mark.parametrize("exc_info", [True, False, None, (None, None, None), "nonsense"])
def test_no_failure_is_told_where_there_is_none(exc_info: object) -> None:
    stream = listening(strict=True)
    structlog.get_logger().info("service_stopped", exc_info=exc_info)
    assert not {"error", "location", "cause"} & set(lines(stream)[0])


def test_a_failure_that_was_never_raised_and_one_that_causes_itself_are_told_too() -> None:
    stream = listening()
    odd = json.JSONDecodeError(PRIVATE, "", 0)
    odd.__cause__ = other = OSError(PRIVATE)
    other.__context__ = odd
    structlog.get_logger().error("work_failed", work="x", exc_info=odd)
    (line,) = lines(stream)
    assert (line["error"], line["location"], line["cause"]) == ("json.decoder.JSONDecodeError", "unknown", "OSError")


def test_a_library_is_heard_without_its_words() -> None:
    stream = listening(strict=True)
    logging.getLogger("some.library").error("parameters: %s", PRIVATE)
    logging.getLogger("some.library").info("not heard")
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["severity"]) == ("library_said", "info", "error")
    assert line["message"] == f"some.library said something (error, test_voices line {line['line']})"
    assert "0099887766" not in stream.getvalue()


def test_a_librarys_failure_is_told_by_type_and_place() -> None:
    stream = listening()
    try:
        int(PRIVATE)
    except ValueError:
        logging.getLogger("some.library").exception("oh")
    (line,) = lines(stream)
    assert line["error"] == "ValueError"
    assert "0099887766" not in stream.getvalue()


def test_the_migrations_may_say_what_they_do() -> None:
    stream = listening()
    logging.getLogger("alembic.runtime.migration").info("Running upgrade %s -> %s", "0001", "0002")
    (line,) = lines(stream)
    assert line["said"] == "Running upgrade 0001 -> 0002"
    assert line["message"].endswith(": Running upgrade 0001 -> 0002")


def test_a_warning_of_python_is_heard_without_its_words() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        stream = listening()
        warnings.warn(PRIVATE, UserWarning, stacklevel=1)
    (line,) = lines(stream)
    assert (line["logger"], line["severity"], line["module"]) == ("warnings", "UserWarning", "test_voices")
    assert "0099887766" not in stream.getvalue()


def test_setting_up_twice_hears_everything_once() -> None:
    listening()
    stream = listening()
    logging.getLogger("some.library").warning("once")
    assert len(lines(stream)) == 1


@pytest.mark.filterwarnings("ignore")
def test_nobodys_failure_in_a_thread_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    stream = listening()
    hear_failures()
    for failure in (ValueError(PRIVATE), SystemExit(3)):

        def work(failure: BaseException = failure) -> None:
            raise failure

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    threading.excepthook(threading.ExceptHookArgs((ValueError, None, None, None)))
    assert [(line["work"], line["error"]) for line in lines(stream)] == [("thread", "ValueError")]
    assert "0099887766" not in stream.getvalue() + capsys.readouterr().err


def test_nobodys_failure_in_cleaning_up_is_logged() -> None:
    class Untidy:
        def __del__(self) -> None:
            raise ValueError(PRIVATE)

    stream = listening()
    hear_failures()
    untidy = Untidy()
    del untidy
    gc.collect()
    assert ("cleanup", "ValueError") in [(line["work"], line["error"]) for line in lines(stream)]
    assert "0099887766" not in stream.getvalue()


def test_an_interrupt_from_the_keyboard_is_no_failure() -> None:
    stream = listening()
    hear_failures()
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    sys.excepthook(ValueError, ValueError(PRIVATE), None)
    assert [line["error"] for line in lines(stream)] == ["ValueError"]


def test_a_program_that_dies_prints_a_line_and_no_traceback() -> None:
    dying = (
        "from skrynka.logs import configure, hear_failures\n"
        "configure(); hear_failures()\n"
        "raise ValueError('0099887766')\n"
    )
    died = subprocess.run([sys.executable, "-c", dying], capture_output=True, text=True, check=False)
    assert died.returncode == 1
    (line,) = died.stderr.splitlines()
    assert json.loads(line)["error"] == "ValueError"
    assert "0099887766" not in died.stderr
