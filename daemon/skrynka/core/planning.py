"""From the pages of a stack to cases, documents and the account of every page.

The law of conservation is the postcondition: every page of the stack stands in the account exactly once, in order.

Two ways of working are told apart by what lies in the stack. Where staff put separators between the envelopes, an
envelope is what lies between two separators, and its case sheet may lie anywhere in it. Where there are none, a case
sheet opens its case, and what lies before the first is nobody's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from skrynka.core.conservation import check_conservation
from skrynka.core.drafts import Draft, Opening
from skrynka.core.follow_ups import FollowUpSheet, follow_up_doubt
from skrynka.core.model import (
    Disposition,
    Finding,
    PageRef,
    Plan,
    PlannedCase,
    PlannedPage,
    Review,
    RoutingCode,
    SheetKind,
    StackPage,
)
from skrynka.core.page_roles import PageRole, Role, page_roles
from skrynka.core.reasons import FindingReason, ReviewReason
from skrynka.core.signing import NOT_LOOKED_AT, Signatures


@dataclass(frozen=True, slots=True)
class Known:
    """What sheets may name, and what was seen before."""

    box: str | None
    """The inbox's box; None where nobody said (then a sheet's box isn't compared)."""
    case_types: Mapping[str, frozenset[str]]
    """Case type to its branches."""
    providers: frozenset[str]
    document_kinds: frozenset[str]
    printed: Mapping[str, RoutingCode] = field(default_factory=dict)
    """Fields of the sheets that were printed here, by serial."""
    seen_serials: frozenset[str] = frozenset()
    """Serials of case sheets that earlier stacks were filed by."""
    follow_ups: Mapping[str, FollowUpSheet] = field(default_factory=dict)
    """The follow-up sheets among those printed here, by serial."""
    signatures: Signatures = NOT_LOOKED_AT
    page_limit: int = 40
    """More pages of paper than this in one case: perhaps two envelopes stuck together."""


def plan(pages: Sequence[StackPage], known: Known, *, gap_at_end: bool = False) -> Plan:
    """Plan a stack. The pages come in the order of the pile; an empty stack gives an empty plan.

    `gap_at_end`: the last scan of the stack is in quarantine, so what lay at its end is unknown.
    Raises ConservationBroken if the result would lose, double or invent a page.
    """
    roles = page_roles([page.reading for page in pages], known.printed, signatures=known.signatures)
    walk = _Walk(known, separated=any(_is(role, SheetKind.SEPARATOR) for role in roles))
    for place, (page, role) in enumerate(zip(pages, roles, strict=True)):
        walk.step(page, role, roles[place + 1] if place + 1 < len(roles) else None)
    made = walk.finish(gap_at_end=gap_at_end)
    check_conservation([page.ref for page in pages], made)
    return made


def _is(role: PageRole, kind: SheetKind) -> bool:
    return role.role is Role.SHEET and _says(role, kind)


def _says(role: PageRole, kind: SheetKind) -> bool:
    return role.code is not None and role.code.kind is kind


_ENDS_A_HOLD = frozenset({SheetKind.COLLECTION, SheetKind.CASE, SheetKind.SEPARATOR, SheetKind.END})


class _Walk:
    """One pass over the pile. `draft` is the case that is open, where one is."""

    def __init__(self, known: Known, *, separated: bool) -> None:
        self._known = known
        self._separated = separated
        self._draft: Draft | None = None
        self._drafts: list[Draft] = []
        self._aside: dict[PageRef, Disposition] = {}
        self._order: list[PageRef] = []
        self._findings: list[Finding] = []
        self._collection: RoutingCode | None = None
        self._end: RoutingCode | None = None
        self._repeat = False
        self._gap_before: PageRef | None = None
        """The latest page that lies after a gap."""
        self._last_cover: Draft | None = None
        """Where the back of the sheet just seen goes, if that sheet stands in a document."""
        self._back_ahead: PageRef | None = None
        """A case sheet's back that came before its front."""

    def step(self, page: StackPage, role: PageRole, following: PageRole | None) -> None:
        """Take the next page."""
        self._order.append(page.ref)
        if page.after_gap:
            self._cross_gap(page.ref, role)
        match role:
            case PageRole(role=Role.BLANK):
                self._aside[page.ref] = Disposition.BLANK
            case PageRole(role=Role.BACK):
                self._take_back(page.ref, role, following)
            case PageRole(role=Role.SHEET, code=RoutingCode() as code):
                self._take_sheet(page.ref, role, code)
            case PageRole(role=Role.HELD):
                self._hold(page.ref, role.held_for or ReviewReason.CODE_INVALID)
            case _:
                self._take_paper(page.ref, role)

    def _cross_gap(self, ref: PageRef, role: PageRole) -> None:
        self._gap_before = ref
        self._findings.append(Finding(FindingReason.CLAIM_GAP, ref))
        if self._draft is not None:
            self._draft.review(ReviewReason.BOUNDARY_DOUBTFUL, ref)
        self._close()
        ends_hold = role.role is Role.SHEET and role.code is not None and role.code.kind in _ENDS_A_HOLD
        if not ends_hold:
            self._open(Opening.HELD).review(ReviewReason.PAGES_AFTER_GAP, ref)

    def _take_back(self, ref: PageRef, role: PageRole, following: PageRole | None) -> None:
        self._aside[ref] = Disposition.SHEET
        if role.of_next and following is not None and _is(following, SheetKind.CASE):
            # Its front comes next, and decides where it goes.
            self._back_ahead = ref
        elif self._last_cover is not None:
            self._last_cover.add_cover(ref)
        elif not role.empty and self._draft is not None and _says(role, SheetKind.DOCUMENT):
            # Written on: it stays with the case that the document sheet lies in.
            self._draft.add_cover(ref)
        elif not role.empty:
            self._findings.append(Finding(FindingReason.BACK_WRITTEN_ON, ref))

    def _hold(self, ref: PageRef, reason: ReviewReason) -> None:
        self._close()
        draft = self._open(Opening.HELD)
        draft.review(reason, ref)
        self._cover(draft, ref)

    def _take_sheet(self, ref: PageRef, role: PageRole, code: RoutingCode) -> None:
        self._aside[ref] = Disposition.SHEET
        self._last_cover = None
        match code.kind:
            case SheetKind.COLLECTION:
                self._close()
                self._collection = code
                if self._names_other_box(code):
                    self._findings.append(Finding(FindingReason.BOX_MISMATCHED, ref))
            case SheetKind.REPEAT:
                self._close()
                self._repeat = True
                self._findings.append(Finding(FindingReason.REPEAT_DECLARED, ref))
            case SheetKind.END:
                self._close()
                self._end = code
            case SheetKind.SEPARATOR:
                self._close()
                self._open(Opening.SEPARATOR)
            case SheetKind.CASE:
                draft = self._begin_case(ref, role, code)
                self._cover(draft, ref)
                if self._back_ahead is not None:
                    draft.add_cover(self._back_ahead)
                    self._back_ahead = None
            case _:
                self._begin_document(ref, role, code)

    def _take_paper(self, ref: PageRef, role: PageRole) -> None:
        self._last_cover = None
        if role.code is not None and role.code.kind is SheetKind.CASE:
            self._begin_case(ref, role, role.code)
        draft = self._draft or self._open(Opening.START)
        if role.code is not None and role.code.kind is SheetKind.DOCUMENT:
            self._declare(draft, ref, role, role.code)
        draft.add_paper(ref)

    def _begin_case(self, ref: PageRef, role: PageRole, code: RoutingCode) -> Draft:
        """Open a case, or tell about the one that the separator opened."""
        draft = self._draft
        joins = self._separated and draft is not None and not draft.held and draft.sheet is None
        if not joins or draft is None:
            doubtful = self._separated and draft is not None and not draft.held
            if doubtful and draft is not None:
                # Two case sheets between two separators: two submissions, and the papers between the sheets may
                # belong to either.
                draft.review(ReviewReason.BOUNDARY_DOUBTFUL, ref)
            self._close()
            draft = self._open(Opening.CASE_SHEET)
            if doubtful:
                draft.review(ReviewReason.BOUNDARY_DOUBTFUL, ref)
        draft.declare_case(code)
        if self._separated and self._gap_before == ref:
            # The sheet may lie in the middle of its envelope, and the envelope's beginning in the gap.
            draft.review(ReviewReason.PAGES_AFTER_GAP, ref)
        self._judge_case_sheet(draft, ref, role, code)
        return draft

    def _judge_case_sheet(self, draft: Draft, ref: PageRef, role: PageRole, code: RoutingCode) -> None:
        known = self._known
        printed = known.printed.get(code.serial or "")
        if printed is not None and _contradicts(printed, code):
            draft.review(ReviewReason.SHEET_CONTRADICTED, ref)
        if not role.fields_known:
            draft.review(ReviewReason.SHEET_UNKNOWN, ref)
        elif code.case_type is None:
            draft.review(ReviewReason.CASE_TYPE_MISSING, ref)
        elif code.case_type not in known.case_types:
            draft.review(ReviewReason.CASE_TYPE_UNKNOWN, ref)
        elif code.branch is not None and code.branch not in known.case_types[code.case_type]:
            draft.review(ReviewReason.BRANCH_UNKNOWN, ref)
        if self._names_other_box(code):
            draft.review(ReviewReason.BOX_MISMATCHED, ref)
        if not known.providers.issuperset(code.providers):
            draft.review(ReviewReason.PROVIDER_UNKNOWN, ref)
        repeated = code.serial in known.seen_serials or any(
            other.sheet is not None and other.sheet.serial == code.serial for other in self._drafts
        )
        if code.follow_up is not None:
            self._follow_up(draft, ref, role, code, repeated=repeated)
        if repeated:
            draft.review(ReviewReason.SERIAL_REPEATED, ref)

    def _follow_up(self, draft: Draft, ref: PageRef, role: PageRole, code: RoutingCode, *, repeated: bool) -> None:
        sheet = self._known.follow_ups.get(code.serial or "")
        doubt = follow_up_doubt(code, sheet, verified=role.verified, repeated=repeated, on=self._known.signatures.day)
        draft.follows = sheet.follows if sheet is not None and doubt is None else None
        if doubt is not None:
            draft.review(doubt, ref)

    def _begin_document(self, ref: PageRef, role: PageRole, code: RoutingCode) -> None:
        if self._draft is None:
            self._hold(ref, ReviewReason.DOCUMENT_SHEET_WITHOUT_CASE)
        else:
            self._declare(self._draft, ref, role, code)

    def _declare(self, draft: Draft, ref: PageRef, role: PageRole, code: RoutingCode) -> None:
        if not role.fields_known:
            draft.review(ReviewReason.SHEET_UNKNOWN, ref)
        if not self._known.document_kinds.issuperset(code.document_kinds):
            draft.review(ReviewReason.DOCUMENT_KIND_UNKNOWN, ref)
        draft.begin_document(ref, tuple(kind for kind in code.document_kinds if kind in self._known.document_kinds))

    def _names_other_box(self, code: RoutingCode) -> bool:
        return self._known.box is not None and code.box is not None and code.box != self._known.box

    def _cover(self, draft: Draft, ref: PageRef) -> None:
        self._aside[ref] = Disposition.SHEET
        draft.add_cover(ref)
        self._last_cover = draft

    def _open(self, opening: Opening) -> Draft:
        self._draft = Draft(opening)
        return self._draft

    def _close(self) -> None:
        if self._draft is not None and self._draft.exists:
            self._draft.end_document()
            self._drafts.append(self._draft)
        self._draft = None

    def finish(self, *, gap_at_end: bool) -> Plan:
        """Give the plan."""
        last = self._draft
        self._close()
        if gap_at_end:
            self._findings.append(Finding(FindingReason.CLAIM_GAP))
            if last is not None and last.exists:
                last.review(ReviewReason.BOUNDARY_DOUBTFUL)
        self._judge_whole()
        cases = tuple(draft.case(ordinal) for ordinal, draft in enumerate(self._drafts, start=1))
        # The end sheet is filled in last: it knows better.
        told = [sheet for sheet in (self._end, self._collection) if sheet is not None]
        counted = next((sheet.counted for sheet in told if sheet.counted is not None), None)
        if counted is not None and counted != len(cases):
            self._findings.append(Finding(FindingReason.STACK_COUNT_MISMATCHED))
        return Plan(
            cases,
            tuple(_account(self._order, self._aside, cases)),
            tuple(self._findings),
            collection_serial=self._collection.serial if self._collection is not None else None,
            emptied_on=next((sheet.emptied_on for sheet in told if sheet.emptied_on is not None), None),
            counted=counted,
        )

    def _judge_whole(self) -> None:
        drafts = self._drafts
        any_sheet = any(draft.sheet is not None for draft in drafts)
        for place, draft in enumerate(drafts):
            if self._repeat:
                draft.review(ReviewReason.REPEAT_DECLARED)
            if draft.paper_count > self._known.page_limit:
                draft.review(ReviewReason.PAGE_LIMIT_EXCEEDED)
            if draft.held:
                continue
            if draft.sheet is None:
                before_sheet = draft.opening is Opening.START and any_sheet and not self._separated
                draft.review(ReviewReason.PAGES_BEFORE_FIRST_SHEET if before_sheet else ReviewReason.NO_SHEET)
            elif draft.paper_count == 0:
                draft.review(ReviewReason.EMPTY_SUBMISSION)
                if not self._separated:
                    # Nothing after the sheet: perhaps it lay under its papers, and they went to the case before; or
                    # the next sheet lay inside this envelope.
                    for neighbour in (*drafts[max(place - 1, 0) : place], *drafts[place + 1 : place + 2]):
                        neighbour.review(ReviewReason.BOUNDARY_DOUBTFUL)


def _contradicts(printed: RoutingCode, code: RoutingCode) -> bool:
    return _said(printed) != _said(code)


def _said(code: RoutingCode) -> tuple[object, ...]:
    """Give all that a case sheet says of its case. Providers and meters are sets; the signature is judged elsewhere."""
    return (
        code.kind,
        code.box,
        code.case_type,
        code.branch,
        frozenset(code.providers),
        code.account,
        code.address_code,
        frozenset(code.meter_serials),
        code.follow_up,
    )


def _account(
    order: Sequence[PageRef], aside: Mapping[PageRef, Disposition], cases: Sequence[PlannedCase]
) -> list[PlannedPage]:
    places: dict[PageRef, PlannedPage] = {}
    for case in cases:
        for document, paper in enumerate(case.documents, start=1):
            for number, ref in enumerate(paper.pages, start=1):
                disposition = aside.get(ref, Disposition.DOCUMENT)
                places[ref] = PlannedPage(ref, disposition, case.held, case.ordinal, document, number)
    return [places.get(ref) or PlannedPage(ref, aside[ref]) for ref in order]


def with_reviews(case: PlannedCase, reasons: Sequence[ReviewReason]) -> PlannedCase:
    """Give the case with further reasons for review, each once."""
    had = {review.reason for review in case.reviews}
    return replace(case, reviews=(*case.reviews, *(Review(reason) for reason in reasons if reason not in had)))
