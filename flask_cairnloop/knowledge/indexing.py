"""Making a published revision findable: cut it, embed what changed, then swap it in whole."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, insert, select

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

log = logging.getLogger("flask_cairnloop.knowledge")
ERROR_LENGTH = 300


@dataclass(frozen=True)
class Prepared:
    """A revision's pieces with the vectors there are; ``failure`` says why some have none."""

    article_id: int
    revision_id: int
    title: str
    pieces: list[Piece]
    model: str | None
    vectors: dict[str, Any]
    failure: HostFailure | None = None


def prepare(revision_id: int) -> Prepared | None:
    """Cut a live revision and embed the pieces whose text is new. Call it outside any transaction.

    Returns None for a revision that is no longer the live one: the job of the live one follows. Raises ``HostFailure``
    for words that cannot be cut, which is written on the article; search keeps what it had.
    """
    with transaction() as db:
        row = db.execute(
            select(Article.id, Article.title, Revision.content)
            .join(Revision, Revision.id == Article.live_revision_id)
            .where(Article.live_revision_id == revision_id, Article.status == ArticleStatus.PUBLISHED)
        ).one_or_none()
    if row is None:
        return None
    pieces = _cut(revision_id, row.title, row.content)
    if settings.embedder is None:
        return Prepared(row.id, revision_id, row.title, pieces, None, {})
    name = settings.embedder.name
    known = _known_vectors(row.id, name)
    new = {piece.digest: piece.text for piece in pieces if piece.digest not in known}
    try:
        made = dict(zip(new, embed(settings.embedder, list(new.values())), strict=True))
    except HostFailure as failure:
        return Prepared(row.id, revision_id, row.title, pieces, name, known, failure)
    return Prepared(row.id, revision_id, row.title, pieces, name, known | made)


def swap(prepared: Prepared) -> None:
    """Put the pieces where search finds them, in the place of the article's earlier ones, all at once.

    Vectors of other models stay with the pieces whose text is unchanged. Nothing happens where the article has moved
    on, to another revision or title: the job of what it is now follows.
    """
    db = session()
    article = lock(prepared.article_id, by=SYSTEM)
    if article.live_revision_id != prepared.revision_id or article.status != ArticleStatus.PUBLISHED:
        return
    if article.title != prepared.title:
        return
    kept = _vectors_of_others(prepared)
    db.execute(delete(Chunk).where(Chunk.article_id == article.id))
    rows = [_row(prepared, number) for number in range(len(prepared.pieces))]
    ids = db.scalars(insert(Chunk).returning(Chunk.id, sort_by_parameter_order=True), rows).all()
    vectors = []
    for chunk_id, piece in zip(ids, prepared.pieces, strict=True):
        of_piece = kept.get(piece.digest, {})
        if prepared.model is not None and piece.digest in prepared.vectors:
            of_piece = of_piece | {prepared.model: prepared.vectors[piece.digest]}
        vectors += [{"chunk_id": chunk_id, "model": name, "embedding": each} for name, each in of_piece.items()]
    if vectors:
        db.execute(insert(ChunkVector), vectors)
    article.searchable_revision_id = prepared.revision_id
    article.indexed_at = now()
    article.index_error = prepared.failure.reason[:ERROR_LENGTH] if prepared.failure else None
    live.changed(f"tenant:{article.tenant}", "articles", "settings")


def note_failure(revision_id: int, reason: str) -> None:
    """Write on the article why its live revision cannot be found; search keeps what it had."""
    with transaction() as db:
        article = db.scalars(
            select(Article).where(Article.live_revision_id == revision_id).with_for_update()
        ).one_or_none()
        if article is not None:
            article.index_error = reason[:ERROR_LENGTH].replace("\0", "")
            live.changed(f"tenant:{article.tenant}", "articles", "settings")


def not_searchable() -> Select[int | None]:
    """The statement that finds live revisions search does not show yet, oldest article first."""
    waits = Article.searchable_revision_id.is_distinct_from(Article.live_revision_id)
    query = select(Article.live_revision_id).where(Article.status == ArticleStatus.PUBLISHED, waits)
    return query.order_by(Article.id)


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


def _vectors_of_others(prepared: Prepared) -> dict[str, dict[str, Any]]:
    """What other models made of the article's present pieces, by digest and model."""
    query = (
        select(Chunk.digest, ChunkVector.model, ChunkVector.embedding)
        .join(ChunkVector, ChunkVector.chunk_id == Chunk.id)
        .where(Chunk.article_id == prepared.article_id, ChunkVector.model.is_distinct_from(prepared.model))
        .where(Chunk.digest.in_([piece.digest for piece in prepared.pieces]))
    )
    kept: dict[str, dict[str, Any]] = {}
    for digest, model, embedding in session().execute(query):
        kept.setdefault(digest, {})[model] = embedding
    return kept


def _cut(revision_id: int, title: str, content: str) -> list[Piece]:
    try:
        return chunking.cut(title, content)
    except Exception as failure:
        log.exception("revision %s could not be cut into pieces", revision_id)
        reason = f"Its text could not be read for search ({type(failure).__name__})"
        note_failure(revision_id, reason)
        raise HostFailure(reason, permanent=True) from failure


def _row(prepared: Prepared, number: int) -> dict[str, Any]:
    piece = prepared.pieces[number]
    row: dict[str, Any] = {
        "article_id": prepared.article_id,
        "revision_id": prepared.revision_id,
        "chunk_index": number,
    }
    return row | {"title": piece.title, "heading": piece.heading, "content": piece.content, "digest": piece.digest}
