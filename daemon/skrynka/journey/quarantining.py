"""Into quarantine: the original is kept with a readable reason beside it, a row and an event; the queue goes on."""

from __future__ import annotations

import structlog

from skrynka.core.errors import ScanRejected
from skrynka.steps.archive import Archive
from skrynka.store.database import Database
from skrynka.store.leases import TakenScan
from skrynka.store.quarantine import quarantine_scan

_LOG = structlog.get_logger(__name__)


def set_aside(database: Database, archive: Archive, taken: TakenScan, rejected: ScanRejected) -> None:
    """Put a scan that a worker has into quarantine. Raises DatabaseAway, LeaseLost, and OSError of the archive.

    The note in the archive comes first: should the row fail, the scan is read again, and the note written anew.
    """
    archive.note_quarantine(taken.id, taken.name, taken.sha256, quarantine_note(taken.name, taken.box_code, rejected))
    quarantine_scan(database, taken, rejected.reason, page_number=rejected.page)
    _LOG.warning(
        "scan_quarantined",
        scan_number=taken.name,
        box=taken.box_code,
        scan_id=taken.id,
        reason=rejected.reason.value,
        attempt=taken.attempt,
        **({"page": rejected.page} if rejected.page is not None else {}),
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
