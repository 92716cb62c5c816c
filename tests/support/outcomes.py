"""What became of everything on a station, without ids and times: two stations that did the same work give the same."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from tests.support.oracle import query

_QUERIES = {
    "scans": "SELECT number, box_code, sha256, size_bytes, file_type, state, page_count, document_pages, sheet_pages,"
    " blank_pages, duplicate_pages, quarantined_pages, quarantine_reason, quarantine_page FROM scan ORDER BY number",
    "stacks": "SELECT number, box_code, state, assemble, opened_by, closed_by, gap_at_end, collection_serial,"
    " emptied_on, counted FROM stack ORDER BY number",
    "pages": "SELECT scan.number AS scan, page.number, stack.number AS stack, page.position, page.disposition,"
    ' page.held, page.codes, page.fingerprint, "case".number AS "case", document.ordinal AS document,'
    " page.page_in_document FROM page JOIN scan ON scan.id = page.scan_id"
    ' LEFT JOIN stack ON stack.id = page.stack_id LEFT JOIN "case" ON "case".id = page.case_id'
    " LEFT JOIN document ON document.id = page.document_id ORDER BY scan.number, page.number",
    "cases": 'SELECT "case".number, stack.number AS stack, "case".box_code, ordinal, sheet_serial, case_type,'
    " declared_branch, branch, branch_source, completeness, missing, held, needs_review, received_on"
    ' FROM "case" JOIN stack ON stack.id = "case".stack_id ORDER BY "case".number',
    "documents": 'SELECT "case".number AS "case", document.ordinal, sha256, size_bytes, page_count FROM document'
    ' JOIN "case" ON "case".id = document.case_id ORDER BY "case".number, document.ordinal',
    "kinds": 'SELECT "case".number AS "case", document.ordinal, kind FROM document_kind'
    " JOIN document ON document.id = document_kind.document_id"
    ' JOIN "case" ON "case".id = document.case_id ORDER BY "case".number, document.ordinal, kind',
    "reviews": 'SELECT "case".number AS "case", reason, page_number FROM case_review'
    ' JOIN "case" ON "case".id = case_review.case_id ORDER BY "case".number, reason',
    "findings": "SELECT stack.number AS stack, ordinal, reason, page_number FROM stack_finding"
    " JOIN stack ON stack.id = stack_finding.stack_id ORDER BY stack.number, ordinal",
    "providers": 'SELECT "case".number AS "case", provider_code FROM case_provider'
    ' JOIN "case" ON "case".id = case_provider.case_id ORDER BY "case".number, provider_code',
    "created": 'SELECT "case".number AS "case", count(*) AS times FROM event'
    ' JOIN "case" ON "case".id = event.case_id WHERE event.name = \'case_recorded\''
    ' GROUP BY "case".number ORDER BY "case".number',
}

Outcome = dict[str, list[dict[str, Any]]]


def outcome(database: str | Path) -> Outcome:
    """Give it, by subject; engines write truth and days in their own ways, here they are alike."""
    return {
        subject: [{name: _alike(value) for name, value in row.items()} for row in query(database, sql)]
        for subject, sql in _QUERIES.items()
    }


def _alike(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    return value.isoformat() if isinstance(value, date) else value
