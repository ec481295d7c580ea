"""The passages each leg brings, by words and by meaning, weighed and read in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from sqlalchemy import Row, text

from flask_cairnloop.core.database import session
from flask_cairnloop.host.embedder import Embedder
from flask_cairnloop.knowledge.vectors import operand, quoted
from flask_cairnloop.retrieval import ranking
from flask_cairnloop.retrieval.ranking import Query

PER_LEG = 100
WEIGHED = 150  # passages weighed in full: those whose words, each counted once, promise most


@dataclass(frozen=True)
class Corpus:
    """Where passages of one kind lie. ``scope`` joins what a viewer may see to ``c``, and ``check`` asks the same of
    each of a few passages; all the SQL is our own."""

    name: str
    passages: str
    vectors: str
    key: str
    scope: str
    check: str
    columns: str
    sources: str


# A chunk's revision all but implies its article. Postgres does not know that and would expect next to no rows of the
# plain join, and so never use the vector index: inside coalesce() it assumes half of them.
ARTICLES = Corpus(
    name="article",
    passages="cairnloop.cairnloop_chunks",
    vectors="cairnloop.cairnloop_chunk_vectors",
    key="chunk_id",
    scope="""JOIN cairnloop.cairnloop_articles a ON a.id = c.article_id
        AND coalesce(a.searchable_revision_id = c.revision_id, false)
        AND a.status = 'published' AND a.tenant = :tenant""",
    # OFFSET 0 keeps it a look at each passage's article; joined, all articles there are would be read now and then.
    check="""CROSS JOIN LATERAL (SELECT FROM cairnloop.cairnloop_articles a WHERE a.id = c.article_id
        AND a.searchable_revision_id = c.revision_id AND a.status = 'published' AND a.tenant = :tenant
        OFFSET 0) AS visible""",
    columns="c.article_id, c.revision_id, c.chunk_index, c.heading, c.content, a.title, r.published_at",
    sources="""JOIN cairnloop.cairnloop_articles a ON a.id = c.article_id
        JOIN cairnloop.cairnloop_revisions r ON r.id = c.revision_id""",
)
_OF_VIEWER = """JOIN (VALUES (:tenant, CAST(:owner AS text))) AS viewer (tenant, owner)
    ON c.tenant = viewer.tenant AND (viewer.owner IS NULL OR c.host_user_id = viewer.owner)"""
CASES = Corpus(
    name="case",
    passages="cairnloop.cairnloop_resolved_cases",
    vectors="cairnloop.cairnloop_case_vectors",
    key="case_id",
    scope=_OF_VIEWER,
    check=_OF_VIEWER,
    columns="c.conversation_id, c.subject, c.problem, c.resolution, c.resolved_at",
    sources="",
)

# One statement sees one state: while an article's new revision is swapped in, a search finds the old pieces or the new
# ones, never both and never neither. The words arrive as parameters and are quoted one by one: nothing in a question
# is ever read as query syntax.
_STATEMENT = """
WITH asked AS MATERIALIZED (
    SELECT term, weight, CAST(quoted AS tsquery) AS query
    FROM unnest(CAST(:terms AS text[]), CAST(:quoted AS text[]), CAST(:weights AS float8[])) AS t (term, quoted, weight)
), by_meaning AS MATERIALIZED (
    SELECT id, row_number() OVER (ORDER BY distance, id) AS place, 1 - distance AS similarity FROM ({meaning}) AS found
), chosen AS MATERIALIZED (
    {chosen}
), promising AS MATERIALIZED (
    (SELECT c.id FROM chosen JOIN {passages} c USING (id)
    CROSS JOIN LATERAL (SELECT sum(weight) AS covered FROM asked WHERE c.search @@ asked.query) AS once
    ORDER BY covered / (1 + {saturation} * ({rest} + {share} * length(c.search))) DESC, c.id LIMIT :weighed)
    UNION SELECT id FROM by_meaning
), weighed AS MATERIALIZED (
    SELECT c.id, sum(asked.weight) AS covered,
        sum(asked.weight * n * {saturated} / (n + {saturation} * ({rest} + {share} * length(c.search)))) AS score
    FROM promising JOIN {passages} c USING (id)
    CROSS JOIN LATERAL unnest(c.search) AS word (lexeme, positions, labels)
    JOIN asked ON asked.term = word.lexeme
    CROSS JOIN LATERAL (SELECT cardinality(positions) + cardinality(array_positions(labels, 'A'))) AS counted (n)
    GROUP BY c.id
), by_words AS (
    SELECT id, row_number() OVER (ORDER BY score DESC, id) AS place FROM weighed ORDER BY score DESC, id LIMIT :per_leg
)
SELECT c.id, {columns}, by_words.place AS lexical_rank, by_meaning.place AS semantic_rank,
    coalesce(weighed.score, 0) AS score, coalesce(weighed.covered, 0) AS covered, {similarity} AS similarity
FROM by_words FULL JOIN by_meaning USING (id) LEFT JOIN weighed USING (id)
JOIN {passages} c USING (id) {sources} {compared}
"""
_WITH = "(SELECT c.id FROM {passages} c {check} WHERE c.search @@ CAST(:{leg} AS tsquery) LIMIT :{leg}_room)"
_NO_PASSAGE = "SELECT CAST(NULL AS bigint) AS id WHERE false"
_NOTHING = "SELECT CAST(NULL AS bigint) AS id, CAST(NULL AS float8) AS distance WHERE false"
_NEAREST = """
SELECT c.id, {distance} AS distance FROM {vectors} v JOIN {passages} c ON c.id = v.{key} {scope}
WHERE v.model = {model} ORDER BY distance LIMIT :per_leg
"""

# How far the vector index looks where a scope hides its first finds; and each question gets a plan of its own, since
# one word is in three passages and the next in thirty thousand.
_SETTINGS = text(
    """
    SELECT set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', '100', true),
        set_config('plan_cache_mode', 'force_custom_plan', true)
    """
)


def find(
    corpus: Corpus, query: Query, embedder: Embedder | None, vector: Sequence[float] | None, **scope: Any
) -> Sequence[Row[Any]]:
    """Passages that share a word with the question or, with a vector, are close to it in meaning."""
    values: dict[str, Any] = {"terms": query.terms, "weights": query.weights, **scope}
    values |= {"quoted": [_quoted_lexeme(term) for term in query.terms], "per_leg": PER_LEG, "weighed": WEIGHED}
    conditions = _conditions(query)
    chosen = " UNION ".join(_WITH.format(leg=leg, **vars(corpus)) for leg in conditions) or _NO_PASSAGE
    for leg, (condition, room) in conditions.items():
        values |= {leg: condition, f"{leg}_room": room}
    meaning, compared, similarity = _NOTHING, "", "CAST(NULL AS float8)"
    if embedder is not None and vector is not None:
        model, length = quoted(embedder.name), operand(embedder.dimension)
        distance = f"(v.embedding::{length} <=> CAST(:vector AS {length}))"
        meaning = _NEAREST.format(distance=distance, model=model, **vars(corpus))
        compared = (
            f"LEFT JOIN {corpus.vectors} v ON v.{corpus.key} = c.id AND v.model = {model} AND by_meaning.place IS NULL"
        )
        similarity = f"coalesce(by_meaning.similarity, 1 - {distance})"
        values["vector"] = str(list(vector))
    statement = _STATEMENT.format(
        meaning=meaning,
        chosen=chosen,
        compared=compared,
        similarity=similarity,
        columns=corpus.columns,
        sources=corpus.sources,
        passages=corpus.passages,
        saturated=ranking.SATURATION + 1,
        saturation=ranking.SATURATION,
        rest=1 - ranking.LENGTH_SHARE,
        share=ranking.LENGTH_SHARE / ranking.TYPICAL_LENGTH,
    )
    db = session()
    db.execute(_SETTINGS)
    return db.execute(text(statement), values).all()


def _conditions(query: Query) -> dict[str, tuple[str, int]]:
    """Which passages are weighed: text queries, each with how many passages it may bring."""
    conditions = {}
    if query.rare:
        conditions["rare"] = (" | ".join(map(_quoted_lexeme, query.rare)), ranking.SCORED)
    if query.common and query.room:
        first, *others = map(_quoted_lexeme, query.common)
        pairs = [f"{one} & {other}" for one, other in combinations((first, *others), 2)]
        if pairs:
            conditions["together"] = (" | ".join(pairs), query.room)
        conditions["alone"] = (first, max(1, query.room // 4) if pairs else query.room)
    return conditions


def _quoted_lexeme(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"
