"""What passes between a reader process and its parent.

Orders go to the child as Python values: the parent is trusted. Answers come back as JSON and are checked, because
a hostile file may have taken the child over.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass as checked_dataclass

from skrynka.core.formats import FileType
from skrynka.core.model import PageReading, PageRef, Symbology
from skrynka.core.reasons import QuarantineReason
from skrynka.readers.confinement import Kept


@dataclass(frozen=True, slots=True)
class PageLimits:
    """What a file may cost."""

    scan_bytes: int
    page_pixels: int
    raster_seconds: float
    scan_pages: int = 5000


@dataclass(frozen=True, slots=True)
class ReadOrder:
    """Read a scan's pages, all of them or some."""

    source: Path
    kind: FileType
    work: Path
    """A private folder, empty at the start."""
    limits: PageLimits
    symbologies: frozenset[Symbology]
    separators: frozenset[str]
    foreign_text: bool
    """Give the text of foreign codes too: only ever because a person asked."""
    first: int = 1
    """The first page to read."""
    last: int | None = None
    """The last page to read; None: the scan's last."""


@dataclass(frozen=True, slots=True)
class CutSource:
    """A scan that documents are cut out of."""

    file: Path
    kind: FileType
    sha256: str


@dataclass(frozen=True, slots=True)
class CutOrder:
    """Cut documents out of scans: one file for each list of pages, named 0.pdf, 1.pdf, … in `work`."""

    sources: dict[str, CutSource]
    """By scan id."""
    documents: tuple[tuple[PageRef, ...], ...]
    work: Path
    limits: PageLimits


Order = ReadOrder | CutOrder


def document_name(place: int) -> str:
    """Name the file of the document at this 0-based place of a CutOrder."""
    return f"{place}.pdf"


UNFIT = "EnvironmentUnfit"
"""What a child says that misses a program."""
_NAMES = frozenset({*errno.errorcode.values(), "OSError", UNFIT, "unknown_machine", "unknown_error"})


def _is_name(why: str) -> str:
    """Let only names of errors by: what a child says goes into the log. Raises ValueError."""
    if why not in _NAMES:
        raise ValueError("no name of an error")
    return why


ErrorName = Annotated[str, AfterValidator(_is_name)]


@checked_dataclass(frozen=True)
class Unconfined:
    """The kernel refused a part of what confines this process; all else holds. Said first of all, or never."""

    refused: dict[Kept, ErrorName]
    """What it refused, with an error such as "EINVAL"."""
    said: Literal["unconfined"] = "unconfined"


@checked_dataclass(frozen=True)
class Opened:
    """The scan could be opened."""

    pages: int
    said: Literal["opened"] = "opened"


@checked_dataclass(frozen=True)
class Began:
    """Work on a page, or on a document when cutting, begins: whoever dies now died of this one."""

    number: int
    """1-based."""
    said: Literal["began"] = "began"


@checked_dataclass(frozen=True)
class Read:
    """A page was read."""

    reading: PageReading
    said: Literal["read"] = "read"


@checked_dataclass(frozen=True)
class Rejected:
    """The scan goes to quarantine."""

    reason: QuarantineReason
    page: int | None
    detail: str
    may_pass: bool = False
    """Another process may do better: memory ran out, or a renderer failed."""
    said: Literal["rejected"] = "rejected"


@checked_dataclass(frozen=True)
class Busy:
    """Work goes on, and there is nothing to say of it yet."""

    said: Literal["busy"] = "busy"


@checked_dataclass(frozen=True)
class Hindered:
    """Something outside failed, a full disk say: nothing is wrong with the scan."""

    why: ErrorName
    """Such as "ENOSPC"."""
    said: Literal["hindered"] = "hindered"


@checked_dataclass(frozen=True)
class Done:
    """All of it is done."""

    said: Literal["done"] = "done"


Answer = Unconfined | Opened | Began | Read | Busy | Rejected | Hindered | Done

ANSWERS: TypeAdapter[Answer] = TypeAdapter(
    Annotated[Answer, Field(discriminator="said")],
    # What codes say isn't kept beyond its scan: pydantic's memory of strings would grow with every page.
    config=ConfigDict(cache_strings="keys"),
)
"""To and from JSON; raises pydantic.ValidationError for anything that isn't an answer."""
