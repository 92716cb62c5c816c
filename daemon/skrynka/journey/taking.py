"""Taking, per inbox: see scans settle, claim them, bring them into the spool.

Each inbox is looked into by a thread of its own, so that one that hangs keeps nobody else waiting.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from skrynka.core.claims import Claim, ClaimLost, ClaimRefused, ClaimRestless, Found, is_claimed
from skrynka.core.entries import Odd
from skrynka.core.errors import error_name
from skrynka.core.naming import scan_name
from skrynka.core.settling import Arrival
from skrynka.journey.inboxes import Inbox, Settled, WatchedInbox
from skrynka.shares.hand import ShareHand
from skrynka.steps import moving
from skrynka.steps.claiming import Mover, fetch, look_up, note_overwritten, prepare, take
from skrynka.steps.listing import InboxAway
from skrynka.steps.losses import Losses
from skrynka.steps.scan_numbers import ScanNumbers
from skrynka.store.database import new_id

_LOG = structlog.get_logger(__name__)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(slots=True)
class _Open:
    """A claim that isn't in the spool yet, or that isn't known to be one."""

    claim: Claim
    last: Found | None = None
    """What lay there at the latest look."""
    since: float = 0.0
    """Since when it has lain there like that."""
    settled: Settled | None = None
    """What was claimed; None once it was said to be, or where an earlier run said it."""
    unanswered: bool = False
    """Its inbox gave an error that says nothing: the file was taken or not."""
    trouble: str = ""
    """What was told to be wrong with it."""
    waits_for_room: bool = False
    """The spool's disk filled up since it was claimed."""


@dataclass(frozen=True, slots=True)
class Station:
    """What all inboxes of a station take their scans with."""

    code: str
    spool: Path
    numbers: ScanNumbers
    losses: Losses
    now: Callable[[], datetime]
    """The time of a claim, in UTC."""
    room: Callable[[str, int], bool]
    """Whether there is room for one more scan of this box, of so many bytes."""
    ran_out: Callable[[str, int], bool]
    """Whether the spool's disk has no room for one that was claimed: asked anew each time."""
    nothing_waits: Callable[[str], None]
    """Told that no scan of this box waits for room."""
    hand_over: Callable[[Claim], None]
    """Takes each claim that is in the spool, in the order of the claims of its box; the claims are registered next."""


class Taking:
    """The stage for one inbox. `hint`, `sweep` and what is asked may be called from any thread, the rest from one."""

    def __init__(
        self,
        inbox: Inbox,
        station: Station,
        hand: ShareHand | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`hand` does all that is done in a share; `clock` gives monotonic seconds."""
        self._inbox = inbox
        self._station = station
        self._mover: Mover = hand if hand is not None else moving
        self._clock = clock
        self._watched = WatchedInbox(inbox, hand, station.code)
        self._via_share = inbox.share
        self._open: list[_Open] = []
        self._returned = 0
        """How many claims turned out to lie in the inbox still, since it was looked into."""
        self._refused = False
        self._recalled = False
        self._kept_loss: int | None = None
        """When the lost scan was written that the station's `losses` tell of."""
        self.claimed = 0
        """How many scans were claimed since the start."""

    def recover(self, claims: Iterable[Claim]) -> None:
        """Take up what an earlier run left in the share; the first call of all."""
        self._open = [_Open(claim) for claim in claims]

    def note_loss(self, mtime_ns: int = 0) -> None:
        """Note that a scan may be lost that came from here: in a stack what follows comes after a gap.

        `mtime_ns` is when the file was written that what follows may go on with; 0 where nobody knows.
        """
        self._watched.note_loss(mtime_ns, self._clock())

    def hint(self, name: str, arrival: Arrival) -> None:
        """Note that something happened to an entry: the inbox is looked into in the next call of `look`."""
        self._watched.hint(name, arrival)

    def sweep(self) -> None:
        """Have the inbox looked into in the next call of `look`."""
        self._watched.sweep()

    @property
    def quiet_seconds(self) -> float:
        """Give how long a file must be as it is before it counts as whole."""
        return self._inbox.rules.quiet_seconds

    @property
    def ordered(self) -> bool:
        """Say whether its scans go on in one stack, so that none may overtake another."""
        return self._inbox.ordered

    @property
    def looked(self) -> bool:
        """Say whether the inbox was looked into, or found to be away."""
        return self._watched.looked

    @property
    def away(self) -> bool:
        """Say whether the inbox couldn't be reached at the latest try."""
        return self._watched.away

    @property
    def settling(self) -> int:
        """Count the scans that were seen and will be claimed soon: whole, not empty, held by no writer."""
        return 0 if self.away else self._watched.settling

    @property
    def expecting(self) -> bool:
        """Say whether more is on its way from here: claimed, or being written."""
        # In this order: what is claimed meanwhile is seen twice, and never not at all.
        return self._watched.expecting or self.waiting > 0

    @property
    def empty_since_ns(self) -> int | None:
        """Give when an entry last came to the inbox or left it, if by the latest look nothing lies in it; else None.

        Nanoseconds since 1970, by the inbox's file system.
        """
        return None if self.waiting else self._watched.empty_since_ns

    @property
    def waiting(self) -> int:
        """Count the claims that aren't in the spool yet."""
        return self._returned + len(self._open)

    def look(self, progress: Callable[[], None] = lambda: None) -> float:
        """Look into the inbox if it is due and claim what has settled; give the seconds until it is due again.

        `progress` is called while that goes on. An inbox that is away is told, and no error. Raises OSError when a
        disk of ours fails.
        """
        if self._watched.due <= self._clock():
            try:
                now = self._clock()
                self._recall_loss(now)
                if self._close_open(progress):
                    ours = frozenset(entry.claim.scan_id for entry in self._open)
                    settled = self._watched.look(self._clock(), progress, ours)
                    self._keep_loss()
                    self._returned = 0
                    self._take(settled, progress)
                    if self._open:
                        self._watched.put_off(self._clock())
                else:
                    self._tell_whether_any_waits(waiting=False)
            except InboxAway as away:
                self._station.nothing_waits(self._inbox.box)
                self._watched.went_away(self._clock(), away)
        return max(0.0, self._watched.due - self._clock())

    def _close_open(self, progress: Callable[[], None]) -> bool:
        """Bring the open claims into the spool, in order; say whether others may follow.

        Where order matters, only when none is left; elsewhere one that is stuck keeps no others waiting.
        """
        for entry in list(self._open):
            try:
                found = look_up(entry.claim, self._mover)
            except OSError as error:
                raise self._away(entry.claim, error) from None
            if not self._finish(entry, found, progress):
                if self.ordered:
                    return False
                continue
            if found is None:
                self._returned += 1
                if entry.unanswered:
                    # Where order doesn't matter, one file that always fails keeps no others waiting.
                    self._watched.refuse(entry.claim.seen.name, self._clock())
            self._open.remove(entry)
            progress()
        return True

    def _take(self, settled: Iterable[Settled], progress: Callable[[], None]) -> None:
        box, waits = self._inbox.box, False
        for each in settled:
            if not self._station.room(box, each.seen.size):
                waits = True
                if self.ordered:
                    break
                continue  # one that is too large keeps no others waiting
            if not self._claim(each, progress):
                break
            progress()
        self._tell_whether_any_waits(waiting=waits)

    def _claim(self, settled: Settled, progress: Callable[[], None]) -> bool:
        """Claim a scan; say whether the next may follow.

        Raises InboxAway and OSError: then it may be taken or not, and is open.
        """
        try:
            claim = self._prepare(settled)
        except ClaimRefused as refused:
            return self._leave(settled, refused)
        entry = _Open(claim, settled=settled)
        # In this order it is counted twice for a moment, and never not at all.
        self._open.append(entry)
        self._watched.forget(settled.seen.name)
        try:
            taken = take(claim, self._mover)
        except ClaimLost:
            taken = None
        except ClaimRefused as refused:
            self._open.remove(entry)
            return self._leave(settled, refused)
        except OSError as error:
            entry.unanswered = True
            raise self._away(claim, error) from None
        if not self._finish(entry, taken, progress):
            return False
        self._open.remove(entry)
        return True

    def _leave(self, settled: Settled, refused: ClaimRefused) -> bool:
        """Leave a scan in its inbox; say whether the next may be claimed."""
        self._watched.refuse(settled.seen.name, self._clock())
        self._tell_refused(refused)
        return not self.ordered

    def _prepare(self, settled: Settled) -> Claim:
        station = self._station
        return prepare(
            station.spool,
            self._inbox.path,
            settled.seen,
            self._mover,
            scan_id=new_id(),
            next_number=station.numbers.next_number,
            station=station.code,
            box=self._inbox.box,
            claimed_at=station.now(),
            via_share=self._via_share,
            after_gap=self._inbox.ordered and (self._watched.loss is not None or is_claimed(settled.seen.name)),
        )

    def _away(self, claim: Claim, error: OSError) -> OSError | InboxAway:
        """Tell whose failure it is: what fails on the way into a share is the share's."""
        return InboxAway(errno.errorcode.get(error.errno or 0, "OSError")) if claim.via_share else error

    def _finish(self, entry: _Open, taken: Claim | Odd | None, progress: Callable[[], None]) -> bool:
        """Do what follows once it is known what a claim took; say whether all of it is done."""
        if taken is None:
            return True
        if isinstance(taken, Odd):
            _LOG.warning("entry_odd", inbox=self._inbox.box, kind=taken.what.value)
            return True
        if taken.overwritten:
            taken = self._note_overwritten(taken)
        entry.claim = taken
        self._refused = False
        self._via_share = taken.via_share
        if entry.settled is not None:
            self._say_claimed(taken, entry.settled)
            entry.settled = None
            self._keep_loss()
        if self._fetch(entry, progress):
            return True
        self._watched.put_off(self._clock())
        return False

    def _say_claimed(self, claim: Claim, settled: Settled) -> None:
        if self._watched.loss is not None and self._watched.loss.surely_before(settled):
            self._watched.loss = None
        if is_claimed(settled.seen.name):
            # Its place was among those that were taken long ago: what comes now doesn't go on with its papers.
            self._watched.note_loss(settled.seen.mtime_ns, self._clock())
        self.claimed += 1
        _LOG.info(
            "scan_claimed",
            scan_number=scan_name(claim.station, claim.number),
            box=claim.box,
            scan_id=claim.scan_id,
            size_bytes=claim.seen.size,
            **({"unfinished": True} if settled.unfinished else {}),
        )

    def _note_overwritten(self, taken: Claim) -> Claim:
        """Say that a scan was written over as it was taken; what is taken next may not follow what is in its place."""
        _LOG.error("scan_overwritten", inbox=self._inbox.box)
        self.note_loss(taken.seen.mtime_ns)
        self._keep_loss()
        return note_overwritten(taken, after_gap=self.ordered)

    def _recall_loss(self, now: float) -> None:
        """Before the first look of all: take up what an earlier run knew to be lost."""
        if not self._recalled and self._inbox.ordered:
            self._kept_loss = self._station.losses.kept(self._inbox.box)
            self._recalled = True
            if self._kept_loss is not None:
                self._watched.note_loss(self._kept_loss, now)

    def _keep_loss(self) -> None:
        """Have a start know what is known now to be lost."""
        lost = self._watched.loss.mtime_ns if self._watched.loss is not None else None
        if lost != self._kept_loss and self._inbox.ordered:
            self._station.losses.keep(self._inbox.box, lost)
            self._kept_loss = lost

    def _fetch(self, entry: _Open, progress: Callable[[], None]) -> bool:
        """Bring a claim into the spool and hand it over; say whether that is done."""
        claim = entry.claim
        if not claim.in_spool:
            if entry.waits_for_room and self._has_no_room(entry):
                return False
            entry.waits_for_room = False
            try:
                if claim.changed and not self._at_rest(entry):
                    return False
                claim = fetch(claim, self._mover, progress)
            except ClaimRestless:
                return False
            except OSError as error:
                # What a full disk does to a scan that was claimed a moment ago is no trouble of the claim's.
                entry.waits_for_room = error.errno in _FULL and self._has_no_room(entry)
                if entry.waits_for_room:
                    entry.trouble = ""
                else:
                    self._tell_stuck(entry, error)
                return False
        self._station.hand_over(claim)
        return True

    def _has_no_room(self, entry: _Open) -> bool:
        """Say whether the spool's disk has no room for a claimed scan, which waits for it then."""
        size = max(entry.claim.seen.size, entry.last.size if entry.last is not None else 0)
        return self._station.ran_out(entry.claim.box, size)

    def _tell_whether_any_waits(self, *, waiting: bool) -> None:
        """Say whether a scan of this inbox waits for room: `waiting` is about those that aren't claimed."""
        if not waiting and not any(entry.waits_for_room for entry in self._open):
            self._station.nothing_waits(self._inbox.box)

    def _at_rest(self, entry: _Open) -> bool:
        """Say whether a file that changed as it was claimed has been as it is for the quiet time."""
        found, now = self._mover.locate(entry.claim), self._clock()
        if found != entry.last:
            entry.last, entry.since = found, now
        return now - entry.since >= self._inbox.rules.quiet_seconds

    def _tell_refused(self, refused: ClaimRefused) -> None:
        if not self._refused:
            self._refused = True
            _LOG.warning("claim_refused", inbox=self._inbox.box, detail=refused.message)

    def _tell_stuck(self, entry: _Open, error: OSError) -> None:
        name = error_name(error)
        if entry.trouble != name:
            entry.trouble = name
            claim = entry.claim
            number = scan_name(claim.station, claim.number)
            _LOG.error("claim_stuck", scan_number=number, box=claim.box, scan_id=claim.scan_id, error=name)
