"""Everything that lies in the archive, name by name: what a look at it compares with the database.

A second opinion on the layout that `archive` keeps: it opens nothing that is no regular file, and follows no link.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from skrynka.core.errors import EnvironmentUnfit

_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
_PREFIX = re.compile(r"[0-9a-f]{2}")
_HASH = re.compile(r"[0-9a-f]{64}")
_SIDECAR = re.compile(rf"({_ID})\.json")
_NOTES = re.compile(rf"(.+)-({_ID})")
_ORIGINAL = re.compile(r"original\.(pdf|tiff|jpeg|png|bin)")
_HALF_WRITTEN = re.compile(r"\.[0-9a-f]{16}\.tmp")
_SET_ASIDE = re.compile(r"[0-9a-f]{64}\.orphan")
_INCOMING = re.compile(r"[0-9a-f]{32}|probe-[0-9a-f]{16}|\.[0-9a-f]{16}\.tmp")
_OURS = frozenset({"originals", "documents", "quarantine", ".incoming", ".skrynka-archive", "lost+found"})
"""With the folder of a file system's repair program, which only root may look into."""
_CHUNK_BYTES = 1 << 20


@dataclass(slots=True)
class OriginalFolder:
    """What lies under the hash of an original."""

    sha256: str
    path: Path
    changed_at: float
    """When a name in it changed last: seconds since 1970."""
    originals: list[Path] = field(default_factory=list)
    """One, where all is well."""
    sidecars: dict[str, Path] = field(default_factory=dict)
    """By the id of the scan."""
    half_written: list[Path] = field(default_factory=list)
    unknown: list[Path] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class NoteFolder:
    """The folder of a scan in quarantine."""

    scan_id: str
    name: str
    """The scan's, as the folder says."""
    path: Path
    reason: bool
    """The note is there."""
    half_written: tuple[Path, ...]
    unknown: tuple[Path, ...]


class ArchiveWalk:
    """One archive, to be looked through."""

    def __init__(self, root: Path) -> None:
        """Raise EnvironmentUnfit where `root` is no folder that can be listed."""
        self.root = root
        try:
            os.scandir(root).close()
        except OSError as error:
            name = errno.errorcode.get(error.errno or 0, "OSError")
            raise EnvironmentUnfit(
                f"The archive can't be listed ({name}).", "Look whether its folder is there, and who may read it."
            ) from None

    def place(self, path: Path) -> str:
        """Name a path as it lies in the archive."""
        return str(path.relative_to(self.root))

    def prefixes(self, beginning: str = "") -> Iterator[str]:
        """Give the first two digits of the hashes that begin so, whether anything has them or not."""
        for number in range(256):
            if f"{number:02x}".startswith(beginning):
                yield f"{number:02x}"

    def originals(self, prefix: str) -> dict[str, OriginalFolder]:
        """Give the folders of the originals whose hash begins with these two digits, by hash."""
        found = {}
        for entry in _entries(self.root / "originals" / prefix):
            if _is_original(entry, prefix):
                found[entry.name] = _original_folder(entry)
        return found

    def documents(self, prefix: str) -> dict[str, Path]:
        """Give the documents whose hash begins with these two digits, by hash."""
        return {
            entry.name[:64]: Path(entry.path)
            for entry in _entries(self.root / "documents" / prefix)
            if _is_document(entry, prefix)
        }

    def set_aside(self, prefix: str) -> list[Path]:
        """Give the documents that a repair had set aside when it was killed."""
        entries = _entries(self.root / "documents" / prefix)
        return [Path(entry.path) for entry in entries if _SET_ASIDE.fullmatch(entry.name)]

    def notes(self) -> Iterator[NoteFolder]:
        """Give the folders of the quarantine."""
        for entry in _entries(self.root / "quarantine"):
            named = _NOTES.fullmatch(entry.name)
            if named is None or not entry.is_dir(follow_symlinks=False):
                continue
            inside = list(_entries(Path(entry.path)))
            half = tuple(Path(each.path) for each in inside if _HALF_WRITTEN.fullmatch(each.name))
            other = tuple(
                Path(each.path)
                for each in inside
                if not (
                    each.name == "reason.txt" or _ORIGINAL.fullmatch(each.name) or _HALF_WRITTEN.fullmatch(each.name)
                )
            )
            reason = any(each.name == "reason.txt" and _is_file(each) for each in inside)
            yield NoteFolder(named[2], named[1], Path(entry.path), reason, half, other)

    def incoming(self) -> Iterator[tuple[Path, float]]:
        """Give what is being written, or was when somebody died, and when it changed last."""
        for entry in _entries(self.root / ".incoming"):
            with suppress(FileNotFoundError):
                if _is_incoming(entry):
                    yield Path(entry.path), entry.stat(follow_symlinks=False).st_mtime

    def unknown_under(self, prefix: str) -> Iterator[Path]:
        """Give what isn't ours in the folders of a prefix."""
        for name, fits in (("originals", _is_original), ("documents", _is_document)):
            for entry in _entries(self.root / name / prefix):
                if not fits(entry, prefix) and not _SET_ASIDE.fullmatch(entry.name):
                    yield Path(entry.path)

    def unknown(self) -> Iterator[Path]:
        """Give what isn't ours beside the folders of the prefixes."""
        for folder, fits in (
            (self.root, _is_ours),
            (self.root / "originals", _is_prefix),
            (self.root / "documents", _is_prefix),
            (self.root / "quarantine", _is_note),
            (self.root / ".incoming", _is_incoming),
        ):
            for entry in _entries(folder):
                if not fits(entry):
                    yield Path(entry.path)


def measure(file: Path) -> tuple[int, float] | None:
    """Give a regular file's bytes and when it changed last; None where it is gone, or is something else."""
    try:
        found = file.lstat()
    except FileNotFoundError:
        return None
    return (found.st_size, found.st_mtime) if stat.S_ISREG(found.st_mode) else None


def digest_of_beginning(file: Path, size_bytes: int) -> str | None:
    """Give the SHA-256 of a regular file's first bytes, as `digest` gives that of all; None where it has fewer."""
    told, rest = hashlib.sha256(), size_bytes
    try:
        with file.open("rb") as opened:
            while rest and (chunk := opened.read(min(rest, _CHUNK_BYTES))):
                told.update(chunk)
                rest -= len(chunk)
    except OSError:
        return None
    return None if rest else told.hexdigest()


def digest(file: Path, on_bytes: Callable[[int], None] = lambda _count: None) -> str | None:
    """Give a regular file's SHA-256; None where it is gone, can't be read to its end, or is something else.

    `on_bytes` is told how many bytes were read, each time.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        told = hashlib.sha256()
        while chunk := os.read(descriptor, _CHUNK_BYTES):
            told.update(chunk)
            on_bytes(len(chunk))
    except OSError:
        return None
    else:
        return told.hexdigest()
    finally:
        os.close(descriptor)


def _original_folder(entry: os.DirEntry[str]) -> OriginalFolder:
    path = Path(entry.path)
    folder = OriginalFolder(entry.name, path, entry.stat(follow_symlinks=False).st_mtime)
    for each in _entries(path):
        inside = Path(each.path)
        if not _is_file(each):
            folder.unknown.append(inside)
        elif _ORIGINAL.fullmatch(each.name):
            folder.originals.append(inside)
        elif (sidecar := _SIDECAR.fullmatch(each.name)) is not None:
            folder.sidecars[sidecar[1]] = inside
        elif _HALF_WRITTEN.fullmatch(each.name):
            folder.half_written.append(inside)
        else:
            folder.unknown.append(inside)
    return folder


def _is_ours(entry: os.DirEntry[str]) -> bool:
    return entry.name in _OURS or bool(_HALF_WRITTEN.fullmatch(entry.name))


def _is_prefix(entry: os.DirEntry[str]) -> bool:
    return bool(_PREFIX.fullmatch(entry.name)) and entry.is_dir(follow_symlinks=False)


def _is_note(entry: os.DirEntry[str]) -> bool:
    return bool(_NOTES.fullmatch(entry.name)) and entry.is_dir(follow_symlinks=False)


def _is_incoming(entry: os.DirEntry[str]) -> bool:
    return bool(_INCOMING.fullmatch(entry.name)) and _is_file(entry)


def _is_original(entry: os.DirEntry[str], prefix: str) -> bool:
    named = bool(_HASH.fullmatch(entry.name)) and entry.name.startswith(prefix)
    return named and entry.is_dir(follow_symlinks=False)


def _is_document(entry: os.DirEntry[str], prefix: str) -> bool:
    digits, _, kind = entry.name.partition(".")
    return bool(_HASH.fullmatch(digits)) and digits.startswith(prefix) and kind == "pdf" and _is_file(entry)


def _is_file(entry: os.DirEntry[str]) -> bool:
    return entry.is_file(follow_symlinks=False)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Give what lies in a folder, by name; nothing where it isn't there. Raises EnvironmentUnfit."""
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "OSError")
        raise EnvironmentUnfit(
            f"A folder of the archive can't be listed ({name}).", "Look at its disk and its rights."
        ) from None
    yield from entries
