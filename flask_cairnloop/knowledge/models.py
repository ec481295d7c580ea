"""An article, its versions, and the searchable pieces of its published one."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import Computed, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import SCHEMA, Base, choice
from flask_cairnloop.core.states import Stateful
from flask_cairnloop.knowledge.words import lexemes

_REVISION = f"{SCHEMA}.cairnloop_revisions.id"
_ARTICLE = f"{SCHEMA}.cairnloop_articles.id"


class ArticleStatus(StrEnum):
    """Where an article stands."""

    DRAFT = "draft"  #: Not published, or taken back.
    PUBLISHED = "published"  #: Its live revision may be quoted to customers.
    ARCHIVED = "archived"  #: Put away: searched and quoted no more.


class RevisionStatus(StrEnum):
    """Where one version of an article stands."""

    DRAFT = "draft"  #: Being written.
    PUBLISHED = "published"  #: The live one; its words can no longer change.
    SUPERSEDED = "superseded"  #: Was live once; kept as it was.


class Article(Stateful, Base):
    """A page of the knowledge base."""

    __tablename__ = "cairnloop_articles"
    __table_args__ = (
        Index("ix_cairnloop_articles_recent", "tenant", "updated_at", "id"),
        Index("ix_cairnloop_articles_status", "tenant", "status", "updated_at", "id"),
        Index("uq_cairnloop_articles_path", "tenant", "path", unique=True, postgresql_where=text("path IS NOT NULL")),
    )
    TRANSITIONS: ClassVar = {
        ArticleStatus.DRAFT: frozenset({ArticleStatus.PUBLISHED, ArticleStatus.ARCHIVED}),
        ArticleStatus.PUBLISHED: frozenset({ArticleStatus.DRAFT, ArticleStatus.ARCHIVED}),
        ArticleStatus.ARCHIVED: frozenset({ArticleStatus.DRAFT, ArticleStatus.PUBLISHED}),
    }

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    tenant: Mapped[str] = mapped_column(server_default="", default="")
    title: Mapped[str]
    #: The Markdown file it was imported from, relative to the imported folder; None for one written here.
    path: Mapped[str | None]
    status: Mapped[ArticleStatus] = mapped_column(choice(ArticleStatus), default=ArticleStatus.DRAFT)
    #: The published revision.
    live_revision_id: Mapped[int | None] = mapped_column(
        ForeignKey(_REVISION, use_alter=True, name="fk_cairnloop_articles_live_revision_id", ondelete="SET NULL")
    )
    #: The revision search shows: the live one, or the one before while the live one is being indexed.
    searchable_revision_id: Mapped[int | None] = mapped_column(
        ForeignKey(_REVISION, use_alter=True, name="fk_cairnloop_articles_searchable_revision_id", ondelete="SET NULL")
    )
    indexed_at: Mapped[datetime | None]
    #: Why its pieces have no vectors; None where they do, or where no embedder is configured.
    index_error: Mapped[str | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)  # indexing changes nothing a reader would notice

    @property
    def is_indexed(self) -> bool:
        """Whether search shows the live revision."""
        return self.live_revision_id is not None and self.live_revision_id == self.searchable_revision_id


class Revision(Stateful, Base):
    """One version of an article's Markdown. The database refuses to change the words of a published one."""

    __tablename__ = "cairnloop_revisions"
    __table_args__ = (
        UniqueConstraint("article_id", "version"),
        Index(
            "uq_cairnloop_revisions_published",
            "article_id",
            unique=True,
            postgresql_where=text("status = 'published'"),
        ),
        Index("uq_cairnloop_revisions_draft", "article_id", unique=True, postgresql_where=text("status = 'draft'")),
    )
    TRANSITIONS: ClassVar = {
        RevisionStatus.DRAFT: frozenset({RevisionStatus.PUBLISHED}),
        RevisionStatus.PUBLISHED: frozenset({RevisionStatus.SUPERSEDED}),
    }

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey(_ARTICLE, ondelete="CASCADE"))
    version: Mapped[int]
    content: Mapped[str]
    status: Mapped[RevisionStatus] = mapped_column(choice(RevisionStatus), default=RevisionStatus.DRAFT)
    #: Who last saved it.
    author_id: Mapped[str]
    author_name: Mapped[str | None]
    published_by: Mapped[str | None]
    published_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)


class Chunk(Base):
    """One searchable piece of an article's searchable revision, with its title and heading path."""

    __tablename__ = "cairnloop_chunks"
    __table_args__ = (
        UniqueConstraint("revision_id", "chunk_index"),
        Index("ix_cairnloop_chunks_article_id", "article_id"),
        Index("ix_cairnloop_chunks_search", "search", postgresql_using="gin"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey(_ARTICLE, ondelete="CASCADE"))
    revision_id: Mapped[int] = mapped_column(ForeignKey(_REVISION, ondelete="CASCADE"))
    chunk_index: Mapped[int]
    title: Mapped[str]
    #: The headings that lead to it, joined; empty before the first heading.
    heading: Mapped[str]
    content: Mapped[str]
    #: What its vector was made from, so that unchanged text is not embedded again.
    digest: Mapped[str]
    search: Mapped[Any] = mapped_column(
        TSVECTOR, Computed(lexemes(title="A", heading="B", content="C"), persisted=True)
    )


class ChunkVector(Base):
    """What one embedder makes of a chunk. Several may stand side by side; each model has an HNSW index of its own."""

    __tablename__ = "cairnloop_chunk_vectors"

    chunk_id: Mapped[int] = mapped_column(
        ForeignKey(f"{SCHEMA}.cairnloop_chunks.id", ondelete="CASCADE"), primary_key=True
    )
    #: The embedder's name; vectors of different names are never compared.
    model: Mapped[str] = mapped_column(primary_key=True)
    embedding: Mapped[Any] = mapped_column(VECTOR)
