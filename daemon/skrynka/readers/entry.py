"""Where a reader process begins.

The service names it and knows no more: what readers are made of (numpy, Pillow, pikepdf, zxing-cpp) would cost it some
40 MB for as long as it runs. The server process that readers are forked from has all of that imported.
"""

from __future__ import annotations

from multiprocessing.connection import Connection

from skrynka.readers.messages import Order


def run(answers: Connection, order: Order, memory_bytes: int, cpu_seconds: float) -> None:
    """Do one order in this process, which is a reader from its first line to its end."""
    from skrynka.readers import tasks  # noqa: PLC0415 - in readers only, see above

    tasks.run(answers, order, memory_bytes, cpu_seconds)
