"""What the daemon needs from the machine, whatever the station: programs, libraries, the kernel, the clock."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from skrynka.cli.checked import Checked, State

ZONE = "Europe/Kyiv"
"""The zone that days of receipt are told in (domain: time limits)."""
_LIBRARIES = ("zxing-cpp", "pikepdf", "pillow", "typst", "sqlalchemy")
_ZBAR = ("libzbar0", "libzbar0t64")
ZBAR_FIXED = "0.23.92-7+deb12u1"
"""Debian 12's build with the fixes of CVE-2023-40889 and CVE-2023-40890."""
_INOTIFY = Path("/proc/sys/fs/inotify")
_ASK_SECONDS = 10
_EARLIEST_YEAR = 2025
"""This program is no older: a clock that says so has lost its battery."""


def machine_checks(watches: int) -> Iterator[Checked]:
    """Look at the machine; `watches` is how many local inboxes are to be watched."""
    yield poppler()
    yield zbar()
    yield Checked("libraries", State.GOOD, ", ".join(f"{name} {version(name)}" for name in _LIBRARIES))
    yield inotify(watches)
    yield clock(datetime.now(UTC))


def poppler() -> Checked:
    """Look for pdftoppm, which draws the pages that aren't one image."""
    program = shutil.which("pdftoppm")
    remedy = "apt install poppler-utils"
    if program is None:
        return Checked("poppler", State.MISSING, "pdftoppm isn't installed", remedy)
    try:
        told = subprocess.run(  # noqa: S603 - the program that the daemon runs too, with a fixed argument
            [program, "-v"], capture_output=True, text=True, timeout=_ASK_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return Checked("poppler", State.MISSING, "pdftoppm is there and doesn't answer", remedy)
    words = told.stderr.partition("\n")[0].split()
    return Checked("poppler", State.GOOD, f"pdftoppm {words[-1]}" if words else "pdftoppm")


def zbar() -> Checked:
    """Look for libzbar, the second opinion on codes. It is asked for its version and nothing else."""
    try:
        from pyzbar.wrapper import zbar_version  # noqa: PLC0415 - the import itself fails where the library is missing
    except ImportError:
        return Checked("zbar", State.MISSING, "the library libzbar isn't installed", "apt install libzbar0")
    from ctypes import byref, c_uint  # noqa: PLC0415 - for this call alone

    # Three since libzbar 0.23; an older one leaves the third alone.
    major, minor, patch = c_uint(), c_uint(), c_uint()
    zbar_version(byref(major), byref(minor), byref(patch))
    name, build = next(((name, build) for name in _ZBAR if (build := _build(name))), ("", ""))
    said = f"libzbar {major.value}.{minor.value}{f' ({name} {build})' if build else ''}"
    # The library itself reports the same version with and without the fix.
    if build and is_older(build, ZBAR_FIXED):
        remedy = f"apt install --only-upgrade {name}: a code can take a reader over (CVE-2023-40889, -40890)."
        return Checked("zbar", State.WARNING, said, remedy)
    return Checked("zbar", State.GOOD, said)


def inotify(watches: int) -> Checked:
    """Look whether the kernel allows as many watches as there are local inboxes."""
    try:
        allowed = int((_INOTIFY / "max_user_watches").read_text(encoding="ascii"))
        instances = int((_INOTIFY / "max_user_instances").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return Checked("inotify", State.WARNING, "the kernel doesn't say that it has it", "Scans are found by sweeps.")
    said = f"{watches} of {allowed} watches, {instances} instances"
    if allowed < watches or instances < 1:
        return Checked("inotify", State.WARNING, said, "sysctl fs.inotify.max_user_watches=65536; until then, sweeps.")
    return Checked("inotify", State.GOOD, said)


def clock(now: datetime) -> Checked:
    """Look at the clock and at the zone that days are told in."""
    try:
        local = now.astimezone(ZoneInfo(ZONE))
    except ZoneInfoNotFoundError:
        return Checked("clock", State.MISSING, f"nothing is known of the zone {ZONE}", "apt install tzdata")
    said = f"{local:%Y-%m-%d %H:%M} in {ZONE}"
    if now.year < _EARLIEST_YEAR:
        return Checked("clock", State.WARNING, said, "Set the clock: days of receipt and deadlines are told by it.")
    return Checked("clock", State.GOOD, said)


def is_older(build: str, than: str) -> bool:
    """Compare two versions of a Debian package, as dpkg does; False where there is no dpkg."""
    program = shutil.which("dpkg")
    if program is None:
        return False
    words = [program, "--compare-versions", build, "lt", than]
    return subprocess.run(words, timeout=_ASK_SECONDS, check=False).returncode == 0  # noqa: S603 - dpkg's own words


def _build(name: str) -> str:
    """Give a Debian package's version; empty where there is none, or no Debian."""
    program = shutil.which("dpkg-query")
    if program is None:
        return ""
    told = subprocess.run(  # noqa: S603 - a fixed command
        [program, "-W", "-f", "${Version}", name], capture_output=True, text=True, timeout=_ASK_SECONDS, check=False
    )
    return told.stdout.strip() if told.returncode == 0 else ""
