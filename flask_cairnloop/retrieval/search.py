"""Find the passages that answer a question: words and meaning, fused by rank."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from flask_cairnloop.core import telemetry
from flask_cairnloop.core.current import settings
from flask_cairnloop.core.errors import HostFailure
from flask_cairnloop.host.embedder import Embedder
from flask_cairnloop.host.people import Actor, Operator
from flask_cairnloop.knowledge.embedding import embed_questions
from flask_cairnloop.retrieval import candidates, ranking, spelling
from flask_cairnloop.retrieval.candidates import ARTICLES, CASES, Corpus
from flask_cairnloop.retrieval.ranking import Query
from flask_cairnloop.retrieval.results import Evidence, Reason, Trust

log = logging.getLogger("flask_cairnloop.retrieval")

QUESTION_LENGTH = 2_000  # characters read of a question
LONGEST = 50  # results in one answer, at most

Vector = list[float] | None


def search(question: str, *, visible_to: Actor, limit: int = 8, per_article: int = 1) -> list[Evidence]:
    """The passages that answer ``question`` best, at most ``per_article`` of one article, best first.

    Any match of any word counts, a mistyped one as what it was probably meant to be, and so does closeness in
    meaning. Where the embedder fails, words alone decide and each result's ``reasons`` say so. Only what the viewer's
    tenant has published is searched.
    """
    asked = tidy(question)
    if not asked:
        return []
    with telemetry.span("retrieval.search"):
        (vector,) = vectors([asked])
        return passages(asked, vector, visible_to=visible_to, limit=limit, per_article=per_article)


def search_cases(question: str, *, visible_to: Actor, limit: int = 5) -> list[Evidence]:
    """Resolved cases like the one ``question`` describes, most alike first: help for an operator, never canon.

    Those of the viewer's tenant; where ``CAIRNLOOP_CASE_SCOPE`` is ``operator``, only those the viewer handled.
    Customers are shown none.
    """
    asked = tidy(question)
    if not asked or not may_see_cases(visible_to):
        return []
    with telemetry.span("retrieval.search"):
        (vector,) = vectors([asked])
        return cases(asked, vector, visible_to=visible_to, limit=limit)


def tidy(question: str) -> str:
    """The part of a question that is read."""
    fit = question.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    return fit[:QUESTION_LENGTH].strip()


def vectors(texts: Sequence[str]) -> list[Vector]:
    """The texts' vectors in one call to the embedder; None for each where there is none or it failed."""
    try:
        if settings.embedder is None:
            raise HostFailure("no embedder is configured", permanent=True)
        return list(embed_questions(settings.embedder, texts))
    except HostFailure as failure:
        log.info("searching by words alone: %s", failure.reason)
        return [None] * len(texts)


def passages(asked: str, vector: Vector, *, visible_to: Actor, limit: int, per_article: int) -> list[Evidence]:
    """``search`` for a question that is tidied and embedded already."""
    found = _found(ARTICLES, asked, vector, ranking.ARTICLE_WEIGHTS, tenant=visible_to.tenant)
    return _collapse(found, max(1, per_article))[: max(1, min(limit, LONGEST))]


def cases(asked: str, vector: Vector, *, visible_to: Actor, limit: int) -> list[Evidence]:
    """``search_cases`` for a question that is tidied and embedded already."""
    if not may_see_cases(visible_to):
        return []
    owner = case_owner(visible_to)
    found = _found(CASES, asked, vector, ranking.CASE_WEIGHTS, tenant=visible_to.tenant, owner=owner)
    return found[: max(1, min(limit, LONGEST))]


def may_see_cases(viewer: Actor) -> bool:
    """Customers see none; nor does the desk itself where each operator has only their own."""
    return isinstance(viewer, Operator) or (viewer.kind == "system" and settings.case_scope == "tenant")


def case_owner(viewer: Actor) -> str | None:
    """Whose cases alone the viewer sees; None: everyone's in the tenant."""
    return viewer.id if settings.case_scope == "operator" else None


def case_words(problem: str, resolution: str) -> str:
    """What a case tells: what was asked, then what settled it."""
    return "\n\n".join(part for part in (problem, resolution) if part)


def _found(
    corpus: Corpus, asked: str, vector: Vector, weights: tuple[float, float], *, tenant: str, **scope: Any
) -> list[Evidence]:
    embedder: Embedder | None = settings.embedder if vector is not None else None
    query = ranking.weigh(spelling.read(asked, tenant=tenant, corpus=corpus.name))
    rows = candidates.find(corpus, query, embedder, vector, tenant=tenant, **scope)
    words = sorted((row for row in rows if row.lexical_rank is not None), key=lambda row: row.lexical_rank)
    meaning = sorted((row for row in rows if row.semantic_rank is not None), key=lambda row: row.semantic_rank)
    legs = list(zip(weights, (words, meaning), strict=True))
    by_source = ranking.fuse((weight, [_source(row) for row in leg]) for weight, leg in legs)
    by_passage = ranking.fuse((weight, [row.id for row in leg]) for weight, leg in legs)
    rows = sorted(rows, key=lambda row: (-by_source[_source(row)], _source(row), -by_passage[row.id], row.id))
    return [_evidence(row, by_source[_source(row)], query, vector is not None) for row in rows]


def _source(row: Row[Any]) -> int:
    return int(row.article_id if hasattr(row, "article_id") else row.conversation_id)


def _evidence(row: Row[Any], score: float, query: Query, compared: bool) -> Evidence:
    reasons = [Reason.WORDS] if row.score > 0 else []
    if row.semantic_rank is not None:
        reasons.append(Reason.MEANING)
    if not compared:
        reasons.append(Reason.WORDS_ONLY)
    support = ranking.support(query, score=row.score, covered=row.covered, similarity=row.similarity)
    return Evidence(
        **(_of_article(row) if hasattr(row, "article_id") else _of_case(row)),
        score=score,
        reasons=tuple(reasons),
        lexical_rank=row.lexical_rank,
        semantic_rank=row.semantic_rank,
        similarity=row.similarity,
        support=support,
    )


def _of_article(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": f"article:{row.article_id}:{row.revision_id}:{row.chunk_index}",
        "title": row.title,
        "heading": row.heading,
        "content": row.content,
        "trust": Trust.CANONICAL,
        "article_id": row.article_id,
        "revision_id": row.revision_id,
        "chunk_id": row.id,
        "updated_at": row.published_at,
    }


def _of_case(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": f"case:{row.conversation_id}",
        "title": row.subject,
        "heading": "",
        "content": case_words(row.problem, row.resolution),
        "trust": Trust.ASSISTIVE,
        "article_id": None,
        "revision_id": None,
        "chunk_id": None,
        "updated_at": row.resolved_at,
        "conversation_id": row.conversation_id,
    }


def _collapse(found: list[Evidence], per_article: int) -> list[Evidence]:
    taken: Counter[str] = Counter()
    kept = []
    for evidence in found:
        taken[evidence.source] += 1
        if taken[evidence.source] <= per_article:
            kept.append(evidence)
    return kept
