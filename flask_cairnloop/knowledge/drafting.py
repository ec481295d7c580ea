"""The version of an article that is being written: saved, restored from an older one, thrown away."""

from __future__ import annotations

import hashlib

from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.core.errors import DraftMoved, InvalidTransition
from flask_cairnloop.core.text import clean
from flask_cairnloop.host.people import Actor
from flask_cairnloop.knowledge.articles import record
from flask_cairnloop.knowledge.models import Article, Revision, RevisionStatus
from flask_cairnloop.knowledge.queries import latest_revision, lock, revision_of
from flask_cairnloop.signals import article_restored, emit

CONTENT_LENGTH = 200_000


def fingerprint(revision: Revision | None) -> str:
    """Another one for every other version and every other words; empty where there is no version yet."""
    if revision is None:
        return ""
    return hashlib.sha256(f"{revision.id}:{revision.content}".encode()).hexdigest()[:32]


def save_draft(article_id: int, content: str, *, by: Actor, seen: str | None = None) -> Revision:
    """Save the words of the next version. One article has one draft; saving what is already there changes nothing.

    ``seen`` is the ``fingerprint`` of the newest version the writer had before them. Where another stands there now,
    with other words, ``DraftMoved`` carries it and nothing is saved.
    """
    text = clean(content, field="content", limit=CONTENT_LENGTH)
    with transaction():
        article = lock(article_id, by=by)
        newest = latest_revision(article_id)
        if newest is not None and newest.content == text:
            return newest
        _refuse_blind(newest, seen)
        return _write(article, newest, text, by, "article.save_draft")


def restore(article_id: int, version: int, *, by: Actor, seen: str | None = None) -> Revision:
    """Make an older version's words the draft; publishing it is a step of its own.

    Where a draft stands already it is replaced only if ``seen`` is its fingerprint; ``DraftMoved`` otherwise.
    Raises ``NotFound`` for a version there is none of.
    """
    with transaction():
        article = lock(article_id, by=by)
        old = revision_of(article_id, version)
        newest = latest_revision(article_id)
        if newest is not None and newest.content == old.content:
            return newest
        if newest is not None and newest.status == RevisionStatus.DRAFT:
            _refuse_blind(newest, seen or "")
        restored = _write(article, newest, old.content, by, "article.restore", restored=version)
        emit(article_restored, article_id=article_id, revision_id=restored.id, version=version, actor=by)
    return restored


def discard_draft(article_id: int, *, by: Actor, seen: str | None = None) -> Article:
    """Throw the draft away; what is published stays. Raises ``InvalidTransition`` where there is none."""
    with transaction() as db:
        article = lock(article_id, by=by)
        newest = latest_revision(article_id)
        if newest is None or newest.status != RevisionStatus.DRAFT:
            raise InvalidTransition(article, "There is no draft to throw away.")
        _refuse_blind(newest, seen)
        version = newest.version
        db.delete(newest)
        article.updated_at = now()
        db.flush()
        record("article.discard_draft", article, by, version=version)
    return article


def _refuse_blind(newest: Revision | None, seen: str | None) -> None:
    if seen is not None and newest is not None and fingerprint(newest) != seen:
        raise DraftMoved(newest)


def _write(article: Article, newest: Revision | None, text: str, by: Actor, action: str, **details: int) -> Revision:
    moment = now()
    if newest is None or newest.status != RevisionStatus.DRAFT:
        version = 1 if newest is None else newest.version + 1
        newest = Revision(article_id=article.id, version=version, created_at=moment)
        session().add(newest)
    newest.content = text
    newest.author_id, newest.author_name = by.id, by.name
    newest.updated_at = article.updated_at = moment
    session().flush()
    record(action, article, by, revision_id=newest.id, version=newest.version, **details)
    return newest
