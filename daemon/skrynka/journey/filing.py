"""Filing, per stack, once it is closed: plan it, cut it, record it.

The plan is stored before anything is cut, so that a redo after a crash cuts by the same plan. Documents are stored by
content, so cutting again stores nothing twice. One transaction records it all, fenced by the epoch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import structlog

from skrynka.core.catalogue import Catalogue
from skrynka.core.errors import ConservationBroken, ScanRejected
from skrynka.core.judging import JudgedPlan, judge, known_of
from skrynka.core.model import SheetKind
from skrynka.core.naming import received_on
from skrynka.core.page_roles import page_roles
from skrynka.core.planning import plan
from skrynka.core.reasons import FindingReason, QuarantineReason
from skrynka.core.signing import Signing
from skrynka.journey.assembling import printed_on
from skrynka.journey.days import day_in_kyiv
from skrynka.journey.quarantining import Spoilt, note, note_given_up, tell
from skrynka.journey.renewing import Renewal
from skrynka.journey.unfinished import Record, Unfinished
from skrynka.journey.work_folders import WorkFolders
from skrynka.readers.messages import CutOrder, CutSource, PageLimits
from skrynka.readers.processes import ReaderHindered, Readers
from skrynka.steps.archive import Archive
from skrynka.store import stacks
from skrynka.store.case_serials import seen_serials
from skrynka.store.database import Database
from skrynka.store.finished import FinishedScan, finished_scans
from skrynka.store.follow_ups import follow_up_sheets
from skrynka.store.leases import TakenStack
from skrynka.store.plan_json import plan_from_json, plan_to_json
from skrynka.store.quarantine import quarantine_stack
from skrynka.store.records import FiledCase, StoredDocument, record_filing

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FilingRules:
    """How cases are made."""

    page_limit: int
    lease_seconds: float
    limits: PageLimits
    signing: Signing
    config_digest: str


class Filing:
    """The stage. Called from one thread of a service."""

    def __init__(
        self,
        database: Database,
        archive: Archive,
        readers: Readers,
        catalogue: Catalogue,
        work: Path,
        owner: str,
        rules: FilingRules,
    ) -> None:
        """`owner` names this thread in leases; `work` is where documents are cut."""
        self._database = database
        self._archive = archive
        self._readers = readers
        self._catalogue = catalogue
        self._folders = WorkFolders(work)
        self._owner = owner
        self._rules = rules
        self._unfinished = Unfinished()

    def file_next(self, show_life: Callable[[], None] = lambda: None) -> bool:
        """File the stack that was closed first, or record what is owed of an earlier one; give False when none waits.

        Raises DatabaseAway, LeaseLost, ReaderStopped, and OSError or EnvironmentUnfit when the archive or a disk
        fails: the stack then waits as if it had not been taken.
        """
        self._folders.tidy()
        if self._unfinished.settle():
            return True
        behind = self._unfinished.behind
        taken = stacks.take_stack(self._database, self._owner, self._rules.lease_seconds, self._given_up, behind)
        if taken is None:
            return False
        with self._unfinished.work(
            taken.id, lambda counted: stacks.release_stack(self._database, taken, counted=counted)
        ) as record:
            self._file(taken, show_life, record)
        return True

    def _file(self, taken: TakenStack, show_life: Callable[[], None], record: Record) -> None:
        scans = stacks.stack_scans(self._database, taken.id)
        judged = self._plan(taken, scans)
        lease = self._rules.lease_seconds
        renewal = Renewal(lambda: stacks.renew_stack(self._database, taken, lease), lease, show_life)
        try:
            documents = self._cut(scans, judged, self._folders.of(taken), renewal)
        except ScanRejected as rejected:
            self._verify(scans, renewal)
            # A name of its own: the one above ends with the block, and this may be called later.
            why = rejected
            record(lambda: self._failed(taken, scans, why))
            return
        except ReaderHindered:
            self._verify(scans, renewal)
            raise
        finally:
            self._folders.clear(taken)
        record(lambda: self._record(taken, scans, judged, documents))

    def _verify(self, scans: Sequence[stacks.StackScan], renewal: Renewal) -> None:
        """See that it isn't the archive's copies of the stack's scans that are wrong."""
        for scan in scans:
            self._archive.verify_original(scan.sha256, renewal.step)

    def _plan(self, taken: TakenStack, scans: Sequence[stacks.StackScan]) -> JudgedPlan:
        """Give the stored plan, or make one and store it."""
        if taken.plan is not None:
            return plan_from_json(taken.plan)
        pages = stacks.stack_pages(self._database, taken.id)
        readings = [page.reading for page in pages]
        printed = printed_on(self._database, readings)
        signatures = self._rules.signing.on(_claimed_on(scans))
        roles = page_roles(readings, printed, signatures=signatures)
        cases = [role.code for role in roles if role.code is not None and role.code.kind is SheetKind.CASE]
        serials = {code.serial for code in cases if code.serial}
        claims = {code.serial for code in cases if code.serial and code.follow_up}
        known = known_of(
            self._catalogue,
            taken.box_code,
            self._rules.page_limit,
            printed,
            seen_serials(self._database, serials, excluding_stack=taken.id) if serials else frozenset(),
            follow_up_sheets(self._database, claims, taken.box_code) if claims else {},
            signatures,
        )
        try:
            judged = judge(plan(pages, known, gap_at_end=taken.gap_at_end), self._catalogue)
        except ConservationBroken:
            _LOG.error("plan_refused", box=taken.box_code, stack_number=taken.name, stack_id=taken.id)
            raise
        stacks.store_plan(self._database, taken, plan_to_json(judged), self._rules.config_digest)
        return judged

    def _cut(
        self, scans: Sequence[stacks.StackScan], judged: JudgedPlan, work: Path, renewal: Renewal
    ) -> dict[tuple[int, int], StoredDocument]:
        """Cut every document and store it; give what was stored by ordinals of case and document."""
        wanted = {
            (case.ordinal, ordinal): paper.pages
            for case in judged.plan.cases
            for ordinal, paper in enumerate(case.documents, start=1)
        }
        if not wanted:
            return {}
        sources = {
            scan.id: CutSource(self._archive.original_path(scan.sha256), scan.file_type, scan.sha256)
            for scan in scans
            if scan.file_type is not None
        }
        order = CutOrder(sources, tuple(wanted.values()), work, self._rules.limits)
        places = list(wanted)
        stored = {}

        def store(number: int, file: Path, progress: Callable[[], None]) -> None:
            kept = self._archive.store_document(file, progress)
            stored[places[number - 1]] = StoredDocument(kept.sha256, kept.size_bytes)

        self._readers.cut(order, store, renewal.step)
        return stored

    def _record(
        self,
        taken: TakenStack,
        scans: Sequence[stacks.StackScan],
        judged: JudgedPlan,
        documents: Mapping[tuple[int, int], StoredDocument],
    ) -> None:
        day = received_on(judged.plan.emptied_on, _claimed_on(scans))
        filed = record_filing(self._database, taken, judged, documents, day)
        _tell_filed(taken, judged, filed, finished_scans(self._database, [scan.id for scan in scans]))

    def _failed(self, taken: TakenStack, scans: Sequence[stacks.StackScan], rejected: ScanRejected) -> None:
        """Put a stack that was read and can't be cut into quarantine, with its scans."""
        cause = ScanRejected(QuarantineReason.CUT_FAILED, detail=rejected.reason.value)
        spoilt = _spoilt(taken, scans)
        for scan in spoilt:
            note(self._archive, scan, cause)
        quarantine_stack(self._database, taken, QuarantineReason.CUT_FAILED)
        for scan in spoilt:
            tell(scan, cause, taken.id)

    def _given_up(self, stack: TakenStack) -> None:
        for scan in _spoilt(stack, stacks.stack_scans(self._database, stack.id)):
            note_given_up(self._archive, scan)


def _spoilt(stack: TakenStack, scans: Sequence[stacks.StackScan]) -> list[Spoilt]:
    return [Spoilt(scan.id, scan.name, stack.box_code, scan.sha256) for scan in scans]


def _claimed_on(scans: Sequence[stacks.StackScan]) -> date:
    return day_in_kyiv(min(scan.claimed_at for scan in scans))


def _tell_filed(
    taken: TakenStack, judged: JudgedPlan, cases: Sequence[FiledCase], scans: Sequence[FinishedScan]
) -> None:
    """Write the canonical lines: one per case, per scan that is finished, and per stack."""
    log = _LOG.bind(box=taken.box_code, stack_number=taken.name, stack_id=taken.id)
    for case, planned, verdict in zip(cases, judged.plan.cases, judged.completeness, strict=True):
        log.info(
            "case_created",
            case_number=case.number,
            case_id=case.id,
            case_type=planned.case_type or "unknown",
            documents=len(planned.documents),
            pages=sum(len(paper.pages) for paper in planned.documents),
            completeness=verdict.state.value,
            missing=verdict.surely_missing,
            reasons=tuple(reason.value for reason in case.reviews),
        )
    for scan in scans:
        log.info(
            "scan_finished",
            scan_number=scan.name,
            scan_id=scan.id,
            claimed_at=scan.claimed_at,
            pages=scan.pages,
            **scan.counts,
            cases=scan.cases,
            reviews=scan.reviews,
        )
    if any(finding.reason is FindingReason.STACK_COUNT_MISMATCHED for finding in judged.plan.findings):
        log.warning("stack_count_mismatched", counted=judged.plan.counted, submissions=len(judged.plan.cases))
    counts = Counter(page.disposition.value for page in judged.plan.pages)
    log.info(
        "stack_filed",
        scans=len({page.ref.scan_id for page in judged.plan.pages}),
        pages=len(judged.plan.pages),
        **counts,
        cases=len(cases),
        incomplete=sum(verdict.state.value == "incomplete" for verdict in judged.completeness),
        reviews=sum(bool(case.reviews) for case in cases),
    )
