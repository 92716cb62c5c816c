"""A fault that this machine can't inject: the test fails, for a suite that is green has injected it, unless told."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

MAY_SKIP = "SKRYNKA_TESTS_MAY_SKIP_FAULTS"


def skip_fault(why: object) -> NoReturn:
    """Fail the test with a sentence that says why and what to do; skip it where the environment allows that."""
    if os.environ.get(MAY_SKIP) == "1":
        pytest.skip(str(why))
    pytest.fail(
        f"this machine can't inject the fault: {why}. Run the suite as root on a machine that can, or set {MAY_SKIP}=1"
        " to skip such tests: then nothing is proved about these faults.",
        pytrace=False,
    )
