"""Documents copied out of the archive, each compared with its hash on the way."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from skrynka.core.errors import ConfigurationError, EnvironmentUnfit
from skrynka.durable import FOLDER_MODE, copy_durably, rename_durably
from skrynka.steps.archive import Archive, ArchiveDamaged
from skrynka.store.case_listings import CaseDetail, CaseDocument


def export_documents(found: CaseDetail, archive: Archive, folder: Path, *, force: bool) -> list[Path]:
    """Copy a case's documents into a folder (made 0750, files 0640 at most); give the files, in the case's order.

    Raises ConfigurationError, before anything is written, where a file is there and `force` isn't given;
    ArchiveDamaged where the archive hasn't what the database says; EnvironmentUnfit where the folder can't be written.
    """
    targets = [(paper, folder / _name(found.case.number, paper)) for paper in found.documents]
    there = [target.name for _, target in targets if target.exists()]
    if there and not force:
        raise ConfigurationError(f"{folder} has {there[0]} already.", "Name another folder, or say --force.")
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        for paper, target in targets:
            _copy(archive.document_path(paper.sha256), target, paper.sha256)
    except OSError as error:
        raise EnvironmentUnfit(
            f"{folder} can't be written ({error.strerror or type(error).__name__}).", "Look at its rights and its room."
        ) from None
    return [target for _, target in targets]


def _name(number: str, paper: CaseDocument) -> str:
    return f"{number.replace('/', '-')}-{paper.ordinal}-{'+'.join(paper.kinds)}.pdf"


def _copy(source: Path, target: Path, sha256: str) -> None:
    """Copy under a passing name: a name that is there has a whole document behind it."""
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    digest = hashlib.sha256()
    descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        copy_durably(descriptor, part, digest.update)
    finally:
        os.close(descriptor)
    if digest.hexdigest() != sha256:
        part.unlink()
        raise ArchiveDamaged(
            "A document in the archive isn't what was stored there.",
            "Look at the archive's disk, and bring the archive back from its backup.",
        )
    rename_durably(part, target)
