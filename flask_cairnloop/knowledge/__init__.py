"""The knowledge base: articles, their versions, and the pieces search finds."""

from __future__ import annotations

from flask_cairnloop.knowledge.articles import archive_article, create_article, rename_article, unarchive_article
from flask_cairnloop.knowledge.changes import Change, ChangeKind, Line, Span, compare
from flask_cairnloop.knowledge.drafting import discard_draft, fingerprint, restore, save_draft
from flask_cairnloop.knowledge.exporting import Export, Exported, Written
from flask_cairnloop.knowledge.importing import Fate, Import, Outcome
from flask_cairnloop.knowledge.indexing import without_vectors
from flask_cairnloop.knowledge.jobs import index_revision
from flask_cairnloop.knowledge.models import Article, ArticleStatus, Chunk, Revision, RevisionStatus
from flask_cairnloop.knowledge.publishing import publish, unpublish
from flask_cairnloop.knowledge.queries import (
    IndexHealth,
    draft_revision,
    get_article,
    get_revision,
    history,
    index_health,
    list_articles,
    live_revision,
    newest_revision,
)

__all__ = [
    "Article",
    "ArticleStatus",
    "Change",
    "ChangeKind",
    "Chunk",
    "Export",
    "Exported",
    "Fate",
    "Import",
    "IndexHealth",
    "Line",
    "Outcome",
    "Revision",
    "RevisionStatus",
    "Span",
    "Written",
    "archive_article",
    "compare",
    "create_article",
    "discard_draft",
    "draft_revision",
    "fingerprint",
    "get_article",
    "get_revision",
    "history",
    "index_health",
    "index_revision",
    "list_articles",
    "live_revision",
    "newest_revision",
    "publish",
    "rename_article",
    "restore",
    "save_draft",
    "unarchive_article",
    "unpublish",
    "without_vectors",
]
