"""The step from a draft to what customers may be told."""

from __future__ import annotations

from sqlalchemy import select

from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import transaction
from flask_cairnloop.core.errors import InvalidTransition
from flask_cairnloop.host.people import Actor
from flask_cairnloop.knowledge.articles import record, take_back
from flask_cairnloop.knowledge.models import Article, ArticleStatus, Revision, RevisionStatus
from flask_cairnloop.knowledge.queries import latest_revision, lock
from flask_cairnloop.signals import article_published, article_unpublished, emit


def publish(article_id: int, *, by: Actor) -> Article:
    """Make the draft the live revision. Search goes on showing the one before until the new one is indexed.

    Raises ``InvalidTransition`` where there is no draft. Publishing an archived article brings it back.
    """
    with transaction() as db:
        article = lock(article_id, by=by)
        draft = latest_revision(article_id)
        if draft is None or draft.status != RevisionStatus.DRAFT:
            raise InvalidTransition(article, "There is no draft to publish.")
        before = db.scalars(
            select(Revision)
            .where(Revision.article_id == article_id, Revision.status == RevisionStatus.PUBLISHED)
            .execution_options(populate_existing=True)
        ).one_or_none()
        if before is not None:
            before.advance(RevisionStatus.SUPERSEDED)
            db.flush()
        if article.status != ArticleStatus.PUBLISHED:
            article.advance(ArticleStatus.PUBLISHED)
        draft.advance(RevisionStatus.PUBLISHED)
        draft.published_by, draft.published_at = by.id, now()
        article.live_revision_id, article.updated_at = draft.id, now()
        db.flush()
        record("article.publish", article, by, revision_id=draft.id, version=draft.version)
        emit(article_published, article_id=article.id, revision_id=draft.id, actor=by)
    return article


def unpublish(article_id: int, *, by: Actor) -> Article:
    """Take an article back: search and drafts forget it at once, its words stay as a draft.

    Raises ``InvalidTransition`` for one that is not published.
    """
    with transaction():
        article = lock(article_id, by=by)
        if article.status != ArticleStatus.PUBLISHED:
            raise InvalidTransition(article, "This article is not published.")
        article.advance(ArticleStatus.DRAFT)
        take_back(article)
        record("article.unpublish", article, by)
        emit(article_unpublished, article_id=article.id, actor=by)
    return article
