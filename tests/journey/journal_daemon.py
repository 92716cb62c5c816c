"""The daemon with its log on a journal's socket of a test's own.

    python -m tests.journey.journal_daemon CONFIG SOCKET

As `skrynka run` does it; only that there the socket is systemd's.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    # Here and not above: each reader process imports this module again.
    from skrynka.logs import Level, Mode, configure, hear_failures
    from skrynka.service import Service
    from skrynka.settings import load

    configuration = load(Path(sys.argv[1]))
    configure(mode=Mode.JOURNAL, level=Level.DEBUG, journal_socket=sys.argv[2])
    hear_failures()
    Service(configuration).run()
