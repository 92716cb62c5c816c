"""A module that reader processes can't import: as after an upgrade that went wrong while the daemon ran."""

from __future__ import annotations

import multiprocessing

if multiprocessing.parent_process() is not None:
    raise ImportError("meant")


def run() -> None:
    """Never called: whoever could call it can't find it."""
