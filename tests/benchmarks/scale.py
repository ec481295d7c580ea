"""Search over a hundred thousand passages against a thousand: words by Zipf's law, vectors at random.

Both legs, through ``retrieval.search``; the embedder answers at once, so that what is timed is the search.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence

from flask import Flask
from sqlalchemy import text

from flask_cairnloop import Embedder, Operator, retrieval
from flask_cairnloop.core.database import engine
from tests.benchmarks.stage import backing, database
from tests.support.hosts import close, make_app

Row = tuple[str, str, str]
ADA = Operator(id="ada", name="Ada Osei")
VOCABULARY = 30_000
PASSAGE = 60  # words
ROUNDS = 100
WORD = f"translate((floor(power({VOCABULARY}, random())) + 0 * (r.id + n + s))::text, '0123456789', 'aeioubdlmr')"
INDEX = "ix_cairnloop_chunk_vectors_07db4e1f186d"
FILL = (
    """INSERT INTO cairnloop.cairnloop_articles (tenant, title, status, created_by, created_at, updated_at)
    SELECT '', 'Article ' || n, 'published', 'ada', now(), now() FROM generate_series(1, :passages / 5) AS n""",
    """INSERT INTO cairnloop.cairnloop_revisions
        (article_id, version, content, status, author_id, created_at, updated_at, published_at)
    SELECT id, 1, '', 'published', 'ada', now(), now(), now() FROM cairnloop.cairnloop_articles""",
    """UPDATE cairnloop.cairnloop_articles a SET live_revision_id = r.id, searchable_revision_id = r.id
    FROM cairnloop.cairnloop_revisions r WHERE r.article_id = a.id""",
    f"""INSERT INTO cairnloop.cairnloop_chunks
        (article_id, revision_id, chunk_index, title, heading, content, digest)
    SELECT r.article_id, r.id, n, 'Article ' || r.article_id, '', words, md5(words)
    FROM cairnloop.cairnloop_revisions r CROSS JOIN generate_series(1, 5) AS n CROSS JOIN LATERAL (
        SELECT string_agg({WORD}, ' ') AS words FROM generate_series(1, {PASSAGE}) AS s
    ) AS said""",
    """INSERT INTO cairnloop.cairnloop_chunk_vectors (chunk_id, model, embedding)
    SELECT c.id, 'all-MiniLM-L6-v2', v FROM cairnloop.cairnloop_chunks c CROSS JOIN LATERAL (
        SELECT array_agg(random() - 0.5 + 0 * (c.id + s))::vector AS v FROM generate_series(1, 384) AS s
    ) AS made""",
)


class Instant(Embedder):
    """Answers at once, with a direction drawn from the text."""

    name = "all-MiniLM-L6-v2"
    dimension = 384

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector per text."""
        return [[draw.random() - 0.5 for _ in range(384)] for draw in map(random.Random, texts)]


def run() -> Iterator[Row]:
    """Rows of the table: what, measured, target."""
    found: dict[int, dict[str, float]] = {}
    with backing() as running:
        for passages in (1_000, 100_000):
            with database(running, f"scale_{passages}") as url:
                app = make_app(url, running.redis_url, CAIRNLOOP_EMBEDDER=Instant)
                with app.app_context():
                    fill(app, passages)
                    found[passages] = {kind: timed(kind) for kind in ("short", "long", "mistyped")}
                close(app)
    small, large = found[1_000], found[100_000]
    for kind in small:
        ratio = f"{large[kind] / small[kind]:.2f}x ({large[kind] * 1e3:.0f} ms, {small[kind] * 1e3:.0f} ms)"
        yield f"Search, {kind} questions, p95: 100,000 against 1,000 passages", ratio, "<= 2x"


def fill(app: Flask, passages: int) -> None:
    """Passages with words and vectors; the vector index is built after them, which is much faster."""
    with engine().begin() as connection:
        made = connection.execute(text("SELECT pg_get_indexdef(CAST(:i AS regclass))"), {"i": f"cairnloop.{INDEX}"})
        definition = made.scalar_one()
        connection.execute(text("SET LOCAL maintenance_work_mem = '1GB'"))
        connection.execute(text(f"DROP INDEX cairnloop.{INDEX}"))
        for statement in FILL:
            connection.execute(text(statement), {"passages": passages} if ":passages" in statement else {})
        connection.execute(text(str(definition)))
    with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in ("articles", "revisions", "chunks", "chunk_vectors", "terms", "term_changes"):
            connection.execute(text(f"VACUUM ANALYZE cairnloop.cairnloop_{table}"))


def timed(kind: str) -> float:
    """The 95th percentile of one kind of question, in seconds."""
    draw = random.Random(kind)
    questions = [question(draw, kind) for _ in range(ROUNDS)]
    for each in questions[:20]:
        retrieval.search(each, visible_to=ADA)
    times = []
    for each in questions:
        start = time.perf_counter()
        retrieval.search(each, visible_to=ADA)
        times.append(time.perf_counter() - start)
    return sorted(times)[int(ROUNDS * 0.95)]


def question(draw: random.Random, kind: str) -> str:
    """Seven words as people ask, forty as people tell, or seven of which two are mistyped."""
    letters = str.maketrans("0123456789", "aeioubdlmr")
    number = 40 if kind == "long" else 7
    words = [str(int(VOCABULARY ** draw.random())).translate(letters) for _ in range(number)]
    if kind == "mistyped":
        words[:2] = [word + "xq" for word in words[:2]]
    return " ".join(words)


if __name__ == "__main__":
    for row in run():
        print(" | ".join(row), flush=True)
