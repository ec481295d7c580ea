"""What can be done to an article besides publishing it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete

from flask_cairnloop import audit
from flask_cairnloop.core import live
from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.core.errors import InvalidTransition
from flask_cairnloop.core.text import clean
from flask_cairnloop.host.people import Actor
from flask_cairnloop.knowledge.jobs import index_revision
from flask_cairnloop.knowledge.models import Article, ArticleStatus, Chunk, Revision, RevisionStatus
from flask_cairnloop.knowledge.queries import latest_revision, lock
from flask_cairnloop.signals import article_archived, article_renamed, article_unarchived, emit

TITLE_LENGTH = 200


def create_article(title: str, *, by: Actor) -> Article:
    """Begin an article, without any words yet."""
    text = clean(title, field="title", limit=TITLE_LENGTH)
    with transaction() as db:
        article = Article(tenant=by.tenant, title=one_line(text), created_by=by.id)
        db.add(article)
        db.flush()
        record("article.create", article, by)
    return article


def rename_article(article_id: int, title: str, *, by: Actor) -> Article:
    """Give an article another title. Search shows the old one until its pieces are indexed again."""
    text = one_line(clean(title, field="title", limit=TITLE_LENGTH))
    with transaction():
        article = lock(article_id, by=by)
        if article.title == text:
            return article
        article.title = text
        article.updated_at = now()
        record("article.rename", article, by)
        emit(article_renamed, article_id=article.id, actor=by)
        if article.status == ArticleStatus.PUBLISHED:
            revision_id = article.live_revision_id
            index_revision.enqueue(unique_key=f"index:{revision_id}", revision_id=revision_id)
    return article


def archive_article(article_id: int, *, by: Actor) -> Article:
    """Put an article away: from this moment search and drafts no longer see it. Its words stay as a draft."""
    with transaction():
        article = lock(article_id, by=by)
        if article.status == ArticleStatus.ARCHIVED:
            return article
        article.advance(ArticleStatus.ARCHIVED)
        take_back(article)
        record("article.archive", article, by)
        emit(article_archived, article_id=article.id, actor=by)
    return article


def unarchive_article(article_id: int, *, by: Actor) -> Article:
    """Bring an article back as a draft. Raises ``InvalidTransition`` for one that was not put away."""
    with transaction():
        article = lock(article_id, by=by)
        if article.status != ArticleStatus.ARCHIVED:
            raise InvalidTransition(article, "This article was not put away.")
        article.advance(ArticleStatus.DRAFT)
        take_back(article)
        record("article.unarchive", article, by)
        emit(article_unarchived, article_id=article.id, actor=by)
    return article


def take_back(article: Article) -> None:
    """Let a locked article have no live revision: search forgets it at once, its last words stay as a draft."""
    db = session()
    moment = now()
    live_id = article.live_revision_id
    live = db.get(Revision, live_id, populate_existing=True) if live_id is not None else None
    article.live_revision_id = article.searchable_revision_id = article.indexed_at = article.index_error = None
    article.updated_at = moment
    db.flush()
    db.execute(delete(Chunk).where(Chunk.article_id == article.id))
    if live is None:
        return
    live.advance(RevisionStatus.SUPERSEDED)
    db.flush()
    newest = latest_revision(article.id)
    if newest is not None and newest.status != RevisionStatus.DRAFT:
        words = {"content": live.content, "author_id": live.author_id, "author_name": live.author_name}
        again = {"version": newest.version + 1, "created_at": moment, "updated_at": moment}
        db.add(Revision(article_id=article.id, **words, **again))
        db.flush()


def record(action: str, article: Article, by: Actor, **details: Any) -> None:
    """Write the audit entry of a change to an article, and name the pages it changes."""
    audit.record(action, by=by, subject="article", subject_id=article.id, tenant=article.tenant, **details)
    live.changed(f"tenant:{article.tenant}", "articles")


def one_line(title: str) -> str:
    """A title without line breaks and doubled spaces."""
    return " ".join(title.split())
