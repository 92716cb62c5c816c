"""Intake: what the inboxes' threads have claimed is registered, in the order of the claims of each box.

The two don't wait for each other: taking goes on while the database or the archive is away, and `forward` registers
what was claimed as soon as they are back.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import takewhile
from pathlib import Path

import structlog

from skrynka.core.claims import Claim, is_scan_id, to_sidecar
from skrynka.core.errors import DatabaseAway, DatabaseRefused, error_name
from skrynka.core.formats import FileType, sniff
from skrynka.core.naming import scan_name
from skrynka.core.reserve import InWork
from skrynka.journey.growing import Growing
from skrynka.journey.room import Room
from skrynka.journey.taking import Station, Taking
from skrynka.steps.archive import Archive, ArchiveAway, SourceChanged, StoredOriginal
from skrynka.steps.archive.walk import digest
from skrynka.steps.claiming import note_overwritten, open_claims, part, release, renew
from skrynka.steps.listing import read_ends, writer_holds
from skrynka.steps.losses import Losses
from skrynka.steps.scan_numbers import ScanNumbers
from skrynka.store.database import Database, new_id
from skrynka.store.listings import unfiled_bytes
from skrynka.store.registration import NewScan, Registered, register_scan, registered_sha256

_LOG = structlog.get_logger(__name__)


_RECKON_SECONDS = 5.0
"""How often the database is asked how much is in work."""
_UNHEARD_SECONDS = 10.0
"""How long what a scan told of the archive stands: while the database is there it is tried again sooner."""
_RESTLESS_SECONDS = 600.0
"""A writer that holds a claimed file for longer has most likely forgotten it."""


class Intake:
    """The stage. What is asked, and `hand_over`, may be called from any thread, the rest from one."""

    def __init__(
        self,
        database: Database,
        archive: Archive,
        numbers: ScanNumbers,
        losses: Losses,
        *,
        station: str,
        spool: Path,
        room: Room,
        on_registered: Callable[[Registered], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is claimed that there is no `room` for. `on_registered` is told of each scan that was registered.

        `clock` gives monotonic seconds.
        """
        self._database = database
        self._archive = archive
        self._numbers = numbers
        self._spool = spool
        self._room = room
        self._on_registered = on_registered
        self._clock = clock
        self.archive_lost: str | None = None
        """Why the archive can't take originals, as far as is known: the name of an error; None: it can."""
        self._heard_at = -_UNHEARD_SECONDS
        """When a scan, or a look, last told how the archive is."""
        self.station = Station(
            station,
            spool,
            numbers,
            losses,
            database.now,
            room=self._has_room,
            ran_out=self._ran_out,
            nothing_waits=room.nothing_waits,
            hand_over=self.hand_over,
        )
        """What the inboxes take their scans with."""
        self._takings: Mapping[str, Taking] = {}
        self._registered = 0
        self._claims: list[Claim] = []
        self._handed: deque[Claim] = deque()
        self._unreleased: dict[str, StoredOriginal] = {}
        """The scans that are registered and whose claims couldn't be let go: perhaps their originals are gone."""
        self._restless: dict[str, float] = {}
        """Since when a scan waits for its writer to let go of it."""
        self._growing = Growing(clock)
        self._renewed: dict[str, int] = {}
        """The number of each box's latest continuation of a scan that grew."""
        self._stuck: dict[str, str] = {}
        self._perhaps_registered: set[str] = set()
        """The scans that the database may have: those of an earlier run, and those it was asked to take."""
        self._counting = threading.Lock()
        self._in_work = InWork()
        self._reckoned_at = -_RECKON_SECONDS

    def recover(self, takings: Mapping[str, Taking]) -> None:
        """Take up what an earlier run claimed and didn't register; `takings` are the inboxes, by box.

        Comes before anything is claimed or registered.
        """
        self._takings = takings
        found = open_claims(self._spool)
        if found.damaged:
            # Which scan lies there isn't known: no other may go on with papers that may have come before it.
            found = found.after_gap(self._ordered)
            for taking in takings.values():
                taking.note_loss()
        self._claims = [self._note_overwritten(taken) if taken.overwritten else taken for taken in found.claims]
        self._count(claimed=sum(taken.seen.size for taken in found.claims))
        known = [*found.claims, *found.in_shares]
        self._perhaps_registered = {taken.scan_id for taken in known}
        if known:
            self._numbers.at_least(max(taken.number for taken in known))
        for box, taking in takings.items():
            taking.recover(taken for taken in found.in_shares if taken.box == box)
        for taken in found.in_shares:
            if taken.box not in takings:
                self._tell_stuck(taken, "box_unknown")
        for odd in found.odd:
            _LOG.warning("entry_odd", kind=odd.what.value)
        for folder in found.damaged:
            _LOG.error("claim_damaged", scan_id=folder if is_scan_id(folder) else None)

    def hand_over(self, taken: Claim) -> None:
        """Take a claim that lies in the spool: it is registered in the next call of `forward`."""
        self._count(claimed=taken.seen.size)
        self._handed.append(taken)

    def tell_room(self) -> None:
        """Look at the disks, and tell people when scans wait for room; while the database is away too."""
        self._room.tell()

    def try_archive(self) -> None:
        """Write to the archive, and note how it is."""
        self._hear_of(self._archive.write_probe)

    def look_at_archive(self) -> None:
        """Note how the archive is where no scan has told for a while: none is on its way to it, say.

        One that was away is written to before it is called back.
        """
        if self._clock() - self._heard_at >= _UNHEARD_SECONDS:
            self._hear_of(self._archive.require if self.archive_lost is None else self._archive.write_probe)

    def forward(self, progress: Callable[[], None] = lambda: None, stopping: Callable[[], bool] = lambda: False) -> int:
        """Register what was claimed, oldest first; give how many. Raises DatabaseAway; what is left stays claimed.

        A claim that isn't at rest yet keeps the later ones of its box waiting where the papers are stacked, for a pile
        keeps its order; in any other box it keeps nobody waiting. `progress` is called at each piece of one that is
        copied, and after each; once `stopping` says so no more is begun.
        """
        self._take_over()
        self._reckon()
        if self._claims:
            # Asked first: else, with none there, the oldest claim would be copied into the archive at each try.
            self._database.reach()
        done = 0
        restless: set[str] = set()
        for taken in takewhile(lambda _: not stopping(), list(self._claims)):
            if taken.box in restless:
                continue
            try:
                registered = self._bring_on(taken, progress)
            except ArchiveAway as away:
                self._hear(away.why)
                break
            except (OSError, DatabaseRefused) as error:
                # This claim's own trouble: the spool is full, the database knows no such box.
                self._tell_stuck(taken, error_name(error))
                registered = False
            progress()
            self._room.measure()
            if registered:
                self._claims.remove(taken)
                self._count(claimed=-taken.seen.size, registered=taken.seen.size)
                self._registered += 1
                done += 1
            elif self._ordered(taken.box):
                restless.add(taken.box)
        return done

    @property
    def waiting(self) -> int:
        """Count the claims that wait to be registered, those in shares that are away left out."""
        # In the order in which a claim goes: one that goes on meanwhile is counted twice, and never not at all.
        fetching = sum(taking.waiting for taking in self._takings.values() if not taking.away)
        return fetching + len(self._handed) + len(self._claims)

    @property
    def expected(self) -> frozenset[str]:
        """Name the boxes from which more is on its way: claimed, or being written."""
        coming = {box for box, taking in self._takings.items() if taking.expecting}
        return frozenset(coming | {taken.box for taken in [*self._handed, *self._claims]})

    @property
    def looked(self) -> bool:
        """Say whether every inbox was looked into, or found to be away."""
        return all(taking.looked for taking in self._takings.values())

    @property
    def away(self) -> list[str]:
        """Name the boxes whose inboxes can't be reached now."""
        return [box for box, taking in self._takings.items() if taking.away]

    @property
    def settling(self) -> int:
        """Count the scans that were seen and will be claimed soon: whole, not empty, held by no writer."""
        return sum(taking.settling for taking in self._takings.values())

    @property
    def progress(self) -> int:
        """Count the scans that were claimed, and those that were registered, since the start."""
        return self._registered + sum(taking.claimed for taking in self._takings.values())

    def _bring_on(self, taken: Claim, progress: Callable[[], None]) -> bool:
        """Register a claim and let it go, its scan is the archive's and the database's then; say whether it is done."""
        stored = self._unreleased.get(taken.scan_id)
        if stored is None:
            stored = self._register(taken, progress)
            if stored is None:
                self._note_restless(taken)
                return False
            self._unreleased[taken.scan_id] = stored
        # A writer whose descriptor survived the rename may go on to its end: what it writes is registered too.
        if writer_holds(taken.path):
            self._note_restless(taken)
            return False
        done = release(taken, stored.size_bytes, stored.mtime_ns)
        del self._unreleased[taken.scan_id]
        if done:
            self._perhaps_registered.discard(taken.scan_id)
            self._restless.pop(taken.scan_id, None)
            self._growing.forget(taken.scan_id)
        else:
            self._growing.note(taken)
        return done

    def _register(self, taken: Claim, progress: Callable[[], None]) -> StoredOriginal | None:
        """Put the original into the archive, then the row into the database; give what was stored, once all is done."""
        if (taken.changed and writer_holds(taken.path)) or not self._growing.at_rest(
            taken, self._quiet_seconds(taken.box)
        ):
            return None
        known = self._registered_sha256(taken.scan_id)
        if known is not None and digest(taken.path, lambda _bytes: progress()) not in {None, known}:
            self._renew(taken)
            return None
        kind = sniff(read_ends(taken.path).head)
        try:
            stored = self._archive.store_original(
                taken.path,
                scan_id=taken.scan_id,
                file_type=kind.value if kind else None,
                sidecar=json.loads(to_sidecar(taken)),
                progress=progress,
            )
        except SourceChanged:
            # Its writer kept it open through the rename: it is copied again when it has come to rest.
            return None
        self._hear(None)
        self._perhaps_registered.add(taken.scan_id)
        registration = register_scan(self._database, _new_scan(taken, stored.sha256, stored.size_bytes, kind))
        log = _LOG.bind(scan_number=scan_name(taken.station, taken.number), box=taken.box, scan_id=taken.scan_id)
        if registration.outcome is Registered.OTHER_BYTES:
            self._renew(taken)
            return None
        if registration.outcome is Registered.DUPLICATE:
            log.info("scan_duplicated", duplicate_of=registration.duplicate_of)
        else:
            log.info("scan_registered", size_bytes=stored.size_bytes)
        self._on_registered(registration.outcome)
        return stored

    def _registered_sha256(self, scan_id: str) -> str | None:
        return registered_sha256(self._database, scan_id) if scan_id in self._perhaps_registered else None

    def _renew(self, taken: Claim) -> None:
        """Make the claim one of a new scan: its file went on after it was registered, and that row stays as it is."""
        number = self._numbers.next_number()
        self._part_from(taken, number)
        renewed = renew(taken, scan_id=new_id(), number=number, after_gap=self._ordered(taken.box))
        self._claims[self._claims.index(taken)] = renewed
        self._perhaps_registered.discard(taken.scan_id)
        self._count(claimed=renewed.seen.size - taken.seen.size)
        self._growing.forget(taken.scan_id)
        self._growing.note(renewed)
        _LOG.warning(
            "scan_grew",
            scan_number=scan_name(renewed.station, renewed.number),
            box=renewed.box,
            scan_id=renewed.scan_id,
            continues=scan_name(taken.station, taken.number),
        )

    def _part_from(self, grown: Claim, number: int) -> None:
        """Have all that was taken between a scan and its continuation, which gets this number, come after a gap.

        In a stack scans are placed by their numbers, and the papers that lead over to these stand in the continuation.
        """
        self._renewed[grown.box] = number
        self._take_over()
        between = [taken for taken in self._claims if taken.box == grown.box and grown.number < taken.number]
        for taken in between:
            self._claims[self._claims.index(taken)] = self._parted(taken)

    def _note_overwritten(self, taken: Claim) -> Claim:
        """Say that a scan was written over as it was taken, and that an earlier run was killed before it said so."""
        _LOG.error("scan_overwritten", inbox=taken.box)
        if taken.box in self._takings:
            self._takings[taken.box].note_loss(taken.seen.mtime_ns)
        return note_overwritten(taken, after_gap=self._ordered(taken.box))

    def _parted(self, taken: Claim) -> Claim:
        """Have a claim come after a gap, where its box's papers are stacked."""
        return part(taken) if self._ordered(taken.box) else taken

    def _hear_of(self, ask: Callable[[], object]) -> None:
        try:
            ask()
        except ArchiveAway as away:
            self._hear(away.why)
        else:
            self._hear(None)

    def _hear(self, why: str | None) -> None:
        self.archive_lost, self._heard_at = why, self._clock()

    def _take_over(self) -> None:
        """Take what was handed over into the claims."""
        while self._handed:
            taken = self._handed[0]
            if taken.number < self._renewed.get(taken.box, 0):
                # It was on its way here when the scan before it turned out to have gone on.
                taken = self._parted(taken)
            # In this order a claim is counted twice for a moment, and never not at all.
            self._claims.append(taken)
            self._handed.popleft()

    def _quiet_seconds(self, box: str) -> float:
        taking = self._takings.get(box)
        return taking.quiet_seconds if taking is not None else 0.0

    def _ordered(self, box: str) -> bool:
        taking = self._takings.get(box)
        return taking is None or taking.ordered

    def _has_room(self, box: str, scan_bytes: int) -> bool:
        return self._room.is_there_for(box, scan_bytes, self._in_work)

    def _ran_out(self, box: str, scan_bytes: int) -> bool:
        return self._room.ran_out(box, scan_bytes, self._in_work)

    def _count(self, *, claimed: int, registered: int = 0) -> None:
        """Note bytes that came into work, or went on in it."""
        with self._counting:
            before = self._in_work
            self._in_work = InWork(before.claimed_bytes + claimed, before.registered_bytes + registered)

    def _reckon(self) -> None:
        """Ask the database how much is registered and not filed; while it is away, its last word stands."""
        if self._clock() - self._reckoned_at < _RECKON_SECONDS:
            return
        self._reckoned_at = self._clock()
        with suppress(DatabaseAway):
            registered = unfiled_bytes(self._database, self.station.code)
            self._count(claimed=0, registered=registered - self._in_work.registered_bytes)

    def _note_restless(self, taken: Claim) -> None:
        since = self._restless.setdefault(taken.scan_id, self._clock())
        if self._clock() - since >= _RESTLESS_SECONDS:
            self._tell_stuck(taken, "kept_open")

    def _tell_stuck(self, taken: Claim, name: str) -> None:
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
        written_at=taken.written_at,
        after_gap=taken.after_gap,
    )
