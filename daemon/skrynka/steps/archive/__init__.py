"""The archive: originals and documents by content, and what is in quarantine.

`folder` is what it holds, `identity` which archive it is.
"""

from skrynka.steps.archive.folder import (
    ORIGINALS,
    Archive,
    ArchiveDamaged,
    SourceChanged,
    StoredDocument,
    StoredOriginal,
)
from skrynka.steps.archive.identity import ArchiveAway, Identity

__all__ = [
    "ORIGINALS",
    "Archive",
    "ArchiveAway",
    "ArchiveDamaged",
    "Identity",
    "SourceChanged",
    "StoredDocument",
    "StoredOriginal",
]
