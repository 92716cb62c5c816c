"""Which file a SQLite database is: SQLite itself writes on into one that was renamed or removed, and nobody finds it.

skrynka.db        the database
skrynka.db-wal    its write-ahead log: what was committed last may lie here alone
skrynka.db-shm    the log's index, for those who have it open
"""

from __future__ import annotations

import os
import weakref
from pathlib import Path

from skrynka.core.errors import DatabaseAway, EnvironmentUnfit

_GONE_REMEDY = (
    "End the daemon if it runs, look where the file went, and bring it back or restore the backup."
    " Only where there has never been one: `skrynka db upgrade` makes it."
)
_REPLACED_REMEDY = (
    "Bring the station's own file back. A backup goes in its place as the README says: end the daemon, and remove"
    " `-wal` and `-shm` with the old file."
)


class SqliteFile:
    """The file that was there at first. It is held, so that no later file can look like it (an inode is used again)."""

    def __init__(self, path: Path) -> None:
        """Take the file that the path leads to now. Raises DatabaseAway where there is none."""
        self._path = path
        # O_PATH opens nothing: to close a descriptor of the file itself would take SQLite's locks from it (fcntl(2)).
        try:
            descriptor = os.open(self._path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            raise DatabaseAway("The database isn't there.", _GONE_REMEDY, "not_there") from None
        self.release = weakref.finalize(self, os.close, descriptor)
        """Holds the file no longer, once called."""
        info = os.fstat(descriptor)
        self.identity = (info.st_dev, info.st_ino)
        """Device and inode."""

    def require(self) -> None:
        """Raise DatabaseAway unless the path still leads to the file."""
        found = self._found()
        if found is None:
            raise DatabaseAway("The database isn't there.", _GONE_REMEDY, "not_there")
        if found != self.identity:
            raise DatabaseAway("Another file lies in the database's place.", _REPLACED_REMEDY, "another_file")

    @property
    def replaced(self) -> bool:
        """Say whether the path leads to another file now."""
        return self._found() not in {None, self.identity}

    def _found(self) -> tuple[int, int] | None:
        try:
            info = self._path.stat()
        except OSError:
            return None
        return info.st_dev, info.st_ino


def require_no_log_beside(path: Path) -> None:
    """Raise DatabaseAway where a lost file's log lies beside the one that came in its place.

    SQLite would take the log for the new file's, and mix the two.
    """
    if any(_beside(path, ending).exists() for ending in ("-wal", "-shm")):
        raise DatabaseAway(
            "Another file lies in the database's place, beside the log of the one before.",
            _REPLACED_REMEDY,
            "another_file",
        )


def require_not_lost(path: Path, *, create: bool) -> None:
    """Raise EnvironmentUnfit where there is no file, unless it may be made: where nothing tells that there was one.

    Beside an empty file SQLite removes the log of the one before.
    """
    empty = not path.exists() or not path.stat().st_size
    log = _beside(path, "-wal")
    if empty and log.exists() and log.stat().st_size:
        raise EnvironmentUnfit(
            f"The database isn't there, and its log {log.name} is: what was written last lies in it.",
            "End the daemon if it runs, look where the file went, and bring it back."
            " Only if it is lost for good: remove the log, and restore the backup.",
        )
    if not path.exists() and not create:
        raise EnvironmentUnfit("The database isn't there.", _GONE_REMEDY)


def _beside(path: Path, ending: str) -> Path:
    # SQLite's files lie beside the real one, where the path is a link.
    real = path.resolve()
    return real.with_name(real.name + ending)
