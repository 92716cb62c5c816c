"""What an inbox takes its scans with, where there is always room."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from skrynka.core.claims import Claim
from skrynka.journey.taking import Station
from skrynka.steps.losses import Losses
from skrynka.steps.scan_numbers import ScanNumbers


def roomy_station(folder: Path, hand_over: Callable[[Claim], None] = lambda _: None) -> Station:
    """Make a station below `folder`, with its spool and its state there; `hand_over` gets what is claimed."""
    for name in ("spool", "state"):
        (folder / name).mkdir()
    return Station(
        "ST", folder / "spool", ScanNumbers(folder / "state"), Losses(folder / "state"),
        lambda: datetime(2022, 2, 23, tzinfo=UTC), room=lambda _box, _bytes: True, ran_out=lambda _box, _bytes: False,
        nothing_waits=lambda _box: None, hand_over=hand_over,
    )  # fmt: skip
