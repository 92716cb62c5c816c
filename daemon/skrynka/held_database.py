"""Which SQLite file a service has: while it runs, no command may open another one that lies in its place.

Beside that other file lies the log of the one that the service has, or comes back with it: SQLite would take the log
for the other file's, write it into it, and remove it.
"""

from __future__ import annotations

import os
from pathlib import Path

from skrynka.core.errors import DatabaseAway
from skrynka.durable import write_durably

_NAME = "database"
_REMEDY = (
    "Bring back the daemon's own file, renamed or with its `-wal` as it is: else end the daemon first. Its own file"
    " that comes back as a copy keeps its `-wal`; beside a backup remove `-wal` and `-shm`. Then start it."
)


def note_held(state: Path, identity: tuple[int, int] | None) -> None:
    """Write down, in the state folder, that this process has the file of this device and inode. Raises OSError."""
    write_durably(state / _NAME, b"" if identity is None else b"%d %d %d\n" % (os.getpid(), *identity))


def require_held(state: Path, file: Path | None, service: int) -> None:
    """Raise DatabaseAway where another file lies at the path than the running service has.

    `service` is its process id, 0 where it can't be seen from here; what another process noted is of no account.
    """
    try:
        noted = [int(number) for number in (state / _NAME).read_bytes().split()]
        found = None if file is None else file.stat()
    except (OSError, ValueError):
        return
    if not noted or found is None or service not in {0, noted[0]}:
        return
    if noted[1:] != [found.st_dev, found.st_ino]:
        raise DatabaseAway("Another file lies in the database's place than the daemon has.", _REMEDY, "another_file")
