"""One inbox between two looks: what was seen in it, what has settled, whether it is there at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from skrynka.core.claims import is_claimed
from skrynka.core.entries import Ends, Listing, Odd, Seen
from skrynka.core.formats import looks_finished, sniff
from skrynka.core.settling import (
    Arrival,
    Decision,
    Sample,
    SettlingRules,
    Sighting,
    Stall,
    Verdict,
    decide,
    is_ignored,
    observe,
)
from skrynka.shares.hand import ShareHand
from skrynka.shares.process import DIED, HUNG
from skrynka.steps.listing import NO_MARKER, InboxAway, list_inbox, may_be_read, peek, writer_holds

_LOG = structlog.get_logger(__name__)
_WHY = {
    "ENOENT": "there is no such folder",
    "EACCES": "it may not be looked into",
    NO_MARKER: "its marker file isn't there",
    HUNG: "it doesn't answer",
    DIED: "the process that looks into it died",
}
"""What an admin reads of an inbox that is away; of other errors he reads the name."""
_SOON_SECONDS = 5.0
_REFUSED_SECONDS = (5.0, 10.0, 20.0)
"""A disk may fail once, rights are mended by people: a file that is refused again and again is left alone for longer,
but never for so long that somebody who has mended what was wrong wonders whether it helped."""


@dataclass(frozen=True, slots=True)
class Inbox:
    """A box's inbox, and how it is looked at."""

    box: str
    path: Path
    share: bool
    rules: SettlingRules
    sweep_seconds: float
    ordered: bool
    """Its scans go on in one stack: none is taken before an earlier one that still settles, or can't be taken."""
    marker: str | None = None
    """The name of a file that always lies in it: without it the inbox is away."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A scan that was lost in an inbox: its papers may have begun where those of the next ones go on."""

    mtime_ns: int
    """When it was written, by the inbox's clock."""
    noticed_at: float
    """When that was noticed: seconds of the monotonic clock."""

    def surely_before(self, settled: Settled) -> bool:
        """Say whether a scan came after the lost one, whatever was done to the clocks."""
        return settled.seen.mtime_ns > self.mtime_ns or settled.first_seen > self.noticed_at


@dataclass(frozen=True, slots=True)
class Settled:
    """A file that may be claimed."""

    seen: Seen
    first_seen: float
    """When a look found it first: seconds of the monotonic clock."""
    unfinished: bool
    """Its writer has given up: it is claimed as it is, and judged."""


class WatchedInbox:
    """What is remembered of an inbox. `hint` and `sweep` may be called from any thread, the rest from one."""

    def __init__(self, inbox: Inbox, hand: ShareHand | None = None, station: str | None = None) -> None:
        """`hand` does the looking where the inbox is a share; `station` is as in `list_inbox`."""
        self.inbox = inbox
        self.due = 0.0
        """When it is to be looked at next: seconds of the caller's monotonic clock."""
        self.looked = False
        """It was looked at, or found to be away, at least once."""
        self.loss: Loss | None = None
        """A scan that came from here is lost, and none was taken since that surely came after it."""
        self.empty_since_ns: int | None = None
        """Where nothing lay in the inbox at the latest look but what is ignored: when an entry last came or left."""
        self._hand = hand
        self._station = station
        self._away_since: float | None = None
        self._away_why = ""
        self._folder: tuple[int, int] | None = None
        self._hints: dict[str, Arrival] = {}
        self._sightings: dict[str, Sighting] = {}
        self._refused_until: dict[str, float] = {}
        self._refusals: Counter[str] = Counter()
        self._unreadable: set[str] = set()
        """What there is that may not be read; it was told."""
        self._told_stalls: dict[str, Stall] = {}
        self._told_odd: set[str] = set()

    @property
    def away(self) -> bool:
        """Say whether the latest look found the inbox away."""
        return self._away_since is not None

    @property
    def expecting(self) -> bool:
        """Say whether a scan lies in the inbox that isn't taken yet and will be."""
        if self.inbox.ordered and self._refused_until:
            return True
        sightings = list(self._sightings.items())
        return any(sighting.last.size for name, sighting in sightings if name not in self._refused_until)

    @property
    def settling(self) -> int:
        """Count the files that will be claimed soon: whole, not empty, held by no writer.

        In an ordered inbox those too that can't be taken: what comes after them must not be ended without them.
        """
        refused = len(self._refused_until) if self.inbox.ordered else 0
        return refused + sum(
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
        self._told_stalls.pop(name, None)

    def note_loss(self, mtime_ns: int, now: float) -> None:
        """Note that a scan is lost that was written at this time; with one that was lost before, the later counts."""
        earlier = self.loss.mtime_ns if self.loss is not None else mtime_ns
        self.loss = Loss(max(mtime_ns, earlier), now)

    def refuse(self, name: str, now: float) -> None:
        """Leave an entry alone for a while: it can't be taken."""
        waits = _REFUSED_SECONDS[min(self._refusals[name], len(_REFUSED_SECONDS) - 1)]
        self._refused_until[name] = now + waits
        self._refusals[name] += 1

    def put_off(self, now: float) -> None:
        """Look again soon: something is still to be done with a scan that was taken from here."""
        self.due = now + min(self.inbox.sweep_seconds, _SOON_SECONDS)

    def went_away(self, now: float, away: InboxAway) -> None:
        """Note that the inbox can't be reached: it is told once for each reason, and tried again at the next sweep."""
        self.due = now + self.inbox.sweep_seconds
        self.empty_since_ns = None
        self.looked = True
        if self._away_since is None:
            self._away_since = now
        if self._away_why != away.why:
            self._away_why = away.why
            why = _WHY.get(away.why, away.why)
            _LOG.warning("inbox_vanished", inbox=self.inbox.box, error=away.why, detail=why)

    def look(
        self, now: float, progress: Callable[[], None] = lambda: None, ours: AbstractSet[str] = frozenset()
    ) -> list[Settled]:
        """List the inbox once and give what has settled, oldest first; `progress` is called while that takes long.

        `ours` are the scans whose claims are open: what else lies among the claimed files settles too, and is taken as
        any other file. Raises InboxAway.
        """
        self.due = now + self.inbox.sweep_seconds
        # Taken before the listing: what happens from now on is a new hint, and a new look.
        hints, self._hints = self._hints, {}
        listing = self._list(progress)
        self.empty_since_ns = None if listing.seen or listing.odd else listing.changed_ns
        self.looked = True
        if self._folder is None and self.loss is not None:
            # What a first look finds may have lain there before that one was lost.
            self.loss = replace(self.loss, noticed_at=now)
        self._note_folder(listing.folder)
        self._tell_back(now)
        self._tell_odd(listing.odd)
        lying = [seen for seen in listing.seen if not (is_claimed(seen.name) and Path(seen.name).name in ours)]
        names = {seen.name for seen in lying}
        self._refused_until = {name: until for name, until in self._refused_until.items() if name in names}
        self._refusals = Counter({name: count for name, count in self._refusals.items() if name in names})
        self._sightings = {name: sighting for name, sighting in self._sightings.items() if name in names}
        unreadable = self._unreadable & self._refused_until.keys()
        settled = []
        waiting = False
        for seen in lying:
            if self._refused_until.get(seen.name, 0.0) > now:
                waiting = True
                continue
            decision = self._settle(seen, hints.get(seen.name), now, listing.ends)
            if decision.verdict is Verdict.WAIT:
                self.due = min(self.due, max(decision.until, now))
                waiting = waiting or seen.size > 0
            elif waiting and self.inbox.ordered:
                continue
            elif not self._may_be_read(seen.name, listing.closed):
                unreadable.add(seen.name)
                self.refuse(seen.name, now)
                waiting = True
            else:
                first_seen = self._sightings[seen.name].first_seen
                settled.append(Settled(seen, first_seen, decision.verdict is Verdict.CLAIM_UNFINISHED))
        if unreadable and not self._unreadable:
            _LOG.warning("scan_unreadable", inbox=self.inbox.box)
        self._unreadable = unreadable
        return settled

    def _may_be_read(self, name: str, closed: AbstractSet[str] | None) -> bool:
        """Say whether a file can be opened: claimed, one that can't would only wait elsewhere, unseen by its owner."""
        return may_be_read(self.inbox.path / name) if closed is None else name not in closed

    def _list(self, progress: Callable[[], None]) -> Listing:
        if self._hand is not None:
            return self._hand.list(progress, self._station)
        return list_inbox(self.inbox.path, is_ignored, self.inbox.marker, self._station)

    def _settle(self, seen: Seen, hint: Arrival | None, now: float, ends: Mapping[str, Ends] | None) -> Decision:
        """Take a sample of one entry, and decide."""
        before = self._sightings.get(seen.name)
        if before is None and is_claimed(seen.name):
            _LOG.warning("claim_forgotten", inbox=self.inbox.box)
        path = self.inbox.path / seen.name
        sample = Sample(seen.size, seen.mtime_ns, seen.inode, now)
        if self.inbox.share and before is not None and (sample.size, sample.mtime_ns) == _size_and_time(before.last):
            # Of a file that is as it was some network file systems give another inode.
            sample = replace(sample, inode=before.last.inode)
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
        if sighting.overwritten and before is not None:
            self.note_loss(before.last.mtime_ns, now)
            _LOG.error("scan_overwritten", inbox=self.inbox.box)
        self._tell_stall(seen.name, decision, sighting, now)
        return decision

    def _tell_stall(self, name: str, decision: Decision, sighting: Sighting, now: float) -> None:
        """Say once why an entry waits for long, and again only if something else held it up meanwhile."""
        stall = decision.stall
        if stall is None:
            self._told_stalls.pop(name, None)
        elif self._told_stalls.get(name) is not stall:
            self._told_stalls[name] = stall
            inbox, waited = self.inbox.box, now - sighting.unchanged_since
            match stall:
                case Stall.EMPTY:
                    _LOG.warning("scan_ignored_empty", inbox=inbox, waited_seconds=now - sighting.first_seen)
                case Stall.KEPT_OPEN:
                    _LOG.warning("scan_kept_open", inbox=inbox, waited_seconds=waited)
                case Stall.UNFINISHED:
                    left = max(0.0, decision.until - now)
                    _LOG.info("scan_unfinished", inbox=inbox, waited_seconds=waited, left_seconds=left)

    def _tell_back(self, now: float) -> None:
        if self._away_since is not None:
            _LOG.info("inbox_returned", inbox=self.inbox.box, seconds=now - self._away_since)
            self._away_since = None
            self._away_why = ""

    def _note_folder(self, folder: tuple[int, int]) -> None:
        """Forget what was seen where the path leads to another folder now, and say so.

        A file system that is mounted again is another folder as a rule, and nothing that anybody must know.
        """
        before, self._folder = self._folder, folder
        if before in {None, folder}:
            return
        self._sightings.clear()
        if self._away_since is None and self.inbox.marker is None:
            _LOG.warning("inbox_replaced", inbox=self.inbox.box)

    def _tell_odd(self, odd: Sequence[Odd]) -> None:
        for entry in odd:
            if entry.name not in self._told_odd:
                _LOG.info("entry_odd", inbox=self.inbox.box, kind=entry.what.value)
        self._told_odd = {entry.name for entry in odd}


def _size_and_time(sample: Sample) -> tuple[int, int]:
    return sample.size, sample.mtime_ns


def _unchanged(before: Sample, now: Sample) -> bool:
    return (before.size, before.mtime_ns, before.inode) == (now.size, now.mtime_ns, now.inode)


def _finished(ends: Ends, size: int) -> bool | None:
    kind = sniff(ends.head)
    return None if kind is None else looks_finished(kind, ends.head, ends.tail, size)
