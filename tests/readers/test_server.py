from __future__ import annotations

import subprocess
import sys

DIES_FIRST = """
import multiprocessing, os, signal
from multiprocessing import forkserver
multiprocessing.get_context("forkserver").set_forkserver_preload(["skrynka.readers.server"])
forkserver.connect_to_new_process([])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_reader_whose_service_was_killed_before_it_gave_the_order_ends_without_a_word() -> None:
    # The server process and the reader hold the pipe too: all three have ended when this comes back.
    done = subprocess.run([sys.executable, "-c", DIES_FIRST], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (-9, "")
