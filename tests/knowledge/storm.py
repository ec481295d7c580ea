"""One of several processes that edit, publish and search the same articles at once, and a host for their worker.

Run as ``python -m tests.knowledge.storm SECONDS SEED``; prints what it did and saw as JSON. Every edition of an article
says its number in each of its sections, so that a search that mixes two editions gives itself away.
"""

from __future__ import annotations

import json
import os
import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence

from flask import Flask
from sqlalchemy.pool import NullPool

from flask_cairnloop import InvalidTransition, Operator, knowledge, retrieval
from flask_cairnloop.retrieval.results import Evidence
from tests.support.embedders import WordEmbedder
from tests.support.hosts import close, make_app

ADA = Operator(id="ada", name="Ada Osei")
SECTIONS = ("Wind", "Snow", "Water")
QUESTIONS = ("ridge wind", "ridge snow", "Where is water on the ridge?", "ridge")


def create_app() -> Flask:
    """The host, its servers named by the environment."""
    return make_app(
        os.environ["TEST_DATABASE_URL"],
        os.environ["TEST_REDIS_URL"],
        CAIRNLOOP_EMBEDDER=WordEmbedder(),
        SQLALCHEMY_ENGINE_OPTIONS={"poolclass": NullPool},
    )


def edition(number: int) -> str:
    """An article's words, of several pieces, each with the edition's number."""
    return "\n\n".join(f"# {name}\n\nOn the ridge, {name.lower()}: edition {number}." for name in SECTIONS)


def faults_in(found: Sequence[Evidence], articles: Sequence[int]) -> list[str]:
    """What is wrong with an answer: an article twice, torn, or not there."""
    seen: dict[int | None, set[tuple[int | None, str]]] = defaultdict(set)
    for each in found:
        numbers = re.findall(r"edition (\d+)", each.content) or ["?"]
        seen[each.article_id] |= {(each.revision_id, number) for number in numbers}
    absent = [f"article {each} is not there" for each in articles if each not in seen]
    return absent + [f"article {key} has {sorted(each)}" for key, each in seen.items() if len(each) != 1]


def act(app: Flask, articles: Sequence[int], chance: random.Random, did: Counter[str]) -> list[str]:
    """One request: an edit, a publication or a search."""
    with app.app_context():
        article_id, what = chance.choice(articles), chance.random()
        if what < 0.2:
            knowledge.save_draft(article_id, edition(chance.randrange(10**9)), by=ADA)
            did["saved"] += 1
        elif what < 0.4:
            try:
                knowledge.publish(article_id, by=ADA)
                did["published"] += 1
            except InvalidTransition:
                did["refused"] += 1
        else:
            did["searched"] += 1
            found = retrieval.search(chance.choice(QUESTIONS), visible_to=ADA, limit=50, per_article=5)
            return faults_in(found, articles)
    return []


def main(seconds: float, seed: int) -> None:
    """Act until the time is over."""
    app = create_app()
    with app.app_context():
        articles = [article.id for article in knowledge.list_articles(visible_to=ADA)]
    did: Counter[str] = Counter()
    faults: list[str] = []
    chance = random.Random(seed)
    end = time.monotonic() + seconds
    while time.monotonic() < end and not faults:
        faults += act(app, articles, chance, did)
    close(app)
    sys.stdout.write(json.dumps({"did": did, "faults": faults}))


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
