"""The passages each leg brings, by words and by meaning, read in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text

from flask_cairnloop.core.database import session
from flask_cairnloop.host.embedder import Embedder

PER_LEG = 60
WORDS = 64  # words of a question that are looked for, from its beginning

# The question arrives as a parameter and is quoted word by word: nothing in it is ever read as query syntax.
LEXEMES = r"""
SELECT lexeme, '''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''' AS quoted
FROM unnest(to_tsvector('pg_catalog.english', :question)) ORDER BY positions[1], lexeme LIMIT :words
"""

SEARCHABLE = """
JOIN cairnloop.cairnloop_articles a ON a.id = c.article_id AND a.searchable_revision_id = c.revision_id
    AND a.status = 'published' AND a.tenant = :tenant
"""

# One statement sees one state: while an article's new revision is swapped in, a search finds the old pieces or the new
# ones, never both and never neither. Every match counts the same in title, heading and content: on development data
# that beat every weighting in favour of titles.
_STATEMENT = f"""
WITH asked AS MATERIALIZED (
    SELECT array_to_string(ARRAY(SELECT quoted FROM ({LEXEMES}) AS lexemes), ' | ')::tsquery AS words
), by_words AS (
    SELECT id, row_number() OVER (ORDER BY rank DESC, id) AS place FROM (
        SELECT c.id, ts_rank('{{1,1,1,1}}', c.search, asked.words) AS rank
        FROM asked, cairnloop.cairnloop_chunks c {SEARCHABLE}
        WHERE c.search @@ asked.words ORDER BY rank DESC, c.id LIMIT :per_leg
    ) AS found
), by_meaning AS (
    SELECT id, row_number() OVER (ORDER BY distance, id) AS place FROM (<meaning>) AS found
)
SELECT c.id, c.article_id, c.revision_id, c.chunk_index, c.heading, c.content, a.title, r.published_at,
    by_words.place AS lexical_rank, by_meaning.place AS semantic_rank, <similarity> AS similarity
FROM by_words FULL JOIN by_meaning USING (id)
JOIN cairnloop.cairnloop_chunks c USING (id)
JOIN cairnloop.cairnloop_articles a ON a.id = c.article_id
JOIN cairnloop.cairnloop_revisions r ON r.id = c.revision_id <vectors>
"""

_MEANING = f"""
SELECT c.id, <distance> AS distance FROM cairnloop.cairnloop_chunk_vectors v
JOIN cairnloop.cairnloop_chunks c ON c.id = v.chunk_id {SEARCHABLE}
WHERE v.model = <model> ORDER BY distance LIMIT :per_leg
"""

_PATIENCE = text(
    "SELECT set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', '100', true)"
)


def by_words(question: str, *, tenant: str) -> Sequence[Row[Any]]:
    """Passages that share a word with the question."""
    nothing = "SELECT NULL::bigint AS id, NULL::float AS distance WHERE false"
    statement = _STATEMENT.replace("<meaning>", nothing).replace("<similarity>", "NULL::float").replace("<vectors>", "")
    return session().execute(text(statement), _values(question, tenant)).all()


def by_words_and_meaning(
    question: str, vector: Sequence[float], embedder: Embedder, *, tenant: str
) -> Sequence[Row[Any]]:
    """Passages that share a word with the question or are close to it in meaning."""
    # The model's name and length stand in the statement as literals, or its index would not match.
    model = "'" + embedder.name.replace("'", "''").replace(":", r"\:") + "'"
    length = f"vector({int(embedder.dimension)})"
    distance = f"(v.embedding::{length} <=> CAST(:vector AS {length}))"
    vectors = f"LEFT JOIN cairnloop.cairnloop_chunk_vectors v ON v.chunk_id = c.id AND v.model = {model}"
    meaning = _MEANING.replace("<distance>", distance).replace("<model>", model)
    statement = (
        _STATEMENT.replace("<meaning>", meaning)
        .replace("<similarity>", f"1 - {distance}")
        .replace("<vectors>", vectors)
    )
    db = session()
    db.execute(_PATIENCE)
    return db.execute(text(statement), _values(question, tenant) | {"vector": str(list(vector))}).all()


def _values(question: str, tenant: str) -> dict[str, Any]:
    return {"question": question, "tenant": tenant, "words": WORDS, "per_leg": PER_LEG}
