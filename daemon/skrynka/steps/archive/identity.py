"""Which archive a folder is, by a file in it: the empty folder below a mount point is none.

.skrynka-archive      its identity, 16 hexadecimal digits; below it the code of the station that made it
"""

from __future__ import annotations

import secrets
from pathlib import Path

from skrynka.core.errors import EnvironmentUnfit
from skrynka.durable import write_durably

FILE = ".skrynka-archive"


class ArchiveAway(EnvironmentUnfit):
    """The archive isn't where it should be, so nothing is known to be gone: it is all worth trying again later."""


class Identity:
    """The identity of the archive that should be in a folder."""

    def __init__(self, root: Path, expected: str | None = None) -> None:
        """Take the folder; `expected` is the identity that must be there, None takes whatever is."""
        self._file = root / FILE
        self._expected = expected

    @property
    def there(self) -> str | None:
        """Give the identity that is there; None where the folder is no archive yet. Raises OSError."""
        return next(iter(self._told()), None)

    @property
    def founder(self) -> str | None:
        """Give the code of the station that made it; None where that isn't known. Raises OSError."""
        return next(iter(self._told()[1:]), None)

    def found(self, station: str) -> str:
        """Make the folder an archive, and give the identity of it. Raises OSError."""
        identity = secrets.token_hex(8)
        write_durably(self._file, f"{identity}\n{station}\n".encode("ascii"))
        return identity

    def require(self) -> None:
        """Raise ArchiveAway unless the expected archive is there."""
        if self._expected is None:
            return
        try:
            there = self.there
        except (OSError, UnicodeDecodeError):
            there = None
        if there != self._expected:
            raise ArchiveAway(
                "The archive isn't there: its folder is another's, or the empty one below a mount point.",
                "Mount the archive where `paths.archive` says.",
            )

    def _told(self) -> list[str]:
        try:
            return self._file.read_text(encoding="ascii").split()
        except FileNotFoundError:
            return []
