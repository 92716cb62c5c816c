from __future__ import annotations

import errno
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import psutil

from tests.faults.piles import draw_pile
from tests.support.databases import MakeDatabase
from tests.support.durable_calls import NAMES, DurableCalls
from tests.support.skipped_faults import skip_fault
from tests.support.stations import Daemon, make_station

_CALL = re.compile(r"(\w+)\(")


def told_by_strace(log: Path, threads: Sequence[int], below: Path) -> Counter[str]:
    """Count by name the calls of a daemon's threads that are durable; with `sendto` it speaks to databases only."""
    counted: Counter[str] = Counter()
    for thread in threads:
        for line in log.with_name(f"{log.name}.{thread}").read_text(errors="replace").splitlines():
            call = _CALL.match(line)
            if call is None or (call[1] == "openat" and "O_CREAT" not in line):
                continue
            about = line.partition(",")[0] if "write" in call[1] else line
            if str(below) in about or call[1] == "sendto":
                counted[call[1]] += 1
    return counted


def test_of_a_daemons_durable_calls_none_escapes_the_count_from_its_first_line_to_its_end(
    engine: str, make_database: MakeDatabase, tmp_path: Path
) -> None:
    strace = shutil.which("strace")
    if strace is None or subprocess.run([strace, "-o", "/dev/null", "true"], check=False).returncode:
        skip_fault("strace can't trace here")
    calls = DurableCalls(tmp_path)
    log = tmp_path / "log"
    variables = [word for name, value in calls.environment.items() for word in ("-E", f"{name}={value}")]
    with ExitStack() as databases:
        url = databases.enter_context(make_database(engine)) if engine == "postgresql" else None
        station = make_station(tmp_path / "station", database_url=url)
        ((box, data),) = draw_pile("a case", 1).files
        calls.count(None, station.folder)
        daemon = Daemon(
            station, [strace, "-ff", "-y", "-s", "4096", "-e", f"trace={','.join(NAMES)}", "-o", str(log), *variables]
        )
        daemon.wait_for("service_ready")
        station.drop(data, box=box)
        daemon.wait_for("stack_filed")
        (process,) = psutil.Process(daemon.process.pid).children()
        threads = [thread.id for thread in process.threads()]
        process.terminate()
        assert daemon.process.wait(60) == 0
    told = told_by_strace(log, threads, station.folder)
    assert Counter(name for name, _ in calls.trace) == told
    assert calls.counted == told.total() > 200
    assert len(threads) > 5


def test_a_call_fails_as_it_is_told_to_and_only_that_one(tmp_path: Path) -> None:
    calls = DurableCalls(tmp_path)
    calls.fail(None, tmp_path, 2, errno.ENOSPC)
    code = (
        "import os, sys\n"
        "for name in ('a', 'b', 'c'):\n"
        "    try: os.mkdir(os.path.join(sys.argv[1], name))\n"
        "    except OSError as error: print(name, error.errno)"
    )
    command = [sys.executable, "-I", "-c", code, tmp_path]
    done = subprocess.run(command, env=calls.environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"b {errno.ENOSPC}\n"
    assert (calls.hits, calls.hit, calls.counted) == (1, "mkdir b", 3)


def test_a_process_is_killed_before_the_call_and_its_children_are_not_counted(tmp_path: Path) -> None:
    calls = DurableCalls(tmp_path)
    calls.kill(None, tmp_path, 2)
    code = (
        "import os, subprocess, sys\n"
        "os.chdir(sys.argv[1])\n"
        "subprocess.run([sys.executable, '-I', '-c', 'import os; [os.mkdir(each) for each in \"abc\"]'], check=True)\n"
        "for name in ('d', 'e', 'f'): os.mkdir(name)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code, tmp_path], env=calls.environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert sorted(each.name for each in tmp_path.iterdir() if each.is_dir()) == ["a", "b", "c", "d"]
    assert calls.hit == "mkdir e"
