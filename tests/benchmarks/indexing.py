"""From "publish" to "search finds it": an article of 5,000 words through one real worker and the real model."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import func, select

from flask_cairnloop import Operator, knowledge, retrieval
from flask_cairnloop.core.database import session
from flask_cairnloop.knowledge import Article, Chunk
from flask_cairnloop.minilm import installed
from tests.benchmarks.stage import backing, database
from tests.support.hosts import close, make_app

LOCAL = "flask_cairnloop.minilm:LocalEmbedder"
ADA = Operator(id="ada", name="Ada Osei", scopes=frozenset({"support"}))
WORDS = [
    "ridge",
    "hut",
    "water",
    "stove",
    "wind",
    "snow",
    "axe",
    "rope",
    "guide",
    "path",
    "summit",
    "valley",
    "shelter",
    "booking",
    "refund",
    "weather",
    "map",
]
WHAT = "Article of 5,000 words, published until search finds it, one worker"


def article_of(count: int) -> str:
    """Markdown of that many words, in sections of 250."""
    chance = random.Random(11)
    sentences = [" ".join(chance.choices(WORDS, k=10)).capitalize() + "." for _ in range(count // 10)]
    parts = [" ".join(sentences[start : start + 25]) for start in range(0, len(sentences), 25)]
    return "\n\n".join(f"## Part {number}\n\n{part}" for number, part in enumerate(parts))


@contextmanager
def worker(url: str, redis_url: str) -> Iterator[None]:
    """One worker and its scheduler."""
    command = [sys.executable, "-m", "flask", "--app", "tests.support.worker_app", "cairnloop", "worker"]
    environment = os.environ | {"TEST_DATABASE_URL": url, "TEST_REDIS_URL": redis_url, "TEST_EMBEDDER": LOCAL}
    child = subprocess.Popen(command, env=environment)
    try:
        yield
    finally:
        child.terminate()
        child.wait(30)


def publish(title: str, content: str) -> float:
    """Seconds until search shows it. Raises ``TimeoutError`` after two minutes."""
    article = knowledge.create_article(title, by=ADA)
    knowledge.save_draft(article.id, content, by=ADA)
    started = time.monotonic()
    article_id = knowledge.publish(article.id, by=ADA).id
    ready = select(Article.searchable_revision_id == Article.live_revision_id).where(Article.id == article_id)
    while not session().scalar(ready):
        session().rollback()
        if time.monotonic() - started > 120:
            raise TimeoutError(title)
        time.sleep(0.02)
    session().rollback()
    return time.monotonic() - started


def run() -> list[tuple[str, str, str]]:
    """Rows of the table: what, measured, target."""
    if not installed():
        return [(WHAT, "the embedding model is not installed", "< 10 s")]
    with backing() as running, database(running, "indexing") as url, worker(url, running.redis_url):
        app = make_app(url, running.redis_url, CAIRNLOOP_EMBEDDER=LOCAL)
        with app.app_context():
            publish("Warm up", "The worker runs and has loaded its model.")
            took = publish("A long article", article_of(5_000))
            assert retrieval.search("ridge hut water", visible_to=ADA)
            pieces = session().scalar(select(func.count()).select_from(Chunk))
        close(app)
    return [(WHAT, f"{took:.1f} s ({pieces} passages)", "< 10 s")]
