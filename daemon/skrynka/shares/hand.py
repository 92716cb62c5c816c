"""The parent's side: what can be asked for in one share, and what the answers mean."""

from __future__ import annotations

import base64
import errno
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from skrynka.core.claims import Claim, ClaimLost, ClaimRefused, ClaimRestless, Found, to_sidecar
from skrynka.core.entries import Ends, Listing, Odd, OddKind, Seen
from skrynka.shares.process import DIED, ShareProcess
from skrynka.steps.listing import InboxAway

SILENT_SECONDS = 20.0
"""How long a share may say nothing: a listing of a busy server over a slow line takes a few seconds."""


def _nothing() -> None:
    """Tell nobody of progress."""


class ShareHand:
    """Does errands in one share; not for several threads at once.

    Every method raises InboxAway when the share is away, hangs, or its process died (then the errand may have been
    carried out or not), ShareStopped, and OSError when a call failed.
    """

    def __init__(
        self,
        share: Path,
        lock: Path | None,
        *,
        marker: str | None = None,
        silent_seconds: float = SILENT_SECONDS,
        stopping: Callable[[], bool] = lambda: False,
        python: str = sys.executable,
    ) -> None:
        """`marker` is as in `list_inbox`; `python` runs the child.

        `lock` is a file of this share's own on a local disk: no process begins while another one has it, perhaps an
        earlier service's that still hangs. None: for whoever claims nothing.

        A child that says nothing for `silent_seconds` is given up; `stopping` is asked several times a second.
        """
        module = "skrynka.shares.errands"
        command = [python, "-I", "-m", module, os.fspath(share), os.fspath(lock or ""), marker or ""]
        self._process = ShareProcess(command, silent_seconds, stopping)

    def list(self, progress: Callable[[], None] = _nothing, station: str | None = None) -> Listing:
        """Look into the share once; `station` and the result are those of `list_inbox`, without ignored names."""
        answer = self._ask({"errand": "list", "station": station}, progress)
        try:
            return Listing(
                tuple(Seen(*row) for row in answer["seen"]),
                tuple(Odd(name, OddKind(what)) for name, what in answer["odd"]),
                (answer["folder"][0], answer["folder"][1]),
                ends={name: Ends(*(base64.b64decode(part) for part in ends)) for name, ends in answer["ends"].items()},
                closed=frozenset(answer["closed"]),
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            raise self._raved() from None

    def probe(self) -> tuple[int, int]:
        """Write, rename and remove a file; give the mode and the owner of the share's folder."""
        answer = self._ask({"errand": "probe"})
        return int(answer["mode"]), int(answer["owner"])

    def ready(self, claim: Claim) -> None:
        """As `moving.ready`."""
        self._move("ready", claim)

    def take(self, claim: Claim) -> Found:
        """As `moving.take`."""
        found = self._move("take", claim)
        if found is None:
            raise self._raved()
        return found

    def locate(self, claim: Claim) -> Found | None:
        """As `moving.locate`."""
        return self._move("locate", claim)

    def fetch(self, claim: Claim, progress: Callable[[], None] = _nothing) -> None:
        """As `moving.fetch`; `progress` is called about once a second."""
        self._move("fetch", claim, progress)

    def clear(self, claim: Claim) -> None:
        """As `moving.clear`."""
        self._move("clear", claim)

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.close()

    def _move(self, errand: str, claim: Claim, progress: Callable[[], None] = _nothing) -> Found | None:
        told = {"sidecar": json.loads(to_sidecar(claim)), "folder": os.fspath(claim.folder)}
        answer = self._ask({"errand": errand, "claim": told}, progress)
        try:
            return None if answer["found"] is None else Found(*(int(each) for each in answer["found"]))
        except (ValueError, TypeError, KeyError):
            raise self._raved() from None

    def _ask(self, errand: Mapping[str, Any], progress: Callable[[], None] = _nothing) -> dict[str, Any]:
        """Have an errand done and give its answer; raise what went wrong with it."""
        for line in self._process.ask(json.dumps(errand).encode("ascii")):
            try:
                answer = json.loads(line)
            except ValueError:
                break
            if not isinstance(answer, dict):
                break
            if "busy" not in answer:
                _raise_trouble(answer)
                return answer
            progress()
        raise self._raved()

    def _raved(self) -> InboxAway:
        """End a process that says what can't be right; it may have done what it was asked for."""
        self._process.end()
        return InboxAway(DIED)


def _raise_trouble(answer: Mapping[str, Any]) -> None:
    match answer:
        case {"away": why}:
            raise InboxAway(str(why))
        case {"lost": True}:
            raise ClaimLost("The file is gone from its inbox.")
        case {"refused": why}:
            raise ClaimRefused(str(why))
        case {"restless": True}:
            raise ClaimRestless("A claimed file changed while it was copied.")
        case {"failed": int(number)}:
            raise OSError(number, errno.errorcode.get(number, "OSError"))
