"""The values that pass between the stages: readings of pages, and the plan made from them.

Page numbers are 1-based, as on paper. Lengths of pages are in PDF points (1/72 inch), as displayed: after
/Rotate. Places on a page are fractions of its displayed width and height, (0, 0) at the top left.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from skrynka.core.reasons import FindingReason, ReviewReason


class Disposition(StrEnum):
    """How a page of a scan is accounted for: every page ends as exactly one of these."""

    DOCUMENT = "document"
    SHEET = "sheet"
    BLANK = "blank"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"


class Symbology(StrEnum):
    """The kinds of barcode that can be looked for."""

    QR = "qr"
    CODE_128 = "code128"
    CODE_39 = "code39"
    DATA_MATRIX = "datamatrix"


class Engine(StrEnum):
    """The libraries that read barcodes."""

    ZXING = "zxing"
    ZBAR = "zbar"


class Standing(StrEnum):
    """What a code is to us."""

    OWN = "own"
    """In our scheme, whether it verifies or not."""
    SEPARATOR = "separator"
    """A foreign text that the configuration declares to be a separator."""
    FOREIGN = "foreign"
    """Anything else: never routes, never separates, and its text is never stored."""


CODES_ON_SHEETS = {Symbology.QR: 2, Symbology.CODE_128: 1}
"""How many codes each of our own sheets bears, by symbology."""


@dataclass(frozen=True, slots=True)
class Code:
    """One barcode on a page, with the evidence for it."""

    symbology: Symbology
    engines: tuple[Engine, ...]
    text: str | None
    """None where the code is foreign and nobody asked to see it."""
    standing: Standing
    mirrored: bool = False
    """Seen through the paper: the code is that of the other side. Of linear codes this isn't known here: False."""
    corners: tuple[tuple[float, float], ...] = ()
    """Four (x, y) fractions of the page, clockwise from the code's own top left; below 0 or above 1 where the page cuts
    a corner off."""
    rung: str = "quick"
    """Which attempt read it: "quick", then the names of costlier ones."""


class PageSource(StrEnum):
    """Where the pixels that were read came from."""

    IMAGE = "image"
    """The page is one image: its stream was decoded."""
    RASTER = "raster"
    """The page was drawn by a renderer."""


@dataclass(frozen=True, slots=True)
class PageReading:
    """What a reader process saw on one page."""

    number: int
    """1-based, within its scan."""
    width: float
    """Points, as displayed."""
    height: float
    """Points, as displayed."""
    rotation: int
    """The page's /Rotate in degrees: 0, 90, 180 or 270."""
    source: PageSource
    dpi: float
    """Dots per inch of the pixels that the page holds (image) or was drawn at (raster)."""
    codes: tuple[Code, ...]
    marked: bool
    """Bears the sheets' mark, whether or not a code was read."""
    blank: bool
    """There is nothing on it but what shines through from the other side, and dirt. Codes are judged apart."""
    ink: float
    """Share of dark pixels within the page's margins, 0 to 1."""
    fingerprint: str
    """A perceptual hash: 16 lower-case hexadecimal digits."""


@dataclass(frozen=True, slots=True, order=True)
class PageRef:
    """A page of a scan."""

    scan_id: str
    number: int
    """1-based."""


@dataclass(frozen=True, slots=True)
class StackPage:
    """A page in its place in a stack."""

    ref: PageRef
    reading: PageReading
    after_gap: bool = False
    """A scan of the same stack, just before this page, could not be read: whatever lay there is unknown."""


class SheetKind(StrEnum):
    """The second field of the routing code."""

    COLLECTION = "B"
    SEPARATOR = "P"
    CASE = "C"
    DOCUMENT = "D"
    REPEAT = "R"
    END = "E"


@dataclass(frozen=True, slots=True)
class RoutingCode:
    """What a verified routing code says; a tag that isn't there is None or empty."""

    kind: SheetKind
    serial: str | None = None
    box: str | None = None
    case_type: str | None = None
    branch: str | None = None
    providers: tuple[str, ...] = ()
    document_kinds: tuple[str, ...] = ()
    account: str | None = None
    address_code: str | None = None
    meter_serials: tuple[str, ...] = ()
    follow_up: str | None = None
    sticker: bool = False
    """L:K, a code on a content page: the page is kept."""
    emptied_on: date | None = None
    counted: int | None = None
    """Envelopes counted by hand."""
    key_id: str | None = None
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """A reason why a person must look at a case, and the page that it is about, where there is one."""

    reason: ReviewReason
    page: PageRef | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a whole stack that a person must hear."""

    reason: FindingReason
    page: PageRef | None = None


COVER = "COVER"
"""The document kind of the case sheet's own image: the handwriting on it may be the applicant's only identity."""
UNSORTED = "UNSORTED"
"""The document kind of papers that nothing has told apart yet."""


@dataclass(frozen=True, slots=True)
class PlannedDocument:
    """One paper of a case: what it declares to be, and its pages in order."""

    kinds: tuple[str, ...]
    pages: tuple[PageRef, ...]


@dataclass(frozen=True, slots=True)
class PlannedCase:
    """One submission. `ordinal` is 1-based within its stack, in the order of the paper."""

    ordinal: int
    documents: tuple[PlannedDocument, ...]
    reviews: tuple[Review, ...]
    held: bool
    """It follows a boundary that doesn't verify."""
    serial: str | None = None
    """The case sheet's serial."""
    case_type: str | None = None
    branch: str | None = None
    """As declared on the sheet; None when it isn't."""
    providers: tuple[str, ...] = ()
    account: str | None = None
    address_code: str | None = None
    meter_serials: tuple[str, ...] = ()
    follows: str | None = None
    """The number of the case that it follows up, where that is honoured."""


@dataclass(frozen=True, slots=True)
class PlannedPage:
    """The account of one page: where it went."""

    ref: PageRef
    disposition: Disposition
    held: bool = False
    case: int | None = None
    """The case's ordinal; None for pages that belong to no case."""
    document: int | None = None
    """1-based among the case's documents. A case sheet is a `sheet` and stands in its case's COVER document."""
    page_in_document: int | None = None
    """1-based."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of a stack. Conservation holds: each of its pages stands in `pages` exactly once, in order."""

    cases: tuple[PlannedCase, ...]
    pages: tuple[PlannedPage, ...]
    findings: tuple[Finding, ...] = ()
    collection_serial: str | None = None
    emptied_on: date | None = None
    counted: int | None = None
    """Envelopes counted by hand; None when nobody said."""
