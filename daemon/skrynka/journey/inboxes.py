"""One inbox between two looks: what was seen in it, what has settled, whether it is there at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from skrynka.core.entries import Ends, Listing, Odd, Seen
from skrynka.core.formats import looks_finished, sniff
from skrynka.core.settling import (
    Arrival,
    Decision,
    Sample,
    SettlingRules,
    Sighting,
    Verdict,
    decide,
    is_ignored,
    observe,
)
from skrynka.steps.listing import InboxAway, ShareLister, list_inbox, peek, writer_holds

_LOG = structlog.get_logger(__name__)
_SHARE_SECONDS = 20.0
"""How long a share may take to list itself."""
_REFUSED_SECONDS = 60.0
"""Rights are mended by people."""


@dataclass(frozen=True, slots=True)
class Inbox:
    """A box's inbox, and how it is looked at."""

    box: str
    path: Path
    share: bool
    rules: SettlingRules
    sweep_seconds: float
    ordered: bool
    """Its scans go on in one stack: none is taken before an earlier one that still settles."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A file that may be claimed."""

    seen: Seen
    unfinished: bool
    """Its writer has given up: it is claimed as it is, and judged."""


class WatchedInbox:
    """What is remembered of an inbox. `hint` and `sweep` may be called from any thread, the rest from one."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.due = 0.0
        """When it is to be looked at next: seconds of the caller's monotonic clock."""
        self.looked = False
        """It was looked at, or found to be away, at least once."""
        self._lister = ShareLister(inbox.path, _SHARE_SECONDS) if inbox.share else None
        self._away_since: float | None = None
        self._hints: dict[str, Arrival] = {}
        self._sightings: dict[str, Sighting] = {}
        self._refused_until: dict[str, float] = {}
        self._told_empty: set[str] = set()
        self._told_odd: set[str] = set()

    @property
    def away(self) -> bool:
        """Say whether the latest look found the inbox away."""
        return self._away_since is not None

    @property
    def expecting(self) -> bool:
        """Say whether a scan lies in the inbox that isn't taken yet and can be."""
        sightings = list(self._sightings.items())
        return any(sighting.last.size for name, sighting in sightings if name not in self._refused_until)

    @property
    def settling(self) -> int:
        """Count the files that will be claimed soon: whole, not empty, held by no writer."""
        return sum(
            1
            for name, sighting in list(self._sightings.items())
            if name not in self._refused_until
            and sighting.last.size
            and sighting.last.finished is not False
            and not sighting.last.writer_holds
        )

    def hint(self, name: str, arrival: Arrival) -> None:
        """Note that something happened to an entry: the inbox is due."""
        if not is_ignored(name):
            self._hints[name] = arrival
            self.due = 0.0

    def sweep(self) -> None:
        """Say that the inbox is due."""
        self.due = 0.0

    def forget(self, name: str) -> None:
        """Forget an entry that is no longer there, or is ours."""
        self._sightings.pop(name, None)
        self._refused_until.pop(name, None)

    def refuse(self, name: str, now: float) -> None:
        """Leave an entry alone for a while: it can't be taken."""
        self._refused_until[name] = now + _REFUSED_SECONDS

    def look(self, now: float) -> list[Settled]:
        """List the inbox once and give what has settled, oldest first; nothing while it is away."""
        self.due = now + self.inbox.sweep_seconds
        self.looked = True
        # Taken before the listing: what happens from now on is a new hint, and a new look.
        hints, self._hints = self._hints, {}
        try:
            listing = self._list()
        except InboxAway as away:
            self._tell_away(now, away)
            return []
        self._tell_back(now)
        self._tell_odd(listing.odd)
        names = {seen.name for seen in listing.seen}
        self._sightings = {name: sighting for name, sighting in self._sightings.items() if name in names}
        settled = []
        waiting = False
        for seen in listing.seen:
            if self._refused_until.get(seen.name, 0.0) > now:
                continue
            ends = listing.ends if self._lister is not None else None
            decision = self._settle(seen, hints.get(seen.name), now, ends)
            if decision.verdict is Verdict.WAIT:
                self.due = min(self.due, max(decision.until, now))
                waiting = waiting or seen.size > 0
            elif not (waiting and self.inbox.ordered):
                settled.append(Settled(seen, decision.verdict is Verdict.CLAIM_UNFINISHED))
        return settled

    def _list(self) -> Listing:
        if self._lister is not None:
            return self._lister.look(is_ignored, self._sightings)
        return list_inbox(self.inbox.path, is_ignored)

    def _settle(self, seen: Seen, hint: Arrival | None, now: float, ends: Mapping[str, Ends] | None) -> Decision:
        """Take a sample of one entry, and decide."""
        before = self._sightings.get(seen.name)
        path = self.inbox.path / seen.name
        sample = Sample(seen.size, seen.mtime_ns, seen.inode, now)
        if before is not None and _unchanged(before.last, sample):
            sample = replace(sample, finished=before.last.finished, head=before.last.head)
        if sample.finished is None and seen.size:
            found = peek(path) if ends is None else ends.get(seen.name)
            if found is not None:
                sample = replace(sample, finished=_finished(found, seen.size), head=found.head)
        sighting = observe(before, sample, hint)
        decision = decide(sighting, now, self.inbox.rules)
        if decision.verdict is not Verdict.WAIT and ends is None and writer_holds(path):
            sighting = replace(sighting, last=replace(sample, writer_holds=True))
            decision = decide(sighting, now, self.inbox.rules)
        self._sightings[seen.name] = sighting
        if sighting.overwritten:
            _LOG.error("scan_overwritten", inbox=self.inbox.box)
        if decision.warn_empty and seen.name not in self._told_empty:
            self._told_empty.add(seen.name)
            _LOG.warning("scan_ignored_empty", inbox=self.inbox.box, waited_seconds=now - sighting.first_seen)
        return decision

    def _tell_away(self, now: float, away: InboxAway) -> None:
        if self._away_since is None:
            self._away_since = now
            _LOG.warning("inbox_vanished", inbox=self.inbox.box, error=away.why.replace(" ", "_"))

    def _tell_back(self, now: float) -> None:
        if self._away_since is not None:
            _LOG.info("inbox_returned", inbox=self.inbox.box, seconds=now - self._away_since)
            self._away_since = None

    def _tell_odd(self, odd: Sequence[Odd]) -> None:
        for entry in odd:
            if entry.name not in self._told_odd:
                _LOG.info("entry_odd", inbox=self.inbox.box, kind=entry.what.value)
        self._told_odd = {entry.name for entry in odd}


def _unchanged(before: Sample, now: Sample) -> bool:
    return (before.size, before.mtime_ns, before.inode) == (now.size, now.mtime_ns, now.inode)


def _finished(ends: Ends, size: int) -> bool | None:
    kind = sniff(ends.head)
    return None if kind is None else looks_finished(kind, ends.head, ends.tail, size)
