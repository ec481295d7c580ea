"""Making a published revision findable: cut it, embed what changed, then swap it in whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select

from flask_cairnloop.core import live
from flask_cairnloop.core.current import now, settings
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.core.errors import HostFailure
from flask_cairnloop.host.people import SYSTEM
from flask_cairnloop.knowledge import chunking
from flask_cairnloop.knowledge.chunking import Piece
from flask_cairnloop.knowledge.embedding import embed
from flask_cairnloop.knowledge.models import Article, ArticleStatus, Chunk, ChunkVector, Revision
from flask_cairnloop.knowledge.queries import articles_lacking, lock

ERROR_LENGTH = 300


@dataclass(frozen=True)
class Prepared:
    """A revision's pieces with the vectors there are; ``failure`` says why some have none."""

    article_id: int
    revision_id: int
    pieces: list[Piece]
    model: str | None
    vectors: dict[str, Any]
    failure: HostFailure | None = None


def prepare(revision_id: int) -> Prepared | None:
    """Cut a live revision and embed the pieces whose text is new. Call it outside any transaction.

    Returns None for a revision that is no longer the live one: the job of the live one follows.
    """
    with transaction() as db:
        row = db.execute(
            select(Article.id, Article.title, Revision.content)
            .join(Revision, Revision.id == Article.live_revision_id)
            .where(Article.live_revision_id == revision_id, Article.status == ArticleStatus.PUBLISHED)
        ).one_or_none()
    if row is None:
        return None
    pieces = chunking.cut(row.title, row.content)
    if settings.embedder is None:
        return Prepared(row.id, revision_id, pieces, None, {})
    name = settings.embedder.name
    known = _known_vectors(row.id, name)
    new = {piece.digest: piece.text for piece in pieces if piece.digest not in known}
    try:
        made = dict(zip(new, embed(settings.embedder, list(new.values())), strict=True))
    except HostFailure as failure:
        return Prepared(row.id, revision_id, pieces, name, known, failure)
    return Prepared(row.id, revision_id, pieces, name, known | made)


def swap(prepared: Prepared) -> None:
    """Put the pieces where search finds them, in the place of the article's earlier ones, all at once."""
    db = session()
    article = lock(prepared.article_id, by=SYSTEM)
    if article.live_revision_id != prepared.revision_id or article.status != ArticleStatus.PUBLISHED:
        return
    db.execute(delete(Chunk).where(Chunk.article_id == article.id))
    rows = [_row(prepared, number) for number in range(len(prepared.pieces))]
    ids = db.scalars(insert(Chunk).returning(Chunk.id, sort_by_parameter_order=True), rows).all()
    vectors = [
        {"chunk_id": chunk_id, "model": prepared.model, "embedding": prepared.vectors[piece.digest]}
        for chunk_id, piece in zip(ids, prepared.pieces, strict=True)
        if piece.digest in prepared.vectors
    ]
    if vectors:
        db.execute(insert(ChunkVector), vectors)
    article.searchable_revision_id = prepared.revision_id
    article.indexed_at = now()
    article.index_error = prepared.failure.reason[:ERROR_LENGTH] if prepared.failure else None
    live.changed(f"tenant:{article.tenant}", "articles", "settings")


def without_vectors(limit: int = 500) -> list[int]:
    """Live revisions that search finds by words alone although an embedder is configured, oldest first."""
    if settings.embedder is None:
        return []
    query = (
        select(Article.live_revision_id)
        .where(Article.status == ArticleStatus.PUBLISHED, Article.id.in_(articles_lacking(settings.embedder.name)))
        .order_by(Article.id)
        .limit(limit)
    )
    return [revision_id for revision_id in session().scalars(query) if revision_id is not None]


def _known_vectors(article_id: int, model: str) -> dict[str, Any]:
    with transaction() as db:
        rows = db.execute(
            select(Chunk.digest, ChunkVector.embedding)
            .join(ChunkVector, ChunkVector.chunk_id == Chunk.id)
            .where(Chunk.article_id == article_id, ChunkVector.model == model)
        )
        return {row.digest: row.embedding for row in rows}


def _row(prepared: Prepared, number: int) -> dict[str, Any]:
    piece = prepared.pieces[number]
    row: dict[str, Any] = {
        "article_id": prepared.article_id,
        "revision_id": prepared.revision_id,
        "chunk_index": number,
    }
    return row | {"title": piece.title, "heading": piece.heading, "content": piece.content, "digest": piece.digest}
