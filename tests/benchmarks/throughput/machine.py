"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import psutil


def describe(source: str) -> str:
    """Say the day, the machine and the source, and how busy the machine is with other things."""
    cores = len(os.sched_getaffinity(0))
    gigabytes = psutil.virtual_memory().total / 1e9
    load = os.getloadavg()[2]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {_processor()}, {cores} cores, {gigabytes:.0f} GB, Linux {platform.release()}, "
        f"Python {platform.python_version()}; load over the last quarter of an hour {load:.1f}; source {source}."
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
