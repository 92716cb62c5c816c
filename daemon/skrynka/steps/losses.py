"""What was lost in a box whose papers are stacked, and nothing was taken since that surely came after it.

It stands in the state folder, a file for each box, because a start must know it too: what comes next mustn't go on with
the papers that were taken last.
"""

from __future__ import annotations

from pathlib import Path

from skrynka.durable import fsync_folder, write_durably


class Losses:
    """When the lost scan of each box was written; one object per station."""

    def __init__(self, state: Path) -> None:
        """`state` is the station's state folder."""
        self._state = state

    def kept(self, box: str) -> int | None:
        """Give when a lost scan was written, in nanoseconds since 1970 by its inbox's clock; None: none is lost.

        0 where that can't be read any more. Raises OSError.
        """
        try:
            return int(self._file(box).read_text(encoding="ascii"))
        except FileNotFoundError:
            return None
        except ValueError:
            return 0

    def keep(self, box: str, mtime_ns: int | None) -> None:
        """Keep when a lost scan was written; None: forget it. Durable. Raises OSError."""
        if mtime_ns is not None:
            write_durably(self._file(box), f"{mtime_ns}\n".encode("ascii"))
            return
        self._file(box).unlink(missing_ok=True)
        fsync_folder(self._state)

    def _file(self, box: str) -> Path:
        return self._state / f"lost-{box}"
