"""How fresh articles are: what search shows of them, and what is being written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_cairnloop.dashboard.labels import Freshness
from flask_cairnloop.knowledge import Article, ArticleStatus, Revision, RevisionStatus
from flask_cairnloop.knowledge.overview import newest_among


@dataclass(frozen=True)
class Standing:
    """An article beside its newest version."""

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
        return written and self.article.status == ArticleStatus.PUBLISHED

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
    newest = newest_among(articles)
    return [Standing(article, newest.get(article.id)) for article in articles]
