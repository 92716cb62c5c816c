"""Which libraries a benchmark runs on: packages of Python, and those of the system that read or draw beside them."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

from skrynka.cli.machine_checks import poppler, zbar


@cache
def versions(packages: tuple[str, ...]) -> str:
    """Give the versions of these packages, of poppler and of libzbar, a line each."""
    told = [f"{name} {version(name)}" for name in packages]
    return "".join(f"{line}\n" for line in (*told, poppler().said, zbar().said))
