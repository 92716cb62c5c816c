"""What is installed around the program, as it lies in the project, and what its units say."""

from __future__ import annotations

from pathlib import Path

UNITS = Path(__file__).parents[2] / "systemd"
SERVICE = UNITS / "skrynka.service"


def settings(unit: Path) -> dict[str, list[str]]:
    """Read a unit's settings: each key with its values, in order."""
    told: dict[str, list[str]] = {}
    for line in unit.read_text(encoding="utf-8").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            told.setdefault(key, []).append(value)
    return told
