"""What other systems may read: views that keep their columns within a major version, whatever becomes of the tables.

They are dropped before a migration and made again after it, so that no migration has to know them; with them the
triggers that keep the history as it was. On PostgreSQL, grant a reader the views and nothing else.

`case_overview`, a row per case
    case_id; number (OBL-03/2026/000123); box_code, box_name, centre; station_code; stack_number; ordinal (in the
    stack, from 1); received_on; case_type; branch with branch_source (declared, inferred); completeness (complete,
    incomplete, undetermined) with missing (JSON: [{"branch", "sets": [[kind...]...]}]); held; needs_review with
    review_reasons (joined by +); providers (joined by +); document_count; page_count; account; address_code;
    sheet_serial; created_at; published_at; follows (the number of the case that it follows up, by a signed sheet).
`case_document`, a row per document of a case
    case_id; case_number; document_id; ordinal (in the case, from 1); kinds (joined by +); page_count; size_bytes;
    sha256 (the document's name in the archive).
`page_account`, a row per scan
    scan_id; station_code; scan_number; box_code; state; page_count (NULL: nobody knows); document_pages, sheet_pages,
    blank_pages, duplicate_pages, quarantined_pages; page_rows (pages that are written down) and pending_rows (those
    that still wait for their stack); balanced (counters, rows and page_count agree).
`stack_account`, a row per stack
    stack_id; station_code; stack_number; box_code; state; page_rows and pending_rows; document_pages, sheet_pages,
    blank_pages, duplicate_pages, quarantined_pages; case_count; counted (envelopes, by hand); balanced (every page of
    a filed stack has its place).

Moments are `timestamptz` on PostgreSQL and ISO 8601 text in UTC on SQLite; flags are boolean there and 1 or 0 here.
"""

from __future__ import annotations

from sqlalchemy import Connection

from skrynka.core.model import Disposition

VIEWS = ("case_overview", "case_document", "page_account", "stack_account")

_CASE_OVERVIEW = """
CREATE VIEW case_overview AS
SELECT c.id AS case_id, c.number, c.box_code, b.name AS box_name, b.centre, s.station_code, s.number AS stack_number,
  c.ordinal, c.received_on, c.case_type, c.branch, c.branch_source, c.completeness, c.missing, c.held, c.needs_review,
  (SELECT {joined} FROM (SELECT r.reason AS item FROM case_review r WHERE r.case_id = c.id ORDER BY r.reason) reasons)
    AS review_reasons,
  (SELECT {joined} FROM (SELECT p.provider_code AS item FROM case_provider p WHERE p.case_id = c.id
    ORDER BY p.provider_code) codes) AS providers,
  (SELECT count(*) FROM document d WHERE d.case_id = c.id) AS document_count,
  (SELECT coalesce(sum(d.page_count), 0) FROM document d WHERE d.case_id = c.id) AS page_count,
  c.account, c.address_code, c.sheet_serial, c.created_at, c.published_at,
  (SELECT earlier.number FROM follow_up f JOIN "case" earlier ON earlier.id = f.follows_case_id
    WHERE f.case_id = c.id) AS follows
FROM "case" c JOIN drop_box b ON b.code = c.box_code JOIN stack s ON s.id = c.stack_id
"""

_CASE_DOCUMENT = """
CREATE VIEW case_document AS
SELECT d.case_id, c.number AS case_number, d.id AS document_id, d.ordinal,
  (SELECT {joined} FROM (SELECT k.kind AS item FROM document_kind k WHERE k.document_id = d.id ORDER BY k.kind) kinds)
    AS kinds,
  d.page_count, d.size_bytes, d.sha256
FROM document d JOIN "case" c ON c.id = d.case_id
"""

_COUNTED = ",\n  ".join(
    f"count(CASE WHEN disposition = '{disposition.value}' THEN 1 END) AS {disposition.value}_rows"
    for disposition in Disposition
)
_AGREE = " AND ".join(
    f"s.{disposition.value}_pages = coalesce(r.{disposition.value}_rows, 0)" for disposition in Disposition
)
_PAGES = ", ".join(f"s.{disposition.value}_pages" for disposition in Disposition)
_ROWS = ", ".join(
    f"coalesce(r.{disposition.value}_rows, 0) AS {disposition.value}_pages" for disposition in Disposition
)

_PAGE_ACCOUNT = f"""
CREATE VIEW page_account AS
SELECT s.id AS scan_id, s.station_code, s.number AS scan_number, s.box_code, s.state, s.page_count, {_PAGES},
  coalesce(r.page_rows, 0) AS page_rows, coalesce(r.pending_rows, 0) AS pending_rows,
  coalesce(s.page_count, 0) = coalesce(r.page_rows, 0) AND (s.state NOT IN ('filed', 'quarantined', 'duplicate')
    OR (coalesce(r.pending_rows, 0) = 0 AND {_AGREE})) AS balanced
FROM scan s LEFT JOIN (
  SELECT scan_id, count(*) AS page_rows, count(CASE WHEN disposition IS NULL THEN 1 END) AS pending_rows,
  {_COUNTED} FROM page GROUP BY scan_id
) r ON r.scan_id = s.id
"""  # noqa: S608 - made of our own words only

_STACK_ACCOUNT = f"""
CREATE VIEW stack_account AS
SELECT s.id AS stack_id, s.station_code, s.number AS stack_number, s.box_code, s.state,
  coalesce(r.page_rows, 0) AS page_rows, coalesce(r.pending_rows, 0) AS pending_rows, {_ROWS},
  (SELECT count(*) FROM "case" c WHERE c.stack_id = s.id) AS case_count, s.counted,
  (s.state IN ('filed', 'quarantined')) = (coalesce(r.pending_rows, 0) = 0) AND coalesce(r.page_rows, 0) > 0
    AS balanced
FROM stack s LEFT JOIN (
  SELECT stack_id, count(*) AS page_rows, count(CASE WHEN disposition IS NULL THEN 1 END) AS pending_rows,
  {_COUNTED} FROM page WHERE stack_id IS NOT NULL GROUP BY stack_id
) r ON r.stack_id = s.id
"""  # noqa: S608 - made of our own words only

_JOINED = {"sqlite": "group_concat(item, '+')", "postgresql": "string_agg(item, '+' ORDER BY item)"}

_REFUSAL = "the history is added to and never changed"
_TRIGGERS = {
    "sqlite": tuple(
        f"CREATE TRIGGER event_no_{verb.lower()} BEFORE {verb} ON event BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        for verb in ("UPDATE", "DELETE")
    ),
    "postgresql": (
        f"""
        CREATE FUNCTION event_refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$
        """,
        """
        CREATE TRIGGER event_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON event
        FOR EACH STATEMENT EXECUTE FUNCTION event_refuse()
        """,
    ),
}
_TRIGGERS_GONE = {
    "sqlite": ("DROP TRIGGER IF EXISTS event_no_update", "DROP TRIGGER IF EXISTS event_no_delete"),
    "postgresql": ("DROP FUNCTION IF EXISTS event_refuse CASCADE",),
}


def create_views(connection: Connection) -> None:
    """Make the views and triggers."""
    engine = connection.dialect.name
    for view in (_CASE_OVERVIEW, _CASE_DOCUMENT, _PAGE_ACCOUNT, _STACK_ACCOUNT):
        connection.exec_driver_sql(view.format(joined=_JOINED[engine]))
    for trigger in _TRIGGERS[engine]:
        connection.exec_driver_sql(trigger)


def drop_views(connection: Connection) -> None:
    """Take the views and triggers away, where they are."""
    for view in VIEWS:
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {view}")
    for trigger in _TRIGGERS_GONE[connection.dialect.name]:
        connection.exec_driver_sql(trigger)
