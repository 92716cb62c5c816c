"""What an audit can find, as a table: each flaw with how bad it is, whose trouble, what it says, and what to do.

The codes are stable: they stand in `skrynka audit --json` and in the history.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from skrynka.core.reasons import Fault


class Weight(StrEnum):
    """How bad a flaw is, the worst last."""

    NOTE = "note"
    """Worth knowing, and nothing is wrong."""
    WARNING = "warning"
    """Somebody acts today."""
    ERROR = "error"
    """Papers or their account are at risk: act now."""


class Flaw(StrEnum):
    """Something that isn't as it must be."""

    # The database by itself
    DATABASE_DAMAGED = "database_damaged"
    # The account of the pages
    PAGES_MISSING = "pages_missing"
    PAGE_UNSETTLED = "page_unsettled"
    PAGE_MISPLACED = "page_misplaced"
    PAGE_WITHOUT_DOCUMENT = "page_without_document"
    COUNTERS_WRONG = "counters_wrong"
    UNFINISHED = "unfinished"
    DUPLICATE_OF_NOTHING = "duplicate_of_nothing"
    STACK_EMPTY = "stack_empty"
    STACK_OUT_OF_ORDER = "stack_out_of_order"
    STACK_MIXED = "stack_mixed"
    # Cases and documents
    DOCUMENT_INCOMPLETE = "document_incomplete"
    ORDINALS_WRONG = "ordinals_wrong"
    CASE_NUMBERS_WRONG = "case_numbers_wrong"
    CASE_EVENT_WRONG = "case_event_wrong"
    # Work that stands still
    SCAN_LINGERS = "scan_lingers"
    STACK_LINGERS = "stack_lingers"
    CLAIM_LINGERS = "claim_lingers"
    INBOX_LINGERS = "inbox_lingers"
    INBOX_UNSEEN = "inbox_unseen"
    # Numbers
    SCAN_NUMBERS_MISSING = "scan_numbers_missing"
    SCAN_NUMBER_BEHIND = "scan_number_behind"
    SERIALS_BEHIND = "serials_behind"
    # Files against rows
    ORIGINAL_MISSING = "original_missing"
    ORIGINAL_CHANGED = "original_changed"
    SIDECAR_MISSING = "sidecar_missing"
    SIDECAR_DAMAGED = "sidecar_damaged"
    SIDECAR_CONTRADICTS = "sidecar_contradicts"
    ORIGINAL_EARLIER = "original_earlier"
    DOCUMENT_MISSING = "document_missing"
    DOCUMENT_CHANGED = "document_changed"
    NOTE_MISSING = "note_missing"
    # Files without rows
    SCAN_UNREGISTERED = "scan_unregistered"
    SCAN_OF_UNKNOWN_BOX = "scan_of_unknown_box"
    SCAN_NUMBER_TAKEN = "scan_number_taken"
    ORIGINAL_UNTOLD = "original_untold"
    DOCUMENT_ORPHANED = "document_orphaned"
    NOTE_STRAY = "note_stray"
    NAME_WRONG = "name_wrong"
    ENTRY_UNKNOWN = "entry_unknown"
    # What was left lying
    INCOMING_LEFT = "incoming_left"
    WORK_LEFT = "work_left"
    CLAIM_LEFT = "claim_left"
    CLAIM_DAMAGED = "claim_damaged"
    CLAIM_ODD = "claim_odd"
    CLAIM_FORGOTTEN = "claim_forgotten"

    @property
    def about(self) -> AboutFlaw:
        """Say how bad it is, whose trouble, what it means, what to do, and whether `--repair` does it."""
        return _FLAWS[self]


@dataclass(frozen=True, slots=True)
class AboutFlaw:
    """What a person needs to know of a flaw."""

    weight: Weight
    fault: Fault
    sentence: str
    remedy: str
    mends: bool = False
    """`--repair` mends it."""


@dataclass(frozen=True, slots=True)
class FoundFlaw:
    """A flaw, and what it is about."""

    flaw: Flaw
    about: str
    """What people call it: "ST-1-417", "ST-1/12", "OBL-03/2026/000123", a path in the archive."""
    detail: str = ""
    """Figures and words of ours; never what stands in papers."""
    station: str | None = None
    """Whose it is, where only that station can mend it."""
    key: tuple[str, ...] = ()
    """What mending it needs: ids and hashes."""


_E, _W, _N = Weight.ERROR, Weight.WARNING, Weight.NOTE
_INPUT, _STATION, _PROGRAM = Fault.INPUT, Fault.STATION, Fault.PROGRAM
_REPORT = "Keep the database as it is, make a copy of it, and report this with the code and the figures."
_BACKUP = "Bring it back from the archive's backup; without one, find the papers by box and time, and scan them again."
_CUT = "Bring it back from the archive's backup; its pages are in their originals too: `skrynka cases show` says where."
_LOOK = "See `skrynka status` and the log for what it waits for."
_START = "Nothing: the daemon does it at its next start."

_FLAWS: dict[Flaw, AboutFlaw] = {
    Flaw.DATABASE_DAMAGED: AboutFlaw(
        _E, _STATION, "The database itself is damaged.", "Stop the daemon, restore a backup, and audit again."
    ),
    Flaw.PAGES_MISSING: AboutFlaw(_E, _PROGRAM, "A scan's pages aren't all on record, each once.", _REPORT),
    Flaw.PAGE_UNSETTLED: AboutFlaw(
        _E, _PROGRAM, "It is finished, and some of its pages are accounted for as nothing.", _REPORT
    ),
    Flaw.PAGE_MISPLACED: AboutFlaw(
        _E, _PROGRAM, "Pages are accounted for as something that can't be, where they lie.", _REPORT
    ),
    Flaw.PAGE_WITHOUT_DOCUMENT: AboutFlaw(
        _E, _PROGRAM, "A page is accounted for as a document's, and is in none.", _REPORT
    ),
    Flaw.COUNTERS_WRONG: AboutFlaw(
        _E, _PROGRAM, "A scan's counters aren't what its pages add up to.", "`--repair` counts the pages again.", True
    ),
    Flaw.UNFINISHED: AboutFlaw(
        _E, _PROGRAM, "All of its pages are accounted for, and it isn't finished.", _REPORT
    ),
    Flaw.DUPLICATE_OF_NOTHING: AboutFlaw(
        _E, _PROGRAM, "A duplicate doesn't point at an original with the same bytes and as many pages.", _REPORT
    ),
    Flaw.STACK_EMPTY: AboutFlaw(_E, _PROGRAM, "A stack has no pages.", _REPORT),
    Flaw.STACK_OUT_OF_ORDER: AboutFlaw(
        _E, _PROGRAM, "The pages of a stack don't lie in it one after the other, as they were scanned.", _REPORT
    ),
    Flaw.STACK_MIXED: AboutFlaw(
        _E, _PROGRAM, "A stack holds pages of a scan from another box.", "Look at its cases at once. " + _REPORT
    ),
    Flaw.DOCUMENT_INCOMPLETE: AboutFlaw(
        _E, _PROGRAM, "A document's pages on record aren't 1 to its page count.", _REPORT
    ),
    Flaw.ORDINALS_WRONG: AboutFlaw(
        _E, _PROGRAM, "The cases of a stack, or the documents of a case, don't count from 1 without a gap.", _REPORT
    ),
    Flaw.CASE_NUMBERS_WRONG: AboutFlaw(
        _E, _PROGRAM, "The case numbers of a box and year aren't 1 to the last one given.", _REPORT
    ),
    Flaw.CASE_EVENT_WRONG: AboutFlaw(
        _E, _PROGRAM, "The history doesn't say exactly once that a case was recorded.", _REPORT
    ),
    Flaw.SCAN_LINGERS: AboutFlaw(_W, _STATION, "A scan has been on its way for more than a day.", _LOOK),
    Flaw.STACK_LINGERS: AboutFlaw(_W, _STATION, "A stack has waited for more than a day.", _LOOK),
    Flaw.CLAIM_LINGERS: AboutFlaw(
        _W, _STATION, "A claimed scan has waited in the spool for more than a day.",
        "Start the daemon where it doesn't run; else look for `claim_stuck` and `disk_low` in its log.",
    ),
    Flaw.INBOX_LINGERS: AboutFlaw(
        _N, _STATION, "Files have lain in an inbox for more than a day and weren't taken.",
        "Start the daemon where it doesn't run; else look what they are.",
    ),
    Flaw.INBOX_UNSEEN: AboutFlaw(
        _W, _STATION, "An inbox can't be listed, so nothing is known of what lies in it.", "See `skrynka check`."
    ),
    Flaw.SCAN_NUMBERS_MISSING: AboutFlaw(
        _N, _STATION, "Some of the station's running scan numbers are no scan's.",
        "Nothing where a claim was lost to another station. After a restore, look whether the archive is whole.",
    ),
    Flaw.SCAN_NUMBER_BEHIND: AboutFlaw(
        _W, _STATION, "The station's running scan number is lower than numbers that were given.",
        "`--repair` raises it; so does the daemon at its start, from the database.", True,
    ),
    Flaw.SERIALS_BEHIND: AboutFlaw(
        _N, _STATION, "Sheets came in with serials that this database hasn't given yet.",
        "Set another `sheets.series` before you print: else a serial could be given twice.",
    ),
    Flaw.ORIGINAL_MISSING: AboutFlaw(_E, _STATION, "A scan's original isn't in the archive.", _BACKUP),
    Flaw.ORIGINAL_CHANGED: AboutFlaw(_E, _STATION, "An original isn't what its hash or size says.", _BACKUP),
    Flaw.SIDECAR_MISSING: AboutFlaw(
        _W, _STATION, "The sidecar of a scan isn't in the archive: a lost database couldn't be rebuilt from it.",
        "`--repair` writes it from the scan's row.", True,
    ),
    Flaw.SIDECAR_DAMAGED: AboutFlaw(
        _W, _STATION, "The sidecar of a scan can't be read.", "`--repair` writes it anew from the scan's row.", True
    ),
    Flaw.SIDECAR_CONTRADICTS: AboutFlaw(
        _E, _STATION, "A scan's sidecar and its row say different things.",
        "Find out who changed which of them, and restore that one from its backup.",
    ),
    Flaw.ORIGINAL_EARLIER: AboutFlaw(
        _W, _STATION, "The archive has other bytes of a scan beside those of its row: its file changed once stored.",
        "`--repair` removes them where the scan's own original begins with them. Else copy them into the inbox of its "
        "box, and remove their folder when they were taken.", True,
    ),
    Flaw.DOCUMENT_MISSING: AboutFlaw(_E, _STATION, "A case's document isn't in the archive.", _CUT),
    Flaw.DOCUMENT_CHANGED: AboutFlaw(_E, _STATION, "A document isn't what its hash or size says.", _CUT),
    Flaw.NOTE_MISSING: AboutFlaw(
        _W, _STATION, "The note of a scan in quarantine isn't in the archive.", "`--repair` writes it.", True
    ),
    Flaw.SCAN_UNREGISTERED: AboutFlaw(
        _E, _STATION, "The archive has a scan that the database doesn't know.",
        "`--repair` registers it from its sidecar; the daemon then reads and files it.", True,
    ),
    Flaw.SCAN_OF_UNKNOWN_BOX: AboutFlaw(
        _E, _STATION, "The database doesn't know a scan in the archive, and nobody knows its box.",
        "Add the box to boxes.toml, and call `skrynka audit --repair`.",
    ),
    Flaw.SCAN_NUMBER_TAKEN: AboutFlaw(
        _E, _STATION, "The database doesn't know a scan in the archive, and its number is another scan's.",
        "Copy the original into the inbox of its box; when it was taken, remove the sidecar with the old number.",
    ),
    Flaw.ORIGINAL_UNTOLD: AboutFlaw(
        _E, _STATION, "An original is in the archive, and neither a row nor a readable sidecar says what it is.",
        "Look at it, copy it into the inbox of its box, and remove its folder when it was taken.",
    ),
    Flaw.DOCUMENT_ORPHANED: AboutFlaw(
        _W, _STATION, "A document is in the archive, and no case has it: a crash or a restored database left it.",
        "`--repair` removes it, once no scan is on its way any more.", True,
    ),
    Flaw.NOTE_STRAY: AboutFlaw(
        _W, _STATION, "The archive has a note in quarantine, and its scan isn't there.", "`--repair` removes it.", True
    ),
    Flaw.NAME_WRONG: AboutFlaw(
        _W, _STATION, "A name in the archive isn't what its content or its row makes it.",
        "Find out who renamed or changed it, and bring it back from the archive's backup.",
    ),
    Flaw.ENTRY_UNKNOWN: AboutFlaw(
        _W, _STATION, "Something lies here that isn't ours.", "Find out what it is, and take it elsewhere."
    ),
    Flaw.INCOMING_LEFT: AboutFlaw(
        _N, _STATION, "A crash left something half-written.", "`--repair` removes it.", True
    ),
    Flaw.WORK_LEFT: AboutFlaw(_N, _STATION, "A reader that died left its work folder.", _START, True),
    Flaw.CLAIM_LEFT: AboutFlaw(_N, _STATION, "A claim lies in the spool, and its scan is registered.", _START),
    Flaw.CLAIM_DAMAGED: AboutFlaw(
        _E, _STATION, "The record of a claimed scan can't be read, so it isn't known which scan it is.",
        "Copy the scan in it back into its inbox, then remove the folder.",
    ),
    Flaw.CLAIM_ODD: AboutFlaw(
        _W, _INPUT, "Something that is no file was in an inbox, and was set aside in the spool.",
        "Look what it is, and remove it.",
    ),
    Flaw.CLAIM_FORGOTTEN: AboutFlaw(
        _E, _STATION, "A file lies among the claimed ones of an inbox, and no claim tells of it.",
        "The daemon takes it anew, and tells it by its bytes if it is known. If it stays, move it into the inbox.",
    ),
}  # fmt: skip
