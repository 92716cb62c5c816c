"""Intake, per scan: see it settle in its inbox, claim it, and register it.

Two calls, so that the one doesn't wait for the other: `look` goes on while the database or the archive is away, and
`forward` registers what was claimed, in the order of the claims, as soon as they are back.
"""

from __future__ import annotations

import errno
import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from skrynka.core.claims import Claim, to_sidecar
from skrynka.core.entries import Odd
from skrynka.core.errors import DatabaseAway, DatabaseRefused
from skrynka.core.formats import FileType, sniff
from skrynka.core.naming import scan_name
from skrynka.core.reserve import InWork
from skrynka.journey.inboxes import Inbox, Settled, WatchedInbox
from skrynka.journey.room import Room
from skrynka.steps.archive import Archive, ArchiveAway, ArchiveDamaged, SourceChanged
from skrynka.steps.claiming import ClaimLost, ClaimRefused, claim, fetch, open_claims, release
from skrynka.steps.listing import peek, writer_holds
from skrynka.steps.scan_numbers import ScanNumbers
from skrynka.steps.watching import Hint
from skrynka.store.database import Database, new_id
from skrynka.store.listings import unfiled_bytes
from skrynka.store.registration import NewScan, Registered, register_scan

_LOG = structlog.get_logger(__name__)


_RECKON_SECONDS = 5.0
"""How often the database is asked how much is in work."""


class _ArchiveLost(Exception):
    """The archive can't take an original now; its argument names the error's type."""


class Intake:
    """The stage. `hint` may be called from any thread, the rest from one."""

    def __init__(
        self,
        inboxes: Sequence[Inbox],
        database: Database,
        archive: Archive,
        numbers: ScanNumbers,
        *,
        station: str,
        spool: Path,
        room: Room,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is claimed that there is no `room` for. `clock` gives monotonic seconds."""
        self._database = database
        self._archive = archive
        self._numbers = numbers
        self._station = station
        self._spool = spool
        self._room = room
        self._clock = clock
        self._watched = {inbox.box: WatchedInbox(inbox) for inbox in inboxes}
        self.progress = 0
        """How many scans were claimed or registered since the start."""
        self.archive_lost: str | None = None
        """Why the archive couldn't take the last original: the name of an error; None: it could."""
        self._claims: list[Claim] = []
        self._stuck: dict[str, str] = {}
        self._refused: set[str] = set()
        self._unsure = False
        self._database_lost = False
        self._registered_bytes = 0
        self._reckoned_at = -_RECKON_SECONDS

    def recover(self) -> None:
        """Take up what is claimed and not registered, of an earlier run or of this one; the first call of all."""
        found = open_claims(self._spool)
        self._unsure = False
        self._claims = list(found.claims)
        if found.claims:
            self._numbers.at_least(max(taken.number for taken in found.claims))
        for _ in found.damaged:
            _LOG.error("claim_damaged")

    def hint(self, hint: Hint) -> None:
        """Note that something happened in an inbox: it is looked at in the next call of `look`."""
        if hint.inbox in self._watched:
            self._watched[hint.inbox].hint(hint.name, hint.arrival)

    def sweep(self, box: str) -> None:
        """Have an inbox looked at in the next call of `look`."""
        self._watched[box].sweep()

    def look(self) -> float:
        """Look at the inboxes that are due and claim what has settled; give the seconds until the next is due.

        Raises OSError when a disk of ours or an inbox fails; the other inboxes were looked at all the same.
        """
        if self._unsure:
            self.recover()
        failure: OSError | None = None
        for watched in self._watched.values():
            if watched.due <= self._clock():
                try:
                    self._look_at(watched)
                except OSError as error:
                    failure = error
        self._room.tell()
        if failure is not None:
            raise failure
        return max(0.0, min(watched.due for watched in self._watched.values()) - self._clock())

    def _look_at(self, watched: WatchedInbox) -> None:
        box = watched.inbox.box
        self._room.nothing_waits(box)
        for settled in watched.look(self._clock()):
            if not self._room.is_there_for(box, settled.seen.size, self._in_work()):
                break
            self._claim(watched, settled)

    def _in_work(self) -> InWork:
        """Say how much was taken and isn't filed; while the database is away, as it was last known."""
        if self._clock() - self._reckoned_at >= _RECKON_SECONDS:
            self._reckoned_at = self._clock()
            with suppress(DatabaseAway):
                self._registered_bytes = unfiled_bytes(self._database, self._station)
        return InWork(sum(taken.seen.size for taken in self._claims), self._registered_bytes)

    def forward(self) -> int:
        """Register what was claimed, oldest first; give how many. Raises DatabaseAway; what is left stays claimed.

        A claim that isn't at rest yet keeps the later ones of its box waiting: the pile keeps its order.
        """
        if self._claims and self._database_lost:
            # Asked first: else the oldest claim would be copied into the archive again at each try.
            self._database.reach()
            self._database_lost = False
        done = 0
        restless: set[str] = set()
        for taken in list(self._claims):
            if taken.box in restless:
                continue
            try:
                registered = self._register(taken)
            except DatabaseAway:
                self._database_lost = True
                raise
            except _ArchiveLost as lost:
                self.archive_lost = str(lost)
                break
            except (OSError, ArchiveDamaged, DatabaseRefused) as error:
                # This claim's own trouble: its share is away, the spool is full, the database knows no such box.
                self._tell_stuck(taken, error)
                registered = False
            if registered:
                self.archive_lost = None
                self._claims.remove(taken)
                self._registered_bytes += taken.seen.size
                self.progress += 1
                done += 1
            else:
                restless.add(taken.box)
        return done

    @property
    def waiting(self) -> int:
        """Count the claims that wait to be registered."""
        return len(self._claims)

    @property
    def expected(self) -> frozenset[str]:
        """Name the boxes from which more is on its way: claimed, or being written."""
        writing = {box for box, watched in self._watched.items() if watched.expecting}
        return frozenset(writing | {taken.box for taken in list(self._claims)})

    @property
    def looked(self) -> bool:
        """Say whether every inbox was looked at, or found to be away."""
        return all(watched.looked for watched in self._watched.values())

    @property
    def away(self) -> list[str]:
        """Name the boxes whose inboxes can't be listed now."""
        return [box for box, watched in self._watched.items() if watched.away]

    @property
    def settling(self) -> int:
        """Count the scans that were seen and will be claimed soon: whole, not empty, held by no writer."""
        return sum(watched.settling for watched in self._watched.values())

    def _claim(self, watched: WatchedInbox, settled: Settled) -> None:
        inbox, seen = watched.inbox, settled.seen
        number = self._numbers.next_number()
        try:
            taken = claim(
                self._spool,
                inbox.path,
                seen,
                scan_id=new_id(),
                number=number,
                station=self._station,
                box=inbox.box,
                claimed_at=self._database.now(),
                share=inbox.share,
            )
        except ClaimLost:
            watched.forget(seen.name)
            return
        except ClaimRefused as refused:
            if inbox.box not in self._refused:
                self._refused.add(inbox.box)
                _LOG.warning("claim_refused", inbox=inbox.box, detail=refused.message)
            watched.refuse(seen.name, self._clock())
            return
        except OSError:
            # Taken or not: the spool knows.
            self._unsure = True
            raise
        watched.forget(seen.name)
        if isinstance(taken, Odd):
            _LOG.warning("entry_odd", inbox=inbox.box, kind=taken.what.value)
            return
        self._refused.discard(inbox.box)
        self._claims.append(taken)
        self.progress += 1
        _LOG.info(
            "scan_claimed",
            scan_number=scan_name(self._station, number),
            box=inbox.box,
            scan_id=taken.scan_id,
            size_bytes=seen.size,
            **({"unfinished": True} if settled.unfinished else {}),
        )

    def _register(self, taken: Claim) -> bool:
        """Put the original into the archive, then the row into the database, then let the claim go."""
        here = fetch(taken)
        if here.changed and writer_holds(here.path):
            return False
        found = peek(here.path)
        kind = sniff(found.head) if found is not None else None
        try:
            stored = self._archive.store_original(
                here.path,
                scan_id=here.scan_id,
                file_type=kind.value if kind else None,
                sidecar=json.loads(to_sidecar(here)),
            )
        except SourceChanged:
            # Its writer kept it open through the rename: it is copied again when it has come to rest.
            return False
        except ArchiveAway as error:
            raise _ArchiveLost("not_mounted") from error
        except OSError as error:
            raise _ArchiveLost(errno.errorcode.get(error.errno or 0, "OSError")) from error
        registration = register_scan(self._database, _new_scan(here, stored.sha256, stored.size_bytes, kind))
        release(here)
        log = _LOG.bind(scan_number=scan_name(here.station, here.number), box=here.box, scan_id=here.scan_id)
        if registration.outcome is Registered.DUPLICATE:
            log.info("scan_duplicated", duplicate_of=registration.duplicate_of)
        else:
            log.info("scan_registered", size_bytes=stored.size_bytes)
        return True

    def _tell_stuck(self, taken: Claim, error: Exception) -> None:
        name = type(error).__name__
        if self._stuck.get(taken.scan_id) != name:
            self._stuck[taken.scan_id] = name
            number = scan_name(taken.station, taken.number)
            _LOG.error("claim_stuck", scan_number=number, box=taken.box, scan_id=taken.scan_id, error=name)


def _new_scan(taken: Claim, sha256: str, size_bytes: int, kind: FileType | None) -> NewScan:
    return NewScan(
        id=taken.scan_id,
        station_code=taken.station,
        number=taken.number,
        box_code=taken.box,
        original_name=taken.original_name,
        sha256=sha256,
        size_bytes=size_bytes,
        file_type=kind,
        claimed_at=taken.claimed_at,
    )
