"""The station's running scan number: people say it, so it must never be given twice.

It stands in a file of its own rather than in the database, because scans are claimed while the database is away.
Numbers may be missing (a claim that another station won keeps its number), but never come again.
"""

from __future__ import annotations

import threading
from pathlib import Path

from skrynka.core.errors import EnvironmentUnfit
from skrynka.durable import write_durably

_FILE = "scan_number"


class ScanNumbers:
    """Gives running numbers from 1; one per station, safe to use from several threads."""

    def __init__(self, state: Path) -> None:
        """`state` is the station's state folder. Raises EnvironmentUnfit when the file there can't be understood."""
        self._file = state / _FILE
        self._lock = threading.Lock()
        told = _read(self._file)
        self.is_new = told is None
        """The state folder knew none: a first start, or it was lost; only the database can tell."""
        self._last = told or 0

    @property
    def last(self) -> int:
        """Give the number that was given last, as far as the state folder knows; 0 where it knows none."""
        return self._last

    def raise_to(self, number: int) -> None:
        """Go on after `number`, and make that durable at once. Raises OSError when it can't be written."""
        with self._lock:
            if number > self._last:
                write_durably(self._file, f"{number}\n".encode("ascii"))
                self._last = number

    def at_least(self, number: int) -> None:
        """Go on after `number`, the highest known elsewhere: call it at start with the database's and the claims'.

        It heals a state folder that was lost or brought back from an old backup.
        """
        with self._lock:
            self._last = max(self._last, number)

    def next_number(self) -> int:
        """Give the next number; it is durable before it is given. Raises OSError when it can't be written."""
        with self._lock:
            number = self._last + 1
            write_durably(self._file, f"{number}\n".encode("ascii"))
            self._last = number
            return number


def _read(file: Path) -> int | None:
    try:
        text = file.read_bytes().strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EnvironmentUnfit(
            f"The running scan number can't be read ({type(error).__name__}).", "Look at the state folder's rights."
        ) from None
    if not text.isdigit():
        # Guessing here could give one number to two scans.
        raise EnvironmentUnfit(
            "The running scan number is damaged.",
            f"Write the highest number that `skrynka status` ever showed into `{_FILE}` in the state folder, "
            "or remove that file: it is made again from the database.",
        )
    return int(text)
