"""What people ask about cases: which there are, what is in one, and where its documents are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, func, select

from skrynka.core.model import PageRef
from skrynka.core.naming import scan_name
from skrynka.core.reasons import ReviewReason
from skrynka.core.requirements import BranchMissing, BranchSource, CompletenessState
from skrynka.store.case_tables import case, case_provider, case_review, document, document_kind, follow_up, meter
from skrynka.store.database import Database
from skrynka.store.plan_json import missing_from_json
from skrynka.store.tables import page, scan, stack


@dataclass(frozen=True, slots=True)
class ListedCase:
    """A case in a list. What is private about it isn't here."""

    id: str
    number: str
    """Such as "OBL-03/2026/000123"."""
    box_code: str
    stack: str
    """The stack's name, such as "A/417"."""
    ordinal: int
    """1-based, within the stack."""
    received_on: date
    case_type: str | None
    branch: str | None
    branch_source: BranchSource | None
    completeness: CompletenessState
    missing: tuple[BranchMissing, ...]
    held: bool
    needs_review: bool
    reviews: tuple[ReviewReason, ...]
    providers: tuple[str, ...]
    documents: int
    pages: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CaseReview:
    """Why a person must look, and where."""

    reason: ReviewReason
    scan: str | None
    """The scan's name, such as "A-4417"."""
    page: int | None
    """1-based, within the scan."""


@dataclass(frozen=True, slots=True)
class CaseDocument:
    """A document of a case."""

    id: str
    ordinal: int
    """1-based, within the case."""
    kinds: tuple[str, ...]
    page_count: int
    sha256: str
    """Its name in the archive."""
    size_bytes: int
    pages: tuple[PageRef, ...]
    """Where its pages came from, in order."""


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """All there is about a case."""

    case: ListedCase
    declared_branch: str | None
    sheet_serial: str | None
    documents: tuple[CaseDocument, ...]
    reviews: tuple[CaseReview, ...]
    follows: str | None
    """The number of the case that it follows up."""
    followed_by: tuple[str, ...]
    """The numbers of the cases that follow it up."""
    account: str | None = field(repr=False)
    address_code: str | None = field(repr=False)
    meter_serials: tuple[str, ...] = field(repr=False)


def list_cases(
    db: Database,
    *,
    box_code: str | None = None,
    needs_review: bool | None = None,
    completeness: CompletenessState | None = None,
    case_type: str | None = None,
    since: date | None = None,
    limit: int | None = None,
) -> list[ListedCase]:
    """Give the cases in the order of their numbers, those received `since` a day; with a limit, the newest so many."""
    query = _cases()
    if box_code is not None:
        query = query.where(case.c.box_code == box_code)
    if needs_review is not None:
        query = query.where(case.c.needs_review == needs_review)
    if completeness is not None:
        query = query.where(case.c.completeness == completeness.value)
    if case_type is not None:
        query = query.where(case.c.case_type == case_type)
    if since is not None:
        query = query.where(case.c.received_on >= since)
    if limit is not None:
        newest = query.with_only_columns(case.c.id).order_by(case.c.created_at.desc(), case.c.number.desc())
        query = query.where(case.c.id.in_(newest.limit(limit)))
    with db.read() as connection:
        return _listed(connection, connection.execute(query.order_by(case.c.number)).all())


def find_case(db: Database, reference: str) -> CaseDetail | None:
    """Give a case by its number or its id; None where there is none."""
    with db.read() as connection:
        row = connection.execute(_cases().where((case.c.number == reference) | (case.c.id == reference))).first()
        if row is None:
            return None
        return CaseDetail(
            case=_listed(connection, [row])[0],
            declared_branch=row.declared_branch,
            sheet_serial=row.sheet_serial,
            documents=_documents(connection, row.id),
            reviews=_reviews(connection, row.id),
            follows=next(iter(_linked(connection, row.id, follow_up.c.case_id, follow_up.c.follows_case_id)), None),
            followed_by=_linked(connection, row.id, follow_up.c.follows_case_id, follow_up.c.case_id),
            account=row.account,
            address_code=row.address_code,
            meter_serials=tuple(
                connection.scalars(select(meter.c.serial).where(meter.c.case_id == row.id).order_by(meter.c.serial))
            ),
        )


def _cases() -> Select[Any]:
    stack_names = stack.c.station_code.label("stack_station"), stack.c.number.label("stack_number")
    return select(case, *stack_names).join(stack, stack.c.id == case.c.stack_id)


def _listed(connection: Connection, rows: Collection[Row[Any]]) -> list[ListedCase]:
    # One query for each kind of detail: all rows at once, in slices that both engines take as parameters.
    ids = [row.id for row in rows]
    reasons: dict[str, list[str]] = {}
    providers: dict[str, list[str]] = {}
    papers: dict[str, tuple[int, int]] = {}
    for start in range(0, len(ids), _SLICE):
        some = ids[start : start + _SLICE]
        for row in connection.execute(
            select(case_review).where(case_review.c.case_id.in_(some)).order_by(case_review.c.reason)
        ):
            reasons.setdefault(row.case_id, []).append(row.reason)
        for row in connection.execute(
            select(case_provider).where(case_provider.c.case_id.in_(some)).order_by(case_provider.c.provider_code)
        ):
            providers.setdefault(row.case_id, []).append(row.provider_code)
        for row in connection.execute(
            select(document.c.case_id, func.count(), func.sum(document.c.page_count))
            .where(document.c.case_id.in_(some))
            .group_by(document.c.case_id)
        ):
            papers[row.case_id] = (row[1], row[2])
    return [
        ListedCase(
            id=row.id,
            number=row.number,
            box_code=row.box_code,
            stack=f"{row.stack_station}/{row.stack_number}",
            ordinal=row.ordinal,
            received_on=row.received_on,
            case_type=row.case_type,
            branch=row.branch,
            branch_source=BranchSource(row.branch_source) if row.branch_source else None,
            completeness=CompletenessState(row.completeness),
            missing=missing_from_json(row.missing),
            held=row.held,
            needs_review=row.needs_review,
            reviews=tuple(ReviewReason(reason) for reason in reasons.get(row.id, ())),
            providers=tuple(providers.get(row.id, ())),
            documents=papers.get(row.id, (0, 0))[0],
            pages=papers.get(row.id, (0, 0))[1],
            created_at=row.created_at,
        )
        for row in rows
    ]


_SLICE = 500


def _documents(connection: Connection, case_id: str) -> tuple[CaseDocument, ...]:
    kinds: dict[str, list[str]] = {}
    pages: dict[str, list[PageRef]] = {}
    of_case = select(document.c.id).where(document.c.case_id == case_id)
    for row in connection.execute(
        select(document_kind).where(document_kind.c.document_id.in_(of_case)).order_by(document_kind.c.kind)
    ):
        kinds.setdefault(row.document_id, []).append(row.kind)
    for row in connection.execute(
        select(page.c.document_id, page.c.scan_id, page.c.number)
        .where(page.c.case_id == case_id)
        .order_by(page.c.document_id, page.c.page_in_document)
    ):
        pages.setdefault(row.document_id, []).append(PageRef(row.scan_id, row.number))
    return tuple(
        CaseDocument(
            id=row.id,
            ordinal=row.ordinal,
            kinds=tuple(kinds.get(row.id, ())),
            page_count=row.page_count,
            sha256=row.sha256,
            size_bytes=row.size_bytes,
            pages=tuple(pages.get(row.id, ())),
        )
        for row in connection.execute(
            select(document).where(document.c.case_id == case_id).order_by(document.c.ordinal)
        )
    )


def _linked(connection: Connection, case_id: str, one: Column[Any], other: Column[Any]) -> tuple[str, ...]:
    query = select(case.c.number).join(follow_up, other == case.c.id).where(one == case_id).order_by(case.c.number)
    return tuple(connection.scalars(query))


def _reviews(connection: Connection, case_id: str) -> tuple[CaseReview, ...]:
    query = (
        select(case_review.c.reason, case_review.c.page_number, scan.c.station_code, scan.c.number)
        .outerjoin(scan, scan.c.id == case_review.c.scan_id)
        .where(case_review.c.case_id == case_id)
        .order_by(case_review.c.reason)
    )
    return tuple(
        CaseReview(
            ReviewReason(row.reason),
            None if row.number is None else scan_name(row.station_code, row.number),
            row.page_number,
        )
        for row in connection.execute(query)
    )
