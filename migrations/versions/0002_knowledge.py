"""Vectors of several models side by side, resolved cases, unanswered questions, and where an article was imported from."""

from __future__ import annotations

import pgvector.sqlalchemy
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


MODEL = (
    "all-MiniLM-L6-v2"  # the default embedder's; other models get their index from `flask cairnloop retrieval rebuild`
)
INDEX = """
CREATE INDEX ix_cairnloop_{0}_07db4e1f186d ON cairnloop.cairnloop_{0}
USING hnsw ((embedding::vector(384)) vector_cosine_ops) WHERE model = '{1}'
"""
KEEP = """
INSERT INTO cairnloop.cairnloop_chunk_vectors (chunk_id, model, embedding)
SELECT id, embedding_model, embedding FROM cairnloop.cairnloop_chunks
WHERE embedding IS NOT NULL AND embedding_model IS NOT NULL
"""
GIVE_BACK = """
UPDATE cairnloop.cairnloop_chunks c SET embedding = v.embedding, embedding_model = v.model
FROM cairnloop.cairnloop_chunk_vectors v WHERE v.chunk_id = c.id AND v.model = '{0}'
"""


def upgrade() -> None:
    op.create_table(
        "cairnloop_gap_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "draft",
                "search",
                name="gap_source",
                native_enum=False,
                create_constraint=True,
                length=32,
                schema="cairnloop",
            ),
            nullable=False,
        ),
        sa.Column(
            "level",
            sa.Enum(
                "strong",
                "clarification",
                "escalation",
                name="grounding_level",
                native_enum=False,
                create_constraint=True,
                length=32,
                schema="cairnloop",
            ),
            nullable=False,
        ),
        sa.Column(
            "cause",
            sa.Enum(
                "canonical_results",
                "canonical_insufficient_detail",
                "no_canonical_results",
                "assistive_only_results",
                "clarification_limit_reached",
                "index_unavailable",
                name="cause",
                native_enum=False,
                create_constraint=True,
                length=32,
                schema="cairnloop",
            ),
            nullable=False,
        ),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("host_user_id", sa.Text(), nullable=True),
        sa.Column("conversation_id", sa.BigInteger(), nullable=True),
        sa.Column("canonical_hits", sa.BigInteger(), nullable=False),
        sa.Column("assistive_hits", sa.BigInteger(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("repeats", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["cairnloop.cairnloop_conversations.id"],
            name=op.f("fk_cairnloop_gap_events_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cairnloop_gap_events")),
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_gap_events_conversation_id",
        "cairnloop_gap_events",
        ["conversation_id"],
        unique=False,
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_gap_events_old", "cairnloop_gap_events", ["occurred_at"], unique=False, schema="cairnloop"
    )
    op.create_index(
        "ix_cairnloop_gap_events_recent",
        "cairnloop_gap_events",
        ["tenant", "occurred_at", "id"],
        unique=False,
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_gap_events_same",
        "cairnloop_gap_events",
        ["tenant", "fingerprint", "occurred_at"],
        unique=False,
        schema="cairnloop",
    )
    op.create_table(
        "cairnloop_resolved_cases",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant", sa.Text(), server_default="", nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("host_user_id", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("resolution", sa.Text(), nullable=False),
        sa.Column("actions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column(
            "search",
            postgresql.TSVECTOR(),
            sa.Computed(
                "setweight(to_tsvector('pg_catalog.english'::regconfig, subject), 'A') || setweight(to_tsvector('pg_catalog.english'::regconfig, problem), 'B') || setweight(to_tsvector('pg_catalog.english'::regconfig, resolution), 'C')",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["cairnloop.cairnloop_conversations.id"],
            name=op.f("fk_cairnloop_resolved_cases_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cairnloop_resolved_cases")),
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_resolved_cases_recent",
        "cairnloop_resolved_cases",
        ["tenant", "resolved_at", "id"],
        unique=False,
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_resolved_cases_search",
        "cairnloop_resolved_cases",
        ["search"],
        unique=False,
        schema="cairnloop",
        postgresql_using="gin",
    )
    op.create_index(
        "uq_cairnloop_resolved_cases_conversation_id",
        "cairnloop_resolved_cases",
        ["conversation_id"],
        unique=True,
        schema="cairnloop",
    )
    op.create_table(
        "cairnloop_case_vectors",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("embedding", pgvector.sqlalchemy.vector.VECTOR(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cairnloop.cairnloop_resolved_cases.id"],
            name=op.f("fk_cairnloop_case_vectors_case_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("case_id", "model", name=op.f("pk_cairnloop_case_vectors")),
        schema="cairnloop",
    )
    op.create_table(
        "cairnloop_chunk_vectors",
        sa.Column("chunk_id", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("embedding", pgvector.sqlalchemy.vector.VECTOR(), nullable=False),
        sa.ForeignKeyConstraint(
            ["chunk_id"],
            ["cairnloop.cairnloop_chunks.id"],
            name=op.f("fk_cairnloop_chunk_vectors_chunk_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("chunk_id", "model", name=op.f("pk_cairnloop_chunk_vectors")),
        schema="cairnloop",
    )
    op.add_column("cairnloop_articles", sa.Column("path", sa.Text(), nullable=True), schema="cairnloop")
    op.create_index(
        "uq_cairnloop_articles_path",
        "cairnloop_articles",
        ["tenant", "path"],
        unique=True,
        schema="cairnloop",
        postgresql_where=sa.text("path IS NOT NULL"),
    )
    op.execute(KEEP)
    for table in ("chunk_vectors", "case_vectors"):
        op.execute(INDEX.format(table, MODEL))
    op.drop_column("cairnloop_chunks", "embedding", schema="cairnloop")
    op.drop_column("cairnloop_chunks", "embedding_model", schema="cairnloop")


def downgrade() -> None:
    op.add_column("cairnloop_chunks", sa.Column("embedding_model", sa.Text(), nullable=True), schema="cairnloop")
    op.add_column(
        "cairnloop_chunks",
        sa.Column("embedding", pgvector.sqlalchemy.vector.VECTOR(), nullable=True),
        schema="cairnloop",
    )
    op.execute(GIVE_BACK.format(MODEL))
    op.create_index(
        "ix_cairnloop_chunks_embedding_model", "cairnloop_chunks", ["embedding_model"], unique=False, schema="cairnloop"
    )
    op.execute(
        """CREATE INDEX ix_cairnloop_chunks_vector_07db4e1f186d ON cairnloop.cairnloop_chunks USING hnsw ((embedding::vector(384)) vector_cosine_ops) WHERE embedding_model = 'all-MiniLM-L6-v2'"""
    )
    op.drop_index(
        "uq_cairnloop_articles_path",
        table_name="cairnloop_articles",
        schema="cairnloop",
        postgresql_where=sa.text("path IS NOT NULL"),
    )
    op.drop_column("cairnloop_articles", "path", schema="cairnloop")
    op.drop_table("cairnloop_chunk_vectors", schema="cairnloop")
    op.drop_table("cairnloop_case_vectors", schema="cairnloop")
    op.drop_index(
        "uq_cairnloop_resolved_cases_conversation_id", table_name="cairnloop_resolved_cases", schema="cairnloop"
    )
    op.drop_index(
        "ix_cairnloop_resolved_cases_search",
        table_name="cairnloop_resolved_cases",
        schema="cairnloop",
        postgresql_using="gin",
    )
    op.drop_index("ix_cairnloop_resolved_cases_recent", table_name="cairnloop_resolved_cases", schema="cairnloop")
    op.drop_table("cairnloop_resolved_cases", schema="cairnloop")
    op.drop_index("ix_cairnloop_gap_events_same", table_name="cairnloop_gap_events", schema="cairnloop")
    op.drop_index("ix_cairnloop_gap_events_recent", table_name="cairnloop_gap_events", schema="cairnloop")
    op.drop_index("ix_cairnloop_gap_events_old", table_name="cairnloop_gap_events", schema="cairnloop")
    op.drop_index("ix_cairnloop_gap_events_conversation_id", table_name="cairnloop_gap_events", schema="cairnloop")
    op.drop_table("cairnloop_gap_events", schema="cairnloop")
