"""Reading the knowledge base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, literal, select, tuple_

from flask_cairnloop.core.current import settings
from flask_cairnloop.core.database import session
from flask_cairnloop.core.errors import NotFound
from flask_cairnloop.host.people import Actor, Operator
from flask_cairnloop.knowledge.models import Article, ArticleStatus, Chunk, ChunkVector, Revision, RevisionStatus

LONGEST = 200  #: Rows in one answer, at most.
COUNTED = 501  #: Counts stop here: "500+".


@dataclass(frozen=True)
class IndexHealth:
    """How much of the published knowledge search can see; each number stops at 501."""

    published: int
    waiting: int  #: Live revisions that are not indexed yet.
    words_only: int  #: Articles some of whose pieces have no vector of the present embedder.


def get_article(article_id: int, *, visible_to: Operator) -> Article:
    """One article. Raises ``NotFound`` outside the viewer's tenant."""
    query = select(Article).where(Article.id == article_id, Article.tenant == visible_to.tenant)
    found = session().scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def list_articles(
    *, visible_to: Operator, status: ArticleStatus | None = None, before: Article | None = None, limit: int = 50
) -> Sequence[Article]:
    """Articles, most recently changed first; the next page lies ``before`` the last one shown."""
    query = select(Article).where(Article.tenant == visible_to.tenant)
    if status is not None:
        query = query.where(Article.status == status)
    if before is not None:
        place = tuple_(literal(before.updated_at), literal(before.id))
        query = query.where(tuple_(Article.updated_at, Article.id) < place)
    query = query.order_by(Article.updated_at.desc(), Article.id.desc())
    return session().scalars(query.limit(max(1, min(limit, LONGEST)))).all()


def history(article_id: int, *, visible_to: Operator, before: int | None = None, limit: int = 50) -> Sequence[Revision]:
    """An article's versions, newest first; the next page lies ``before`` the last version shown."""
    get_article(article_id, visible_to=visible_to)
    query = select(Revision).where(Revision.article_id == article_id).order_by(Revision.version.desc())
    if before is not None:
        query = query.where(Revision.version < before)
    return session().scalars(query.limit(max(1, min(limit, LONGEST)))).all()


def live_revision(article_id: int, *, visible_to: Operator) -> Revision | None:
    """The published version, if there is one."""
    return _one_revision(article_id, RevisionStatus.PUBLISHED, visible_to)


def draft_revision(article_id: int, *, visible_to: Operator) -> Revision | None:
    """The version being written, if there is one."""
    return _one_revision(article_id, RevisionStatus.DRAFT, visible_to)


def newest_revision(article_id: int, *, visible_to: Operator) -> Revision | None:
    """The newest version, live, being written or replaced; None where nothing was written yet."""
    get_article(article_id, visible_to=visible_to)
    return latest_revision(article_id)


def get_revision(article_id: int, version: int, *, visible_to: Operator) -> Revision:
    """One version. Raises ``NotFound`` where there is none, and outside the viewer's tenant."""
    get_article(article_id, visible_to=visible_to)
    return revision_of(article_id, version)


def revision_of(article_id: int, version: int) -> Revision:
    """One version of an article the caller may see. Raises ``NotFound``."""
    query = select(Revision).where(Revision.article_id == article_id, Revision.version == version)
    found = session().scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def lock(article_id: int, *, by: Actor) -> Article:
    """One article as it is now, locked until the transaction ends. Raises ``NotFound`` outside the actor's tenant."""
    query = select(Article).where(Article.id == article_id).with_for_update()
    found = session().scalars(query.execution_options(populate_existing=True)).one_or_none()
    if found is None or (by.kind != "system" and found.tenant != by.tenant):
        raise NotFound
    return found


def latest_revision(article_id: int) -> Revision | None:
    """The newest version, of any status."""
    query = select(Revision).where(Revision.article_id == article_id).order_by(Revision.version.desc()).limit(1)
    return session().scalars(query.execution_options(populate_existing=True)).one_or_none()


def index_health(*, visible_to: Operator) -> IndexHealth:
    """How fresh and how complete the search index is."""
    articles = select(Article.id).where(Article.tenant == visible_to.tenant, Article.status == ArticleStatus.PUBLISHED)
    waiting = articles.where(Article.searchable_revision_id.is_distinct_from(Article.live_revision_id))
    model = settings.embedder.name if settings.embedder is not None else None
    return IndexHealth(
        published=_count(articles),
        waiting=_count(waiting),
        words_only=_count(articles.where(Article.id.in_(articles_lacking(model)))) if model else _count(articles),
    )


def articles_lacking(model: str) -> Select[int]:
    """The statement that finds articles some of whose chunks have no vector of ``model``."""
    has = select(ChunkVector.chunk_id).where(ChunkVector.chunk_id == Chunk.id, ChunkVector.model == model)
    return select(Chunk.article_id).where(~has.exists())


def _one_revision(article_id: int, status: RevisionStatus, visible_to: Operator) -> Revision | None:
    get_article(article_id, visible_to=visible_to)
    query = select(Revision).where(Revision.article_id == article_id, Revision.status == status)
    return session().scalars(query).one_or_none()


def _count(ids: Select[int]) -> int:
    return session().scalar(select(func.count()).select_from(ids.limit(COUNTED).subquery())) or 0
