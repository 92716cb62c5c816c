"""When scans were written, and which come after one that was lost: what tells piles apart that are taken late.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, false

from skrynka.store.columns import Flag, Timestamp

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the two columns."""
    op.add_column("scan", Column("written_at", Timestamp))
    # Without its `is_flag`: SQLite can't add a condition to a table that is there.
    op.add_column("scan", Column("after_gap", Flag, nullable=False, server_default=false()))


def downgrade() -> None:
    """Refuse: what later versions wrote can't be told in earlier tables."""
    raise NotImplementedError("there is no way back: restore a backup instead")
