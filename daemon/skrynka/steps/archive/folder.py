"""The archive in a folder: originals and documents by content, and what is in quarantine.

    originals/<ab>/<sha256>/original.<type>    what the scanner saved, byte for byte
    originals/<ab>/<sha256>/<scan id>.json     the sidecar: all that the database knew when the scan was registered
    documents/<ab>/<sha256>.pdf                what was cut
    quarantine/<scan number>-<scan id>/        reason.txt, and a link to the original
    .incoming/                                 what is being written
    .skrynka-archive                           which archive this is: the folder below a mount point isn't it

`<ab>` are the hash's first two digits. Whatever has a final name is whole and durable. The same content twice is one
file, so every store may be repeated after a crash. Copies are always made: a writer's descriptor survives a rename,
and only an inode of our own can't change any more. A scan's original name stands in sidecars and nowhere else here.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skrynka.core.errors import EnvironmentUnfit, SkrynkaError
from skrynka.durable import copy_durably, fsync_folder, make_folder, rename_durably, write_durably
from skrynka.steps.archive.identity import ArchiveAway, Identity, away_if_failing

ORIGINALS = "originals"
_DOCUMENTS = "documents"
_QUARANTINE = "quarantine"
_INCOMING = ".incoming"
_REASON = "reason.txt"
_LINK = "original"
_CHUNK_BYTES = 1 << 20
_PROBE = b"skrynka\n"
_RESTORE = "Bring the archive back from its backup."


class SourceChanged(SkrynkaError):
    """A scan grew or changed while it was copied: its writer isn't done. Nothing was stored; try again later."""


class ArchiveDamaged(EnvironmentUnfit):
    """What stands under a hash can't be what was stored there: papers at risk, a person acts."""


@dataclass(frozen=True, slots=True)
class StoredOriginal:
    """A scan's bytes, durable."""

    sha256: str
    """64 lower-case hexadecimal digits."""
    size_bytes: int
    known: bool
    """The archive had these bytes already."""
    mtime_ns: int
    """The source's, when the last of these bytes was read: with another one it may have others by now."""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document's bytes, durable."""

    sha256: str
    """64 lower-case hexadecimal digits."""
    size_bytes: int


class Archive:
    """One archive; safe to use from several threads and processes."""

    def __init__(self, root: Path, expected: str | None = None) -> None:
        """`root` exists; the folders in it are made when they are first needed.

        `expected` is the identity of the archive that must be there: with another one or none, whatever stores or
        finds something here raises ArchiveAway. None takes whatever is there.
        """
        self._root = root
        self.identity = Identity(root, expected)
        self._lasting: set[Path] = set()
        """Folders that are durable, of those that everything lies in: some 500 at most."""
        # One name, so that where nothing can be removed no more than one is left.
        self._probe = f"probe-{secrets.token_hex(8)}"

    def store_original(
        self,
        source: Path,
        *,
        scan_id: str,
        file_type: str | None,
        sidecar: Mapping[str, Any],
        progress: Callable[[], None] = lambda: None,
    ) -> StoredOriginal:
        """Copy a claimed scan into the archive and put its sidecar beside it; both are durable on return.

        `file_type` is its type by content ("pdf", "tiff", "jpeg", "png"), None when it is none of ours. `sidecar` is
        what the database is to be told: JSON values; sha256, size_bytes and file_type are added. `progress` is
        called at each piece that was read. Raises SourceChanged, ArchiveAway (it is full or read-only, say), and
        OSError when `source` can't be opened or read.
        """
        with _opened(source) as descriptor, away_if_failing():
            self.identity.require()
            before = os.fstat(descriptor)
            incoming, sha256, size = self._bring_in(descriptor, progress)
            after = os.fstat(descriptor)
            folder = self._original_folder(sha256)
            try:
                if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or size != after.st_size:
                    raise SourceChanged("A scan changed while it was copied.")
                self._make_once(folder.parent)
                make_folder(folder, folder.parent)
                known = _original_in(folder)
                _put(incoming, known or folder / f"original.{file_type or 'bin'}", sha256, progress)
            finally:
                incoming.unlink(missing_ok=True)
            told = {**sidecar, "sha256": sha256, "size_bytes": size, "file_type": file_type}
            write_durably(folder / f"{scan_id}.json", json.dumps(told, indent=1).encode("ascii"))
            self.identity.require()  # it may have gone meanwhile, and then all this lies below its mount point
        return StoredOriginal(sha256, size, known is not None, after.st_mtime_ns)

    def original_path(self, sha256: str) -> Path:
        """Find a stored original. Raises ArchiveAway, and ArchiveDamaged when the archive hasn't got it."""
        with away_if_failing():
            path = _original_in(self._original_folder(sha256))
        if path is None:
            self.identity.require()
            raise ArchiveDamaged("An original isn't in the archive.", _RESTORE)
        return path

    def verify_original(self, sha256: str, progress: Callable[[], None] = lambda: None) -> None:
        """Read a stored original through, so that what is wrong with the disk isn't laid to the scan.

        `progress` is called at each piece. Raises ArchiveAway, and ArchiveDamaged when it isn't there, can't be read,
        or isn't what was stored.
        """
        if not _is_whole(self.original_path(sha256), sha256, progress):
            self.identity.require()
            raise ArchiveDamaged("An original in the archive can't be read, or has changed.", _RESTORE)

    def store_document(self, source: Path, progress: Callable[[], None] = lambda: None) -> StoredDocument:
        """Copy a document that was cut into the archive, durable. Raises ArchiveAway, and OSError, as above."""
        with _opened(source) as descriptor, away_if_failing():
            self.identity.require()
            incoming, sha256, size = self._bring_in(descriptor, progress)
            try:
                target = self._document(sha256)
                self._make_once(target.parent)
                _put(incoming, target, sha256, progress)
                os.utime(target)  # young, even where it was there: an orphan's age counts from now
            finally:
                incoming.unlink(missing_ok=True)
            self.identity.require()  # as above
        return StoredDocument(sha256, size)

    def document_path(self, sha256: str) -> Path:
        """Find a stored document. Raises ArchiveAway, and ArchiveDamaged when the archive hasn't got it."""
        path = self._document(sha256)
        with away_if_failing():
            there = _is_plain(path)
        if not there:
            self.identity.require()
            raise ArchiveDamaged("A document isn't in the archive.", _RESTORE)
        return path

    @away_if_failing()
    def note_quarantine(self, scan_id: str, number: str, sha256: str, text: str) -> None:
        """Make the folder of a scan in quarantine, durable: why in plain words, and a link to the original.

        `number` is the scan's number as people say it, `text` is for them. Repeated, the latest text stands. The link
        is symbolic and relative, so that no copy or backup of the archive doubles the original, and nobody changes it
        by way of the quarantine; where the file system has no such links the text says where it is. Raises
        ArchiveDamaged when the original isn't there, and ArchiveAway.
        """
        original = self.original_path(sha256)
        folder = self._root / _QUARANTINE / f"{number}-{scan_id}"
        make_folder(folder, self._root)
        place = original.relative_to(self._root)
        write_durably(folder / _REASON, f"{text.rstrip()}\n\nThe original: {place} (in the archive)\n".encode())
        link = folder / f"{_LINK}{original.suffix}"
        try:
            link.symlink_to(Path("..") / ".." / place)
        except FileExistsError:
            return
        except OSError as error:
            if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}:
                raise
            return
        fsync_folder(folder)

    @away_if_failing()
    def clear_quarantine(self, scan_id: str) -> None:
        """Remove a scan's quarantine folder, if it is there; the original stays. Raises ArchiveAway."""
        quarantine = self._root / _QUARANTINE
        for folder in quarantine.glob(f"*-{scan_id}"):
            for each in folder.iterdir():
                each.unlink()
            folder.rmdir()
            fsync_folder(quarantine)

    def require(self) -> None:
        """Raise ArchiveAway where it shows without writing that nothing can be stored: it is gone, or read-only."""
        with away_if_failing():
            self.identity.require()
            flags = os.statvfs(self._root).f_flag
        if flags & os.ST_RDONLY:
            raise ArchiveAway(errno.errorcode[errno.EROFS])

    def write_probe(self) -> None:
        """Write a file durably and remove it again. Raises ArchiveAway when that fails."""
        with away_if_failing():
            self.identity.require()
            self._make_once(self._incoming)
            try:
                write_durably(self._incoming / self._probe, _PROBE)
            finally:
                (self._incoming / self._probe).unlink(missing_ok=True)

    @away_if_failing()
    def now(self) -> float:
        """Give the time by the clock that all is dated with here, a share's own, say: seconds since 1970.

        It needs no room. Raises ArchiveAway, where it is read-only too.
        """
        self.identity.require()
        self._make_once(self._incoming)
        os.utime(self._incoming)
        return self._incoming.stat().st_mtime

    @away_if_failing()
    def old_originals(self, prefix: str, before: float) -> set[str]:
        """Give the hashes, beginning with these two digits, of originals last touched before then (seconds since 1970).

        Raises ArchiveAway.
        """
        self.identity.require()
        return {name for name, changed in _entries(self._root / ORIGINALS / prefix) if changed < before}

    @away_if_failing()
    def old_documents(self, prefix: str, before: float) -> set[str]:
        """Give the hashes, beginning with these two digits, of documents last stored before then (seconds since 1970).

        Raises ArchiveAway.
        """
        self.identity.require()
        entries = _entries(self._root / _DOCUMENTS / prefix)
        return {name.removesuffix(".pdf") for name, changed in entries if changed < before and name.endswith(".pdf")}

    @away_if_failing()
    def sweep_incoming(self, before: float) -> int:
        """Remove what crashes left half-written, last changed before `before` (seconds since 1970); give how many."""
        self.identity.require()
        removed = 0
        with suppress(FileNotFoundError):
            for each in list(self._incoming.iterdir()):
                with suppress(FileNotFoundError):
                    if each.lstat().st_mtime < before:
                        each.unlink()
                        removed += 1
        return removed

    @property
    def _incoming(self) -> Path:
        return self._root / _INCOMING

    def _original_folder(self, sha256: str) -> Path:
        return self._root / ORIGINALS / sha256[:2] / sha256

    def _document(self, sha256: str) -> Path:
        return self._root / _DOCUMENTS / sha256[:2] / f"{sha256}.pdf"

    def _make_once(self, folder: Path) -> None:
        """Make a folder durable, unless that was done before: an fsync for nothing takes as long as any."""
        if folder in self._lasting and folder.is_dir():
            return
        if folder.parent != self._root:
            self._make_once(folder.parent)
        make_folder(folder, folder.parent)
        self._lasting.add(folder)

    def _bring_in(self, source: int, progress: Callable[[], None]) -> tuple[Path, str, int]:
        """Copy an open file into `.incoming`: its path there, its SHA-256, its bytes. The caller removes it."""
        self._make_once(self._incoming)
        incoming = self._incoming / secrets.token_hex(16)
        digest = hashlib.sha256()

        def on_chunk(chunk: bytes) -> None:
            digest.update(chunk)
            progress()

        size = copy_durably(source, incoming, on_chunk)
        return incoming, digest.hexdigest(), size


@contextmanager
def _opened(source: Path) -> Iterator[int]:
    descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no regular file")
        yield descriptor
    finally:
        os.close(descriptor)


def _original_in(folder: Path) -> Path | None:
    # A link or a pipe isn't what was stored here, and isn't followed or waited for.
    return next((path for path in folder.glob("original.*") if _is_plain(path)), None)


def _is_plain(path: Path) -> bool:
    with suppress(FileNotFoundError, NotADirectoryError):
        return stat.S_ISREG(path.lstat().st_mode)
    return False


def _entries(folder: Path) -> list[tuple[str, float]]:
    """Give the names in a folder with their times, seconds since 1970; none where there is no folder."""
    try:
        with os.scandir(folder) as entries:
            return [(entry.name, entry.stat(follow_symlinks=False).st_mtime) for entry in entries]
    except FileNotFoundError:
        return []


def _put(incoming: Path, target: Path, sha256: str, progress: Callable[[], None]) -> None:
    """Give what was brought in its final name, durable. What is there already stays, unless it has rotted."""
    if target.exists() and _is_whole(target, sha256, progress):
        fsync_folder(target.parent)  # its writer may have been killed before that
    else:
        rename_durably(incoming, target, old_may_return=True)


def _is_whole(stored: Path, sha256: str, progress: Callable[[], None]) -> bool:
    """Tell whether a stored file can be read and is what was stored."""
    digest = hashlib.sha256()
    try:
        with stored.open("rb") as content:
            while chunk := content.read(_CHUNK_BYTES):
                digest.update(chunk)
                progress()
    except OSError:
        return False
    return digest.hexdigest() == sha256
