"""One piece of evidence by its id, as long as it is there and the viewer may see it."""

from __future__ import annotations

import re

from sqlalchemy import select

from flask_cairnloop.core.database import session
from flask_cairnloop.host.people import Actor
from flask_cairnloop.knowledge.models import Article, ArticleStatus, Chunk, Revision
from flask_cairnloop.retrieval.models import ResolvedCase
from flask_cairnloop.retrieval.results import Evidence, Trust
from flask_cairnloop.retrieval.search import case_owner, case_words, may_see_cases

_ARTICLE = re.compile(r"article:(\d{1,18}):(\d{1,18}):(\d{1,9})", re.ASCII)
_CASE = re.compile(r"case:(\d{1,18})", re.ASCII)


def find_evidence(evidence_id: str, *, visible_to: Actor) -> Evidence | None:
    """The passage ``article:<article>:<revision>:<piece>`` or ``case:<conversation>``, as search shows it now.

    None where it is gone, was replaced by a newer version, or lies outside what the viewer may see. Nothing was asked,
    so its ``score`` is 0 and it has no reasons.
    """
    if found := _ARTICLE.fullmatch(evidence_id):
        return _passage(*map(int, found.groups()), visible_to=visible_to)
    if found := _CASE.fullmatch(evidence_id):
        return _case(int(found[1]), visible_to=visible_to)
    return None


def _passage(article_id: int, revision_id: int, number: int, *, visible_to: Actor) -> Evidence | None:
    row = (
        session()
        .execute(
            select(Chunk, Article.title, Revision.published_at)
            .join(Article, Article.id == Chunk.article_id)
            .join(Revision, Revision.id == Chunk.revision_id)
            .where(Article.id == article_id, Article.tenant == visible_to.tenant)
            .where(Article.status == ArticleStatus.PUBLISHED, Article.searchable_revision_id == revision_id)
            .where(Chunk.revision_id == revision_id, Chunk.chunk_index == number)
        )
        .one_or_none()
    )
    if row is None:
        return None
    return Evidence(
        id=f"article:{article_id}:{revision_id}:{number}",
        title=row.title,
        heading=row.Chunk.heading,
        content=row.Chunk.content,
        trust=Trust.CANONICAL,
        score=0.0,
        article_id=article_id,
        revision_id=revision_id,
        chunk_id=row.Chunk.id,
        updated_at=row.published_at,
        reasons=(),
        lexical_rank=None,
        semantic_rank=None,
        similarity=None,
    )


def _case(conversation_id: int, *, visible_to: Actor) -> Evidence | None:
    if not may_see_cases(visible_to):
        return None
    query = select(ResolvedCase).where(
        ResolvedCase.conversation_id == conversation_id, ResolvedCase.tenant == visible_to.tenant
    )
    if (owner := case_owner(visible_to)) is not None:
        query = query.where(ResolvedCase.host_user_id == owner)
    case = session().scalars(query).one_or_none()
    if case is None:
        return None
    return Evidence(
        id=f"case:{conversation_id}",
        title=case.subject,
        heading="",
        content=case_words(case.problem, case.resolution),
        trust=Trust.ASSISTIVE,
        score=0.0,
        article_id=None,
        revision_id=None,
        chunk_id=None,
        updated_at=case.resolved_at,
        reasons=(),
        lexical_rank=None,
        semantic_rank=None,
        similarity=None,
        conversation_id=conversation_id,
    )
