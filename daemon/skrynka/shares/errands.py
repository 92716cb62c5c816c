"""The child's side: errands in one share, one after another, each asked for and answered with a line of JSON.

It is run as a module (`python -m skrynka.shares.errands SHARE LOCK MARKER`), and ends with its parent, when its input
does. A parent that lost patience kills it; while a system call hangs in the share that kills nobody, and the call may
still be carried out later. So the lock is taken before the share is touched: whoever holds it has no predecessor whose
last call could come after his own look.

    {"errand": "list", "station": code}      {"seen": [...], "odd": [...], "folder": [...], "ends": {...},
                                             "closed": [...]}
    {"errand": "take", "claim": {...}}       {"found": [mode, size, mtime_ns, inode]}
    any                                      {"busy": true}, as often as it likes before its answer
    any                                      {"away": why}, {"failed": errno}, {"lost": true}, {"refused": why},
                                             {"restless": true}

Names go as JSON in ASCII: bytes that aren't UTF-8 survive as escapes of lone surrogates.
"""

from __future__ import annotations

import base64
import errno
import fcntl
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from skrynka.core.claims import Claim, ClaimLost, ClaimRefused, ClaimRestless, Found, from_sidecar
from skrynka.core.entries import Listing
from skrynka.core.settling import is_ignored
from skrynka.steps import moving
from skrynka.steps.listing import InboxAway, list_inbox, may_be_read, peek, require_inbox

_BUSY_SECONDS = 1.0

Answer = dict[str, Any]
_Stamp = tuple[int, int, int]
"""Size, time of modification and inode: whether a file is as it was."""


class Errands:
    """What can be asked for in one share."""

    def __init__(self, share: Path, marker: str | None, busy: Callable[[], None]) -> None:
        """`busy` is called while an errand goes on; `marker` as in `list_inbox`."""
        self._share = share
        self._marker = marker
        self._busy = busy
        self._ends_told: dict[str, _Stamp] = {}

    def answer(self, asked: Mapping[str, Any]) -> Answer:
        """Do an errand and give its answer; whatever goes wrong is an answer too."""
        try:
            require_inbox(self._share, self._marker)
            return self._do(asked)
        except (InboxAway, ClaimLost, ClaimRefused, ClaimRestless, OSError) as trouble:
            return _told(trouble)

    def _do(self, asked: Mapping[str, Any]) -> Answer:
        match asked["errand"]:
            case "list":
                return self._list(asked.get("station"))
            case "probe":
                return _probe(self._share)
            case errand:
                return self._move(errand, _claim_from(asked["claim"]))

    def _list(self, station: str | None) -> Answer:
        listing = list_inbox(self._share, is_ignored, self._marker, station)
        self._busy()
        ends, closed = self._new_ends(listing)
        return {
            "seen": [[each.name, each.size, each.mtime_ns, each.inode, each.device] for each in listing.seen],
            "odd": [[each.name, each.what] for each in listing.odd],
            "folder": listing.folder,
            "ends": ends,
            "closed": closed,
        }

    def _new_ends(self, listing: Listing) -> tuple[dict[str, list[str]], list[str]]:
        """Give the ends of the files that are new or have changed, for the parent remembers the others'.

        And the names of those that may not be read.
        """
        told, ends = self._ends_told, {}
        closed = []
        self._ends_told = {}
        for each in listing.seen:
            stamp = (each.size, each.mtime_ns, each.inode)
            if told.get(each.name) != stamp:
                found = peek(self._share / each.name)
                self._busy()
                if found is None:
                    if not may_be_read(self._share / each.name):
                        closed.append(each.name)
                    continue
                ends[each.name] = [base64.b64encode(part).decode() for part in (found.head, found.tail)]
            self._ends_told[each.name] = stamp
        return ends, closed

    def _move(self, errand: str, claim: Claim) -> Answer:
        found: Found | None = None
        match errand:
            case "ready":
                moving.ready(claim)
            case "take":
                found = moving.take(claim)
            case "locate":
                found = moving.locate(claim, mounted=self._marker is not None)
            case "fetch":
                moving.fetch(claim, self._busy)
            case "clear":
                moving.clear(claim)
        return {"found": None if found is None else [found.mode, found.size, found.mtime_ns, found.inode]}


def _told(trouble: Exception) -> Answer:
    match trouble:
        case InboxAway():
            return {"away": trouble.why}
        case ClaimRefused():
            return {"refused": trouble.why}
        case ClaimLost():
            return {"lost": True}
        case ClaimRestless():
            return {"restless": True}
        case OSError():
            return {"failed": trouble.errno or errno.EIO}
        case _:
            raise trouble


def _probe(share: Path) -> Answer:
    """Write, rename and remove a dotfile, as a claim would."""
    first, second = (share / f".skrynka-check-{secrets.token_hex(4)}" for _ in range(2))
    os.close(os.open(first, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    first.rename(second)
    second.unlink()
    status = share.stat()
    return {"mode": status.st_mode, "owner": status.st_uid}


def _claim_from(told: Mapping[str, Any]) -> Claim:
    return from_sidecar(json.dumps(told["sidecar"]).encode("ascii"), Path(told["folder"]))


class _Voice:
    """Says that an errand goes on, no oftener than is of use."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._said_at = time.monotonic()

    def busy(self) -> None:
        """Say it, if it was silent for a while."""
        if time.monotonic() - self._said_at >= _BUSY_SECONDS:
            self.say({"busy": True})

    def say(self, answer: Answer) -> None:
        """Write a line."""
        self._said_at = time.monotonic()
        self._out.write(json.dumps(answer) + "\n")
        self._out.flush()


def _main(share: str, lock: str, marker: str) -> None:
    # Who stops the service stops all its processes at once; an errand under way is finished all the same.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    voice = _Voice(sys.stdout)
    errands = Errands(Path(share), marker or None, voice.busy)
    for number, line in enumerate(sys.stdin):
        if number == 0 and lock:
            fcntl.flock(os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640), fcntl.LOCK_EX)
        voice.say(errands.answer(json.loads(line)))


if __name__ == "__main__":
    _main(*sys.argv[1:])
