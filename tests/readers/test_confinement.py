"""What a reader process can't do: each is tried by real code in a real process that confined itself."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.journey.drawn_piles import draw_pile
from tests.readers.confined import SIGNAL, TRIES, TRIES_WITH_RIGHTS
from tests.support import hostile
from tests.support.processes import await_that, descendants, drawers
from tests.support.stations import COMMAND, make_station

CANARY = "canary-of-the-database"


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Let a process confine itself and try everything; give what became of it."""
    work = tmp_path_factory.mktemp("station") / "work"
    work.mkdir()
    for name in ("scan.pdf", "database"):
        (work.parent / name).write_text(name, encoding="ascii")
    words = [sys.executable, "-m", "tests.readers.confined", str(work)]
    done = subprocess.run(words, capture_output=True, check=True, timeout=60)
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["place"] == [str(work), {"PATH": os.defpath}, True]
    assert (told["read"], told["written"]) == ("scan.pdf", 6)
    return told


def test_a_reader_is_confined_by_all_that_this_kernel_has(seen: dict[str, Any]) -> None:
    assert seen["refused"].keys() == (set() if seen["landlock"] > 0 else {"landlock"})


@pytest.mark.parametrize("what", TRIES)
def test_a_reader_has_no(seen: dict[str, Any], what: str) -> None:
    assert seen[what] in {"PermissionError", "MemoryError", "ValueError"}


@pytest.mark.parametrize(
    ("what", "version"),
    [*((what, 1) for what in TRIES_WITH_RIGHTS), (SIGNAL, 6)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_reader_has_not_even_with_its_users_rights(seen: dict[str, Any], what: str, version: int) -> None:
    if seen["landlock"] < version:
        pytest.skip("this kernel's Landlock is older")
    assert seen[what] == "PermissionError"


def test_a_readers_memory_is_shut_to_other_processes_of_its_user(seen: dict[str, Any]) -> None:
    assert seen["dumpable"] == 0


@pytest.mark.parametrize(("without", "error"), [("seccomp", "EINVAL"), ("landlock", "ENOSYS")])
def test_where_the_kernel_refuses_a_rule_scans_are_read_all_the_same_and_it_is_told_once(
    tmp_path: Path, without: str, error: str
) -> None:
    station = make_station(tmp_path)
    for number in (1, 2):
        station.drop(draw_pile(number, "C1 x").file.data, f"scan{number:04d}.pdf")
    words = [
        sys.executable,
        "-m",
        "tests.readers.old_kernel",
        without,
        *COMMAND,
        "run",
        "--once",
        "--config",
        station.config,
    ]
    done = subprocess.run(
        words, env={**os.environ, **station.environment}, capture_output=True, text=True, check=True, timeout=120
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert sum(line["event"] == "scan_finished" for line in lines) == 2
    told = [line for line in lines if line["event"] == "readers_unconfined" and line["cause"] == without]
    assert [(line["level"], line["error"]) for line in told] == [("warning", error)]


def test_no_credential_is_in_the_environment_or_the_memory_of_a_reader(tmp_path: Path) -> None:
    # A name is as good as a password here: it comes by the same way, and SQLite asks for none.
    station = make_station(tmp_path, options={"STATION__NAME": CANARY})
    station.environment["PGPASSWORD"] = CANARY
    station.drop(hostile.endless_pdf())
    with station.running() as daemon:
        await_that(lambda: bool(drawers(daemon.process.pid)), "poppler draws")
        looked_at = descendants(daemon.process.pid)
        # Two at least: the server process that readers are forked from, and a reader; and its guard, and poppler.
        assert len(looked_at) >= 3
        assert [process.pid for process in looked_at if _holds_canary(process)] == []
        assert _holds_canary(daemon.process), "what was looked for can be found"


@pytest.mark.parametrize(
    "hides",
    ["from skrynka.premises import hide_credentials; hide_credentials()", "import skrynka.readers.server"],
    ids=["what read credentials", "what readers are forked from"],
)
def test_a_process_that_can_be_looked_into_by_nobody_of_its_own_user_is(hides: str) -> None:
    program = (
        f"import ctypes; ask = ctypes.CDLL(None).prctl; print(ask(3, 0, 0, 0, 0)); {hides}; print(ask(3, 0, 0, 0, 0))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["1", "0"]


def _holds_canary(process: psutil.Process | subprocess.Popen[str]) -> bool:
    """Look through a process's environment, as it was handed to it, and all memory that it may write."""
    found = CANARY.encode() in Path(f"/proc/{process.pid}/environ").read_bytes()
    with Path(f"/proc/{process.pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{process.pid}/maps").read_text(encoding="ascii").splitlines():
            place, rights = line.split()[:2]
            if rights.startswith("rw"):
                begin, end = (int(part, 16) for part in place.split("-"))
                memory.seek(begin)
                with contextlib.suppress(OSError):
                    found = found or CANARY.encode() in memory.read(end - begin)
    return found
