"""What only the database can hold: published words that do not change, and one vector index per model."""

from __future__ import annotations

import hashlib

#: Before our tables; the extension may be the host's too, so nothing ever drops it.
EXTENSIONS = ("CREATE EXTENSION IF NOT EXISTS vector",)


def vector_index_name(model: str) -> str:
    """The name of the index over one model's vectors."""
    return f"ix_cairnloop_chunks_vector_{hashlib.sha256(model.encode()).hexdigest()[:12]}"


def vector_index(model: str, dimension: int) -> str:
    """The statement that indexes one model's vectors for cosine distance."""
    quoted = model.replace("'", "''")
    return (
        f"CREATE INDEX IF NOT EXISTS {vector_index_name(model)} ON cairnloop.cairnloop_chunks "
        f"USING hnsw ((embedding::vector({int(dimension)})) vector_cosine_ops) WHERE embedding_model = '{quoted}'"
    )


#: After our tables exist.
UPGRADE = (
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
    vector_index("all-MiniLM-L6-v2", 384),
)

#: Before our tables are dropped.
DOWNGRADE = (
    "DROP TRIGGER IF EXISTS keep_published_words ON cairnloop.cairnloop_revisions",
    "DROP FUNCTION IF EXISTS cairnloop.keep_published_words()",
)
