"""What the figures were measured on, and when: what tells one state of all that has a part in them from another."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import psutil

from tests.benchmarks.libraries import versions
from tests.benchmarks.throughput.ledger import Entry
from tests.support.stations import environment_of_the_unit

_ROOT = Path(__file__).parents[3]
_LIBRARIES = ("numpy", "pdf2image", "pikepdf", "pillow", "pyzbar", "sqlalchemy", "zxing-cpp")
_DIGITS = 12


def source_digest() -> str:
    """Tell one state of all that has a part in the figures from another.

    That is the program and what the unit sets for it, what measures it, what draws its stacks, the libraries, and the
    machine: its processor and how many cores of it.
    """
    support = [path for path in (_ROOT / "tests" / "support").glob("*.py") if not path.name.startswith("test_")]
    paths = [*(_ROOT / "daemon").rglob("*.py"), *Path(__file__).parent.glob("*.py"), *support]
    around = f"{sorted(environment_of_the_unit().items())}\n{versions(_LIBRARIES)}{_machine()}\n"
    digest = hashlib.sha256(around.encode())
    for path in sorted(paths):
        digest.update(f"{path.relative_to(_ROOT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:_DIGITS]


def beginning() -> Entry:
    """Give what an entry says of the moment at which its trial begins: when that is, and how busy the machine is."""
    return {"measured_at": _minute(datetime.now(UTC)), "load": round(os.getloadavg()[0], 2)}


def age_seconds(entry: Entry) -> float:
    """Say how long ago an entry's trial began."""
    return (datetime.now(UTC) - datetime.fromisoformat(entry["measured_at"])).total_seconds()


def describe(source: str, measured: Sequence[Entry]) -> str:
    """Say when these entries were measured, on what machine, how busy it was with other things, and of what source."""
    gigabytes = psutil.virtual_memory().total / 1e9
    return (
        f"{_measured(measured)}; {_machine()}, {gigabytes:.0f} GB, Linux {platform.release()}, "
        f"Python {platform.python_version()}; source {source}."
    )


def _measured(entries: Sequence[Entry]) -> str:
    if not entries:
        return "Nothing is measured yet"
    times = sorted(entry["measured_at"] for entry in entries)
    loads = sorted(entry["load"] for entry in entries)
    return f"Measured from {times[0]} to {times[-1]}, begun at a load of {loads[0]:.1f} to {loads[-1]:.1f}"


def _minute(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")


def _machine() -> str:
    return f"{_processor()}, {len(os.sched_getaffinity(0))} cores"


@cache
def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
