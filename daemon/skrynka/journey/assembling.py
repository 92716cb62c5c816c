"""Assembling, per box: pages that were read get their places in stacks, and stacks are closed when their time comes.

Strictly in the order of a box's claims, because where a stack begins and ends can only be seen on its pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from skrynka.core.model import PageReading, RoutingCode
from skrynka.core.page_roles import Role, page_roles
from skrynka.core.stacking import Assemble, ClosedBy, OpenStack, segments
from skrynka.store import assembly
from skrynka.store.database import Database
from skrynka.store.sheets import printed_sheets
from skrynka.store.states import ScanState

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AssemblyRules:
    """When stacks are closed."""

    station: str
    assemble: Mapping[str, Assemble]
    """By box. A box that isn't configured any more is assembled by file: what it still holds is brought to an end."""
    quiet_seconds: float
    ended_quiet_seconds: float
    """Once the end sheet was seen."""


class Assembling:
    """The stage. Called from one thread of a service."""

    def __init__(self, database: Database, rules: AssemblyRules) -> None:
        self._database = database
        self._rules = rules

    def assemble(self) -> None:
        """Place the pages of the scans that were read, box by box, in the order of the claims.

        In each box it stops at the first scan that is still to be read: the pile keeps its order.
        """
        for box in assembly.unfinished_boxes(self._database, self._rules.station):
            self._assemble_box(box)

    def _assemble_box(self, box: str) -> None:
        while (scan := assembly.next_unassembled(self._database, box)) is not None:
            match scan.state:
                case ScanState.READ:
                    self._place(box, scan)
                case ScanState.DUPLICATE if self._is_blank(scan.duplicate_of):
                    # A scanner that saves each page, in pure black and white, saves every empty back alike.
                    assembly.pass_blank(self._database, scan.id)
                case ScanState.QUARANTINED | ScanState.DUPLICATE:
                    assembly.mark_gap(self._database, scan.id)
                case _:
                    return

    def close_quiet(self) -> float | None:
        """Close the stacks that nothing was added to for long enough; give the seconds until the next may be due."""
        waits = []
        for box in assembly.unfinished_boxes(self._database, self._rules.station):
            how = self._rules.assemble.get(box, Assemble.FILE)
            stack = assembly.open_stack(self._database, box)
            if stack is None:
                continue
            # A box that assembles by file has no use for an open stack: its configuration was changed.
            quiet = self._rules.ended_quiet_seconds if stack.ended else self._rules.quiet_seconds
            limit = timedelta(0) if how is Assemble.FILE else timedelta(seconds=quiet)
            closed = assembly.close_quiet_stack(self._database, box, limit)
            if closed is None:
                waits.append((stack.last_page_at + limit - self._database.now()).total_seconds())
            else:
                waits.append(0.0)
                self._tell_closed(box, closed)
        return max(0.05, min(waits)) if waits else None

    def close_all(self) -> None:
        """Close every open stack: nothing more will come."""
        for box in assembly.unfinished_boxes(self._database, self._rules.station):
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
        readings = assembly.scan_readings(self._database, scan.id)
        roles = page_roles(readings, printed_on(self._database, readings), stack.last_page if stack else None)
        runs = segments(roles, how, OpenStack(stack.ended, stack.bare) if stack else None)
        assembly.assemble(self._database, scan.id, runs, how, bare=runs[-1].bare)

    def _tell_closed(self, box: str, closed: assembly.StackRef) -> None:
        _LOG.info("stack_closed", box=box, stack_number=closed.name, stack_id=closed.id)


def printed_on(database: Database, readings: Sequence[PageReading]) -> dict[str, RoutingCode]:
    """Give what the printed sheets say whose serials stand on these pages, by serial."""
    serials = {role.code.serial for role in page_roles(readings, {}) if role.code and role.code.serial}
    return printed_sheets(database, serials) if serials else {}
