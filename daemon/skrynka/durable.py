"""Bytes that survive a power cut: files and folders are fsynced, and names change only when the bytes are there.

On ext4 a rename that isn't followed by an fsync of its folder is lost in a power cut, so every function here that
changes a name ends with one, but for a copy's: it has a passing name, which a rename follows. Each has the disk empty
its cache, even where nothing was left to write, so none is there to no purpose. An fsync that fails is never tried
again on the same descriptor: the kernel may have dropped the dirty pages and would call the second one a success. What
was being written is removed, and the error goes to the caller.

All of them raise OSError; its text carries the path, so callers that handle other people's file names don't log it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

FILE_MODE = 0o640
"""The most that a file with papers or about them may allow (domain: rights)."""
FOLDER_MODE = 0o750
"""The same for a folder."""
_CHUNK_BYTES = 1 << 20
_SYNC_BYTES = 16 << 20
"""A copy is made durable so far each time, while the next piece is copied: else the disk would wait for the copy and
then the copy for the disk, and a slow one would take all of it in one step, in silence."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class SourceUnreadable(OSError):
    """What is to be copied can't be read; with the number of the error, whose place is the source's disk."""


def fsync_file(target: Path | int) -> None:
    """Make the content of a file durable, given its path or an open descriptor."""
    if isinstance(target, int):
        os.fsync(target)
        return
    descriptor = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder durable.

    Some network file systems know no fsync of a folder and say EINVAL; they write names through by themselves.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def make_folder(folder: Path, within: Path) -> None:
    """Make `folder` and what is missing between it and the existing folder `within`, durable, each 0750 at most.

    The parents are fsynced even where nothing was missing: whoever made them may have been killed before that.
    """
    made = within
    for part in folder.relative_to(within).parts:
        parent, made = made, made / part
        with contextlib.suppress(FileExistsError):
            made.mkdir(mode=FOLDER_MODE)
        fsync_folder(parent)


def lies(path: Path) -> bool:
    """Say whether a name is there, whatever it names. Raises OSError when that can't be known."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def write_durably(path: Path, content: bytes, mode: int = FILE_MODE) -> None:
    """Give `path` this content: after a crash it has the old content or the new, never a part.

    `mode` is what the file allows at most; the umask takes from it.
    """
    fresh = path.with_name(f".{secrets.token_hex(8)}.tmp")
    descriptor = os.open(fresh, _NEW, mode & FILE_MODE)
    try:
        try:
            _write_all(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    fsync_folder(path.parent)


def rename_durably(source: Path, target: Path, *, old_may_return: bool = False) -> None:
    """Rename on one file system and make it durable, the new name's folder first: never is neither name there.

    With `old_may_return` both may be there after a crash: for what is swept.
    """
    source.rename(target)
    fsync_folder(target.parent)
    if source.parent != target.parent and not old_may_return:
        fsync_folder(source.parent)


def copy_durably(source: int, target: Path, on_chunk: Callable[[bytes], None] | None = None) -> int:
    """Copy what the descriptor `source` has from its beginning into the new file `target`; give the bytes copied.

    They are durable on return, their name isn't before `rename_durably` has given them another. `on_chunk` is told each
    piece as it is copied (for a hash). Raises FileExistsError when `target` exists, and SourceUnreadable. When anything
    fails, `on_chunk` included, `target` is removed.
    """
    descriptor = os.open(target, _NEW, FILE_MODE)
    copied = begun = 0
    try:
        try:
            with SyncedBehind(descriptor) as synced:
                while chunk := _read(source, copied):
                    if on_chunk is not None:
                        on_chunk(chunk)
                    _write_all(descriptor, chunk)
                    copied += len(chunk)
                    if copied - begun >= _SYNC_BYTES:
                        synced.go_on()
                        begun = copied
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return copied


class SyncedBehind:
    """Makes what was written to a file durable in a thread of its own, as far as it went at each call.

    The thread is a daemon's, unlike a pool's: a disk that hangs must not keep the process from ending.
    """

    def __init__(self, descriptor: int) -> None:
        """Take the file, open for writing."""
        self._descriptor = descriptor
        self._thread: threading.Thread | None = None
        self._failure: OSError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait until nothing is being synced any more. Raises OSError where that failed, unless something else did."""
        self._join()
        if kind is None:
            self._raise_failure()

    def go_on(self) -> None:
        """Begin to make durable what was written by now. Raises OSError where it failed with what was before."""
        self._join()
        self._raise_failure()
        thread = threading.Thread(target=self._sync, name="syncing", daemon=True)
        try:
            thread.start()
        except (RuntimeError, MemoryError):  # no more threads
            os.fdatasync(self._descriptor)
        else:
            self._thread = thread

    def _sync(self) -> None:
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            self._failure = error

    def _join(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


def _read(source: int, at: int) -> bytes:
    try:
        return os.pread(source, _CHUNK_BYTES, at)
    except OSError as error:
        raise SourceUnreadable(error.errno, "a source can't be read") from error


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
