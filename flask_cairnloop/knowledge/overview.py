"""Many articles at a glance: what is newest of each, and how many stand where."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import defer

from flask_cairnloop.core.database import session
from flask_cairnloop.host.people import Operator
from flask_cairnloop.knowledge.models import Article, ArticleStatus, Revision

COUNTED = 501  #: Counts stop here: "500+".


def newest_among(articles: Sequence[Article]) -> dict[int, Revision]:
    """The newest version of each article, by article; their words are read only where they are asked for."""
    if not articles:
        return {}
    query = (
        select(Revision)
        .where(Revision.article_id.in_([article.id for article in articles]))
        .ext(distinct_on(Revision.article_id))
        .order_by(Revision.article_id, Revision.version.desc())
        .options(defer(Revision.content))
    )
    return {revision.article_id: revision for revision in session().scalars(query)}


def count_by_status(*, visible_to: Operator) -> dict[ArticleStatus, int]:
    """How many articles stand where, each counted up to 501."""
    return {status: _count(status, visible_to.tenant) for status in ArticleStatus}


def _count(status: ArticleStatus, tenant: str) -> int:
    ids = select(Article.id).where(Article.tenant == tenant, Article.status == status).limit(COUNTED)
    return session().scalar(select(func.count()).select_from(ids.subquery())) or 0
