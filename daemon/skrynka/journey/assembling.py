"""Assembling, per box: pages that were read get their places in stacks, and stacks are closed when their time comes.

Strictly in the order of a box's claims, because where a stack begins and ends can only be seen on its pages.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from skrynka.core.model import PageReading, RoutingCode
from skrynka.core.page_roles import Role, page_roles
from skrynka.core.signing import Signing
from skrynka.core.stacking import Assemble, ClosedBy, Following, OpenStack, following, segments
from skrynka.journey.days import day_in_kyiv
from skrynka.store import assembly
from skrynka.store.database import Database
from skrynka.store.sheets import printed_sheets
from skrynka.store.states import ScanState

_LOG = structlog.get_logger(__name__)
_LOOK_AGAIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class AssemblyRules:
    """When stacks are closed."""

    station: str
    assemble: Mapping[str, Assemble]
    """By box. A box that isn't configured any more is assembled by file: what it still holds is brought to an end."""
    quiet_seconds: float
    ended_quiet_seconds: float
    """Once the end sheet was seen."""
    signing: Signing


class Assembling:
    """The stage. Called from one thread of a service."""

    def __init__(
        self,
        database: Database,
        rules: AssemblyRules,
        on_closed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_closed` is called whenever stacks were closed; `clock` gives monotonic seconds."""
        self._database = database
        self._rules = rules
        self._on_closed = on_closed
        self._clock = clock
        self._quiet_since: dict[tuple[str, datetime], float] = {}
        """By stack and the time of its last page: when it was first seen so."""
        self._extended: set[str] = set()
        """The stacks to which this service added pages, and that may be open."""

    def assemble(self, show_life: Callable[[], None] = lambda: None) -> None:
        """Place the pages of the scans that were read, box by box, in the order of the claims.

        In each box it stops at the first scan that is still to be read: the pile keeps its order. `show_life` is called
        at each scan: after a long outage thousands wait to be placed at a stretch.
        """
        for box in assembly.boxes_to_place(self._database, self._rules.station):
            self._assemble_box(box, show_life)

    def _assemble_box(self, box: str, show_life: Callable[[], None]) -> None:
        while (scan := assembly.next_unassembled(self._database, box)) is not None:
            show_life()
            match scan.state:
                case ScanState.READ:
                    self._place(box, scan)
                case ScanState.QUARANTINED:
                    assembly.pass_scan(self._database, scan.id)
                case ScanState.DUPLICATE:
                    # A scanner that saves each page, in pure black and white, saves every empty back alike.
                    assembly.pass_scan(self._database, scan.id, blank=self._is_blank(scan.duplicate_of))
                case _:
                    return

    def close_quiet(self, expected: Collection[str] = ()) -> float | None:
        """Close the stacks that nothing was added to for long enough; give the seconds until the next may be due.

        `expected` are the boxes from whose inboxes more is on its way: their stacks aren't quiet. How long is measured
        from when this service first saw a stack as it is, by a clock that nobody sets: the wall clock may jump by
        days. A restart makes a stack wait anew; what comes then goes on in it only if its claim says so.
        """
        waits = []
        quiet_since: dict[tuple[str, datetime], float] = {}
        for box in assembly.boxes_with_open_stack(self._database, self._rules.station):
            how = self._rules.assemble.get(box, Assemble.FILE)
            stack = assembly.open_stack(self._database, box)
            if stack is None:
                continue
            now = self._clock()
            as_it_is = (stack.id, stack.last_page_at)
            since = now if box in expected else self._quiet_since.get(as_it_is, now)
            quiet_since[as_it_is] = since
            # A box that assembles by file has no use for an open stack: its configuration was changed.
            quiet = self._rules.ended_quiet_seconds if stack.ended else self._rules.quiet_seconds
            left = 0.0 if how is Assemble.FILE else since + quiet - now
            closed = assembly.close_quiet_stack(self._database, box, stack) if left <= 0 else None
            if closed is not None:
                self._tell_closed(box, closed)
            # Due and not closed: a scan is on its way to it, whose pages will change what there is to wait for.
            waits.append(0.0 if closed is not None else left if left > 0 else _LOOK_AGAIN_SECONDS)
        self._quiet_since = quiet_since
        return max(0.05, min(waits)) if waits else None

    def close_all(self) -> None:
        """Close every open stack: nothing more will come."""
        for box in assembly.boxes_with_open_stack(self._database, self._rules.station):
            self._close(box)

    def _close(self, box: str) -> None:
        closed = assembly.close_stack(self._database, box, ClosedBy.QUIET_TIME)
        if closed is not None:
            self._tell_closed(box, closed)

    def _is_blank(self, scan_id: str | None) -> bool:
        readings = assembly.scan_readings(self._database, scan_id) if scan_id else []
        return bool(readings) and all(role.role is Role.BLANK for role in page_roles(readings, {}))

    def _place(self, box: str, scan: assembly.UnassembledScan) -> None:
        # A scan that comes out of quarantine is a stack of its own: those around it were filed long ago.
        how = Assemble.FILE if scan.retried else self._rules.assemble.get(box, Assemble.FILE)
        stack = assembly.open_stack(self._database, box) if how is Assemble.STACK else None
        quiet = timedelta(seconds=self._rules.quiet_seconds)
        if stack is not None and stack.last_came is not None:
            watched_since = stack.last_page_at if stack.id in self._extended else None
            match following(stack.last_came, scan.came, quiet, watched_since=watched_since):
                case Following.AFTER_QUIET:
                    self._close(box)
                    stack = None
                case Following.FROM_BEFORE:
                    how, stack = Assemble.FILE, None
                case Following.GOES_ON:
                    pass
        readings = assembly.scan_readings(self._database, scan.id)
        roles = page_roles(
            readings,
            printed_on(self._database, readings),
            stack.last_page if stack else None,
            self._rules.signing.on(day_in_kyiv(scan.came.claimed_at)),
        )
        runs = segments(roles, how, OpenStack(stack.ended, stack.bare) if stack else None)
        touched = assembly.assemble(self._database, scan.id, runs, how, bare=runs[-1].bare)
        # Of the stacks of this scan at most the last is open.
        self._extended -= {stack.id} if stack else set()
        if runs[-1].closed_by is None:
            self._extended |= {each.id for each in touched[-1:]}
        if any(run.closed_by is not None for run in runs):
            self._on_closed()

    def _tell_closed(self, box: str, closed: assembly.StackRef) -> None:
        self._extended.discard(closed.id)
        _LOG.info("stack_closed", box=box, stack_number=closed.name, stack_id=closed.id)
        self._on_closed()


def printed_on(database: Database, readings: Sequence[PageReading]) -> dict[str, RoutingCode]:
    """Give what the printed sheets say whose serials stand on these pages, by serial."""
    serials = {role.code.serial for role in page_roles(readings, {}) if role.code and role.code.serial}
    return printed_sheets(database, serials) if serials else {}
