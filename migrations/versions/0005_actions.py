"""Proposed actions, their approvals and their trail; ways to look into the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

GUARD = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON cairnloop.cairnloop_tool_action_events
FOR EACH STATEMENT EXECUTE FUNCTION cairnloop.refuse_change()
"""


def upgrade() -> None:
    op.create_table(
        "cairnloop_tool_proposals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant", sa.Text(), server_default="", nullable=False),
        sa.Column("tool", sa.Text(), nullable=False),
        sa.Column("tool_version", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "proposed",
                "needs_input",
                "scope_invalid",
                "policy_denied",
                name="proposal_status",
                native_enum=False,
                create_constraint=True,
                length=32,
                schema="cairnloop",
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("errors", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("consequence", sa.Text(), nullable=True),
        sa.Column("input", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "risk_tier",
            sa.Enum(
                "read_only",
                "low_write",
                "high_write",
                "destructive",
                name="risk_tier",
                native_enum=False,
                create_constraint=True,
                length=32,
                schema="cairnloop",
            ),
            nullable=False,
        ),
        sa.Column(
            "mode",
            sa.Enum(
                "auto",
                "requires_approval",
                "always_block",
                name="approval_mode",
                native_enum=False,
                create_constraint=True,
                length=32,
                schema="cairnloop",
            ),
            nullable=False,
        ),
        sa.Column("required_scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("held_scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("policy", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "origin",
            sa.Enum(
                "operator",
                "assistant",
                "host",
                name="origin",
                native_enum=False,
                create_constraint=True,
                length=32,
                schema="cairnloop",
            ),
            nullable=False,
        ),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=True),
        sa.Column("conversation_id", sa.BigInteger(), nullable=True),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("run_key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["cairnloop.cairnloop_conversations.id"],
            name=op.f("fk_cairnloop_tool_proposals_conversation_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cairnloop_tool_proposals")),
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_tool_proposals_conversation",
        "cairnloop_tool_proposals",
        ["conversation_id", "id"],
        unique=False,
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_tool_proposals_recent",
        "cairnloop_tool_proposals",
        ["tenant", "id"],
        unique=False,
        schema="cairnloop",
    )
    op.create_index(
        "uq_cairnloop_tool_proposals_live",
        "cairnloop_tool_proposals",
        ["tenant", "idempotency_key"],
        unique=True,
        schema="cairnloop",
        postgresql_where=sa.text("is_live"),
    )
    op.create_index(
        "uq_cairnloop_tool_proposals_run_key", "cairnloop_tool_proposals", ["run_key"], unique=True, schema="cairnloop"
    )
    op.create_table(
        "cairnloop_tool_action_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("proposal_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "type",
            sa.Enum(
                "proposal_created",
                "proposal_blocked",
                "approval_requested",
                "approved",
                "rejected",
                "deferred",
                "returned",
                "withdrawn",
                "expired",
                "revalidation_passed",
                "revalidation_failed",
                "execution_started",
                "execution_attempt_failed",
                "execution_succeeded",
                "execution_failed",
                "outcome_lost",
                "settled",
                name="action_event_type",
                native_enum=False,
                create_constraint=True,
                length=32,
                schema="cairnloop",
            ),
            nullable=False,
        ),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=True),
        sa.Column("from_status", sa.Text(), nullable=True),
        sa.Column("to_status", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("attempt", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["cairnloop.cairnloop_tool_proposals.id"],
            name=op.f("fk_cairnloop_tool_action_events_proposal_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cairnloop_tool_action_events")),
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_tool_action_events_proposal",
        "cairnloop_tool_action_events",
        ["proposal_id", "id"],
        unique=False,
        schema="cairnloop",
    )
    op.create_table(
        "cairnloop_tool_approvals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant", sa.Text(), server_default="", nullable=False),
        sa.Column("proposal_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "deferred",
                "approved",
                "execution_pending",
                "executed",
                "execution_failed",
                "outcome_unknown",
                "rejected",
                "expired",
                "invalidated",
                "withdrawn",
                name="approval_status",
                native_enum=False,
                create_constraint=True,
                length=32,
                schema="cairnloop",
            ),
            nullable=False,
        ),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_by_name", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("deferred_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["cairnloop.cairnloop_tool_proposals.id"],
            name=op.f("fk_cairnloop_tool_approvals_proposal_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cairnloop_tool_approvals")),
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_tool_approvals_due",
        "cairnloop_tool_approvals",
        ["expires_at"],
        unique=False,
        schema="cairnloop",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "ix_cairnloop_tool_approvals_unsettled",
        "cairnloop_tool_approvals",
        ["tenant", "id"],
        unique=False,
        schema="cairnloop",
        postgresql_where=sa.text("status = 'outcome_unknown'"),
    )
    op.create_index(
        "ix_cairnloop_tool_approvals_waiting",
        "cairnloop_tool_approvals",
        ["tenant", "id"],
        unique=False,
        schema="cairnloop",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "uq_cairnloop_tool_approvals_proposal_id",
        "cairnloop_tool_approvals",
        ["proposal_id"],
        unique=True,
        schema="cairnloop",
    )
    op.execute(GUARD)
    op.create_index(
        "ix_cairnloop_audit_events_actor", "cairnloop_audit_events", ["tenant", "actor_id", "id"], schema="cairnloop"
    )
    op.create_index(
        "ix_cairnloop_audit_events_action", "cairnloop_audit_events", ["tenant", "action", "id"], schema="cairnloop"
    )
    op.create_index(
        "ix_cairnloop_audit_events_subject",
        "cairnloop_audit_events",
        ["subject", "subject_id", "id"],
        schema="cairnloop",
    )
    op.create_index("ix_cairnloop_audit_events_at", "cairnloop_audit_events", ["tenant", "at"], schema="cairnloop")


def downgrade() -> None:
    op.drop_index("ix_cairnloop_audit_events_actor", table_name="cairnloop_audit_events", schema="cairnloop")
    op.drop_index("ix_cairnloop_audit_events_action", table_name="cairnloop_audit_events", schema="cairnloop")
    op.drop_index("ix_cairnloop_audit_events_subject", table_name="cairnloop_audit_events", schema="cairnloop")
    op.drop_index("ix_cairnloop_audit_events_at", table_name="cairnloop_audit_events", schema="cairnloop")
    op.drop_index("uq_cairnloop_tool_approvals_proposal_id", table_name="cairnloop_tool_approvals", schema="cairnloop")
    op.drop_index(
        "ix_cairnloop_tool_approvals_waiting",
        table_name="cairnloop_tool_approvals",
        schema="cairnloop",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.drop_index(
        "ix_cairnloop_tool_approvals_unsettled",
        table_name="cairnloop_tool_approvals",
        schema="cairnloop",
        postgresql_where=sa.text("status = 'outcome_unknown'"),
    )
    op.drop_index(
        "ix_cairnloop_tool_approvals_due",
        table_name="cairnloop_tool_approvals",
        schema="cairnloop",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.drop_table("cairnloop_tool_approvals", schema="cairnloop")
    op.drop_index(
        "ix_cairnloop_tool_action_events_proposal", table_name="cairnloop_tool_action_events", schema="cairnloop"
    )
    op.drop_table("cairnloop_tool_action_events", schema="cairnloop")
    op.drop_index("uq_cairnloop_tool_proposals_run_key", table_name="cairnloop_tool_proposals", schema="cairnloop")
    op.drop_index(
        "uq_cairnloop_tool_proposals_live",
        table_name="cairnloop_tool_proposals",
        schema="cairnloop",
        postgresql_where=sa.text("is_live"),
    )
    op.drop_index("ix_cairnloop_tool_proposals_recent", table_name="cairnloop_tool_proposals", schema="cairnloop")
    op.drop_index("ix_cairnloop_tool_proposals_conversation", table_name="cairnloop_tool_proposals", schema="cairnloop")
    op.drop_table("cairnloop_tool_proposals", schema="cairnloop")
