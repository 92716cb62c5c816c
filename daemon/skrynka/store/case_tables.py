"""The tables of what comes out: cases, their documents, why they wait, and the sheets that were printed for them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Index, Integer, Table, Text, UniqueConstraint

from skrynka.core.model import SheetKind
from skrynka.core.reasons import FindingReason, ReviewReason
from skrynka.core.requirements import BranchSource, CompletenessState
from skrynka.store.columns import Day, Flag, Timestamp, is_flag, is_hash, is_id, large, metadata, one_of, rule

case = Table(
    "case",
    metadata,
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
    one_of("branch_source", *BranchSource),
    one_of("completeness", *CompletenessState),
    rule("ordinal_counts", "ordinal > 0"),
    rule("branch_from_somewhere", "(branch IS NULL) = (branch_source IS NULL)"),
    rule("held_needs_review", "NOT held OR needs_review"),
    Index("ix_case_sheet_serial", "sheet_serial"),
    sqlite_strict=True,
)

case_provider = Table(
    "case_provider",
    metadata,
    Column("case_id", Text, ForeignKey("case.id"), primary_key=True),
    Column("provider_code", Text, primary_key=True),
    sqlite_strict=True,
)

document = Table(
    "document",
    metadata,
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

document_kind = Table(
    "document_kind",
    metadata,
    Column("document_id", Text, ForeignKey("document.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    sqlite_strict=True,
)

case_review = Table(
    "case_review",
    metadata,
    Column("case_id", Text, ForeignKey("case.id"), primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("scan_id", Text),
    Column("page_number", Integer),
    ForeignKeyConstraint(["scan_id", "page_number"], ["page.scan_id", "page.number"]),
    one_of("reason", *ReviewReason),
    rule("page_whole", "(scan_id IS NULL) = (page_number IS NULL)"),
    sqlite_strict=True,
)

stack_finding = Table(
    "stack_finding",
    metadata,
    Column("stack_id", Text, ForeignKey("stack.id"), primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("reason", Text, nullable=False),
    Column("scan_id", Text),
    Column("page_number", Integer),
    ForeignKeyConstraint(["scan_id", "page_number"], ["page.scan_id", "page.number"]),
    one_of("reason", *FindingReason),
    rule("ordinal_counts", "ordinal > 0"),
    rule("page_whole", "(scan_id IS NULL) = (page_number IS NULL)"),
    sqlite_strict=True,
)

meter = Table(
    "meter",
    metadata,
    Column("id", Text, primary_key=True),
    Column("case_id", Text, ForeignKey("case.id"), nullable=False),
    Column("serial", Text, nullable=False),
    UniqueConstraint("case_id", "serial"),
    is_id(),
    sqlite_strict=True,
)

case_number = Table(
    "case_number",
    metadata,
    Column("box_code", Text, ForeignKey("drop_box.code"), primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("last_number", Integer, nullable=False),
    rule("last_number_counts", "last_number >= 0"),
    sqlite_strict=True,
)

sheet_number = Table(
    "sheet_number",
    metadata,
    Column("series", Text, primary_key=True),
    Column("last_number", Integer, nullable=False),
    rule("last_number_counts", "last_number >= 0"),
    sqlite_strict=True,
)

sheet = Table(
    "sheet",
    metadata,
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
    Column("expires_on", Day),
    UniqueConstraint("series", "serial_number"),
    is_flag("sticker"),
    is_id("order_id"),
    one_of("kind", *SheetKind),
    rule("serial_number_counts", "serial_number > 0"),
    sqlite_strict=True,
)

follow_up = Table(
    "follow_up",
    metadata,
    Column("case_id", Text, ForeignKey("case.id"), primary_key=True),
    Column("follows_case_id", Text, ForeignKey("case.id"), nullable=False),
    Column("sheet_serial", Text, ForeignKey("sheet.serial"), nullable=False),
    # A sheet links one case to another once, whoever copies it and however many stations see it at a time.
    UniqueConstraint("sheet_serial"),
    rule("follows_another", "case_id <> follows_case_id"),
    Index("ix_follow_up_follows_case_id", "follows_case_id"),
    sqlite_strict=True,
)
