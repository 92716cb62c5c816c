"""What an audit's repair does to an archive: it writes what is missing and removes what nobody has, each durably."""

from __future__ import annotations

import re
from pathlib import Path

from skrynka.durable import fsync_folder, rename_durably, write_durably

_SET_ASIDE = re.compile(r"([0-9a-f]{64})\.orphan")
_NOTE = re.compile(r"reason\.txt|original\.[a-z]+|\.[0-9a-f]{16}\.tmp")


class ArchiveMending:
    """The hand on one archive. All raise OSError when the archive can't be written."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def original(self, sha256: str) -> Path | None:
        """Find an original; None where there is none."""
        return next(self._folder(sha256).glob("original.*"), None)

    def sidecar(self, sha256: str, scan_id: str) -> bytes:
        """Read a scan's sidecar."""
        return (self._folder(sha256) / f"{scan_id}.json").read_bytes()

    def sidecars(self, sha256: str) -> frozenset[str]:
        """Give the ids of the scans that have a sidecar beside an original."""
        return frozenset(each.stem for each in self._folder(sha256).glob("*.json"))

    def remove_original(self, sha256: str) -> None:
        """Remove an original; the sidecar that tells of it goes next."""
        original = self.original(sha256)
        if original is not None:
            self.remove(original)

    def remove_sidecar(self, sha256: str, scan_id: str) -> None:
        """Remove a scan's sidecar, and the folder with the last thing in it."""
        folder = self._folder(sha256)
        self.remove(folder / f"{scan_id}.json")
        if not any(folder.iterdir()):
            self.remove(folder)

    def write_sidecar(self, sha256: str, scan_id: str, content: bytes) -> None:
        """Put a scan's sidecar beside its original, which is there."""
        write_durably(self._folder(sha256) / f"{scan_id}.json", content)

    def set_document_aside(self, sha256: str) -> Path:
        """Take a document out of the others' sight, and give where it lies; `put_back` or `remove` comes next."""
        aside = self._document(sha256).with_suffix(".orphan")
        rename_durably(self._document(sha256), aside)
        return aside

    def put_back(self, aside: Path) -> None:
        """Put a document that was set aside where it was, unless the same is there again."""
        document = self._document(aside.name[:64])
        if document.exists():
            self.remove(aside)
        else:
            rename_durably(aside, document)

    def remove(self, left: Path) -> None:
        """Remove a file, or a folder that nothing is in."""
        if left.is_dir() and not left.is_symlink():
            left.rmdir()
        else:
            left.unlink(missing_ok=True)
        fsync_folder(left.parent)

    def remove_left(self, place: str) -> bool:
        """Remove what a crash left half-written, by its path in the archive; give False where it was put back instead.

        A document that a repair had set aside when it was killed is put back: nobody had looked yet whether a case
        has it by now.
        """
        left = self._root / place
        if _SET_ASIDE.fullmatch(left.name):
            self.put_back(left)
            return False
        self.remove(left)
        return True

    def remove_note(self, place: str) -> None:
        """Remove the folder of a scan that isn't in quarantine, if nothing but the note is in it."""
        folder = self._root / place
        inside = list(folder.iterdir())
        if all(_NOTE.fullmatch(each.name) for each in inside):
            for each in inside:
                each.unlink()
        folder.rmdir()
        fsync_folder(folder.parent)

    def _folder(self, sha256: str) -> Path:
        return self._root / "originals" / sha256[:2] / sha256

    def _document(self, sha256: str) -> Path:
        return self._root / "documents" / sha256[:2] / f"{sha256}.pdf"
