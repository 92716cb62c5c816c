"""What lies in a station's spool, work folder and inboxes, against what the database knows."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from skrynka.core.claims import Claim, claimed_folder
from skrynka.core.entries import Listing
from skrynka.core.flaws import Flaw, FoundFlaw
from skrynka.core.naming import scan_name
from skrynka.core.settling import is_ignored
from skrynka.shares.hand import ShareHand
from skrynka.steps.listing import InboxAway, list_inbox
from skrynka.steps.remains import odd_claims, spool_folders, strangers, work_folders
from skrynka.store.archived import scan_states, stacks_in_work
from skrynka.store.database import Database
from skrynka.store.states import ScanState

_GONE = errno.errorcode[errno.ENOENT]


@dataclass(frozen=True, slots=True)
class AuditedInbox:
    """A box's inbox."""

    box: str
    path: Path
    share: bool
    marker: str | None


@dataclass(frozen=True, slots=True)
class AuditedStation:
    """The station whose folders are looked at."""

    code: str
    state: Path
    spool: Path
    work: Path
    inboxes: tuple[AuditedInbox, ...]
    series: str
    """In which it prints sheets."""
    runs: bool
    """Its daemon works now."""


class RemainsAudit:
    """The look at what was left lying."""

    def __init__(self, database: Database, station: AuditedStation, since: datetime) -> None:
        """Call it too long when something has waited since before `since`."""
        self._database = database
        self._station = station
        self._since = since

    def flaws(self) -> Iterator[FoundFlaw]:
        """Look at spool, work folder and inboxes."""
        yield from self._spool()
        yield from self._work()
        claims = self.claims()
        for inbox in self._station.inboxes:
            yield from self._inbox(inbox, claims)

    def claims(self) -> dict[str, Claim]:
        """Give the claims in the spool, by the id of the scan."""
        found = spool_folders(self._station.spool)
        return {folder.scan_id: folder.claim for folder in found if folder.claim is not None}

    def _spool(self) -> Iterator[FoundFlaw]:
        code = self._station.code
        folders = list(spool_folders(self._station.spool))
        known = scan_states(self._database, {folder.scan_id for folder in folders})
        for folder in folders:
            claim = folder.claim
            if claim is None:
                if not folder.bare:
                    yield FoundFlaw(Flaw.CLAIM_DAMAGED, f"spool/{folder.scan_id}", "", code)
                continue
            name = scan_name(claim.station, claim.number)
            taken = claim.via_share or claim.path.exists()
            if folder.scan_id in known:
                yield FoundFlaw(Flaw.CLAIM_LEFT, name, "", code)
            elif taken and claim.claimed_at < self._since:
                yield FoundFlaw(Flaw.CLAIM_LINGERS, name, f"since {_day(claim.claimed_at)}", code)
        for name in odd_claims(self._station.spool):
            yield FoundFlaw(Flaw.CLAIM_ODD, f"spool/.odd/{name}", "", code)
        for path in strangers(self._station.spool):
            yield FoundFlaw(Flaw.ENTRY_UNKNOWN, f"spool/{path.name}", "", code)

    def _work(self) -> Iterator[FoundFlaw]:
        folders = list(work_folders(self._station.work))
        in_work: set[str] = set()
        if self._station.runs:
            ids = {folder.work_id for folder in folders}
            states = scan_states(self._database, ids)
            in_work = {scan_id for scan_id, state in states.items() if state is ScanState.READING}
            in_work |= stacks_in_work(self._database, ids)
        for folder in folders:
            if folder.work_id not in in_work:
                name = folder.path.name
                yield FoundFlaw(Flaw.WORK_LEFT, f"work/{name}", "", self._station.code, (name,))

    def _inbox(self, inbox: AuditedInbox, claims: dict[str, Claim]) -> Iterator[FoundFlaw]:
        code = self._station.code
        try:
            lying = _listed(inbox, inbox.path, inbox.marker).seen
        except InboxAway as away:
            yield FoundFlaw(Flaw.INBOX_UNSEEN, inbox.box, away.why, code)
            return
        old = [each for each in lying if each.mtime_ns < self._since.timestamp() * 1e9]
        if old:
            oldest = datetime.fromtimestamp(min(each.mtime_ns for each in old) / 1e9, UTC)
            yield FoundFlaw(Flaw.INBOX_LINGERS, inbox.box, f"{len(old)} files, the oldest of {_day(oldest)}", code)
        try:
            claimed = _listed(inbox, claimed_folder(inbox.path, code)).seen
        except InboxAway as away:
            if away.why != _GONE:
                yield FoundFlaw(Flaw.INBOX_UNSEEN, inbox.box, away.why, code)
            return
        left = {each.name for each in claimed} - claims.keys()
        known = scan_states(self._database, left)
        for name in sorted(left):
            flaw = Flaw.CLAIM_LEFT if name in known else Flaw.CLAIM_FORGOTTEN
            yield FoundFlaw(flaw, f"{inbox.box}: .claimed/{code}/{name}", "", code)


def _listed(inbox: AuditedInbox, folder: Path, marker: str | None = None) -> Listing:
    if not inbox.share:
        return list_inbox(folder, is_ignored, marker)
    # A share that hangs blocks whoever touches it, unkillably: a process of its own goes there.
    hand = ShareHand(folder, None, marker=marker)
    try:
        return hand.list()
    except OSError as error:
        raise InboxAway(errno.errorcode.get(error.errno or 0, "OSError")) from None
    finally:
        hand.close()


def _day(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d}"
