"""Follow-ups that are honoured, and the reasons for review that signatures give.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Index, Integer, Text, UniqueConstraint

from skrynka.store.columns import Day, one_of, rule

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what a signed follow-up needs."""
    op.add_column("sheet", Column("expires_on", Day))
    op.create_table(
        "follow_up",
        Column("case_id", Text, ForeignKey("case.id"), primary_key=True),
        Column("follows_case_id", Text, ForeignKey("case.id"), nullable=False),
        Column("sheet_serial", Text, ForeignKey("sheet.serial"), nullable=False),
        UniqueConstraint("sheet_serial"),
        rule("follows_another", "case_id <> follows_case_id"),
        Index("ix_follow_up_follows_case_id", "follows_case_id"),
        sqlite_strict=True,
    )
    if op.get_bind().dialect.name == "sqlite":
        _rewrite_case_review()
    else:
        reasons = _reasons()
        op.drop_constraint("ck_case_review_reason_known", "case_review")
        op.create_check_constraint("reason_known", "case_review", reasons.sqltext)


def downgrade() -> None:
    """Refuse: what later versions wrote can't be told in earlier tables."""
    raise NotImplementedError("there is no way back: restore a backup instead")


def _rewrite_case_review() -> None:
    """Make the table anew: SQLite can't change a condition, and nothing points at these rows."""
    op.rename_table("case_review", "case_review_before")
    op.create_table(
        "case_review",
        Column("case_id", Text, ForeignKey("case.id"), primary_key=True),
        Column("reason", Text, primary_key=True),
        Column("scan_id", Text),
        Column("page_number", Integer),
        ForeignKeyConstraint(["scan_id", "page_number"], ["page.scan_id", "page.number"]),
        _reasons(),
        rule("page_whole", "(scan_id IS NULL) = (page_number IS NULL)"),
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO case_review (case_id, reason, scan_id, page_number)"
        " SELECT case_id, reason, scan_id, page_number FROM case_review_before"
    )
    op.drop_table("case_review_before")


def _reasons() -> CheckConstraint:
    return one_of(
        "reason",
        "no_sheet",
        "pages_before_first_sheet",
        "sheet_unreadable",
        "code_invalid",
        "version_unknown",
        "codes_disagree",
        "signature_missing",
        "signature_wrong",
        "key_unknown",
        "key_expired",
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
        "follow_up_repeated",
        "follow_up_expired",
        "follow_up_case_unknown",
        "branches_mixed",
        "unfit_meter",
        "always_reviewed",
    )
