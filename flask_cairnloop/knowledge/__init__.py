"""The knowledge base: articles, their versions, and the pieces search finds."""

from __future__ import annotations

from flask_cairnloop.knowledge.articles import archive_article, create_article, rename_article, save_draft
from flask_cairnloop.knowledge.indexing import without_vectors
from flask_cairnloop.knowledge.jobs import index_revision
from flask_cairnloop.knowledge.models import Article, ArticleStatus, Chunk, Revision, RevisionStatus
from flask_cairnloop.knowledge.publishing import publish
from flask_cairnloop.knowledge.queries import (
    IndexHealth,
    draft_revision,
    get_article,
    history,
    index_health,
    list_articles,
    live_revision,
)

__all__ = [
    "Article",
    "ArticleStatus",
    "Chunk",
    "IndexHealth",
    "Revision",
    "RevisionStatus",
    "archive_article",
    "create_article",
    "draft_revision",
    "get_article",
    "history",
    "index_health",
    "index_revision",
    "list_articles",
    "live_revision",
    "publish",
    "rename_article",
    "save_draft",
    "without_vectors",
]
