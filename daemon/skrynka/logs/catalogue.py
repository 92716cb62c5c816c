"""Every event that can stand in the log: a closed list.

The level says what is asked of whom. Info: normal work, cases for review and incomplete ones among it. Warning:
somebody acts today. Error: papers are at risk, act now. The level stands here and not at the call, so that it can be
read in one place. Sentences are in the language of `sentences`; the fields that they name are those to log with the
event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Level(StrEnum):
    """How much an event asks of people, in rising order."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """0 for debug to 3 for error."""
        return list(Level).index(self)


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the catalogue."""

    level: Level
    sentence: str
    """What the admin reads."""
    meaning: str
    remedy: str = ""
    """What to do; empty where nothing is to be done."""


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One row as the README shows it."""

    name: str
    level: str
    meaning: str
    remedy: str


_D, _I, _W, _E = Level.DEBUG, Level.INFO, Level.WARNING, Level.ERROR
_LOOK = "Nothing, unless it repeats: then report it with the line's `error` and `location`."

EVENTS: Mapping[str, Event] = MappingProxyType(
    {
        # The service
        "service_started": Event(
            _I, "skrynka {version}[ on station {station}][ as {role}] started", "The program has begun to run."
        ),
        "settings_loaded": Event(
            _I,
            "settings loaded: {boxes:# box|boxes}, {inboxes:# inbox|inboxes}, database {database}",
            "The configuration was read and is good; `digest` tells two configurations apart: settings (all but"
            " `database.url`), boxes, case types, and the ids of the keys.",
        ),
        "service_ready": Event(
            _I, "ready: watching {inboxes:# inbox|inboxes}[, {queued:+} in the queue]", "Scans are taken from now on."
        ),
        "service_stopping": Event(
            _I,
            "stopping[ on {signal}]",
            "No more work is begun; what is in hand is finished or left for the next start.",
        ),
        "service_stopped": Event(_I, "stopped[ after {seconds:s}]", "The program has ended by itself."),
        "service_degraded": Event(
            _W,
            "degraded[ for {seconds:s} now], {work}: {detail}[ {advice}]",
            "Part of the service can't work; the rest goes on.",
            "What the line itself advises; `skrynka status` says what is away.",
        ),
        # Inboxes
        "inbox_watched": Event(
            _I,
            "inbox {inbox} watched[ for box {box}][, {waiting:+} waiting]",
            "Scans saved into the inbox are noticed.",
        ),
        "inbox_vanished": Event(
            _W,
            "inbox {inbox} is away[: {detail}]",
            "An inbox's folder can't be reached: it was removed or unmounted (its marker file isn't there), or its "
            "share doesn't answer. The other inboxes go on.",
            "`skrynka check` says more. Look at the folder; of a share at its server and the network. Nothing is lost "
            "while it is away.",
        ),
        "inbox_returned": Event(_I, "inbox {inbox} is back[ after {seconds:s}]", "An inbox can be listed again."),
        "inbox_replaced": Event(
            _W,
            "inbox {inbox} is another folder than before",
            "An inbox's path leads to another folder now: it was replaced, or a disk was mounted or unmounted there. "
            "The new one is watched.",
            "Look whether it was meant: what lies in the old folder isn't taken. A marker file (boxes.toml) tells an "
            "inbox that is unmounted from an empty one.",
        ),
        "watch_failed": Event(
            _W,
            "inbox {inbox}: the kernel has no watch left for it; scans are found some seconds later",
            "The kernel's limit of inotify watches is used up. Scans are found by listing, and the watch is tried "
            "again until it can be had.",
            "sysctl fs.inotify.max_user_watches=65536 fs.inotify.max_user_instances=256; put it into /etc/sysctl.d.",
        ),
        "watch_overflowed": Event(
            _W,
            "more happened in the inboxes at once than the kernel remembers; all of them are listed now",
            "The kernel's queue of events was full and some were lost. No scan is: every inbox is listed at once.",
            "If it repeats: sysctl fs.inotify.max_queued_events=65536 and restart; put it into /etc/sysctl.d.",
        ),
        "scan_ignored_empty": Event(
            _W,
            "inbox {inbox}: a file has had no bytes for {waited_seconds:s}",
            "A scanner has made a file and written nothing for an hour.",
            "Look at the scanner and its queue; remove the empty file when its papers are found.",
        ),
        "scan_kept_open": Event(
            _W,
            "inbox {inbox}: a program keeps a file open for writing, unchanged for {waited_seconds:s}; it waits",
            "A file isn't taken while somebody may still write to it. Where the papers of a box are stacked, the later "
            "files of its inbox wait too.",
            "Find the program with `fuser -v` on the inbox's files, most often the scanner's, and end it: the file is "
            "taken then.",
        ),
        "scan_unfinished": Event(
            _I,
            "inbox {inbox}: a file lacks its end, unchanged for {waited_seconds:s}; taken as it is in {left_seconds:s}",
            "A scanner hasn't written its scan to the end: it pauses, or it has given up. The scan isn't taken before "
            "`intake.give_up_seconds` without a change, counted anew after a start of the service; if it can't be read "
            "then, it goes to quarantine.",
        ),
        "scan_unreadable": Event(
            _W,
            "inbox {inbox}: a file may not be read; it stays there",
            "The rights of a file keep the service from reading it, so it isn't taken. The other files of its inbox "
            "are, but where the papers of the box are stacked the later ones wait. It is tried again.",
            "`sudo -u skrynka find INBOX -type f ! -readable` names such files: let the service's group read them, and "
            "have the scanner's account save its files so (its umask, or a default ACL of the folder).",
        ),
        "scan_overwritten": Event(
            _E,
            "inbox {inbox}: a file was overwritten before it was taken; its earlier pages are gone",
            "The scanner used a name again: what stood under it is lost.",
            "Stop scanning into this inbox. Make the scanner number its files, find the last papers, scan them again.",
        ),
        "entry_odd": Event(
            _W,
            "[inbox {inbox}: ]there is something that is no file ({kind})",
            "A folder, a link or the like lies in an inbox. It isn't followed, and nothing in it is taken.",
            "Look what it is. If scans are in it, move them into the inbox itself.",
        ),
        "claim_refused": Event(
            _W,
            "inbox {inbox}: a scan can't be taken[: {detail}]",
            "The inbox's folder doesn't let its files be moved; the scan stays where it is, and is tried again.",
            "Look at the rights on the inbox's folder with `skrynka check`.",
        ),
        "claim_forgotten": Event(
            _W,
            "inbox {inbox}: a scan lies among the claimed ones and no claim tells of it; it is taken now",
            "The inbox's server carried out a claim that it had given no answer to, or broke down and brought a file "
            "back that the spool has otherwise, or a claim was lost with the spool. The scan is taken as a new one; "
            "the name that its scanner gave it isn't known any more.",
            "It may come late: where the papers of a box are stacked, look at the cases that it was scanned among.",
        ),
        "claim_stuck": Event(
            _E,
            "scan {scan_number}[ {box}] was claimed and is stuck: {error}",
            "A claimed scan stays in the spool. Where the papers of its box are stacked, the later ones wait for it.",
            "ENOSPC is a full disk, EDQUOT a quota, EIO a failing disk, kept_open a program that still writes to it. "
            "Look at the spool, at the share it came from, and whether its box is configured.",
        ),
        "archive_damaged": Event(
            _E,
            "{work}: an original isn't in the archive any more",
            "What the archive had is gone or changed: papers are at risk.",
            "Bring the archive back from its backup; find the papers of the scan that goes to quarantine for it.",
        ),
        "claim_damaged": Event(
            _E,
            "a claim in the spool can't be read[: its folder is {scan_id}]; its scan waits there",
            "The record of a scan that was taken from its inbox is damaged, so it isn't known which scan it is. Where "
            "papers are stacked, pages that may follow it are held for a person until the next sheet, at each start.",
            "Keep that folder of the spool until the scan in it is copied back into its inbox, then remove it. "
            "`skrynka audit` lists all such folders.",
        ),
        # Scans
        "scan_claimed": Event(
            _I,
            "scan {scan_number}[ {box}] claimed[, {size_bytes:size}]",
            "A scan was taken from its inbox; `unfinished` when its writer had given up.",
        ),
        "scan_registered": Event(
            _I,
            "scan {scan_number}[ {box}] registered",
            "The scan's original is in the archive and its row in the database.",
        ),
        "scan_duplicated": Event(
            _I,
            "scan {scan_number}[ {box}] is the same as {duplicate_of}[: {pages:# page} counted as duplicate]",
            "The same bytes came before: no second case is made.",
        ),
        "scan_grew": Event(
            _W,
            "scan {scan_number}[ {box}]: the file of scan {continues} went on later; all of it is this scan",
            "A program wrote to a file that was taken and registered already. Nothing is lost: the file, as it is now, "
            "is a scan of its own. The pages of the earlier scan are in both.",
            "Look at the cases of both, they have pages twice. Find out what wrote so late, and raise "
            "`intake.quiet_seconds` above its pauses.",
        ),
        "scan_read": Event(
            _I, "scan {scan_number}[ {box}] read: {pages:# page}[ in {seconds:s}]", "Every page of a scan was read."
        ),
        "scan_quarantined": Event(
            _W,
            "scan {scan_number}[ {box}] in quarantine: {reason:why} {reason:remedy}",
            "A scan can't be processed and is kept with its reason; the others go on.",
            "`skrynka quarantine show` says what is wrong with it and what to do.",
        ),
        "scan_finished": Event(
            _I,
            "scan {scan_number}[ {box}][ {claimed_at:clock}]: {page_account}"
            "[; {cases:# case}][, {reviews:+} for review]",
            "The one line about a scan: all its pages are accounted for.",
        ),
        # Stacks and cases
        "stack_closed": Event(
            _I,
            "stack[ {stack_number}][ {box}] closed[: {scans:# scan}][, {pages:# page}]",
            "A stack is whole; it is filed next.",
        ),
        "stack_filed": Event(
            _I,
            "stack[ {stack_number}][ {box}][ {opened_at:clock}] filed: {scans:# scan}, {page_account}; {cases:# case}"
            "[, {incomplete:+} incomplete][, {reviews:+} for review]",
            "The one line about a stack: its cases are in the database.",
        ),
        "stack_count_mismatched": Event(
            _W,
            "stack[ {stack_number}][ {box}]: {counted} counted by hand, {submissions} found",
            "The envelopes counted by hand aren't as many as the submissions found.",
            "While the papers lie on the table: count them again, look for a missing or a doubled sheet.",
        ),
        "case_created": Event(
            _I,
            "case {case_number}[ {case_type}]: {documents:# document}, {pages:# page}[, {completeness}]"
            "[, missing at least {missing:+}][; for review: {reasons:+}]",
            "The one line about a case.",
        ),
        # Readers
        "reader_started": Event(_D, "reader started[ for scan {scan_number}]", "A reader process began on a scan."),
        "reader_said": Event(
            _D, "a library in the reader[ of scan {scan_number}] printed {lines:# line}", "What it printed isn't kept."
        ),
        "reader_died": Event(
            _I,
            "the reader[ of scan {scan_number}] died[ on page {page}][: {detail}]",
            "A reader process crashed, fell silent or ran out of memory. Its page is tried once more, alone, then the"
            " scan goes to quarantine.",
        ),
        "readers_unconfined": Event(
            _W,
            "readers aren't confined by {cause}: the kernel refuses it ({error})",
            "The kernel refuses a part of what confines readers: seccomp keeps them off networks and away from other"
            " processes, landlock from files but their scan and their work folder. All else that limits them holds.",
            "Use a kernel with both (Debian's has them); look at the unit's SystemCallFilter, if it was changed.",
        ),
        # Work
        "work_failed": Event(
            _E,
            "{work} failed: {error} at {location}[, for {seconds:s} now]",
            "Something failed that nobody foresaw. What was in hand is kept, and taken again.",
            "Look at `skrynka status`. Report it with the line's `error` and `location`. No paper is lost by it.",
        ),
        "lease_lost": Event(
            _I,
            "{work}: another worker has the work now",
            "This worker was too slow or cut off; what it did is dropped.",
        ),
        "plan_refused": Event(
            _E,
            "stack[ {stack_number}][ {box}]: the plan doesn't account for every page, nothing was filed",
            "A defect of this program was caught before it could lose a page.",
            "Keep the papers. Report it with the stack's id; after three tries the stack is in quarantine.",
        ),
        # The station
        "database_lost": Event(
            _W,
            "the database is away[ for {seconds:s} now][: {error}][; {waiting:+} claimed and waiting]"
            "[, {free_bytes:size} free for more]",
            "Scans are still taken and kept here; they are registered when it is back. Said again while it lasts.",
            "Look at the database server and the network; for SQLite `skrynka check` says whether its file is gone"
            " (`not_there`), another lies in its place (`another_file`), or it is damaged (`damaged`: restore a"
            " backup). Watch the free space while it is away.",
        ),
        "database_returned": Event(
            _I, "the database is back[ after {seconds:s}][, {waiting:+} to register]", "What waited is registered now."
        ),
        "archive_lost": Event(
            _W,
            "the archive is away[ for {seconds:s} now][: {error}][; {waiting:+} claimed and waiting]"
            "[, {free_bytes:size} free for more]",
            "Scans are still taken and kept here; they are archived when it is back. Said again while it lasts.",
            "Look at the archive's disk or server: is it mounted, has it room, may it be written? Watch the "
            "spool's room meanwhile.",
        ),
        "archive_returned": Event(
            _I, "the archive is back[ after {seconds:s}][, {waiting:+} to archive]", "What waited is archived now."
        ),
        "disk_low": Event(
            _W,
            "{volume}: {free_bytes:size} free[, room for {free_files} files]; a scan in {inbox} waits"
            "[, with what is in work and the reserve it needs {needed_bytes:size}][ for {seconds:s} now]",
            "A disk is nearly full, or has too little room for a large scan. The scans in work are finished, new ones "
            "that don't fit wait in their inboxes, one that was just being taken in its claim; where papers are "
            "stacked, the later ones wait too. Said again while it lasts.",
            "Make room, or give the folder a larger disk. It goes on by itself then.",
        ),
        "disk_failed": Event(
            _W,
            "{work}: a disk of the station can't be used ({error})[ for {seconds:s} now]",
            "What was in hand is kept, and tried again every few seconds. Said again while it lasts.",
            "`skrynka check` says which folder. Look at its disk with `df -h`, `df -i` and `dmesg`, and at its rights.",
        ),
        "disk_freed": Event(_I, "there is room again[ after {seconds:s}]", "Scans are taken again."),
        "scans_unregistered": Event(
            _W,
            "the archive holds {scans:# scan} that the database doesn't know",
            "The database was brought back from an old backup, or the archive is shared with another one."
            " Nothing is removed from the archive meanwhile.",
            "Look with `skrynka audit`; `skrynka audit --repair` registers them again.",
        ),
        "orphans_removed": Event(
            _I,
            "{orphans:# orphan} removed from the archive",
            "Documents that a crash had cut and never recorded, a day old and more: they were cut again.",
        ),
        # Foreign voices
        "library_said": Event(
            _I,
            "{logger} said something ({severity}, {module} line {line})[: {said}]",
            "A library logged or warned. Its words may hold what nobody may read, and are left out.",
            _LOOK,
        ),
    }
)


def describe_catalogue() -> list[CatalogueRow]:
    """Give the catalogue's rows in its order, for the README."""
    return [CatalogueRow(name, event.level.value, event.meaning, event.remedy) for name, event in EVENTS.items()]
