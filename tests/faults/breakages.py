"""Deliberate breakages: take out what keeps papers safe, and see that the tests which are there for it notice.

    python -m tests.faults.breakages [NAME...]

Each is tried on a copy of the source: the tests pass there, one edit is made, and each of them must fail. Exit code 1
where one passes all the same, or where the text that an edit looks for isn't in the source any more.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_COPIED = ("daemon", "tests", "config", "systemd", "pyproject.toml", "README.md")
_LIMIT_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Breakage:
    """An edit of one file of the source, and the tests that must fail with it."""

    name: str
    file: str
    """Below the repository's root."""
    edits: tuple[tuple[str, str], ...]
    """Texts that stand there exactly once, and what is put in their places."""
    tests: tuple[str, ...]
    """As pytest names them; each must pass before the edit and fail after it."""


BREAKAGES = (
    Breakage(
        # One alone is hidden by a journal, which makes every earlier change of a name durable with the next fsync.
        "rename-fsync",
        "daemon/skrynka/durable.py",
        (("    source.rename(target)\n    fsync_folder(target.parent)\n", "    source.rename(target)\n"),),
        ("tests/test_durable.py::test_a_rename_between_folders_makes_both_durable_the_new_name_first",),
    ),
    Breakage(
        "folder-fsync",
        "daemon/skrynka/durable.py",
        (("        os.fsync(descriptor)\n    except OSError", "        pass\n    except OSError"),),
        (
            "tests/test_durable.py::test_a_rename_between_folders_makes_both_durable_the_new_name_first",
            "tests/faults/test_power_cut.py::test_nothing_is_lost_when_the_power_is_cut_at_any_moment",
        ),
    ),
    Breakage(
        "unique-constraint",
        "daemon/skrynka/store/migrations/versions/0001_first_tables.py",
        (
            (
                'partial_index("ix_scan_one_original", "sha256", where="duplicate_of IS NULL", unique=True)',
                'partial_index("ix_scan_one_original", "sha256", where="duplicate_of IS NULL")',
            ),
        ),
        (
            (
                "tests/store/test_registration.py::"
                "test_of_many_that_bring_the_same_bytes_at_once_one_is_the_original[postgresql]"
            ),
            (
                "tests/store/test_constraints.py::"
                "test_uniqueness_refuses_the_opposite_of[sqlite-one scan is the original of its bytes]"
            ),
        ),
    ),
    Breakage(
        "fence",
        "daemon/skrynka/store/records.py",
        (
            (
                "        if (row.state, row.epoch) != (StackState.PLANNED, taken.epoch):\n",
                "        if row.state != StackState.PLANNED:\n",
            ),
        ),
        (
            "tests/store/test_records.py::test_a_worker_that_was_overtaken_files_nothing[sqlite]",
            "tests/store/test_records.py::test_a_worker_that_was_overtaken_files_nothing[postgresql]",
        ),
    ),
    Breakage(
        "fence-of-reading",
        "daemon/skrynka/store/queue.py",
        (
            (
                '    scan.c.epoch == bindparam("of_epoch"),\n',
                '    scan.c.epoch >= bindparam("of_epoch"),\n',
            ),
        ),
        (
            "tests/store/test_queue.py::test_a_worker_that_was_overtaken_records_nothing[sqlite]",
            "tests/store/test_queue.py::test_a_worker_that_was_overtaken_records_nothing[postgresql]",
        ),
    ),
)


def main(names: Sequence[str]) -> int:
    """Try them, all or those named; gives the exit code."""
    unknown = set(names) - {breakage.name for breakage in BREAKAGES}
    if unknown:
        _say(f"There is no breakage {', '.join(sorted(unknown))}.")
        return 2
    chosen = [breakage for breakage in BREAKAGES if not names or breakage.name in names]
    failed = [breakage for breakage in chosen if not _try(breakage)]
    return int(bool(failed))


def _try(breakage: Breakage) -> bool:
    """Say whether all is as it must be: the tests pass, and each of them fails once the source is broken."""
    with tempfile.TemporaryDirectory(prefix="skrynka-broken-") as folder:
        copy = Path(folder)
        python = _copied(copy)
        edited = copy / breakage.file
        source = broken = edited.read_text(encoding="utf-8")
        for whole, instead in breakage.edits:
            if source.count(whole) != 1:
                _say(f"{breakage.name}: {breakage.file} has this {source.count(whole)} times: {whole.strip()}")
                return False
            broken = broken.replace(whole, instead)
        before = {_passes(breakage, copy, python, test, "whole") for test in breakage.tests}
        edited.write_text(broken, encoding="utf-8")
        after = {_passes(breakage, copy, python, test, "broken") for test in breakage.tests}
        return (before, after) == ({True}, {False})


def _copied(copy: Path) -> Path:
    """Copy the source; give a Python that imports the copy, with all that is installed beside it."""
    for name in _COPIED:
        if (_ROOT / name).is_dir():
            shutil.copytree(_ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(_ROOT / name, copy / name)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", copy / ".venv"], check=True)
    (packages,) = (copy / ".venv" / "lib").glob("python*/site-packages")
    # What stands in such a file is searched in this order: the copy comes before what is installed of the original.
    (packages / "copy.pth").write_text(f"{copy / 'daemon'}\n{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return copy / ".venv" / "bin" / "python"


def _passes(breakage: Breakage, copy: Path, python: Path, test: str, state: str) -> bool | None:
    """Run a test on the copy; None where it could be run neither well nor badly."""
    began = time.monotonic()
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", test],
        cwd=copy,
        # It would come before the copy.
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=_LIMIT_SECONDS,
        check=False,
    )
    skipped = "skipped" in done.stdout.splitlines()[-1]
    passed = {0: True, 1: False}.get(done.returncode) if not skipped else None
    told = {True: "passes", False: "FAILS", None: "can't be run"}[passed]
    _say(f"{breakage.name}, {state}: {test} {told} ({time.monotonic() - began:.0f} s)")
    if passed is None:
        _say(done.stdout + done.stderr)
    return passed


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
