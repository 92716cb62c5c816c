"""The kernel's word that something happened in an inbox: it saves waiting for the next sweep, and nothing more.

Hints may be lost (the kernel's queue overflows, a folder is replaced, a watch dies) and no scan may depend on one:
the sweeps are the truth. Only local folders are watched. A network share tells inotify nothing about what other
machines do, and asking it repeatedly is what its sweep by a child process does already.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from watchdog.events import (
    FileClosedEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import DEFAULT_OBSERVER_TIMEOUT, BaseObserver, EventEmitter
from watchdog.observers.inotify import InotifyFullEmitter
from watchdog.observers.inotify_c import InotifyEvent, InotifyFD

from skrynka.core.errors import EnvironmentUnfit
from skrynka.core.settling import Arrival

# Writing isn't asked for: a slow scanner would wake us at each block, and the samples see size and time anyway.
_EVENTS: list[type[FileSystemEvent]] = [FileCreatedEvent, FileClosedEvent, FileMovedEvent]
_EXHAUSTED = frozenset({errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
_STOP_SECONDS = 5.0
_LOOK = "Look whether the folder is there, and who may read it."


class WatchUnavailable(EnvironmentUnfit):
    """An inbox can't be watched: its sweeps alone go on, so its scans are taken some seconds later."""

    def __init__(self, message: str, remedy: str, *, exhausted: bool = False) -> None:
        """`exhausted`: the kernel has no more watches to give, and the folder itself is all right."""
        self.exhausted = exhausted
        super().__init__(message, remedy)


@dataclass(frozen=True, slots=True)
class Hint:
    """Something happened to an entry of an inbox; ignored names and odd entries are among them."""

    inbox: str
    """The code that the inbox was registered under."""
    name: str = field(repr=False)
    """As in `Seen`. Never logged."""
    arrival: Arrival


@dataclass(frozen=True, slots=True)
class _Watched:
    """One registered inbox. `identity` is (device, inode) of the folder that the kernel watches; None: unwatched."""

    path: Path
    identity: tuple[int, int] | None = None
    emitter: EventEmitter | None = None
    """The thread that passes on what the kernel says of it."""


class Watcher:
    """Watches the inboxes of one station; every method may be called from any thread but the hints' own."""

    def __init__(self, on_hint: Callable[[Hint], None], on_overflow: Callable[[], None] = lambda: None) -> None:
        """`on_hint` is called on a thread of the watcher's: it hands the hint on (to a queue) and returns.

        Should it raise, that thread ends, and no inbox is watched. `on_overflow` is called in the same way when
        hints were lost, perhaps of every inbox.
        """
        self._on_hint = on_hint
        self._on_overflow = on_overflow
        self._lock = threading.Lock()
        self._inboxes: dict[str, _Watched] = {}
        self._observer: _Observer | None = None

    def watch(self, inbox: str, path: Path) -> None:
        """Watch a local inbox from now on; what is there already is the next sweep's.

        Raises WatchUnavailable when the folder isn't there or can't be read, or when the kernel's limits of inotify
        are used up. The inbox stays registered then, and `repair` tries again.
        """
        with self._lock:
            self._forget(inbox)
            self._inboxes[inbox] = _Watched(path)
            self._register(inbox, path)

    def watches(self, inbox: str) -> bool:
        """Say whether somebody watches a registered inbox now.

        Nobody does where its watch never came to be, a thread behind it died, or its path leads to another folder than
        the one that the kernel watches (inotify goes on watching a folder that was moved away). Raises KeyError.
        """
        return self.changed_ns(inbox) is not None

    def changed_ns(self, inbox: str) -> int | None:
        """Give when an entry last came to a registered inbox or left it; None where nobody `watches` it now.

        Nanoseconds since 1970, by its file system. Raises KeyError.
        """
        with self._lock:
            living = self._living_observer() is not None
            watched = self._inboxes[inbox]
        status = _folder(watched.path)
        if status is None or (status.st_dev, status.st_ino) != watched.identity:
            return None
        return status.st_mtime_ns if living and watched.emitter is not None and watched.emitter.is_alive() else None

    def repair(self, inbox: str) -> None:
        """Watch a registered inbox anew; sweep it afterwards. Raises WatchUnavailable, KeyError."""
        with self._lock:
            path = self._inboxes[inbox].path
            if self._living_observer() is None:
                self._stop_observer()  # its watches are dead with it
                self._inboxes = {each: _Watched(watched.path) for each, watched in self._inboxes.items()}
            self._drop_watch(inbox)
            self._register(inbox, path)

    def stop(self) -> None:
        """End the threads; hints that are under way may still be lost or come."""
        with self._lock:
            self._inboxes.clear()
            self._stop_observer()

    def _register(self, inbox: str, path: Path) -> None:
        # inotify is told not to follow a link at the end of the path and would watch the link itself.
        folder = os.path.realpath(path)
        identity = _identity(path)
        # watchdog takes EACCES for a success, and such a watch is silent for ever.
        if identity is None or not os.access(folder, os.R_OK | os.X_OK):
            raise WatchUnavailable("An inbox can't be watched: its folder can't be read.", _LOOK)
        try:
            observer = self._running_observer()
            watch = observer.schedule(_Handler(inbox, folder, self._on_hint), folder, event_filter=_EVENTS)
        except OSError as error:
            raise WatchUnavailable(
                f"An inbox can't be watched ({os.strerror(error.errno or 0)}).",
                "Raise the sysctl fs.inotify.max_user_watches or fs.inotify.max_user_instances.",
                exhausted=error.errno in _EXHAUSTED,
            ) from None
        # Identity was taken first: a folder replaced in between has another one, and `watches` says so.
        emitter = next(each for each in observer.emitters if each.watch == watch)
        self._inboxes[inbox] = _Watched(path, identity, emitter)

    def _running_observer(self) -> _Observer:
        if self._observer is None:
            observer = _Observer(self._on_overflow)
            observer.start()
            self._observer = observer
        return self._observer

    def _living_observer(self) -> _Observer | None:
        observer = self._observer
        return observer if observer is not None and observer.is_alive() and observer.kernel_reader.is_alive() else None

    def _forget(self, inbox: str) -> None:
        self._drop_watch(inbox)
        self._inboxes.pop(inbox, None)

    def _drop_watch(self, inbox: str) -> None:
        watched = self._inboxes.get(inbox)
        if watched is None or watched.emitter is None or self._observer is None:
            return
        with suppress(OSError):  # the kernel has dropped it already
            self._observer.unschedule(watched.emitter.watch)
        self._inboxes[inbox] = _Watched(watched.path)

    def _stop_observer(self) -> None:
        if self._observer is not None:
            # A thread that is stopped in the middle of a look says that it is inactive, as an error.
            voice = logging.getLogger(InotifyFullEmitter.__module__)
            level = voice.level
            voice.setLevel(logging.CRITICAL)
            self._observer.stop()
            self._observer.join(_STOP_SECONDS)
            voice.setLevel(level)
        self._observer = None


class _KernelReader(InotifyFD):
    """The thread that reads from the kernel, and hears of it when the kernel's queue was full."""

    def __init__(self, on_overflow: Callable[[], None]) -> None:
        super().__init__()
        self._on_overflow = on_overflow

    def handle_event(self, event: InotifyEvent) -> None:
        """Pass an event on; watchdog itself logs an overflow and tells nobody."""
        if event.is_queue_overflow:
            self._on_overflow()
        else:
            super().handle_event(event)


class _Observer(BaseObserver):
    """watchdog's observer for inotify, with its reader in sight: when that dies all else lives on and is silent."""

    def __init__(self, on_overflow: Callable[[], None]) -> None:
        self.kernel_reader = _KernelReader(on_overflow)
        self.kernel_reader.start()
        super().__init__(InotifyFullEmitter, timeout=DEFAULT_OBSERVER_TIMEOUT, inotify_fd=self.kernel_reader)

    def on_thread_stop(self) -> None:
        """End the reader too."""
        super().on_thread_stop()
        self.kernel_reader.stop()
        self.kernel_reader.join()


class _Handler(FileSystemEventHandler):
    """Turns watchdog's events in one folder into hints."""

    def __init__(self, inbox: str, folder: str, on_hint: Callable[[Hint], None]) -> None:
        self._inbox = inbox
        self._folder = folder
        self._on_hint = on_hint

    def dispatch(self, event: FileSystemEvent) -> None:
        """Hand on what names an entry that has come; an entry that left (our own claims do) is none."""
        renamed = isinstance(event, FileMovedEvent)
        folder, name = os.path.split(os.fsdecode(event.dest_path if renamed else event.src_path))
        if folder != self._folder or not name:
            return
        arrival = Arrival.SEEN
        if renamed:
            arrival = Arrival.RENAMED_IN
        elif isinstance(event, FileClosedEvent):
            arrival = Arrival.CLOSED
        self._on_hint(Hint(self._inbox, name, arrival))


def _identity(path: Path) -> tuple[int, int] | None:
    """Tell which folder a path leads to: (device, inode); None when it leads to none."""
    status = _folder(path)
    return None if status is None else (status.st_dev, status.st_ino)


def _folder(path: Path) -> os.stat_result | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status if stat.S_ISDIR(status.st_mode) else None
