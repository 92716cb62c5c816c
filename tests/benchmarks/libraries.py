"""Which libraries a benchmark runs on: packages of Python, and those of the system that read or draw beside them."""

from __future__ import annotations

import subprocess
from ctypes import byref, c_uint
from functools import cache
from importlib.metadata import version


@cache
def versions(packages: tuple[str, ...]) -> str:
    """Give the versions of these packages, of poppler and of libzbar, a line each."""
    told = [f"{name} {version(name)}" for name in packages]
    return "".join(f"{line}\n" for line in (*told, _poppler(), _zbar()))


@cache
def _poppler() -> str:
    said = subprocess.run(["pdftoppm", "-v"], capture_output=True, text=True, check=False).stderr
    return said.partition("\n")[0]


@cache
def _zbar() -> str:
    """Give the version of the library that pyzbar loads."""
    # Imported here, as the program does: without that library what draws and what only counts goes on.
    from pyzbar.zbar_library import load  # noqa: PLC0415 - see above

    # Three places, though pyzbar's own call gives two: newer ones write into a third.
    numbers = [c_uint(), c_uint(), c_uint()]
    load()[0].zbar_version(*map(byref, numbers))
    return f"libzbar {'.'.join(str(number.value) for number in numbers)}"
