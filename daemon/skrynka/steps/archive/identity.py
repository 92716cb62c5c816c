"""Which archive a folder is, by a file in it: the empty folder below a mount point is none.

.skrynka-archive      its identity, 16 hexadecimal digits; below it the code of the station that made it
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skrynka.core.errors import EnvironmentUnfit
from skrynka.durable import SourceUnreadable, fsync_folder, rename_durably, write_durably

FILE = ".skrynka-archive"
NOT_MOUNTED = "not_mounted"


class ArchiveAway(EnvironmentUnfit):
    """The archive isn't there, or can't be read or written now: nothing is known to be gone, so try again later."""

    def __init__(self, why: str) -> None:
        """`why` is "not_mounted", or the name of an error, such as "ENOSPC"."""
        self.why = why
        if why == NOT_MOUNTED:
            message = "The archive isn't there: its folder is gone, another's, or the empty one below a mount point."
            super().__init__(
                message,
                "Mount the archive, or bring it back, where `paths.archive` says. If its papers are there and "
                f"its file `{FILE}` is gone, copy the state folder's file `archive` to that name; if `{FILE}` "
                "came from elsewhere, remove the state folder's file `archive`.",
            )
        else:
            message = f"The archive can't be used now ({why})."
            super().__init__(message, "Look whether its folder is there, has room, and belongs to the service's user.")


@contextmanager
def away_if_failing() -> Iterator[None]:
    """Turn the errors of the archive's file system into ArchiveAway."""
    try:
        yield
    except SourceUnreadable:
        raise  # another disk's
    except OSError as error:
        raise ArchiveAway(errno.errorcode.get(error.errno or 0, "OSError")) from None


class Identity:
    """The identity of the archive that should be in a folder."""

    def __init__(self, root: Path, expected: str | None = None) -> None:
        """Take the folder; `expected` is the identity that must be there, None takes whatever is."""
        self._file = root / FILE
        self._expected = expected

    @property
    def there(self) -> str | None:
        """Give the identity that is there; None where the folder is no archive yet. Raises OSError."""
        try:
            return next(iter(self._file.read_text(encoding="ascii").split()), None)
        except FileNotFoundError:
            return None

    def found(self, station: str) -> str:
        """Make the folder an archive, and give its identity: another's, where somebody does it at the same time.

        Raises OSError.
        """
        fresh = self._file.with_name(f"{FILE}-{secrets.token_hex(8)}")
        identity = secrets.token_hex(8)
        write_durably(fresh, f"{identity}\n{station}\n".encode("ascii"))
        try:
            os.link(fresh, self._file)
        except FileExistsError:
            identity = self.there or identity
        except OSError as error:
            if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}:
                raise
            rename_durably(fresh, self._file)  # a file system without links has one writer, we hope
        finally:
            fresh.unlink(missing_ok=True)
            fsync_folder(self._file.parent)
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
            raise ArchiveAway(NOT_MOUNTED)
