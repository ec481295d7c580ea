"""What can be done to an article besides publishing it."""

from __future__ import annotations

from sqlalchemy import delete

from flask_cairnloop import audit
from flask_cairnloop.core import live
from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import transaction
from flask_cairnloop.core.text import clean
from flask_cairnloop.host.people import Actor
from flask_cairnloop.knowledge.jobs import index_revision
from flask_cairnloop.knowledge.models import Article, ArticleStatus, Chunk, Revision, RevisionStatus
from flask_cairnloop.knowledge.queries import latest_revision, lock
from flask_cairnloop.signals import article_archived, article_renamed, emit

TITLE_LENGTH = 200
CONTENT_LENGTH = 200_000


def create_article(title: str, *, by: Actor) -> Article:
    """Begin an article, without any words yet."""
    text = clean(title, field="title", limit=TITLE_LENGTH)
    with transaction() as db:
        article = Article(tenant=by.tenant, title=_one_line(text), created_by=by.id)
        db.add(article)
        db.flush()
        record("article.create", article, by)
    return article


def rename_article(article_id: int, title: str, *, by: Actor) -> Article:
    """Give an article another title. Search shows the old one until its pieces are indexed again."""
    text = _one_line(clean(title, field="title", limit=TITLE_LENGTH))
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


def save_draft(article_id: int, content: str, *, by: Actor) -> Revision:
    """Save the words of the next version. One article has one draft; saving what is already there changes nothing."""
    text = clean(content, field="content", limit=CONTENT_LENGTH)
    with transaction() as db:
        article = lock(article_id, by=by)
        latest = latest_revision(article_id)
        if latest is not None and latest.content == text:
            return latest
        moment = now()
        if latest is None or latest.status != RevisionStatus.DRAFT:
            version = 1 if latest is None else latest.version + 1
            latest = Revision(article_id=article_id, version=version, created_at=moment)
            db.add(latest)
        latest.content = text
        latest.author_id, latest.author_name = by.id, by.name
        latest.updated_at = article.updated_at = moment
        db.flush()
        record("article.save_draft", article, by, revision_id=latest.id, version=latest.version)
    return latest


def archive_article(article_id: int, *, by: Actor) -> Article:
    """Put an article away: from this moment search and drafts no longer see it."""
    with transaction() as db:
        article = lock(article_id, by=by)
        if article.status == ArticleStatus.ARCHIVED:
            return article
        article.advance(ArticleStatus.ARCHIVED)
        article.searchable_revision_id = article.indexed_at = article.index_error = None
        article.updated_at = now()
        db.flush()
        db.execute(delete(Chunk).where(Chunk.article_id == article_id))
        record("article.archive", article, by)
        emit(article_archived, article_id=article.id, actor=by)
    return article


def record(action: str, article: Article, by: Actor, **details: int) -> None:
    """Write the audit entry of a change to an article, and name the pages it changes."""
    audit.record(action, by=by, subject="article", subject_id=article.id, tenant=article.tenant, **details)
    live.changed(f"tenant:{article.tenant}", "articles")


def _one_line(title: str) -> str:
    return " ".join(title.split())
