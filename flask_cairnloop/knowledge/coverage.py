"""How much of what is published search can see, and by which means: what Settings shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select

from flask_cairnloop.core.current import settings
from flask_cairnloop.core.database import session
from flask_cairnloop.core.errors import HostFailure
from flask_cairnloop.host.people import Operator
from flask_cairnloop.knowledge import vectors
from flask_cairnloop.knowledge.embedding import failure_of_embedder
from flask_cairnloop.knowledge.models import Article, ArticleStatus, Chunk, ChunkVector
from flask_cairnloop.knowledge.queries import COUNTED
from flask_cairnloop.knowledge.vectors import CHUNKS

FAILURES = 5  # articles named, at most


@dataclass(frozen=True)
class Coverage:
    """The search index of one tenant; counts stop at 501."""

    embedder: str | None
    dimension: int | None
    failure: HostFailure | None  #: Why search goes by words alone; None where it does not.
    pieces: int
    lacking: int  #: Pieces without a vector of the present embedder.
    waiting: int  #: Articles whose live revision is not searchable yet.
    has_index: bool
    is_indexable: bool  #: Whether vectors of that length can be indexed at all.
    failed: Sequence[Article]  #: Those indexed with an error last.


def coverage(*, visible_to: Operator) -> Coverage:
    """How the search index stands for the viewer's tenant. May ask the embedder whether it works."""
    embedder = settings.embedder
    mine = Article.tenant == visible_to.tenant, Article.status == ArticleStatus.PUBLISHED
    pieces = select(Chunk.id).join(Article, Article.id == Chunk.article_id).where(*mine)
    waiting = select(Article.id).where(*mine, Article.searchable_revision_id.is_distinct_from(Article.live_revision_id))
    failed = select(Article).where(*mine, Article.index_error.is_not(None))
    failed = failed.order_by(Article.updated_at.desc(), Article.id.desc()).limit(FAILURES)
    lacking = pieces
    if embedder is not None:
        has = select(ChunkVector.chunk_id).where(ChunkVector.chunk_id == Chunk.id, ChunkVector.model == embedder.name)
        lacking = pieces.where(~has.exists())
    return Coverage(
        embedder=embedder.name if embedder else None,
        dimension=embedder.dimension if embedder else None,
        failure=failure_of_embedder(),
        pieces=_count(pieces),
        lacking=_count(lacking),
        waiting=_count(waiting),
        has_index=embedder is not None and vectors.has_index(CHUNKS, embedder),
        is_indexable=embedder is not None and vectors.is_indexable(embedder.dimension),
        failed=session().scalars(failed).all(),
    )


def _count(ids: Select[int]) -> int:
    return session().scalar(select(func.count()).select_from(ids.limit(COUNTED).subquery())) or 0
