"""Into quarantine: the original is kept with a readable reason beside it, a row and an event; the queue goes on."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import structlog

from skrynka.core.errors import EnvironmentUnfit, ScanRejected
from skrynka.core.reasons import QuarantineReason
from skrynka.steps.archive import Archive
from skrynka.store.database import Database
from skrynka.store.leases import TakenScan
from skrynka.store.quarantine import quarantine_scan

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Spoilt:
    """A scan that goes to quarantine, as far as people must know it."""

    id: str
    name: str
    box: str
    sha256: str


def set_aside(database: Database, archive: Archive, taken: TakenScan, rejected: ScanRejected) -> None:
    """Put a scan that a worker has into quarantine. Raises DatabaseAway, LeaseLost, ArchiveAway, ArchiveDamaged.

    The note in the archive comes first: should the row fail, the scan is read again, and the note written anew.
    """
    spoilt = Spoilt(taken.id, taken.name, taken.box_code, taken.sha256)
    note(archive, spoilt, rejected)
    quarantine_scan(database, taken, rejected.reason, page_number=rejected.page)
    tell(spoilt, rejected)


def note_given_up(archive: Archive, spoilt: Spoilt) -> None:
    """Note and tell that a scan broke off three times: the queue has put it aside already. Never raises."""
    rejected = ScanRejected(QuarantineReason.ATTEMPTS_EXHAUSTED)
    with suppress(EnvironmentUnfit):
        # Told by whoever misses the archive for good; the note comes back with `skrynka audit --repair`.
        note(archive, spoilt, rejected)
    tell(spoilt, rejected)


def note(archive: Archive, spoilt: Spoilt, rejected: ScanRejected) -> None:
    """Put the reason beside the original, for people. Raises ArchiveAway, ArchiveDamaged."""
    archive.note_quarantine(spoilt.id, spoilt.name, spoilt.sha256, quarantine_note(spoilt.name, spoilt.box, rejected))


def tell(spoilt: Spoilt, rejected: ScanRejected, stack_id: str | None = None) -> None:
    """Log it."""
    about: dict[str, object] = {"page": rejected.page, "stack_id": stack_id, "detail": rejected.detail or None}
    _LOG.warning(
        "scan_quarantined",
        scan_number=spoilt.name,
        box=spoilt.box,
        scan_id=spoilt.id,
        reason=rejected.reason.value,
        **{name: value for name, value in about.items() if value is not None},
    )


def quarantine_note(name: str, box: str, rejected: ScanRejected) -> str:
    """Write what a person reads beside the original."""
    about = rejected.reason.about
    again = f"To try again: skrynka quarantine retry {name}" if about.retry_can_help else "Trying again won't help."
    return "\n".join(
        [
            f"Scan {name} from box {box} is in quarantine: {rejected.reason.value}",
            str(rejected),
            "",
            f"What to do: {about.remedy}",
            again,
            "",
        ]
    )
