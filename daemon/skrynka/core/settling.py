"""When a scan in an inbox may be claimed: one pure function of samples and time.

The caller looks at each entry of an inbox again and again, makes a `Sample` of what it sees, and keeps one `Sighting`
per name. Events of the kernel are hints and only shorten the wait; the start-up sweep goes through the same door.

All times are seconds of one monotonic clock. Should that clock jump back all the same, waiting begins anew: nothing
is claimed early by it and nothing waits for ever.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

_TIFF = (b"II", b"MM")
"""A TIFF's writer goes back to its beginning to fill in where the pages are, so its head may change as it grows."""
_UNFINISHED_SHARE = 0.1
"""Of the time after which a writer has given up: from then on people hear that a scan waits for its end."""


class Arrival(StrEnum):
    """How an entry came, as far as somebody said."""

    RENAMED_IN = "renamed_in"
    """Its name was given to it when it was whole."""
    CLOSED = "closed"
    """A writer closed it; scanners close and reopen between pages."""
    SEEN = "seen"
    """It was there when somebody looked."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at an entry of an inbox."""

    size: int
    """Bytes."""
    mtime_ns: int
    inode: int
    """0 where the file system's inode numbers can't be relied on."""
    at: float
    """When it was looked at: seconds of the monotonic clock."""
    finished: bool | None = None
    """Whether it ends as its type must; None when its type can't be told."""
    writer_holds: bool | None = None
    """Whether a writer has it open; None when the kernel can't say."""
    head: bytes = field(default=b"", repr=False)
    """Its first bytes, to notice another scan under the same name; empty when they weren't read."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is remembered of one entry."""

    first_seen: float
    unchanged_since: float
    arrival: Arrival
    last: Sample
    empty_since: float | None = None
    overwritten: bool = False
    """The latest look found another scan under this name: the earlier one is lost. True for that one look only."""


class Verdict(StrEnum):
    """What to do with an entry."""

    WAIT = "wait"
    CLAIM = "claim"
    CLAIM_UNFINISHED = "claim_unfinished"
    """Its writer has clearly given up: it is claimed as it is, and judged."""


class Stall(StrEnum):
    """Why an entry that doesn't change waits for so long that people must hear of it."""

    EMPTY = "empty"
    """It has had no bytes for `empty_warning_seconds`."""
    KEPT_OPEN = "kept_open"
    """A writer has had it open for `give_up_seconds` and changed nothing."""
    UNFINISHED = "unfinished"
    """It lacks its end, and nothing was added for a tenth of `give_up_seconds`: at their end it is claimed as it is."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, and when to look again."""

    verdict: Verdict
    until: float = 0.0
    """With WAIT: no later verdict is possible before this time without a change. Never before the `now` asked about."""
    stall: Stall | None = None
    """With WAIT. It is given as long as it lasts: the caller tells it once."""


@dataclass(frozen=True, slots=True)
class SettlingRules:
    """Seconds; the defaults are those of a local folder, a share takes 30 of quiet."""

    quiet_seconds: float = 5.0
    give_up_seconds: float = 600.0
    empty_warning_seconds: float = 3600.0


def observe(previous: Sighting | None, sample: Sample, hint: Arrival | None = None) -> Sighting:
    """Add a look to what is remembered; `hint` is the latest event about the name since the look before, if any.

    SEEN says nothing and takes nothing back. CLOSED takes back RENAMED_IN: somebody has written to it after all.
    """
    if hint is Arrival.SEEN:
        hint = None
    empty_since = sample.at if sample.size == 0 else None
    if previous is None:
        return Sighting(sample.at, sample.at, hint or Arrival.SEEN, sample, empty_since)
    if empty_since is not None and previous.empty_since is not None:
        empty_since = min(previous.empty_since, sample.at)
    last = previous.last
    moved = sample.inode != last.inode
    if moved or (sample.size, sample.mtime_ns) != (last.size, last.mtime_ns):
        # Renamed in and then written to: its writer isn't done, so it counts as any other from now on. A changed
        # inode under the name is a new arrival, and may have been renamed in itself.
        believed = hint if moved or hint is not Arrival.RENAMED_IN else None
        return Sighting(
            first_seen=previous.first_seen,
            unchanged_since=sample.at,
            arrival=believed or Arrival.SEEN,
            last=sample,
            empty_since=empty_since,
            overwritten=_overwritten(last, sample),
        )
    return replace(
        previous,
        unchanged_since=sample.at if sample.at < last.at else previous.unchanged_since,
        arrival=hint or previous.arrival,
        last=sample,
        empty_since=empty_since,
        overwritten=False,
    )


def decide(sighting: Sighting, now: float, rules: SettlingRules) -> Decision:
    """Say whether the entry may be claimed.

    Only what was looked at counts: an entry is quiet from the first look that found it as it is to the latest one,
    however late it is by now.
    """
    last = sighting.last
    if last.size == 0:
        empty_for = last.at - (last.at if sighting.empty_since is None else sighting.empty_since)
        empty = Stall.EMPTY if empty_for >= rules.empty_warning_seconds else None
        return Decision(Verdict.WAIT, now + rules.quiet_seconds, empty)
    quiet_for = last.at - sighting.unchanged_since
    gives_up = max(rules.give_up_seconds, rules.quiet_seconds)
    if last.writer_holds:
        kept_open = Stall.KEPT_OPEN if quiet_for >= gives_up else None
        return Decision(Verdict.WAIT, now + rules.quiet_seconds, kept_open)
    if last.finished is False:
        if quiet_for >= gives_up:
            return Decision(Verdict.CLAIM_UNFINISHED)
        told_after = max(gives_up * _UNFINISHED_SHARE, rules.quiet_seconds)
        if quiet_for >= told_after:
            return _wait(sighting, now, gives_up, Stall.UNFINISHED)
        return _wait(sighting, now, told_after)
    patience = 0.0 if sighting.arrival is Arrival.RENAMED_IN else rules.quiet_seconds
    return Decision(Verdict.CLAIM) if quiet_for >= patience else _wait(sighting, now, patience)


def is_ignored(name: str | bytes) -> bool:
    """Tell whether a name in an inbox is none of a scanner's: hidden, a writer's temporary name, a system's litter."""
    # Latin-1 maps every byte to a character, so names that aren't UTF-8 are judged too.
    lower = (name.decode("latin-1") if isinstance(name, bytes) else name).lower()
    return lower.startswith((".", "~")) or lower.endswith((".tmp", ".part", ".filepart")) or lower == "thumbs.db"


def _wait(sighting: Sighting, now: float, patience: float, stall: Stall | None = None) -> Decision:
    """Have it looked at when it has been quiet for `patience` seconds, at latest so long from now."""
    return Decision(Verdict.WAIT, max(now, min(sighting.unchanged_since + patience, now + patience)), stall)


def _overwritten(before: Sample, after: Sample) -> bool:
    """Tell whether the bytes that were there are gone: another inode, a shorter scan, or another beginning."""
    if before.size == 0:
        return False
    if after.inode != before.inode or after.size < before.size:
        return True
    known = before.head[: len(after.head)]
    # Some writers reserve the room first: zeros are no scan.
    return bool(known.strip(b"\0")) and not known.startswith(_TIFF) and not after.head.startswith(known)
