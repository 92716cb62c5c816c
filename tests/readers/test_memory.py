from __future__ import annotations

import subprocess
import sys

import pytest

ARRAYS = """
import ctypes, resource, sys
import numpy
# Where the kernel gives large pages to everybody there would be nothing to see.
assert ctypes.CDLL(None).prctl(41, 1, 0, 0, 0) == 0
if sys.argv[1] == "kept":
    from skrynka.readers.memory import keep_freed
    keep_freed()

def page():
    return numpy.ones(2 << 20, numpy.uint8) + numpy.ones(2 << 20, numpy.uint8)

page()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    page()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.parametrize(("how", "most"), [("kept", 200), ("given back", None)])
def test_a_page_after_the_first_is_read_in_memory_that_is_there(how: str, most: int | None) -> None:
    """Forty arrays of 512 pages of the kernel's: without it each is asked of the kernel anew, and comes empty."""
    done = subprocess.run([sys.executable, "-c", ARRAYS, how], capture_output=True, text=True, check=True, timeout=60)
    faults = int(done.stdout)
    assert faults < most if most is not None else faults > 10_000
