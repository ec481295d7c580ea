"""Vectors for what has none of one embedder: batch by batch, while everybody goes on searching and publishing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select, text, update

from flask_cairnloop.core import live
from flask_cairnloop.core.current import settings
from flask_cairnloop.core.database import SCHEMA, transaction
from flask_cairnloop.core.errors import HostFailure
from flask_cairnloop.host.embedder import Embedder
from flask_cairnloop.knowledge.chunking import Piece
from flask_cairnloop.knowledge.embedding import BATCH, embed
from flask_cairnloop.knowledge.indexing import not_searchable
from flask_cairnloop.knowledge.jobs import promise
from flask_cairnloop.knowledge.models import Article
from flask_cairnloop.knowledge.queries import articles_lacking
from flask_cairnloop.knowledge.vectors import CHUNKS, VectorTable, build_index, stored_dimension

BATCHES = 4  # of the embedder's, saved together
PROMISED_AT_ONCE = 500
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Corpus:
    """Records of one kind that want vectors: the ``columns`` to read and the text they make."""

    table: VectorTable
    columns: tuple[str, ...]
    text_of: Callable[[Row[Any]], str]


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild did: vectors made, and whether an index serves them now."""

    embedded: int
    has_index: bool


ARTICLES = Corpus(CHUNKS, ("title", "heading", "content"), lambda row: Piece(row.title, row.heading, row.content).text)


def rebuild(corpus: Corpus, embedder: Embedder, progress: Progress = lambda done, total: None) -> Rebuilt:
    """Give every record a vector of ``embedder`` and build its index; call it outside any transaction.

    Each batch is saved by itself, so a rebuild that was cut goes on where it stopped, and one that is done does
    nothing more. Nobody waits for it, it waits for nobody, and two at once only share the work badly. ``progress``
    hears how many of how many are done. Raises ``HostFailure`` where the embedder fails.
    """
    stored = stored_dimension(corpus.table, embedder.name)
    if stored not in (None, embedder.dimension):
        raise HostFailure(
            f"the stored vectors of {embedder.name} have {stored} numbers, and this embedder makes"
            f" {embedder.dimension}: give it another name",
            permanent=True,
        )
    total, done = _count_lacking(corpus, embedder.name), 0
    progress(0, total)
    while True:
        added = after = 0
        while batch := _lacking(corpus, embedder, after):
            after = batch[-1].id
            added += _fill(corpus, embedder, batch)
            progress(done + added, max(total, done + added))
        done += added
        if not added:  # what appeared meanwhile is done, and what vanishes under our hands is nobody's
            break
    has_index = build_index(corpus.table, embedder)
    if corpus is ARTICLES and embedder is settings.embedder:
        _forgive(embedder.name)
    return Rebuilt(done, has_index)


def promise_missing() -> int:
    """Promise the job of every live revision search does not show: never indexed, or its job was lost.

    Returns how many.
    """
    promised = 0
    query = not_searchable().with_only_columns(Article.id, Article.live_revision_id)
    after = 0
    while True:
        with transaction() as db:
            rows = db.execute(query.where(Article.id > after).limit(PROMISED_AT_ONCE)).all()
            for row in rows:
                promise(row.live_revision_id)
        if not rows:
            return promised
        promised += len(rows)
        after = rows[-1].id


def _count_lacking(corpus: Corpus, model: str) -> int:
    with transaction() as db:
        return int(db.execute(text(f"SELECT count(*) {_lacks(corpus.table)}"), {"model": model}).scalar_one())


def _lacking(corpus: Corpus, embedder: Embedder, after: int) -> Sequence[Row[Any]]:
    columns = ", ".join(f"c.{name}" for name in ("id", "digest", *corpus.columns))
    query = text(f"SELECT {columns} {_lacks(corpus.table)} AND c.id > :after ORDER BY c.id LIMIT :limit")
    limit = BATCHES * max(1, int(getattr(embedder, "batch_size", BATCH)))
    with transaction() as db:
        return db.execute(query, {"model": embedder.name, "after": after, "limit": limit}).all()


def _lacks(table: VectorTable) -> str:
    return (
        f"FROM {SCHEMA}.{table.records} c WHERE NOT EXISTS"
        f" (SELECT FROM {SCHEMA}.{table.name} v WHERE v.{table.key} = c.id AND v.model = :model)"
    )


def _fill(corpus: Corpus, embedder: Embedder, batch: Sequence[Row[Any]]) -> int:
    """Embed one batch outside any transaction, then save it. Returns how many vectors were new."""
    texts = {row.digest: corpus.text_of(row) for row in batch}
    made = dict(zip(texts, embed(embedder, list(texts.values())), strict=True))
    table = corpus.table
    # A record that is being deleted or was changed meanwhile is left out: no lock is waited for, so no knot is tied.
    statement = text(
        f"""
        WITH given AS (
            SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:digests AS text[]), CAST(:made AS text[]))
                AS t (id, digest, embedding)
        ), here AS (
            SELECT c.id, given.embedding FROM {SCHEMA}.{table.records} c
            JOIN given ON given.id = c.id AND given.digest = c.digest ORDER BY c.id FOR KEY SHARE OF c SKIP LOCKED
        ), added AS (
            INSERT INTO {SCHEMA}.{table.name} ({table.key}, model, embedding)
            SELECT id, :model, CAST(embedding AS vector) FROM here ON CONFLICT DO NOTHING RETURNING 1
        ) SELECT count(*) FROM added
        """
    )
    values = {
        "ids": [row.id for row in batch],
        "digests": [row.digest for row in batch],
        "made": [str(made[row.digest]) for row in batch],
        "model": embedder.name,
    }
    with transaction() as db:
        return int(db.execute(statement, values).scalar_one())


def _forgive(model: str) -> None:
    """Let articles whose every piece has its vector now no longer say that some have none."""
    whole = Article.id.not_in(articles_lacking(model))
    indexed = Article.searchable_revision_id == Article.live_revision_id
    statement = update(Article).where(Article.index_error.is_not(None), indexed, whole).values(index_error=None)
    with transaction() as db:
        db.execute(statement.execution_options(synchronize_session=False))
        for tenant in db.scalars(select(Article.tenant).distinct()):
            live.changed(f"tenant:{tenant}", "articles", "settings")
