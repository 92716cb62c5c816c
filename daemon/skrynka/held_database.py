"""Which SQLite file a service has: while it runs, no command may open another one that lies in its place.

Beside that other file lies the log of the one that the service has, or comes back with it: SQLite would take the log
for the other file's, write it into it, and remove it.
"""

from __future__ import annotations

from pathlib import Path

from skrynka.core.errors import DatabaseAway
from skrynka.durable import write_durably

_NAME = "database"
_REMEDY = (
    "Rename the daemon's own file back, with its `-wal`. For anything else, a copy or a backup, end the daemon first."
)


def forget_held(state: Path) -> None:
    """Have nothing noted any more, which needs no room on the disk. Raises OSError."""
    (state / _NAME).unlink(missing_ok=True)


def note_held(state: Path, identity: tuple[int, int]) -> None:
    """Note device and inode of the file that the service has. For whoever holds the station's lock. Raises OSError."""
    write_durably(state / _NAME, b"%d %d\n" % identity)


def require_held(state: Path, identity: tuple[int, int]) -> None:
    """Raise DatabaseAway where the running service has another file than the one with this device and inode."""
    try:
        noted = tuple(int(number) for number in (state / _NAME).read_bytes().split())
    except (OSError, ValueError):
        return
    if noted not in {(), identity}:
        raise DatabaseAway("Another file lies in the database's place than the daemon has.", _REMEDY, "another_file")
