"""Where stacks begin and end among the pages of a box's scans.

A stack is opened by a collection sheet or a repeat sheet, or by the first page that comes while none is open. It is
closed by an end sheet, by the next collection or repeat sheet, and, where an inbox's scans are stacks of their own
(`assemble = "file"`), by the end of the scan. A quiet time closes it too, but that is for somebody with a clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from skrynka.core.model import RoutingCode, SheetKind
from skrynka.core.page_roles import PageRole, Role

_LATE = timedelta(minutes=1)
"""A busy station takes seconds from a scan's last byte to its claim, and from there to its row."""


class Assemble(StrEnum):
    """How an inbox's scans become stacks."""

    FILE = "file"
    """Each scan is a stack of its own, or several."""
    STACK = "stack"
    """Scans go on in the same stack until something closes it."""


class OpenedBy(StrEnum):
    """What opened a stack."""

    COLLECTION_SHEET = "collection_sheet"
    REPEAT_SHEET = "repeat_sheet"
    SCAN = "scan"


class ClosedBy(StrEnum):
    """What closed a stack."""

    COLLECTION_SHEET = "collection_sheet"
    REPEAT_SHEET = "repeat_sheet"
    END_SHEET = "end_sheet"
    SCAN_END = "scan_end"
    QUIET_TIME = "quiet_time"


@dataclass(frozen=True, slots=True)
class OpenStack:
    """What must be known of the stack that is open in a box when the next scan comes."""

    ended: bool = False
    """Its end sheet was seen: only that sheet's back may still follow."""
    bare: bool = False
    """It holds nothing yet but a repeat sheet or blank pages: a collection sheet that follows belongs to it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of a scan's pages that lie in one stack."""

    first_page: int
    """1-based."""
    last_page: int
    """1-based, inclusive."""
    opened_by: OpenedBy | None
    """None: the run goes on in the stack that was open."""
    collection_serial: str | None = None
    ended: bool = False
    """The stack's end sheet was seen, in this run or before."""
    closed_by: ClosedBy | None = None
    """None: the stack stays open after this scan."""
    bare: bool = False
    """As in OpenStack, after this run."""


@dataclass(frozen=True, slots=True)
class Came:
    """When a scan came."""

    claimed_at: datetime
    registered_at: datetime
    """Long after that where the database was away, or was lost and the scan came back from the archive."""
    written_at: datetime | None = None
    """When it was written, by its inbox's clock: long before the claim where the station stood still or had no room.
    None where that isn't known."""

    @property
    def taken_at_once(self) -> bool:
        """Say whether it was claimed as it came; where its inbox has another clock it seems not."""
        return self.written_at is None or abs(self.claimed_at - self.written_at) <= _LATE

    @property
    def registered_at_once(self) -> bool:
        """Say whether it was registered as it was claimed."""
        return self.registered_at - self.claimed_at <= _LATE


class Following(StrEnum):
    """How a scan follows the last one of the stack that is open in its box."""

    GOES_ON = "goes_on"
    AFTER_QUIET = "after_quiet"
    """The quiet time lay between the two: the stack ended before it."""
    FROM_BEFORE = "from_before"
    """It was claimed before that one: it never was part of this stack."""


def following(last: Came, scan: Came, quiet: timedelta, *, watched_since: datetime | None) -> Following:
    """Say how a scan follows the last one of an open stack.

    A stack is closed by the quiet time as it passes, so that whatever comes while it is open goes on in it: as long as
    somebody watched it pass from when the last page was placed (`watched_since`; None where that was before the
    service's start), and it was placed within the quiet time of its registration. Where reading lags further behind,
    piles may come far apart before anybody looks. Scans that are taken or registered late come all at once, too, those
    of many piles. Between all these it is told by when they were written and, where nobody watched, when they were
    claimed: the station's own clock may be set meanwhile. A pile that is parted costs a look; two that are joined could
    put one applicant's papers into another's case.
    """
    apart = timedelta()
    if scan.written_at is not None and last.written_at is not None:
        apart = abs(scan.written_at - last.written_at)
    claims_apart = scan.claimed_at - last.claimed_at
    if watched_since is None or not (last.registered_at_once and scan.registered_at_once):
        if claims_apart < timedelta():
            return Following.FROM_BEFORE
        apart = max(apart, claims_apart)
    elif abs(watched_since - last.registered_at) > quiet:
        # Both came in order: an earlier claim only says that the station's clock was set back.
        apart = max(apart, abs(claims_apart))
    elif last.taken_at_once and scan.taken_at_once:
        return Following.GOES_ON
    return Following.AFTER_QUIET if apart > quiet else Following.GOES_ON


@dataclass(slots=True)
class _Run:
    first_page: int
    opened_by: OpenedBy | None
    ended: bool
    bare: bool
    collection_serial: str | None = None


def segments(roles: Sequence[PageRole], assemble: Assemble, stack: OpenStack | None) -> list[Segment]:
    """Say which stack each page of a scan lies in: runs that cover pages 1 to `len(roles)` without a gap.

    `stack` is the stack that is open in the box, if one is. A scan that is assembled by file never goes on in it:
    whoever calls closes it first.
    """
    done: list[Segment] = []
    run: _Run | None = None
    if stack is not None and assemble is Assemble.STACK:
        run = _Run(1, None, stack.ended, stack.bare)
    for page, role in enumerate(roles, start=1):
        opener = _opener(roles, page, run)
        if opener is not None:
            if run is not None:
                # A stack that was open and gets no page of this scan still has to be closed: an empty run says so.
                done.append(_segment(run, page - 1, _closer(run, opener)))
            run = _Run(page, opener, ended=False, bare=True)
        if run is not None:  # pragma: no branch - the first page always opens a stack where none is open
            _take(run, role)
    if run is not None:
        closed_by = None
        if assemble is Assemble.FILE:
            closed_by = ClosedBy.END_SHEET if run.ended else ClosedBy.SCAN_END
        done.append(_segment(run, len(roles), closed_by))
    return done


def _opener(roles: Sequence[PageRole], page: int, run: _Run | None) -> OpenedBy | None:
    """Say what opens a new stack at this page, or None where the open one goes on."""
    role = roles[page - 1]
    if page > 1 and _comes_before_its_front(roles[page - 2]):
        return None
    # A sheet that went through the feeder face down: its back comes first, and goes where its front goes.
    sheet = _sheet(roles[page]) if _comes_before_its_front(role) else _sheet(role)
    if sheet is not None and sheet.kind is SheetKind.REPEAT:
        return OpenedBy.REPEAT_SHEET
    if sheet is not None and sheet.kind is SheetKind.COLLECTION:
        return None if run is not None and run.bare else OpenedBy.COLLECTION_SHEET
    if run is None or (run.ended and role.role not in {Role.BLANK, Role.BACK}):
        return OpenedBy.SCAN
    return None


def _comes_before_its_front(role: PageRole) -> bool:
    return role.role is Role.BACK and role.of_next


def _closer(run: _Run, opener: OpenedBy) -> ClosedBy:
    if run.ended or opener is OpenedBy.SCAN:
        return ClosedBy.END_SHEET
    return ClosedBy.COLLECTION_SHEET if opener is OpenedBy.COLLECTION_SHEET else ClosedBy.REPEAT_SHEET


def _take(run: _Run, role: PageRole) -> None:
    sheet = _sheet(role)
    if sheet is not None and sheet.kind is SheetKind.END:
        run.ended = True
    if sheet is not None and sheet.kind is SheetKind.COLLECTION:
        run.collection_serial = sheet.serial
    if role.role not in {Role.BLANK, Role.BACK} and (sheet is None or sheet.kind is not SheetKind.REPEAT):
        run.bare = False


def _sheet(role: PageRole) -> RoutingCode | None:
    return role.code if role.role is Role.SHEET else None


def _segment(run: _Run, last_page: int, closed_by: ClosedBy | None) -> Segment:
    return Segment(run.first_page, last_page, run.opened_by, run.collection_serial, run.ended, closed_by, run.bare)
