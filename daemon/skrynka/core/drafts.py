"""A case while its pages are still coming."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from skrynka.core.model import COVER, UNSORTED, PageRef, PlannedCase, PlannedDocument, Review, RoutingCode
from skrynka.core.reasons import ReviewReason


class Opening(Enum):
    """What made a case begin."""

    START = auto()
    """Paper, where no case was open."""
    SEPARATOR = auto()
    CASE_SHEET = auto()
    HELD = auto()
    """A boundary that doesn't verify."""


@dataclass(slots=True)
class _Document:
    kinds: tuple[str, ...]
    declared_by: PageRef | None
    pages: list[PageRef] = field(default_factory=list)


@dataclass(slots=True)
class Draft:
    """A case in the making: pages are added in the order of the pile."""

    opening: Opening
    sheet: RoutingCode | None = None
    follows: str | None = None
    """The number of the case that it follows up, once that is honoured."""
    _covers: list[PageRef] = field(default_factory=list)
    _documents: list[_Document] = field(default_factory=list)
    _open: _Document | None = None
    _reviews: dict[ReviewReason, Review] = field(default_factory=dict)

    @property
    def held(self) -> bool:
        """Say whether it follows a boundary that doesn't verify."""
        return self.opening is Opening.HELD

    @property
    def exists(self) -> bool:
        """Say whether there is anything to make a case of: a separator alone doesn't make one."""
        return bool(self._covers or self.paper_count or self.sheet is not None or self._documents)

    @property
    def paper_count(self) -> int:
        """Count the pages of paper, covers aside."""
        return sum(len(document.pages) for document in self._documents)

    def review(self, reason: ReviewReason, page: PageRef | None = None) -> None:
        """Note why a person must look; the first page noted for a reason stays."""
        self._reviews.setdefault(reason, Review(reason, page))

    def declare_case(self, sheet: RoutingCode) -> None:
        """Take what the case sheet says. Papers before and after it in a separated envelope aren't one document."""
        self.end_document()
        self.sheet = sheet

    def add_cover(self, page: PageRef) -> None:
        """Add a page of the sheet itself: its front, or its back."""
        self._covers.append(page)

    def begin_document(self, page: PageRef, kinds: tuple[str, ...]) -> None:
        """Begin a document that a sheet or a sticker on this page declares."""
        self.end_document()
        self._open = _Document(kinds or (UNSORTED,), page)
        self._documents.append(self._open)

    def add_paper(self, page: PageRef) -> None:
        """Add a page to the open document, or begin an unsorted one."""
        if self._open is None:
            self._open = _Document((UNSORTED,), None)
            self._documents.append(self._open)
        self._open.pages.append(page)

    def end_document(self) -> None:
        """End the open document; one that was declared and got no pages is a reason for review."""
        if self._open is not None and not self._open.pages:
            self.review(ReviewReason.DOCUMENT_WITHOUT_PAGES, self._open.declared_by)
        self._open = None

    def case(self, ordinal: int) -> PlannedCase:
        """Give the case as planned: the sheet's own image first, then the papers in order."""
        covers = [PlannedDocument((COVER,), tuple(self._covers))] if self._covers else []
        papers = [PlannedDocument(paper.kinds, tuple(paper.pages)) for paper in self._documents if paper.pages]
        sheet = self.sheet
        return PlannedCase(
            ordinal=ordinal,
            documents=(*covers, *papers),
            reviews=tuple(self._reviews.values()),
            held=self.held,
            serial=sheet.serial if sheet else None,
            case_type=sheet.case_type if sheet else None,
            branch=sheet.branch if sheet else None,
            providers=sheet.providers if sheet else (),
            account=sheet.account if sheet else None,
            address_code=sheet.address_code if sheet else None,
            meter_serials=sheet.meter_serials if sheet else (),
            follows=self.follows,
        )
