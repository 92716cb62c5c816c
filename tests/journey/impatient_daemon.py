"""`skrynka run --once` that gives up after eight seconds without progress, and not after minutes.

python -m tests.journey.impatient_daemon CONFIG
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    # Here and not above: each reader process imports this module again.
    from skrynka import once
    from skrynka.core.errors import EnvironmentUnfit
    from skrynka.logs import Level, Mode, configure
    from skrynka.service import Service
    from skrynka.settings import load

    once._STUCK_SECONDS = 8.0  # noqa: SLF001 - longer than the wait between two tries
    configure(mode=Mode.JSON, level=Level.DEBUG)
    try:
        Service(load(Path(sys.argv[1])), once=True).run()
    except EnvironmentUnfit as unfit:
        sys.exit(unfit.message)
