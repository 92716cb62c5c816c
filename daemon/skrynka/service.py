"""The composition root: the only place that wires things together.

    inbox threads     one inbox each: watch, sweep, settle, claim  journey/taking.py
    glimpses' thread  see whether something came to empty inboxes  watches.py
    resting thread    end the readers' server when it is idle      readers/processes.py
    intake thread     register what was claimed                    journey/intake.py
    reader threads    one scan each, in processes of its own       journey/reading.py
    assembling thread give the pages their places in stacks        journey/assembling.py
    filing thread     one stack at a time: plan, cut, record       journey/filing.py

The stages meet in the database and wake one another; a wake-up that is missed costs a few seconds (an empty inbox's a
minute), never a scan.
"""

from __future__ import annotations

import gc
import os
import secrets
import select
import signal
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from types import FrameType

import structlog

from skrynka import __version__
from skrynka.catalogue_file import load_catalogue
from skrynka.core.errors import DatabaseAway, EnvironmentUnfit
from skrynka.core.settling import SettlingRules
from skrynka.core.stacking import Assemble
from skrynka.giving_way import GivingWay
from skrynka.held_database import forget_held, note_held
from skrynka.journey.assembling import Assembling, AssemblyRules
from skrynka.journey.filing import Filing, FilingRules
from skrynka.journey.housekeeping import Housekeeping
from skrynka.journey.inboxes import Inbox
from skrynka.journey.intake import Intake
from skrynka.journey.reading import Reading, ReadingRules
from skrynka.journey.room import Room
from skrynka.journey.taking import Taking
from skrynka.key_file import load_signing
from skrynka.loops import Loop
from skrynka.notifying import Supervisor
from skrynka.once import Once
from skrynka.outages import Outages
from skrynka.premises import (
    clear_work,
    hide_credentials,
    known_archive,
    lock_station,
    make_private_folder,
    require_writable,
)
from skrynka.readers.messages import PageLimits
from skrynka.readers.processes import ProcessLimits, Readers
from skrynka.settings import Box, Configuration
from skrynka.shares.hand import ShareHand
from skrynka.steps.losses import Losses
from skrynka.steps.scan_numbers import ScanNumbers
from skrynka.store import boxes as known_boxes
from skrynka.store.archived import any_scan
from skrynka.store.database import Database, open_database
from skrynka.store.queue import reset_interrupted
from skrynka.store.registration import Registered, last_scan_number
from skrynka.store.revision import require_head
from skrynka.watches import Watches

_LOG = structlog.get_logger(__name__)
_SUPERVISE_SECONDS = 5.0
_RESTING_SECONDS = 60.0
"""An inbox that is empty, and watched, is listed so often; in between it is glimpsed at."""
_ROUND_SECONDS = 5.0
"""Any other one has its watch looked after so often."""
_STALE_SECONDS = 120.0
"""A loop that shows no life for so long is stuck: every unit of work shows life at each page."""
_ONCE_LOOK_SECONDS = 0.2
_END_SECONDS = 30.0


class Service:
    """The daemon of one station."""

    def __init__(self, configuration: Configuration, *, once: bool = False) -> None:
        """Wire everything; nothing runs yet. `once`: take what is there, finish it, and end.

        Raises ConfigurationError, EnvironmentUnfit (also when another service has this station's state folder).
        """
        settings = configuration.settings
        self._configuration = configuration
        self._stop = threading.Event()
        # What a signal's handler says, and where it is heard: see `_on_signal`.
        self._heard, self._said = os.pipe()
        self._supervisor = Supervisor()
        self._catalogue = load_catalogue(configuration.case_types_file)
        signing = load_signing(settings.sheets.signing, configuration.keys_file)
        self._configuration_digest = configuration.digest([key.id for key in signing.keys])
        for folder in (configuration.state, configuration.spool, configuration.work):
            make_private_folder(folder)
        self._lock = lock_station(configuration.state)
        forget_held(configuration.state)
        clear_work(configuration.work)
        self._database = open_database(configuration.database_url, give_up_damaged=True)
        self._noted_database: tuple[int, int] | None = None
        self._note_database()
        hide_credentials()
        self._archive = known_archive(
            configuration.state, configuration.archive, settings.station.code, self._has_scans
        )
        limits = settings.limits
        page_limits = PageLimits(
            limits.scan_megabytes << 20,
            limits.page_megapixels * 1_000_000,
            limits.page_seconds,
            limits.scan_pages,
        )
        count = settings.reading.readers or os.cpu_count() or 1
        self._readers = readers = Readers(
            ProcessLimits(limits.page_seconds, limits.scan_seconds, limits.reader_megabytes << 20),
            count,
            self._stop.is_set,
        )
        self._numbers = ScanNumbers(configuration.state)
        self._numbers_certain = not self._numbers.is_new
        self._intake = Intake(
            self._database,
            self._archive,
            self._numbers,
            Losses(configuration.state),
            station=settings.station.code,
            spool=configuration.spool,
            room=Room(configuration.volumes, limits.free_megabytes << 20),
            on_registered=self._pass_on,
        )
        # Told apart from a service that was killed before, even where a container gives both the same process id.
        owner = f"{settings.station.code}:{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._filing_loop = Loop("filing", self._file, self._stop)
        self._assembling = Assembling(
            self._database,
            AssemblyRules(
                station=settings.station.code,
                assemble={box.code: box.assemble for box in configuration.boxes},
                quiet_seconds=settings.filing.stack_quiet_seconds,
                ended_quiet_seconds=settings.filing.end_sheet_quiet_seconds,
                signing=signing,
            ),
            self._filing_loop.wake,
        )
        self._filing = Filing(
            self._database,
            self._archive,
            readers,
            self._catalogue,
            configuration.work,
            f"{owner}:filing",
            FilingRules(
                page_limit=settings.filing.page_limit,
                lease_seconds=settings.filing.lease_seconds,
                limits=page_limits,
                signing=signing,
                config_digest=self._configuration_digest,
            ),
        )
        self._housekeeping = Housekeeping(self._database, self._archive, configuration.archive)
        self._intake_loop = Loop("intake", self._register, self._stop)
        self._hands = {
            box.code: _hand(box, configuration, self._stop) for box in configuration.boxes if box.kind == "share"
        }
        self._takings = {
            box.code: Taking(_inbox(box, configuration), self._intake.station, self._hands.get(box.code))
            for box in configuration.boxes
        }
        self._taking_loops = {code: self._taking_loop(code, taking) for code, taking in self._takings.items()}
        local = {code: taking for code, taking in self._takings.items() if code not in self._hands}
        self._watches = Watches(local, lambda code: self._taking_loops[code].wake())
        self._assembling_loop = Loop("assembling", self._assemble, self._stop)
        rules = ReadingRules(
            settings.reading.symbologies, settings.reading.separators, page_limits, settings.filing.lease_seconds
        )
        self._reading_loops = [
            self._reading_loop(
                number,
                Reading(self._database, self._archive, readers, configuration.work, f"{owner}:reading-{number}", rules),
                spare=number == count >= max(2, os.cpu_count() or 1),
            )
            for number in range(1, count + 1)
        ]
        self._once = Once(self._database, settings.station.code, self._intake, self._assembling) if once else None
        self._met_database = False
        self._expecting: set[str] = set()
        """Boxes with a scan on its way, by the latest look."""
        self._filing_goes_on = False
        """Filing has just done a stack: most likely the next one has waited for it."""
        self._outages = Outages()

    def run(self) -> None:
        """Run until a signal ends it, or, with `once`, until everything that was there is done."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        # A writer that opens a file while it is asked about sends us this; without a handler it ends the process.
        signal.signal(signal.SIGIO, signal.SIG_IGN)
        started = time.monotonic()
        station = self._configuration.settings.station.code
        _LOG.info("service_started", version=__version__, station=station)
        boxes = self._configuration.boxes
        _LOG.info(
            "settings_loaded",
            boxes=len(boxes),
            inboxes=len({box.inbox for box in boxes}),
            database="postgresql" if self._database.shared else "sqlite",
            digest=self._configuration_digest,
        )
        self._probe()
        self._recover()
        loops = [
            *self._taking_loops.values(),
            Loop("glimpses", self._glimpse, self._stop),
            Loop("resting", self._rest, self._stop),
            self._intake_loop,
            *self._reading_loops,
            self._assembling_loop,
            self._filing_loop,
        ]
        for box in self._configuration.boxes:
            if box.kind == "local":
                self._watches.watch(box.code, box.inbox)
        # What there is now is there for good. To look through it for garbage holds every thread up for a tenth of a
        # second, and comes about when the pages of a stack are read from the database.
        gc.collect()
        gc.freeze()
        for loop in loops:
            loop.start()
        self._supervisor.ready()
        _LOG.info("service_ready", inboxes=len(self._configuration.boxes))
        try:
            self._supervise(loops)
        finally:
            self._end(loops)
            _LOG.info("service_stopped", seconds=time.monotonic() - started)

    def _recover(self) -> None:
        """Take up what an earlier run left; the database may be away, and then its part comes later."""
        self._intake.recover(self._takings)
        try:
            self._meet_database()
        except DatabaseAway as away:
            if self._once is not None:
                raise
            self._tell_outages({"database": away.why or None})

    def _has_scans(self) -> bool:
        require_head(self._database)
        return any_scan(self._database)

    def _probe(self) -> None:
        """See that what the service lives from can be written, before it says that it is ready.

        Raises EnvironmentUnfit for the station's own folders. An archive that is away is told, and waited for.
        """
        for folder in (self._configuration.spool, self._configuration.state, self._configuration.work):
            require_writable(folder)
        self._intake.try_archive()
        self._tell_outages({})

    def _require_fit(self, replacement: Database) -> None:
        """Raise EnvironmentUnfit for a database that isn't ours. One that is gets no work before it was met."""
        require_head(replacement)
        self._met_database = False

    def _meet_database(self) -> None:
        """Do what must be done once with the database before any work."""
        require_head(self._database)
        configuration = self._configuration
        station = configuration.settings.station
        boxes = [known_boxes.Box(box.code, box.name, box.centre) for box in configuration.boxes]
        known_boxes.sync_boxes(self._database, station.code, station.name, boxes)
        last_number = last_scan_number(self._database, station.code)
        self._numbers.at_least(last_number)
        self._numbers_certain = True
        if not last_number:
            self._housekeeping.begin_now()
        reset_interrupted(self._database)
        self._met_database = True

    def _note_database(self) -> None:
        """Have commands know which file is ours. A full disk keeps nobody from working: it is noted later."""
        held, state = self._database.file_identity, self._configuration.state
        if held in {None, self._noted_database}:
            return
        try:
            note_held(state, held)
            self._noted_database = held
        except OSError:
            with suppress(OSError):
                forget_held(state)

    def _taking_loop(self, code: str, taking: Taking) -> Loop:
        """One round of an inbox; wakes the intake where something was claimed."""
        loop: Loop

        def work() -> float | None:
            if not self._numbers_certain:
                raise EnvironmentUnfit(
                    "The running scan number isn't in the state folder, and the database, which knows it, is away.",
                    "Look at the database; scans wait in their inboxes until their numbers are certain.",
                )
            claimed = taking.claimed
            try:
                wait = taking.look(loop.show_life)
            finally:
                if taking.claimed != claimed:
                    self._intake_loop.wake()
            # A first scan would wait for what readers import.
            if taking.expecting and code not in self._expecting:
                self._readers.prepare()
            (self._expecting.add if taking.expecting else self._expecting.discard)(code)
            # Last: an inbox that nobody can watch is looked into all the same.
            self._watches.mend(code)
            return _RESTING_SECONDS if self._watches.may_rest(code) else min(wait, _ROUND_SECONDS)

        loop = Loop(f"inbox-{code}", work, self._stop, longest_wait=_RESTING_SECONDS)
        return loop

    def _rest(self) -> float | None:
        self._readers.rest()
        return None

    def _glimpse(self) -> float | None:
        self._watches.glimpse()
        return self._configuration.settings.intake.sweep_seconds

    def _register(self) -> float | None:
        self._intake.tell_room()
        self._intake.look_at_archive()
        if self._database.replaced:
            self._database.take_replacement(self._require_fit)
        self._note_database()
        if not self._met_database:
            self._meet_database()
        return 0 if self._intake.forward(self._intake_loop.show_life, self._stop.is_set) else None

    def _pass_on(self, registered: Registered) -> None:
        """Wake whoever has work with a scan that was registered: nobody reads a duplicate, but it has its place."""
        for loop in [self._assembling_loop] if registered is Registered.DUPLICATE else self._reading_loops:
            loop.wake()

    def _reading_loop(self, number: int, reading: Reading, *, spare: bool) -> Loop:
        """One scan; the `spare` reader, whose core is the last one, gives way to filing."""
        loop: Loop
        giving_way = GivingWay(lambda: reading.read_next(loop.show_life), lambda: spare and self._filing_goes_on)

        def work() -> float | None:
            if not self._met_database:
                return None
            if not giving_way.read_next():
                return None
            self._assembling_loop.wake()
            return 0

        loop = Loop(f"reading-{number}", work, self._stop)
        return loop

    def _assemble(self) -> float | None:
        if not self._met_database:
            return None
        self._assembling.assemble(self._assembling_loop.show_life)
        return self._assembling.close_quiet(self._intake.expected)

    def _file(self) -> float | None:
        if not self._met_database:
            return None
        filed = False
        try:
            filed = self._filing.file_next(self._filing_loop.show_life)
        finally:
            ended, self._filing_goes_on = self._filing_goes_on and not filed, filed
            if ended:
                self._reading_loops[-1].wake()
        return 0 if filed or self._housekeeping.do_a_little() else None

    def _supervise(self, loops: list[Loop]) -> None:
        while not self._asked_to_end(_ONCE_LOOK_SECONDS if self._once else _SUPERVISE_SECONDS):
            self._tell_outages({loop.missing: loop.why for loop in loops})
            now = time.monotonic()
            if all(now - loop.beat <= _STALE_SECONDS for loop in loops):
                self._supervisor.alive(self._status())
            if self._once is not None and self._met_database:
                progress = self._intake.progress + sum(loop.progress for loop in loops)
                in_hand_seconds = max(loop.in_hand_seconds for loop in loops)
                if self._once.is_done(progress, in_hand_seconds):
                    return

    def _tell_outages(self, missing: Mapping[str | None, str | None]) -> None:
        """Tell people of the database and the archive; `missing` names what the loops missed, and why."""
        waiting = self._intake.waiting
        try:
            room = os.statvfs(self._configuration.spool)
            free = room.f_bavail * room.f_frsize
        except OSError:
            free = None
        why = self._intake.archive_lost or missing.get("archive")
        self._outages.tell(
            "database", away="database" in missing, waiting=waiting, free_bytes=free, error=missing.get("database")
        )
        self._outages.tell("archive", away=why is not None, waiting=waiting, free_bytes=free, error=why)

    def _status(self) -> str:
        away = self._outages.away
        return f"{self._intake.waiting} claimed scans to register; away: {', '.join(away) or 'nothing'}"

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        # It interrupts this thread anywhere, perhaps inside a lock of the log or of an event: to log or to set one
        # here could wait for ever. A byte in a pipe needs no lock.
        os.write(self._said, bytes([number]))

    def _asked_to_end(self, seconds: float) -> bool:
        """Wait so long for a signal that asks us to end; say whether one came."""
        ready, _, _ = select.select([self._heard], [], [], seconds)
        if not ready:
            return False
        # First, so that nothing begins once it is said.
        self._stop.set()
        _LOG.info("service_stopping", signal=signal.Signals(os.read(self._heard, 1)[0]).name)
        return True

    def _end(self, loops: list[Loop]) -> None:
        self._supervisor.stopping()
        self._stop.set()
        for loop in loops:
            loop.wake()
        ends_at = time.monotonic() + _END_SECONDS
        for loop in loops:
            if not loop.join(max(0.1, ends_at - time.monotonic())):
                _LOG.error("work_failed", work=loop.name, error="did_not_end", location="service")
        # Only now: until its end a loop asks about its inbox's watch.
        self._watches.stop()
        for hand in self._hands.values():
            hand.close()
        self._database.close()
        with suppress(OSError):
            forget_held(self._configuration.state)
        os.close(self._lock)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        os.close(self._said)
        os.close(self._heard)


def _hand(box: Box, configuration: Configuration, stop: threading.Event) -> ShareHand:
    lock = configuration.state / f"share-{box.code}.lock"
    silent_seconds = configuration.settings.intake.share_silent_seconds
    return ShareHand(box.inbox, lock, marker=box.marker, silent_seconds=silent_seconds, stopping=stop.is_set)


def _inbox(box: Box, configuration: Configuration) -> Inbox:
    intake = configuration.settings.intake
    share = box.kind == "share"
    return Inbox(
        box=box.code,
        path=box.inbox,
        share=share,
        rules=SettlingRules(
            quiet_seconds=intake.share_quiet_seconds if share else intake.quiet_seconds,
            give_up_seconds=intake.give_up_seconds,
        ),
        sweep_seconds=intake.share_sweep_seconds if share else intake.sweep_seconds,
        ordered=box.assemble is Assemble.STACK,
        marker=box.marker,
    )
