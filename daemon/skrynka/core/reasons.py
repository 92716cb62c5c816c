"""Every reason that a person can be shown: why a case waits, what is odd in a stack, why a scan is in quarantine.

The codes are stable: they stand in the database, in logs and in `--json`. Each has a sentence for people and, where
a person has something to do, the remedy.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReviewReason(StrEnum):
    """Why a person must look at a case (domain: "needs review", на перевірку)."""

    NO_SHEET = "no_sheet"
    PAGES_BEFORE_FIRST_SHEET = "pages_before_first_sheet"
    SHEET_UNREADABLE = "sheet_unreadable"
    CODE_INVALID = "code_invalid"
    VERSION_UNKNOWN = "version_unknown"
    CODES_DISAGREE = "codes_disagree"
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_WRONG = "signature_wrong"
    KEY_UNKNOWN = "key_unknown"
    KEY_EXPIRED = "key_expired"
    DOCUMENT_SHEET_WITHOUT_CASE = "document_sheet_without_case"
    PAGES_AFTER_GAP = "pages_after_gap"
    SHEET_UNKNOWN = "sheet_unknown"
    SHEET_CONTRADICTED = "sheet_contradicted"
    BOX_MISMATCHED = "box_mismatched"
    CASE_TYPE_MISSING = "case_type_missing"
    CASE_TYPE_UNKNOWN = "case_type_unknown"
    BRANCH_UNKNOWN = "branch_unknown"
    PROVIDER_UNKNOWN = "provider_unknown"
    DOCUMENT_KIND_UNKNOWN = "document_kind_unknown"
    EMPTY_SUBMISSION = "empty_submission"
    BOUNDARY_DOUBTFUL = "boundary_doubtful"
    DOCUMENT_WITHOUT_PAGES = "document_without_pages"
    PAGE_LIMIT_EXCEEDED = "page_limit_exceeded"
    SERIAL_REPEATED = "serial_repeated"
    REPEAT_DECLARED = "repeat_declared"
    FOLLOW_UP_UNVERIFIED = "follow_up_unverified"
    FOLLOW_UP_REPEATED = "follow_up_repeated"
    FOLLOW_UP_EXPIRED = "follow_up_expired"
    FOLLOW_UP_CASE_UNKNOWN = "follow_up_case_unknown"
    BRANCHES_MIXED = "branches_mixed"
    UNFIT_METER = "unfit_meter"
    ALWAYS_REVIEWED = "always_reviewed"

    @property
    def sentence(self) -> str:
        """Say it to a person."""
        return _REVIEW[self]


_REVIEW: dict[ReviewReason, str] = {
    ReviewReason.NO_SHEET: "No case sheet lay with these pages: say what they are.",
    ReviewReason.PAGES_BEFORE_FIRST_SHEET: "These pages lay before the first case sheet: say whose they are.",
    ReviewReason.SHEET_UNREADABLE: "The first page is one of our sheets, and its codes can't be read.",
    ReviewReason.CODE_INVALID: "The first page bears a code in our scheme that doesn't verify.",
    ReviewReason.VERSION_UNKNOWN: "The first page bears a code of a version that this program doesn't know.",
    ReviewReason.CODES_DISAGREE: "The codes on the first page say different things.",
    ReviewReason.SIGNATURE_MISSING: "Signatures are required, and no signed code was read on the first page.",
    ReviewReason.SIGNATURE_WRONG: "The first page's signature is wrong: a forged sheet, or another key of this name.",
    ReviewReason.KEY_UNKNOWN: "The first page is signed with a key that this station doesn't have.",
    ReviewReason.KEY_EXPIRED: "The first page is signed with a key that had ended when the scan came.",
    ReviewReason.DOCUMENT_SHEET_WITHOUT_CASE: "A document sheet lay here, and no case was open.",
    ReviewReason.PAGES_AFTER_GAP: "The file before is in quarantine, came twice or is lost: a sheet may be missing.",
    ReviewReason.SHEET_UNKNOWN: "Only the sheet's short code was read, and no printed sheet has this serial.",
    ReviewReason.SHEET_CONTRADICTED: "The sheet that was printed with this serial says something else.",
    ReviewReason.BOX_MISMATCHED: "The sheet names another box than the inbox's.",
    ReviewReason.CASE_TYPE_MISSING: "The case sheet names no case type.",
    ReviewReason.CASE_TYPE_UNKNOWN: "The case sheet names a case type that isn't configured.",
    ReviewReason.BRANCH_UNKNOWN: "The case sheet names a branch that its case type doesn't have.",
    ReviewReason.PROVIDER_UNKNOWN: "The case sheet names a provider that isn't configured.",
    ReviewReason.DOCUMENT_KIND_UNKNOWN: "A document sheet names a document kind that isn't configured.",
    ReviewReason.EMPTY_SUBMISSION: "Nothing lay with the case sheet.",
    ReviewReason.BOUNDARY_DOUBTFUL: "Where this case begins or ends isn't certain: look at its neighbours too.",
    ReviewReason.DOCUMENT_WITHOUT_PAGES: "No pages followed a document sheet.",
    ReviewReason.PAGE_LIMIT_EXCEEDED: "More pages than one submission has: perhaps two envelopes stuck together.",
    ReviewReason.SERIAL_REPEATED: "The sheet's serial was seen before: a photocopied sheet, or a stack scanned again.",
    ReviewReason.REPEAT_DECLARED: "The stack came under a repeat sheet: it may have been filed before.",
    ReviewReason.FOLLOW_UP_UNVERIFIED: "The sheet claims to follow up another case, and that isn't verified.",
    ReviewReason.FOLLOW_UP_REPEATED: "The sheet follows up another case, and was used before: perhaps a copy.",
    ReviewReason.FOLLOW_UP_EXPIRED: "The sheet follows up another case, and came after its last day.",
    ReviewReason.FOLLOW_UP_CASE_UNKNOWN: "The sheet follows up a case that this box doesn't have.",
    ReviewReason.BRANCHES_MIXED: "The papers belong to more than one branch of the case type.",
    ReviewReason.UNFIT_METER: "An unfitness notice: the meter must be replaced.",
    ReviewReason.ALWAYS_REVIEWED: "A person looks at every case of this type.",
}


class FindingReason(StrEnum):
    """What is odd about a whole stack."""

    STACK_COUNT_MISMATCHED = "stack_count_mismatched"
    BOX_MISMATCHED = "box_mismatched"
    REPEAT_DECLARED = "repeat_declared"
    CLAIM_GAP = "claim_gap"
    BACK_WRITTEN_ON = "back_written_on"

    @property
    def sentence(self) -> str:
        """Say it to a person."""
        return _FINDING[self]


_FINDING: dict[FindingReason, str] = {
    FindingReason.STACK_COUNT_MISMATCHED: "The envelopes counted by hand aren't as many as the submissions found.",
    FindingReason.BOX_MISMATCHED: "The collection sheet names another box than the inbox's.",
    FindingReason.REPEAT_DECLARED: "The stack came under a repeat sheet.",
    FindingReason.CLAIM_GAP: "A file of this stack is in quarantine, or came twice: what lay there is unknown.",
    FindingReason.BACK_WRITTEN_ON: "The back of a staff sheet isn't empty: look whether it is somebody's paper.",
}


class Fault(StrEnum):
    """Whose fault a failure is."""

    INPUT = "input"
    """The file."""
    STATION = "station"
    """The machine, its disks, its configuration, its database."""
    PROGRAM = "program"
    """Ours."""


class QuarantineReason(StrEnum):
    """Why a scan is in quarantine."""

    CORRUPT = "corrupt"
    ENCRYPTED = "encrypted"
    EMPTY = "empty"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too_large"
    NO_PAGES = "no_pages"
    PAGE_TOO_LARGE = "page_too_large"
    PAGE_UNREADABLE = "page_unreadable"
    READER_CRASHED = "reader_crashed"
    READER_TIMED_OUT = "reader_timed_out"
    READER_INCOHERENT = "reader_incoherent"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    CUT_FAILED = "cut_failed"

    @property
    def about(self) -> About:
        """Say whose fault it is, whether trying again can help, and what an admin does."""
        return _QUARANTINE[self]


@dataclass(frozen=True, slots=True)
class About:
    """What a person needs to know of a failure."""

    fault: Fault
    retry_can_help: bool
    sentence: str
    remedy: str


_SCAN_AGAIN = "Find the papers by box and time, and scan them again."
_REPORT = "Keep the original, retry once after an upgrade, and report it with `skrynka quarantine show`."

_QUARANTINE: dict[QuarantineReason, About] = {
    QuarantineReason.CORRUPT: About(Fault.INPUT, False, "The file is damaged or was never finished.", _SCAN_AGAIN),
    QuarantineReason.ENCRYPTED: About(
        Fault.INPUT, False, "The PDF is encrypted.", "Switch off encryption on the scanner, and scan the papers again."
    ),
    QuarantineReason.EMPTY: About(Fault.INPUT, False, "The file has no content.", _SCAN_AGAIN),
    QuarantineReason.UNSUPPORTED: About(
        Fault.INPUT,
        False,
        "The file isn't a PDF, TIFF, JPEG or PNG.",
        "Set the scanner to PDF; look at what else is saved into this inbox.",
    ),
    QuarantineReason.TOO_LARGE: About(
        Fault.INPUT,
        True,
        "The file is larger than the configured limits.",
        "Scan in smaller stacks; or raise `limits.scan_megabytes` or `limits.scan_pages`, restart the daemon, retry.",
    ),
    QuarantineReason.NO_PAGES: About(Fault.INPUT, False, "The file holds no pages.", _SCAN_AGAIN),
    QuarantineReason.PAGE_TOO_LARGE: About(
        Fault.INPUT,
        True,
        "A page has more pixels than the configured limit.",
        "Scan at 300 dpi or less; or raise `limits.page_megapixels`, restart the daemon, retry.",
    ),
    QuarantineReason.PAGE_UNREADABLE: About(Fault.INPUT, False, "A page can't be drawn.", _SCAN_AGAIN),
    QuarantineReason.READER_CRASHED: About(
        Fault.INPUT, True, "Two reader processes died on this file, one after the other.", _REPORT
    ),
    QuarantineReason.READER_TIMED_OUT: About(
        Fault.INPUT,
        True,
        "Reading the file took longer than the limit.",
        "Retry when the station is idle; else scan the papers again in smaller stacks.",
    ),
    QuarantineReason.READER_INCOHERENT: About(
        Fault.PROGRAM, True, "The reader process gave an answer that can't be right.", _REPORT
    ),
    QuarantineReason.ATTEMPTS_EXHAUSTED: About(
        Fault.INPUT,
        True,
        "Work on this file broke off three times.",
        "Retry it now if the service was killed or the power failed meanwhile: the file isn't to blame then. "
        "Else keep the original, retry once after an upgrade, and report it with `skrynka quarantine show`.",
    ),
    QuarantineReason.CUT_FAILED: About(
        Fault.PROGRAM, True, "The pages were read, and couldn't be cut into documents.", _REPORT
    ),
}
