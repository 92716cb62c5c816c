"""Claimed files whose writers went on after they were stored: when each has come to rest."""

from __future__ import annotations

from collections.abc import Callable

from skrynka.core.claims import Claim

_REST_SECONDS = 5.0
"""Such a file is stored again when it has been as it is for so long, or for its inbox's quiet time."""


class Growing:
    """The files that went on. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """None has, so far."""
        self._clock = clock
        self._files: dict[str, tuple[tuple[int, int], float]] = {}
        """By scan: what its file is, size and time, and since when."""

    def note(self, taken: Claim) -> float:
        """Note that a file went on, or look at it again; give since when it is as it is. Raises OSError."""
        status = taken.path.lstat()
        stamp = (status.st_size, status.st_mtime_ns)
        before, since = self._files.get(taken.scan_id, (None, 0.0))
        if before != stamp:
            since = self._clock()
            self._files[taken.scan_id] = (stamp, since)
        return since

    def at_rest(self, taken: Claim, quiet_seconds: float) -> bool:
        """Say whether a file that went on has been as it is for a while; any other is at rest. Raises OSError."""
        if taken.scan_id not in self._files:
            return True
        return self._clock() - self.note(taken) >= max(_REST_SECONDS, quiet_seconds)

    def forget(self, scan_id: str) -> None:
        """Forget a file that is ours no more."""
        self._files.pop(scan_id, None)
