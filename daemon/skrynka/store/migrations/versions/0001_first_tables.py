"""The first tables.

A migration that was released is never edited: what it says of values and conditions stands here in full, and later
enumerations don't reach it.

Revision ID: 0001
Revises: nothing
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    false,
    text,
)

from skrynka.store.columns import (
    Day,
    Flag,
    Timestamp,
    is_flag,
    is_hash,
    is_id,
    large,
    one_of,
    partial_index,
    real,
    rule,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, those that others point at first."""
    _stations()
    _stacks()
    _scans()
    _cases()
    _pages()
    _reasons()
    _sheets()
    _events()


def downgrade() -> None:
    """Refuse: what later versions wrote can't be told in earlier tables."""
    raise NotImplementedError("there is no way back: restore a backup instead")


def _stations() -> None:
    op.create_table(
        "station",
        Column("code", Text, primary_key=True),
        Column("name", Text, nullable=False),
        Column("created_at", Timestamp, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "drop_box",
        Column("code", Text, primary_key=True),
        Column("station_code", Text, ForeignKey("station.code"), nullable=False),
        Column("name", Text, nullable=False),
        Column("centre", Text, nullable=False),
        Column("active", Flag, nullable=False),
        is_flag("active"),
        sqlite_strict=True,
    )


def _stacks() -> None:
    op.create_table(
        "stack",
        Column("id", Text, primary_key=True),
        Column("station_code", Text, ForeignKey("station.code"), nullable=False),
        Column("number", Integer, nullable=False),
        Column("box_code", Text, ForeignKey("drop_box.code"), nullable=False),
        Column("state", Text, nullable=False),
        Column("assemble", Text, nullable=False),
        Column("opened_by", Text, nullable=False),
        Column("closed_by", Text),
        Column("opened_at", Timestamp, nullable=False),
        Column("last_page_at", Timestamp, nullable=False),
        Column("ended_at", Timestamp),
        Column("closed_at", Timestamp),
        Column("filed_at", Timestamp),
        Column("bare", Flag, nullable=False, server_default=false()),
        Column("gap_at_end", Flag, nullable=False, server_default=false()),
        Column("collection_serial", Text),
        Column("emptied_on", Day),
        Column("counted", Integer),
        Column("plan", Text),
        Column("config_digest", Text),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Column("epoch", Integer, nullable=False, server_default=text("0")),
        Column("lease_owner", Text),
        Column("lease_until", Timestamp),
        Column("quarantine_reason", Text),
        UniqueConstraint("station_code", "number"),
        is_id(),
        is_flag("bare"),
        is_flag("gap_at_end"),
        one_of("state", "open", "closed", "planned", "filed", "quarantined"),
        one_of("assemble", "file", "stack"),
        one_of("opened_by", "collection_sheet", "repeat_sheet", "scan"),
        one_of("closed_by", "collection_sheet", "repeat_sheet", "end_sheet", "scan_end", "quiet_time"),
        one_of(
            "quarantine_reason",
            "corrupt",
            "encrypted",
            "empty",
            "unsupported",
            "too_large",
            "no_pages",
            "page_too_large",
            "page_unreadable",
            "reader_crashed",
            "reader_timed_out",
            "reader_incoherent",
            "attempts_exhausted",
            "cut_failed",
        ),
        rule("number_counts", "number > 0"),
        rule("attempts_count", "attempts >= 0 AND epoch >= 0"),
        rule("counted_counts", "counted IS NULL OR counted >= 0"),
        rule("open_has_no_end", "(state = 'open') = (closed_at IS NULL)"),
        rule("closed_by_somebody", "(closed_at IS NULL) = (closed_by IS NULL)"),
        rule("filed_at_a_time", "(state = 'filed') = (filed_at IS NOT NULL)"),
        rule("quarantined_for_a_reason", "(state = 'quarantined') = (quarantine_reason IS NOT NULL)"),
        rule("plan_has_config", "(plan IS NULL) = (config_digest IS NULL)"),
        rule("planned_has_plan", "state = 'quarantined' OR (state IN ('planned', 'filed')) = (plan IS NOT NULL)"),
        rule("leased_to_somebody", "lease_until IS NULL OR lease_owner IS NOT NULL"),
        rule("leased_while_worked_on", "lease_owner IS NULL OR state IN ('closed', 'planned')"),
        partial_index("ix_stack_one_open", "box_code", where="state = 'open'", unique=True),
        partial_index("ix_stack_waiting", "closed_at", "number", where="state IN ('closed', 'planned')"),
        sqlite_strict=True,
    )


def _scans() -> None:
    op.create_table(
        "scan",
        Column("id", Text, primary_key=True),
        Column("station_code", Text, ForeignKey("station.code"), nullable=False),
        Column("number", Integer, nullable=False),
        Column("box_code", Text, ForeignKey("drop_box.code"), nullable=False),
        Column("original_name", Text, nullable=False),
        Column("sha256", Text, nullable=False),
        Column("size_bytes", large(), nullable=False),
        Column("file_type", Text),
        Column("claimed_at", Timestamp, nullable=False),
        Column("received_at", Timestamp, nullable=False),
        Column("state", Text, nullable=False),
        Column("duplicate_of", Text, ForeignKey("scan.id")),
        Column("page_count", Integer),
        Column("document_pages", Integer, nullable=False, server_default=text("0")),
        Column("sheet_pages", Integer, nullable=False, server_default=text("0")),
        Column("blank_pages", Integer, nullable=False, server_default=text("0")),
        Column("duplicate_pages", Integer, nullable=False, server_default=text("0")),
        Column("quarantined_pages", Integer, nullable=False, server_default=text("0")),
        Column("assembled_at", Timestamp),
        Column("finished_at", Timestamp),
        Column("retried", Flag, nullable=False, server_default=false()),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Column("epoch", Integer, nullable=False, server_default=text("0")),
        Column("lease_owner", Text),
        Column("lease_until", Timestamp),
        Column("quarantine_reason", Text),
        Column("quarantine_page", Integer),
        UniqueConstraint("station_code", "number"),
        is_id(),
        is_hash(),
        is_flag("retried"),
        one_of("state", "received", "reading", "read", "filed", "quarantined", "duplicate"),
        one_of("file_type", "pdf", "tiff", "jpeg", "png"),
        one_of(
            "quarantine_reason",
            "corrupt",
            "encrypted",
            "empty",
            "unsupported",
            "too_large",
            "no_pages",
            "page_too_large",
            "page_unreadable",
            "reader_crashed",
            "reader_timed_out",
            "reader_incoherent",
            "attempts_exhausted",
            "cut_failed",
        ),
        rule("number_counts", "number > 0"),
        rule("attempts_count", "attempts >= 0 AND epoch >= 0"),
        rule("size_counts", "size_bytes >= 0"),
        rule("page_count_counts", "page_count IS NULL OR page_count > 0"),
        rule("read_has_pages", "state NOT IN ('read', 'filed') OR page_count IS NOT NULL"),
        rule("unread_has_no_pages", "state NOT IN ('received', 'reading') OR page_count IS NULL"),
        rule(
            "pages_not_negative",
            "document_pages >= 0 AND sheet_pages >= 0 AND blank_pages >= 0"
            " AND duplicate_pages >= 0 AND quarantined_pages >= 0",
        ),
        rule(
            "pages_add_up",
            "document_pages + sheet_pages + blank_pages + duplicate_pages + quarantined_pages"
            " = CASE WHEN state IN ('filed', 'quarantined', 'duplicate') THEN coalesce(page_count, 0) ELSE 0 END",
        ),
        rule("duplicate_of_something", "(state = 'duplicate') = (duplicate_of IS NOT NULL)"),
        rule("duplicate_of_another", "duplicate_of IS NULL OR duplicate_of <> id"),
        rule("quarantined_for_a_reason", "(state = 'quarantined') = (quarantine_reason IS NOT NULL)"),
        rule("quarantine_page_counts", "quarantine_page IS NULL OR (quarantine_page > 0 AND state = 'quarantined')"),
        rule("finished_at_a_time", "(state IN ('filed', 'quarantined', 'duplicate')) = (finished_at IS NOT NULL)"),
        rule("assembled_once_read", "assembled_at IS NULL OR state NOT IN ('received', 'reading')"),
        rule("filed_once_assembled", "state <> 'filed' OR assembled_at IS NOT NULL"),
        rule("leased_to_somebody", "(state = 'reading') = (lease_owner IS NOT NULL)"),
        rule("leased_while_read", "lease_until IS NULL OR state = 'reading'"),
        partial_index("ix_scan_one_original", "sha256", where="duplicate_of IS NULL", unique=True),
        partial_index("ix_scan_duplicates", "duplicate_of", where="duplicate_of IS NOT NULL"),
        partial_index("ix_scan_waiting", "received_at", "number", where="state IN ('received', 'reading')"),
        partial_index("ix_scan_unassembled", "box_code", "number", where="assembled_at IS NULL"),
        sqlite_strict=True,
    )


def _cases() -> None:
    op.create_table(
        "case",
        Column("id", Text, primary_key=True),
        Column("number", Text, nullable=False),
        Column("box_code", Text, ForeignKey("drop_box.code"), nullable=False),
        Column("stack_id", Text, ForeignKey("stack.id"), nullable=False),
        Column("ordinal", Integer, nullable=False),
        Column("sheet_serial", Text),
        Column("case_type", Text),
        Column("declared_branch", Text),
        Column("branch", Text),
        Column("branch_source", Text),
        Column("completeness", Text, nullable=False),
        Column("missing", Text, nullable=False),
        Column("held", Flag, nullable=False),
        Column("needs_review", Flag, nullable=False),
        Column("received_on", Day, nullable=False),
        Column("account", Text),
        Column("address_code", Text),
        Column("created_at", Timestamp, nullable=False),
        Column("published_at", Timestamp),
        UniqueConstraint("number"),
        UniqueConstraint("stack_id", "ordinal"),
        UniqueConstraint("id", "stack_id"),
        is_id(),
        is_flag("held"),
        is_flag("needs_review"),
        one_of("branch_source", "declared", "inferred"),
        one_of("completeness", "complete", "incomplete", "undetermined"),
        rule("ordinal_counts", "ordinal > 0"),
        rule("branch_from_somewhere", "(branch IS NULL) = (branch_source IS NULL)"),
        rule("held_needs_review", "NOT held OR needs_review"),
        Index("ix_case_sheet_serial", "sheet_serial"),
        sqlite_strict=True,
    )
    op.create_table(
        "case_provider",
        Column("case_id", Text, ForeignKey("case.id"), primary_key=True),
        Column("provider_code", Text, primary_key=True),
        sqlite_strict=True,
    )
    op.create_table(
        "document",
        Column("id", Text, primary_key=True),
        Column("case_id", Text, ForeignKey("case.id"), nullable=False),
        Column("ordinal", Integer, nullable=False),
        Column("sha256", Text, nullable=False),
        Column("size_bytes", large(), nullable=False),
        Column("page_count", Integer, nullable=False),
        UniqueConstraint("case_id", "ordinal"),
        UniqueConstraint("id", "case_id"),
        is_id(),
        is_hash(),
        rule("ordinal_counts", "ordinal > 0"),
        rule("size_counts", "size_bytes > 0"),
        rule("page_count_counts", "page_count > 0"),
        Index("ix_document_sha256", "sha256"),
        sqlite_strict=True,
    )
    op.create_table(
        "document_kind",
        Column("document_id", Text, ForeignKey("document.id"), primary_key=True),
        Column("kind", Text, primary_key=True),
        sqlite_strict=True,
    )


def _pages() -> None:
    op.create_table(
        "page",
        Column("scan_id", Text, ForeignKey("scan.id"), nullable=False),
        Column("number", Integer, nullable=False),
        Column("stack_id", Text, ForeignKey("stack.id")),
        Column("position", Integer),
        Column("after_gap", Flag, nullable=False, server_default=false()),
        Column("width", real()),
        Column("height", real()),
        Column("rotation", Integer),
        Column("source", Text),
        Column("dpi", real()),
        Column("marked", Flag),
        Column("blank", Flag),
        Column("ink", real()),
        Column("fingerprint", Text),
        Column("codes", Text),
        Column("disposition", Text),
        Column("held", Flag, nullable=False, server_default=false()),
        Column("case_id", Text),
        Column("document_id", Text),
        Column("page_in_document", Integer),
        PrimaryKeyConstraint("scan_id", "number"),
        UniqueConstraint("stack_id", "position"),
        UniqueConstraint("document_id", "page_in_document"),
        # With both columns, a page can't be in a case of another stack, nor in a document of another case.
        ForeignKeyConstraint(["case_id", "stack_id"], ["case.id", "case.stack_id"]),
        ForeignKeyConstraint(["document_id", "case_id"], ["document.id", "document.case_id"]),
        is_flag("after_gap"),
        is_flag("marked"),
        is_flag("blank"),
        is_flag("held"),
        one_of("disposition", "document", "sheet", "blank", "duplicate", "quarantined"),
        one_of("source", "image", "raster"),
        rule("number_counts", "number > 0"),
        rule("position_counts", "position IS NULL OR position > 0"),
        rule("page_in_document_counts", "page_in_document IS NULL OR page_in_document > 0"),
        rule("rotation_square", "rotation IN (0, 90, 180, 270)"),
        rule("ink_a_share", "ink IS NULL OR (ink >= 0 AND ink <= 1)"),
        rule(
            "reading_whole",
            "(width IS NULL) = (height IS NULL) AND (width IS NULL) = (rotation IS NULL)"
            " AND (width IS NULL) = (source IS NULL) AND (width IS NULL) = (dpi IS NULL)"
            " AND (width IS NULL) = (marked IS NULL) AND (width IS NULL) = (blank IS NULL)"
            " AND (width IS NULL) = (ink IS NULL) AND (width IS NULL) = (fingerprint IS NULL)"
            " AND (width IS NULL) = (codes IS NULL)",
        ),
        rule("placed_in_stack", "(stack_id IS NULL) = (position IS NULL)"),
        rule("stacked_was_read", "stack_id IS NULL OR width IS NOT NULL"),
        rule(
            "unread_set_aside",
            "width IS NOT NULL OR (disposition IS NOT NULL AND disposition IN ('duplicate', 'quarantined'))",
        ),
        rule(
            "filed_from_a_stack",
            "disposition IS NULL OR stack_id IS NOT NULL OR disposition IN ('duplicate', 'quarantined')",
        ),
        rule(
            "place_whole",
            "(case_id IS NULL) = (document_id IS NULL)"
            " AND (case_id IS NULL) = (page_in_document IS NULL) AND (case_id IS NULL OR stack_id IS NOT NULL)",
        ),
        rule("document_has_place", "disposition IS NULL OR disposition <> 'document' OR document_id IS NOT NULL"),
        rule(
            "set_aside_has_none",
            "document_id IS NULL OR (disposition IS NOT NULL AND disposition IN ('document', 'sheet'))",
        ),
        rule("held_in_a_case", "NOT held OR case_id IS NOT NULL"),
        sqlite_strict=True,
    )


def _reasons() -> None:
    op.create_table(
        "case_review",
        Column("case_id", Text, ForeignKey("case.id"), primary_key=True),
        Column("reason", Text, primary_key=True),
        Column("scan_id", Text),
        Column("page_number", Integer),
        ForeignKeyConstraint(["scan_id", "page_number"], ["page.scan_id", "page.number"]),
        one_of(
            "reason",
            "no_sheet",
            "pages_before_first_sheet",
            "sheet_unreadable",
            "code_invalid",
            "version_unknown",
            "codes_disagree",
            "document_sheet_without_case",
            "pages_after_gap",
            "sheet_unknown",
            "sheet_contradicted",
            "box_mismatched",
            "case_type_missing",
            "case_type_unknown",
            "branch_unknown",
            "provider_unknown",
            "document_kind_unknown",
            "empty_submission",
            "boundary_doubtful",
            "document_without_pages",
            "page_limit_exceeded",
            "serial_repeated",
            "repeat_declared",
            "follow_up_unverified",
            "branches_mixed",
            "unfit_meter",
            "always_reviewed",
        ),
        rule("page_whole", "(scan_id IS NULL) = (page_number IS NULL)"),
        sqlite_strict=True,
    )
    op.create_table(
        "stack_finding",
        Column("stack_id", Text, ForeignKey("stack.id"), primary_key=True),
        Column("ordinal", Integer, primary_key=True, autoincrement=False),
        Column("reason", Text, nullable=False),
        Column("scan_id", Text),
        Column("page_number", Integer),
        ForeignKeyConstraint(["scan_id", "page_number"], ["page.scan_id", "page.number"]),
        one_of("reason", "stack_count_mismatched", "box_mismatched", "repeat_declared", "claim_gap", "back_written_on"),
        rule("ordinal_counts", "ordinal > 0"),
        rule("page_whole", "(scan_id IS NULL) = (page_number IS NULL)"),
        sqlite_strict=True,
    )
    op.create_table(
        "meter",
        Column("id", Text, primary_key=True),
        Column("case_id", Text, ForeignKey("case.id"), nullable=False),
        Column("serial", Text, nullable=False),
        UniqueConstraint("case_id", "serial"),
        is_id(),
        sqlite_strict=True,
    )


def _sheets() -> None:
    op.create_table(
        "case_number",
        Column("box_code", Text, ForeignKey("drop_box.code"), primary_key=True),
        Column("year", Integer, primary_key=True, autoincrement=False),
        Column("last_number", Integer, nullable=False),
        rule("last_number_counts", "last_number >= 0"),
        sqlite_strict=True,
    )
    op.create_table(
        "sheet_number",
        Column("series", Text, primary_key=True),
        Column("last_number", Integer, nullable=False),
        rule("last_number_counts", "last_number >= 0"),
        sqlite_strict=True,
    )
    op.create_table(
        "sheet",
        Column("serial", Text, primary_key=True),
        Column("series", Text, nullable=False),
        Column("serial_number", Integer, nullable=False),
        Column("kind", Text, nullable=False),
        Column("text", Text, nullable=False),
        Column("box_code", Text),
        Column("case_type", Text),
        Column("branch", Text),
        Column("providers", Text, nullable=False),
        Column("document_kinds", Text, nullable=False),
        Column("account", Text),
        Column("address_code", Text),
        Column("meter_serials", Text, nullable=False),
        Column("follow_up", Text),
        Column("sticker", Flag, nullable=False),
        Column("emptied_on", Day),
        Column("counted", Integer),
        Column("order_id", Text, nullable=False),
        Column("printed_at", Timestamp, nullable=False),
        UniqueConstraint("series", "serial_number"),
        is_flag("sticker"),
        is_id("order_id"),
        one_of("kind", "B", "P", "C", "D", "R", "E"),
        rule("serial_number_counts", "serial_number > 0"),
        sqlite_strict=True,
    )


def _events() -> None:
    op.create_table(
        "event",
        Column("id", large(), Identity(always=True), primary_key=True),
        Column("at", Timestamp, nullable=False),
        Column("name", Text, nullable=False),
        Column("actor", Text, nullable=False),
        Column("station_code", Text, ForeignKey("station.code")),
        Column("scan_id", Text, ForeignKey("scan.id")),
        Column("stack_id", Text, ForeignKey("stack.id")),
        Column("case_id", Text, ForeignKey("case.id")),
        Column("data", Text, nullable=False),
        Index("ix_event_scan_id", "scan_id"),
        Index("ix_event_stack_id", "stack_id"),
        Index("ix_event_case_id", "case_id"),
        sqlite_strict=True,
    )
