"""The folders in which one worker's children work: each goes with its piece of work, or as soon as it can go."""

from __future__ import annotations

import shutil
from pathlib import Path


class WorkFolders:
    """Called from one thread."""

    def __init__(self, work: Path) -> None:
        """`work` is where the folders lie."""
        self._work = work
        self._left: set[Path] = set()

    def of(self, work_id: str) -> Path:
        """Say where the folder of a scan or stack is, by its id; whoever works in it makes it."""
        return self._work / work_id

    def clear(self, work_id: str) -> None:
        """Remove such a folder, there or not. What can't be removed goes when the work is tried again, or done."""
        shutil.rmtree(self.of(work_id), ignore_errors=True)

    def done(self, work_id: str) -> None:
        """Note that nobody will do this work again: what is left of its folder goes now, or with a call of `tidy`.

        Not before: another worker may be the next to try, in the same folder.
        """
        self._left.add(self.of(work_id))
        self.tidy()

    def tidy(self) -> None:
        """Remove what couldn't be removed before, as far as it goes."""
        for folder in self._left:
            shutil.rmtree(folder, ignore_errors=True)
        self._left = {folder for folder in self._left if folder.exists()}
