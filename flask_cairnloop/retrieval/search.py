"""Find the passages that answer a question: words and meaning, fused by rank."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from flask_cairnloop.core import telemetry
from flask_cairnloop.core.errors import HostFailure
from flask_cairnloop.host.people import Actor
from flask_cairnloop.knowledge.embedding import embed_one
from flask_cairnloop.retrieval import candidates
from flask_cairnloop.retrieval.results import Evidence, Reason, Trust

log = logging.getLogger("flask_cairnloop.retrieval")

QUESTION_LENGTH = 2_000  # characters read of a question
LONGEST = 50  # results in one answer, at most

# Reciprocal-rank fusion: each leg adds its weight / (CONSTANT + place). Chosen on development data, where one and the
# same choice had to serve manuals (words win) and policies (meaning helps); tests/benchmarks/retrieval.py repeats it.
CONSTANT = 60
WORDS_WEIGHT = 3.0
MEANING_WEIGHT = 1.0


def search(question: str, *, visible_to: Actor, limit: int = 8, per_article: int = 1) -> list[Evidence]:
    """The passages that answer ``question`` best, at most ``per_article`` of one article, best first.

    Any match of any word counts, and so does closeness in meaning. Where the embedder fails, words alone decide and
    each result's ``reasons`` say so. Only what the viewer's tenant has published is searched.
    """
    asked = tidy(question)
    if not asked:
        return []
    with telemetry.span("retrieval.search"):
        found = [_evidence(row, compared) for rows, compared in [_candidates(asked, visible_to.tenant)] for row in rows]
        found.sort(key=lambda evidence: (-evidence.score, evidence.chunk_id))
        return _collapse(found, max(1, per_article))[: max(1, min(limit, LONGEST))]


def tidy(question: str) -> str:
    """The part of a question that is read."""
    fit = question.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    return fit[:QUESTION_LENGTH].strip()


def _candidates(question: str, tenant: str) -> tuple[Sequence[Row[Any]], bool]:
    try:
        vector, embedder = embed_one(question)
    except HostFailure as failure:
        log.info("searching by words alone: %s", failure.reason)
        return candidates.by_words(question, tenant=tenant), False
    return candidates.by_words_and_meaning(question, vector, embedder, tenant=tenant), True


def _evidence(row: Row[Any], compared: bool) -> Evidence:
    score = 0.0
    reasons: list[Reason] = []
    if row.lexical_rank is not None:
        score += WORDS_WEIGHT / (CONSTANT + row.lexical_rank)
        reasons.append(Reason.WORDS)
    if row.semantic_rank is not None:
        score += MEANING_WEIGHT / (CONSTANT + row.semantic_rank)
        reasons.append(Reason.MEANING)
    if not compared:
        reasons.append(Reason.WORDS_ONLY)
    return Evidence(
        id=f"article:{row.article_id}:{row.revision_id}:{row.chunk_index}",
        title=row.title,
        heading=row.heading,
        content=row.content,
        trust=Trust.CANONICAL,
        score=score,
        article_id=row.article_id,
        revision_id=row.revision_id,
        chunk_id=row.id,
        updated_at=row.published_at,
        reasons=tuple(reasons),
        lexical_rank=row.lexical_rank,
        semantic_rank=row.semantic_rank,
        similarity=row.similarity,
    )


def _collapse(found: list[Evidence], per_article: int) -> list[Evidence]:
    taken: Counter[str] = Counter()
    kept = []
    for evidence in found:
        taken[evidence.source] += 1
        if taken[evidence.source] <= per_article:
            kept.append(evidence)
    return kept
