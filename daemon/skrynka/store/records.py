"""Filing's last step: one transaction in which a stack becomes cases, documents and the account of its pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Table, Text, bindparam, func, insert, select, update

from skrynka.core.errors import ConservationBroken, LeaseLost
from skrynka.core.judging import JudgedPlan
from skrynka.core.model import PageRef, PlannedCase
from skrynka.core.reasons import ReviewReason
from skrynka.core.requirements import Completeness, CompletenessState
from skrynka.store.accounts import lock_scans, settle_scan
from skrynka.store.case_serials import review_repeated
from skrynka.store.case_tables import (
    case,
    case_number,
    case_provider,
    case_review,
    document,
    document_kind,
    meter,
    stack_finding,
)
from skrynka.store.database import Database, new_id
from skrynka.store.events import NewEvent, hold_history, record_events
from skrynka.store.follow_ups import NewFollowUp, honour
from skrynka.store.leases import NOT_TAKEN, TakenStack
from skrynka.store.plan_json import missing_to_json
from skrynka.store.runs import runs_of
from skrynka.store.states import StackState
from skrynka.store.tables import page, stack
from skrynka.store.upserts import upsert

_AT_ONCE = 500
"""Hashes in one question: engines bound how many values a statement may have."""

_STACK = (
    select(stack.c.state, stack.c.epoch, stack.c.box_code).where(stack.c.id == bindparam("of_stack")).with_for_update()
)
_UNFILED = (
    select(page.c.scan_id, page.c.number)
    .where(page.c.stack_id == bindparam("of_stack"), page.c.disposition.is_(None))
    .order_by(page.c.position)
)
_FILE_PAGE = (
    update(page)
    .where(page.c.scan_id == bindparam("of_scan"), page.c.number == bindparam("of_number"))
    .values(
        disposition=bindparam("disposition"),
        held=bindparam("held"),
        case_id=bindparam("case_id"),
        document_id=bindparam("document_id"),
        page_in_document=bindparam("page_in_document"),
    )
)
_REVIEWS = (
    select(case_review.c.case_id, case_review.c.reason)
    .join(case, case.c.id == case_review.c.case_id)
    .where(case.c.stack_id == bindparam("of_stack"))
    .order_by(case_review.c.reason)
)
_ADD_CASE, _ADD_DOCUMENT = insert(case), insert(document)
_CLOSE = (
    update(stack)
    .where(stack.c.id == bindparam("of_stack"))
    .values(
        state=StackState.FILED.value,
        collection_serial=func.coalesce(bindparam("serial", type_=Text), stack.c.collection_serial),
        **NOT_TAKEN,
    )
)
_CASES = select(case).where(case.c.stack_id == bindparam("of_stack")).order_by(case.c.ordinal)


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document that was cut and is durable in the archive."""

    sha256: str
    """64 hexadecimal digits."""
    size_bytes: int


@dataclass(frozen=True, slots=True)
class FiledCase:
    """A case as recorded, for the log and the slip."""

    id: str
    number: str
    """Such as "OBL-03/2026/000123"."""
    ordinal: int
    """1-based, in the order of the paper."""
    case_type: str | None
    completeness: CompletenessState
    held: bool
    reviews: tuple[ReviewReason, ...]


def record_filing(
    db: Database,
    taken: TakenStack,
    judged: JudgedPlan,
    documents: Mapping[tuple[int, int], StoredDocument],
    received_on: date,
) -> tuple[FiledCase, ...]:
    """Record a stack; give its cases in the order of the paper.

    `documents` are keyed by the ordinals of case and document, both from 1. Done before by the same worker, it changes
    nothing and gives the cases that were recorded. Raises LeaseLost when somebody else has the stack now,
    ConservationBroken where the plan's pages aren't the stack's, KeyError for a document that isn't there,
    DatabaseAway; nothing is recorded then.
    """

    def work(connection: Connection) -> tuple[FiledCase, ...]:
        row = connection.execute(_STACK, {"of_stack": taken.id}).one()
        if (row.state, row.epoch) == (StackState.FILED, taken.epoch):
            return _filed_cases(connection, taken.id)
        if (row.state, row.epoch) != (StackState.PLANNED, taken.epoch):
            raise LeaseLost("somebody else has this stack now")
        return _Filing(connection, taken, row.box_code, judged, documents, received_on, db.now()).record()

    return db.transact(work)


def recorded_documents(db: Database, hashes: Collection[str]) -> set[str]:
    """Give those of these hashes that documents of cases have. Raises DatabaseAway."""
    with db.read() as connection:
        return {
            sha256
            for some in runs_of(sorted(hashes), _AT_ONCE)
            for sha256 in connection.scalars(select(document.c.sha256).where(document.c.sha256.in_(some)))
        }


class _Filing:
    def __init__(
        self,
        connection: Connection,
        taken: TakenStack,
        box_code: str,
        judged: JudgedPlan,
        documents: Mapping[tuple[int, int], StoredDocument],
        received_on: date,
        at: datetime,
    ) -> None:
        self._connection = connection
        self._taken = taken
        self._box_code = box_code
        self._judged = judged
        self._documents = documents
        self._received_on = received_on
        self._at = at
        self._case_ids: dict[int | None, str] = {}
        self._document_ids: dict[tuple[int | None, int | None], str] = {}

    def record(self) -> tuple[FiledCase, ...]:
        plan = self._judged.plan
        scans = sorted({planned.ref.scan_id for planned in plan.pages})
        lock_scans(self._connection, scans)
        self._check_pages()
        for planned, number, verdict in zip(plan.cases, self._numbers(), self._judged.completeness, strict=True):
            self._record_case(planned, number, verdict)
        self._record_pages()
        # Reviews and findings point at pages, and pages at cases: so they come after both.
        self._record_reviews()
        settled = [each for scan_id in scans for each in settle_scan(self._connection, scan_id, self._at)]
        self._close()
        # Two stations may record copies of one sheet at once: from here on, whoever is second sees the other's case.
        hold_history(self._connection)
        repeated = review_repeated(self._connection, self._taken.id)
        linked = honour(self._connection, self._follow_ups(), repeated)
        filed = _filed_cases(self._connection, self._taken.id)
        events = [*(self._recorded(each) for each in filed), *linked, *settled, self._closed()]
        record_events(self._connection, self._at, self._taken.owner, events, held=True)
        return filed

    def _check_pages(self) -> None:
        rows = self._connection.execute(_UNFILED, {"of_stack": self._taken.id})
        if [PageRef(row.scan_id, row.number) for row in rows] != [planned.ref for planned in self._judged.plan.pages]:
            raise ConservationBroken("the plan's pages aren't the stack's pages")

    def _numbers(self) -> list[str]:
        """Draw gapless numbers: the counter's row stays ours until the commit, and a rollback gives them back."""
        count = len(self._judged.plan.cases)
        if not count:
            return []
        year = self._received_on.year
        row = {"box_code": self._box_code, "year": year, "last_number": count}
        last: int = self._connection.execute(
            upsert(self._connection, case_number)
            .values(row)
            .on_conflict_do_update(
                index_elements=["box_code", "year"],
                set_={"last_number": case_number.c.last_number + count},
            )
            .returning(case_number.c.last_number)
        ).scalar_one()
        return [f"{self._box_code}/{year}/{number:06d}" for number in range(last - count + 1, last + 1)]

    def _record_case(self, planned: PlannedCase, number: str, verdict: Completeness) -> None:
        case_id = self._case_ids[planned.ordinal] = new_id()
        row: dict[str, object] = {
            "id": case_id,
            "number": number,
            "box_code": self._box_code,
            "stack_id": self._taken.id,
            "ordinal": planned.ordinal,
            "sheet_serial": planned.serial,
            "case_type": planned.case_type,
            "declared_branch": planned.branch,
            "branch": verdict.branch,
            "branch_source": verdict.branch_source.value if verdict.branch_source else None,
            "completeness": verdict.state.value,
            "missing": missing_to_json(verdict.missing),
            "held": planned.held,
            "needs_review": planned.held or bool(planned.reviews),
            "received_on": self._received_on,
            "account": planned.account,
            "address_code": planned.address_code,
            "created_at": self._at,
            # A stack is filed once it is closed: from then on others may see its cases.
            "published_at": self._at,
        }
        self._connection.execute(_ADD_CASE, row)
        self._insert(case_provider, [{"case_id": case_id, "provider_code": code} for code in set(planned.providers)])
        self._insert(
            meter, [{"id": new_id(), "case_id": case_id, "serial": serial} for serial in set(planned.meter_serials)]
        )
        for ordinal, paper in enumerate(planned.documents, start=1):
            stored = self._documents[planned.ordinal, ordinal]
            document_id = self._document_ids[planned.ordinal, ordinal] = new_id()
            row = {
                "id": document_id,
                "case_id": case_id,
                "ordinal": ordinal,
                "sha256": stored.sha256,
                "size_bytes": stored.size_bytes,
                "page_count": len(paper.pages),
            }
            self._connection.execute(_ADD_DOCUMENT, row)
            self._insert(document_kind, [{"document_id": document_id, "kind": kind} for kind in set(paper.kinds)])

    def _record_pages(self) -> None:
        self._connection.execute(
            _FILE_PAGE,
            [
                {
                    "of_scan": planned.ref.scan_id,
                    "of_number": planned.ref.number,
                    "disposition": planned.disposition.value,
                    "held": planned.held,
                    "case_id": self._case_ids.get(planned.case),
                    "document_id": self._document_ids.get((planned.case, planned.document)),
                    "page_in_document": planned.page_in_document,
                }
                for planned in self._judged.plan.pages
            ],
        )

    def _record_reviews(self) -> None:
        self._insert(
            case_review,
            [
                {"case_id": self._case_ids[planned.ordinal], "reason": review.reason.value, **_about(review.page)}
                for planned in self._judged.plan.cases
                for review in planned.reviews
            ],
        )
        self._insert(
            stack_finding,
            [
                {
                    "stack_id": self._taken.id,
                    "ordinal": ordinal,
                    "reason": finding.reason.value,
                    **_about(finding.page),
                }
                for ordinal, finding in enumerate(self._judged.plan.findings, start=1)
            ],
        )

    def _follow_ups(self) -> list[NewFollowUp]:
        return [
            NewFollowUp(self._case_ids[planned.ordinal], planned.follows, planned.serial)
            for planned in self._judged.plan.cases
            if planned.follows is not None and planned.serial is not None
        ]

    def _close(self) -> None:
        plan = self._judged.plan
        self._connection.execute(
            _CLOSE,
            {
                "of_stack": self._taken.id,
                "filed_at": self._at,
                "serial": plan.collection_serial,
                "emptied_on": plan.emptied_on,
                "counted": plan.counted,
            },
        )

    def _recorded(self, filed: FiledCase) -> NewEvent:
        data = {"completeness": filed.completeness.value, "held": filed.held, "reviews": len(filed.reviews)}
        return NewEvent("case_recorded", stack_id=self._taken.id, case_id=filed.id, data=data)

    def _closed(self) -> NewEvent:
        plan = self._judged.plan
        counts = {"cases": len(plan.cases), "pages": len(plan.pages), "findings": len(plan.findings)}
        return NewEvent("stack_filed", stack_id=self._taken.id, data=counts)

    def _insert(self, table: Table, rows: list[dict[str, object]]) -> None:
        if rows:
            self._connection.execute(insert(table), rows)


def _about(ref: PageRef | None) -> dict[str, object]:
    return {"scan_id": ref.scan_id if ref else None, "page_number": ref.number if ref else None}


def _filed_cases(connection: Connection, stack_id: str) -> tuple[FiledCase, ...]:
    reviews: dict[str, list[ReviewReason]] = {}
    for row in connection.execute(_REVIEWS, {"of_stack": stack_id}):
        reviews.setdefault(row.case_id, []).append(ReviewReason(row.reason))
    return tuple(
        FiledCase(
            id=row.id,
            number=row.number,
            ordinal=row.ordinal,
            case_type=row.case_type,
            completeness=CompletenessState(row.completeness),
            held=row.held,
            reviews=tuple(reviews.get(row.id, ())),
        )
        for row in connection.execute(_CASES, {"of_stack": stack_id})
    )
