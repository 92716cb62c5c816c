"""Rows to begin with: a station with two boxes, and scans at each step of their way."""

from __future__ import annotations

import hashlib
import itertools
from datetime import UTC, date, datetime

from skrynka.core.formats import FileType
from skrynka.core.judging import JudgedPlan
from skrynka.core.model import (
    COVER,
    UNSORTED,
    Disposition,
    Finding,
    PageReading,
    PageRef,
    PageSource,
    Plan,
    PlannedCase,
    PlannedDocument,
    PlannedPage,
    Review,
    RoutingCode,
    SheetKind,
)
from skrynka.core.reasons import FindingReason, ReviewReason
from skrynka.core.requirements import BranchMissing, BranchSource, Completeness, CompletenessState
from skrynka.core.routing_code import compose
from skrynka.core.stacking import Assemble, ClosedBy, OpenedBy, Segment
from skrynka.store.assembly import StackRef, assemble
from skrynka.store.boxes import Box, sync_boxes
from skrynka.store.database import Database, new_id
from skrynka.store.plan_json import plan_to_json
from skrynka.store.queue import TakenScan, record_reading, take_scan
from skrynka.store.records import FiledCase, StoredDocument, record_filing
from skrynka.store.registration import NewScan, register_scan
from skrynka.store.sheets import PrintedSheet
from skrynka.store.stacks import TakenStack, stack_pages, store_plan, take_stack

CLAIMED = datetime(2026, 3, 2, 8, 14, tzinfo=UTC)
DAY = date(2026, 3, 2)
BOXES = (Box("OBL-03", "Скринька 3", "Оболонь"), Box("POD-01", "Скринька 1", "Поділ"))
_WORKERS = itertools.count(1)


def somebody() -> str:
    """Name a worker that has no work yet."""
    return f"worker:{next(_WORKERS)}"


HOUR = 3600.0


def with_boxes(db: Database) -> Database:
    """Give the database with station A and its boxes."""
    sync_boxes(db, "A", "Станція А", BOXES)
    return db


def new_scan(number: int, *, content: str | None = None, box: str = "OBL-03") -> NewScan:
    """Give a scan; the same content, the same hash."""
    return NewScan(
        id=new_id(),
        station_code="A",
        number=number,
        box_code=box,
        original_name=f"scan{number:04}.pdf",
        sha256=hashlib.sha256((content or f"scan {number}").encode()).hexdigest(),
        size_bytes=1000 + number,
        file_type=FileType.PDF,
        claimed_at=CLAIMED,
    )


def readings(pages: int) -> list[PageReading]:
    """Give what might be seen on so many pages of paper."""
    return [
        PageReading(
            number=number,
            width=595.0,
            height=842.0,
            rotation=0,
            source=PageSource.IMAGE,
            dpi=300.0,
            codes=(),
            marked=False,
            blank=False,
            ink=0.05,
            fingerprint=f"{number:016x}",
        )
        for number in range(1, pages + 1)
    ]


def received(db: Database, number: int, *, content: str | None = None, box: str = "OBL-03") -> str:
    """Register a scan; give its id."""
    new = new_scan(number, content=content, box=box)
    register_scan(db, new)
    return new.id


def taken(db: Database, seconds: float = HOUR) -> TakenScan:
    """Take the oldest scan; there is one."""
    scan = take_scan(db, somebody(), seconds)
    assert scan is not None
    return scan


def read(db: Database, number: int, pages: int = 3, *, box: str = "OBL-03") -> str:
    """Register a scan and read it; give its id."""
    scan_id = received(db, number, box=box)
    record_reading(db, taken(db), readings(pages))
    return scan_id


def closed(db: Database, number: int, pages: int = 3, *, box: str = "OBL-03") -> StackRef:
    """Make a stack of one scan."""
    scan_id = read(db, number, pages, box=box)
    run = Segment(1, pages, OpenedBy.SCAN, closed_by=ClosedBy.SCAN_END)
    return assemble(db, scan_id, [run], Assemble.FILE)[0]


def taken_stack(db: Database, seconds: float = HOUR) -> TakenStack:
    """Take the stack that was closed first; there is one."""
    stack = take_stack(db, somebody(), seconds)
    assert stack is not None
    return stack


def planned(db: Database, stack: TakenStack) -> JudgedPlan:
    """Plan a stack and store the plan: the last page is blank, the first a case sheet, the others papers."""
    judged = judged_plan([page.ref for page in stack_pages(db, stack.id)])
    store_plan(db, stack, plan_to_json(judged), "digest")
    return judged


def judged_plan(refs: list[PageRef]) -> JudgedPlan:
    """Plan pages, three at least, as one case with a cover and one document, and a blank page behind."""
    cover, papers, blank = refs[0], tuple(refs[1:-1]), refs[-1]
    case = PlannedCase(
        ordinal=1,
        documents=(PlannedDocument((COVER,), (cover,)), PlannedDocument((UNSORTED, "CERT"), papers)),
        reviews=(Review(ReviewReason.SERIAL_REPEATED, cover), Review(ReviewReason.ALWAYS_REVIEWED)),
        held=False,
        serial="A000123",
        case_type="VER",
        providers=("KVK", "KTE"),
        account="00123456",
        address_code="ADR-77",
        meter_serials=("M-778899",),
    )
    pages = (
        PlannedPage(cover, Disposition.SHEET, case=1, document=1, page_in_document=1),
        *(
            PlannedPage(ref, Disposition.DOCUMENT, case=1, document=2, page_in_document=place)
            for place, ref in enumerate(papers, start=1)
        ),
        PlannedPage(blank, Disposition.BLANK),
    )
    plan = Plan((case,), pages, (Finding(FindingReason.CLAIM_GAP, blank),), "B000001", date(2026, 3, 1), 2)
    verdict = Completeness(
        CompletenessState.INCOMPLETE, "DIS", BranchSource.INFERRED, (BranchMissing("DIS", (("PHOTO",),)),)
    )
    return JudgedPlan(plan, (verdict,))


def stored(judged: JudgedPlan) -> dict[tuple[int, int], StoredDocument]:
    """Give what the archive might say of a plan's documents."""
    return {
        (case.ordinal, ordinal): StoredDocument(hashlib.sha256(f"{case.ordinal}.{ordinal}".encode()).hexdigest(), 5000)
        for case in judged.plan.cases
        for ordinal in range(1, len(case.documents) + 1)
    }


def case_sheet(number: int) -> PrintedSheet:
    """Give a personalised case sheet of series A."""
    code = RoutingCode(
        SheetKind.CASE,
        serial=f"A{number:06}",
        box="OBL-03",
        case_type="VER",
        branch="DIS",
        providers=("KTE", "KVK"),
        account="00123456",
        address_code="ADR-77",
        meter_serials=("M-778899",),
    )
    return PrintedSheet(number, code, compose(code))


def filed(db: Database, number: int, pages: int = 3, *, box: str = "OBL-03") -> tuple[FiledCase, ...]:
    """Take a scan of its own all the way."""
    closed(db, number, pages, box=box)
    stack = taken_stack(db)
    judged = planned(db, stack)
    return record_filing(db, stack, judged, stored(judged), DAY)
