from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _quiet_afterwards() -> Iterator[None]:
    """Put back what setting the log up changes in the process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    showwarning, hooks = warnings.showwarning, (sys.excepthook, threading.excepthook, sys.unraisablehook)
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)
    warnings.showwarning = showwarning
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
