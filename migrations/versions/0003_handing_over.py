"""Conversations that only people may answer, and drafts an operator asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "cairnloop_conversations",
        sa.Column("handed_over_at", sa.DateTime(timezone=True), nullable=True),
        schema="cairnloop",
    )
    op.add_column("cairnloop_drafts", sa.Column("requested_by", sa.Text(), nullable=True), schema="cairnloop")


def downgrade() -> None:
    op.drop_column("cairnloop_drafts", "requested_by", schema="cairnloop")
    op.drop_column("cairnloop_conversations", "handed_over_at", schema="cairnloop")
