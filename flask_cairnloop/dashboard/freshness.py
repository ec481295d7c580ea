"""How fresh articles are: what search shows of them, and what is being written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import defer

from flask_cairnloop.core.database import session
from flask_cairnloop.dashboard.labels import Freshness
from flask_cairnloop.host.people import Operator
from flask_cairnloop.knowledge import Article, ArticleStatus, Revision, RevisionStatus

COUNTED = 501  # counts stop here: "500+"


@dataclass(frozen=True)
class Standing:
    """An article beside its newest version, which has no words here."""

    article: Article
    newest: Revision | None

    @property
    def freshness(self) -> Freshness | None:
        """What search makes of it; None where it is not published."""
        return freshness_of(self.article)

    @property
    def is_ahead(self) -> bool:
        """Whether something newer than the live version is being written."""
        written = self.newest is not None and self.newest.status == RevisionStatus.DRAFT
        return written and self.article.live_revision_id is not None

    @property
    def author(self) -> str:
        """Who wrote its newest version, else who began it."""
        return self.newest.author_name or self.newest.author_id if self.newest else self.article.created_by


def freshness_of(article: Article) -> Freshness | None:
    """What search makes of an article; None where it is not published."""
    if article.status != ArticleStatus.PUBLISHED:
        return None
    if article.is_indexed:
        return Freshness.WORDS_ONLY if article.index_error else Freshness.SEARCHABLE
    return Freshness.FAILED if article.index_error else Freshness.WAITING


def beside_newest(articles: Sequence[Article]) -> list[Standing]:
    """Each article beside its newest version, in the same order."""
    query = (
        select(Revision)
        .where(Revision.article_id.in_([article.id for article in articles]))
        .distinct(Revision.article_id)
        .order_by(Revision.article_id, Revision.version.desc())
        .options(defer(Revision.content))
    )
    newest = {revision.article_id: revision for revision in session().scalars(query)} if articles else {}
    return [Standing(article, newest.get(article.id)) for article in articles]


def count_by_status(*, visible_to: Operator) -> dict[ArticleStatus, int]:
    """How many articles stand where, each counted up to 501."""
    return {status: _count(status, visible_to.tenant) for status in ArticleStatus}


def _count(status: ArticleStatus, tenant: str) -> int:
    ids = select(Article.id).where(Article.tenant == tenant, Article.status == status).limit(COUNTED)
    return session().scalar(select(func.count()).select_from(ids.subquery())) or 0
