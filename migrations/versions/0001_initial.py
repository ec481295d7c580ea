"""The desk's first tables."""

from __future__ import annotations

import pgvector.sqlalchemy
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

GUARDS = (
    """
    CREATE FUNCTION cairnloop.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON cairnloop.cairnloop_audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION cairnloop.refuse_change()
    """,
    """
    CREATE FUNCTION cairnloop.keep_published_words() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'revision % was published and cannot change', OLD.id USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER keep_published_words BEFORE UPDATE ON cairnloop.cairnloop_revisions FOR EACH ROW
    WHEN (OLD.status <> 'draft' AND (NEW.status = 'draft'
        OR (NEW.content, NEW.article_id, NEW.version) IS DISTINCT FROM (OLD.content, OLD.article_id, OLD.version)))
    EXECUTE FUNCTION cairnloop.keep_published_words()
    """,
    """
    CREATE INDEX IF NOT EXISTS ix_cairnloop_chunks_vector_07db4e1f186d ON cairnloop.cairnloop_chunks USING hnsw ((embedding::vector(384)) vector_cosine_ops) WHERE embedding_model = 'all-MiniLM-L6-v2'
    """,
)
UNGUARD = (
    """
    DROP TRIGGER IF EXISTS append_only ON cairnloop.cairnloop_audit_events
    """,
    """
    DROP FUNCTION IF EXISTS cairnloop.refuse_change() CASCADE
    """,
    """
    DROP TRIGGER IF EXISTS keep_published_words ON cairnloop.cairnloop_revisions
    """,
    """
    DROP FUNCTION IF EXISTS cairnloop.keep_published_words()
    """,
)


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    op.create_table(
        "cairnloop_articles",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant", sa.Text(), server_default="", nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "published",
                "archived",
                name="article_status",
                native_enum=False,
                create_constraint=True,
                length=32,
                schema="cairnloop",
            ),
            nullable=False,
        ),
        sa.Column("live_revision_id", sa.BigInteger(), nullable=True),
        sa.Column("searchable_revision_id", sa.BigInteger(), nullable=True),
        sa.Column("indexed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("index_error", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cairnloop_articles")),
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_articles_recent",
        "cairnloop_articles",
        ["tenant", "updated_at", "id"],
        unique=False,
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_articles_status",
        "cairnloop_articles",
        ["tenant", "status", "updated_at", "id"],
        unique=False,
        schema="cairnloop",
    )
    op.create_table(
        "cairnloop_audit_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cairnloop_audit_events")),
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_audit_events_conversation",
        "cairnloop_audit_events",
        ["conversation_id", "id"],
        unique=False,
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_audit_events_recent", "cairnloop_audit_events", ["tenant", "id"], unique=False, schema="cairnloop"
    )
    op.create_table(
        "cairnloop_conversations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant", sa.Text(), server_default="", nullable=False),
        sa.Column("customer_ref", sa.Text(), nullable=True),
        sa.Column("customer_name", sa.Text(), nullable=True),
        sa.Column("host_user_id", sa.Text(), nullable=True),
        sa.Column(
            "channel",
            sa.Enum(
                "widget",
                "api",
                "email",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=32,
                schema="cairnloop",
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "open",
                "resolved",
                "archived",
                name="conversation_status",
                native_enum=False,
                create_constraint=True,
                length=32,
                schema="cairnloop",
            ),
            nullable=False,
        ),
        sa.Column(
            "awaiting",
            sa.Enum(
                "operator",
                "customer",
                name="awaiting",
                native_enum=False,
                create_constraint=True,
                length=32,
                schema="cairnloop",
            ),
            nullable=False,
        ),
        sa.Column(
            "priority",
            sa.Enum(
                "low",
                "normal",
                "high",
                "urgent",
                name="priority",
                native_enum=False,
                create_constraint=True,
                length=32,
                schema="cairnloop",
            ),
            nullable=False,
        ),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("assignee_id", sa.Text(), nullable=True),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("last_message_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "last_message_role",
            sa.Enum(
                "user",
                "agent",
                "system",
                "internal_note",
                "system_outbound",
                name="message_role",
                native_enum=False,
                create_constraint=True,
                length=32,
                schema="cairnloop",
            ),
            nullable=True,
        ),
        sa.Column("last_message_author", sa.Text(), nullable=True),
        sa.Column("last_message_preview", sa.Text(), nullable=True),
        sa.Column("first_agent_message_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("customer_seen_sequence", sa.BigInteger(), nullable=False),
        sa.Column("operator_seen_sequence", sa.BigInteger(), nullable=False),
        sa.Column("operator_typing_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("customer_typing_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("reopened_count", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cairnloop_conversations")),
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_conversations_all",
        "cairnloop_conversations",
        ["tenant", "last_message_at", "id"],
        unique=False,
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_conversations_customer",
        "cairnloop_conversations",
        ["tenant", "customer_ref", "last_message_at", "id"],
        unique=False,
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_conversations_needs_reply",
        "cairnloop_conversations",
        ["tenant", "last_message_at", "id"],
        unique=False,
        schema="cairnloop",
        postgresql_where=sa.text("status = 'open' AND awaiting = 'operator'"),
    )
    op.create_index(
        "ix_cairnloop_conversations_status",
        "cairnloop_conversations",
        ["tenant", "status", "last_message_at", "id"],
        unique=False,
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_conversations_tags",
        "cairnloop_conversations",
        ["tags"],
        unique=False,
        schema="cairnloop",
        postgresql_using="gin",
    )
    op.create_index(
        "uq_cairnloop_conversations_open_widget",
        "cairnloop_conversations",
        ["tenant", "customer_ref"],
        unique=True,
        schema="cairnloop",
        postgresql_where=sa.text("status = 'open' AND channel = 'widget'"),
    )
    op.create_table(
        "cairnloop_jobs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "args", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "running",
                "done",
                "failed",
                name="job_state",
                native_enum=False,
                create_constraint=True,
                length=32,
                schema="cairnloop",
            ),
            nullable=False,
        ),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("unique_key", sa.Text(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("claimed_by", sa.BigInteger(), nullable=True),
        sa.Column("pushed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cairnloop_jobs")),
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_jobs_due",
        "cairnloop_jobs",
        ["run_at"],
        unique=False,
        schema="cairnloop",
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_cairnloop_jobs_failed",
        "cairnloop_jobs",
        ["id"],
        unique=False,
        schema="cairnloop",
        postgresql_where=sa.text("state = 'failed'"),
    )
    op.create_index(
        "ix_cairnloop_jobs_running",
        "cairnloop_jobs",
        ["claimed_by"],
        unique=False,
        schema="cairnloop",
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        "uq_cairnloop_jobs_waiting_key",
        "cairnloop_jobs",
        ["unique_key"],
        unique=True,
        schema="cairnloop",
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "cairnloop_messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "user",
                "agent",
                "system",
                "internal_note",
                "system_outbound",
                name="message_role",
                native_enum=False,
                create_constraint=True,
                length=32,
                schema="cairnloop",
            ),
            nullable=False,
        ),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=True),
        sa.Column("client_id", sa.Text(), nullable=True),
        sa.Column("run_key", sa.Text(), nullable=True),
        sa.Column(
            "details", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["cairnloop.cairnloop_conversations.id"],
            name=op.f("fk_cairnloop_messages_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cairnloop_messages")),
        sa.UniqueConstraint("conversation_id", "sequence", name=op.f("uq_cairnloop_messages_conversation_id_sequence")),
        schema="cairnloop",
    )
    op.create_index(
        "uq_cairnloop_messages_client",
        "cairnloop_messages",
        ["conversation_id", "client_id"],
        unique=True,
        schema="cairnloop",
        postgresql_where=sa.text("client_id IS NOT NULL"),
    )
    op.create_index(
        "uq_cairnloop_messages_run_key",
        "cairnloop_messages",
        ["run_key"],
        unique=True,
        schema="cairnloop",
        postgresql_where=sa.text("run_key IS NOT NULL"),
    )
    op.create_table(
        "cairnloop_revisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("article_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "published",
                "superseded",
                name="revision_status",
                native_enum=False,
                create_constraint=True,
                length=32,
                schema="cairnloop",
            ),
            nullable=False,
        ),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=True),
        sa.Column("published_by", sa.Text(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["cairnloop.cairnloop_articles.id"],
            name=op.f("fk_cairnloop_revisions_article_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cairnloop_revisions")),
        sa.UniqueConstraint("article_id", "version", name=op.f("uq_cairnloop_revisions_article_id_version")),
        schema="cairnloop",
    )
    op.create_index(
        "uq_cairnloop_revisions_draft",
        "cairnloop_revisions",
        ["article_id"],
        unique=True,
        schema="cairnloop",
        postgresql_where=sa.text("status = 'draft'"),
    )
    op.create_index(
        "uq_cairnloop_revisions_published",
        "cairnloop_revisions",
        ["article_id"],
        unique=True,
        schema="cairnloop",
        postgresql_where=sa.text("status = 'published'"),
    )
    op.create_table(
        "cairnloop_chunks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("article_id", sa.BigInteger(), nullable=False),
        sa.Column("revision_id", sa.BigInteger(), nullable=False),
        sa.Column("chunk_index", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("heading", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column(
            "search",
            postgresql.TSVECTOR(),
            sa.Computed(
                "setweight(to_tsvector('pg_catalog.english'::regconfig, title), 'A') || setweight(to_tsvector('pg_catalog.english'::regconfig, heading), 'B') || setweight(to_tsvector('pg_catalog.english'::regconfig, content), 'C')",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("embedding", pgvector.sqlalchemy.vector.VECTOR(), nullable=True),
        sa.Column("embedding_model", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["cairnloop.cairnloop_articles.id"],
            name=op.f("fk_cairnloop_chunks_article_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["cairnloop.cairnloop_revisions.id"],
            name=op.f("fk_cairnloop_chunks_revision_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cairnloop_chunks")),
        sa.UniqueConstraint("revision_id", "chunk_index", name=op.f("uq_cairnloop_chunks_revision_id_chunk_index")),
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_chunks_article_id", "cairnloop_chunks", ["article_id"], unique=False, schema="cairnloop"
    )
    op.create_index(
        "ix_cairnloop_chunks_embedding_model", "cairnloop_chunks", ["embedding_model"], unique=False, schema="cairnloop"
    )
    op.create_index(
        "ix_cairnloop_chunks_search",
        "cairnloop_chunks",
        ["search"],
        unique=False,
        schema="cairnloop",
        postgresql_using="gin",
    )
    op.create_table(
        "cairnloop_drafts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant", sa.Text(), server_default="", nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "reply",
                "clarification",
                "escalation",
                name="draft_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
                schema="cairnloop",
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "approved",
                "edited",
                "discarded",
                "superseded",
                name="draft_status",
                native_enum=False,
                create_constraint=True,
                length=32,
                schema="cairnloop",
            ),
            nullable=False,
        ),
        sa.Column(
            "decision",
            sa.Enum(
                "allow",
                "draft_only",
                "require_approval",
                "deny",
                name="decision",
                native_enum=False,
                create_constraint=True,
                length=32,
                schema="cairnloop",
            ),
            nullable=False,
        ),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sentences", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("grounding", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("missing", sa.Text(), nullable=False),
        sa.Column("generator", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("answers_sequence", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_by_name", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("discard_reason", sa.Text(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["cairnloop.cairnloop_conversations.id"],
            name=op.f("fk_cairnloop_drafts_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["cairnloop.cairnloop_messages.id"],
            name=op.f("fk_cairnloop_drafts_message_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cairnloop_drafts")),
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_drafts_conversation",
        "cairnloop_drafts",
        ["conversation_id", "id"],
        unique=False,
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_drafts_waiting",
        "cairnloop_drafts",
        ["tenant", "id"],
        unique=False,
        schema="cairnloop",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "uq_cairnloop_drafts_pending",
        "cairnloop_drafts",
        ["conversation_id"],
        unique=True,
        schema="cairnloop",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_foreign_key(
        "fk_cairnloop_articles_live_revision_id",
        "cairnloop_articles",
        "cairnloop_revisions",
        ["live_revision_id"],
        ["id"],
        source_schema="cairnloop",
        referent_schema="cairnloop",
        ondelete="SET NULL",
    )
    op.create_foreign_key(
        "fk_cairnloop_articles_searchable_revision_id",
        "cairnloop_articles",
        "cairnloop_revisions",
        ["searchable_revision_id"],
        ["id"],
        source_schema="cairnloop",
        referent_schema="cairnloop",
        ondelete="SET NULL",
    )
    for statement in GUARDS:
        op.execute(statement)


def downgrade() -> None:
    for statement in UNGUARD:
        op.execute(statement)
    op.drop_constraint(
        "fk_cairnloop_articles_live_revision_id", "cairnloop_articles", schema="cairnloop", type_="foreignkey"
    )
    op.drop_constraint(
        "fk_cairnloop_articles_searchable_revision_id", "cairnloop_articles", schema="cairnloop", type_="foreignkey"
    )
    op.drop_index(
        "uq_cairnloop_drafts_pending",
        table_name="cairnloop_drafts",
        schema="cairnloop",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.drop_index(
        "ix_cairnloop_drafts_waiting",
        table_name="cairnloop_drafts",
        schema="cairnloop",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.drop_index("ix_cairnloop_drafts_conversation", table_name="cairnloop_drafts", schema="cairnloop")
    op.drop_table("cairnloop_drafts", schema="cairnloop")
    op.drop_index(
        "ix_cairnloop_chunks_search", table_name="cairnloop_chunks", schema="cairnloop", postgresql_using="gin"
    )
    op.drop_index("ix_cairnloop_chunks_embedding_model", table_name="cairnloop_chunks", schema="cairnloop")
    op.drop_index("ix_cairnloop_chunks_article_id", table_name="cairnloop_chunks", schema="cairnloop")
    op.drop_table("cairnloop_chunks", schema="cairnloop")
    op.drop_index(
        "uq_cairnloop_revisions_published",
        table_name="cairnloop_revisions",
        schema="cairnloop",
        postgresql_where=sa.text("status = 'published'"),
    )
    op.drop_index(
        "uq_cairnloop_revisions_draft",
        table_name="cairnloop_revisions",
        schema="cairnloop",
        postgresql_where=sa.text("status = 'draft'"),
    )
    op.drop_table("cairnloop_revisions", schema="cairnloop")
    op.drop_index(
        "uq_cairnloop_messages_run_key",
        table_name="cairnloop_messages",
        schema="cairnloop",
        postgresql_where=sa.text("run_key IS NOT NULL"),
    )
    op.drop_index(
        "uq_cairnloop_messages_client",
        table_name="cairnloop_messages",
        schema="cairnloop",
        postgresql_where=sa.text("client_id IS NOT NULL"),
    )
    op.drop_table("cairnloop_messages", schema="cairnloop")
    op.drop_index(
        "uq_cairnloop_jobs_waiting_key",
        table_name="cairnloop_jobs",
        schema="cairnloop",
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_index(
        "ix_cairnloop_jobs_running",
        table_name="cairnloop_jobs",
        schema="cairnloop",
        postgresql_where=sa.text("state = 'running'"),
    )
    op.drop_index(
        "ix_cairnloop_jobs_failed",
        table_name="cairnloop_jobs",
        schema="cairnloop",
        postgresql_where=sa.text("state = 'failed'"),
    )
    op.drop_index(
        "ix_cairnloop_jobs_due",
        table_name="cairnloop_jobs",
        schema="cairnloop",
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_table("cairnloop_jobs", schema="cairnloop")
    op.drop_index(
        "uq_cairnloop_conversations_open_widget",
        table_name="cairnloop_conversations",
        schema="cairnloop",
        postgresql_where=sa.text("status = 'open' AND channel = 'widget'"),
    )
    op.drop_index(
        "ix_cairnloop_conversations_tags",
        table_name="cairnloop_conversations",
        schema="cairnloop",
        postgresql_using="gin",
    )
    op.drop_index("ix_cairnloop_conversations_status", table_name="cairnloop_conversations", schema="cairnloop")
    op.drop_index(
        "ix_cairnloop_conversations_needs_reply",
        table_name="cairnloop_conversations",
        schema="cairnloop",
        postgresql_where=sa.text("status = 'open' AND awaiting = 'operator'"),
    )
    op.drop_index("ix_cairnloop_conversations_customer", table_name="cairnloop_conversations", schema="cairnloop")
    op.drop_index("ix_cairnloop_conversations_all", table_name="cairnloop_conversations", schema="cairnloop")
    op.drop_table("cairnloop_conversations", schema="cairnloop")
    op.drop_index("ix_cairnloop_audit_events_recent", table_name="cairnloop_audit_events", schema="cairnloop")
    op.drop_index("ix_cairnloop_audit_events_conversation", table_name="cairnloop_audit_events", schema="cairnloop")
    op.drop_table("cairnloop_audit_events", schema="cairnloop")
    op.drop_index("ix_cairnloop_articles_status", table_name="cairnloop_articles", schema="cairnloop")
    op.drop_index("ix_cairnloop_articles_recent", table_name="cairnloop_articles", schema="cairnloop")
    op.drop_table("cairnloop_articles", schema="cairnloop")
