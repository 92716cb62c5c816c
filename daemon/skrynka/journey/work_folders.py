"""The folders in which one worker's children work: each goes with its piece of work, or as soon as it can go."""

from __future__ import annotations

import shutil
from pathlib import Path

from skrynka.store.leases import TakenScan, TakenStack


class WorkFolders:
    """Called from one thread."""

    def __init__(self, work: Path) -> None:
        """`work` is where the folders lie."""
        self._work = work
        self._left: set[Path] = set()

    def of(self, taken: TakenScan | TakenStack) -> Path:
        """Say where the folder of a scan or stack is; whoever works in it makes it.

        Nobody else's, ever: a worker that was overtaken may still be at the same scan, in the folder of its own epoch.
        """
        return self._work / f"{taken.id}.{taken.epoch}"

    def clear(self, taken: TakenScan | TakenStack) -> None:
        """Remove such a folder, there or not. What can't be removed goes with a call of `tidy`."""
        self._left.add(self.of(taken))
        self.tidy()

    def tidy(self) -> None:
        """Remove what couldn't be removed before, as far as it goes."""
        for folder in self._left:
            shutil.rmtree(folder, ignore_errors=True)
        self._left = {folder for folder in self._left if folder.exists()}
