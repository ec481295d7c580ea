from __future__ import annotations

from collections.abc import Callable

import pytest

from flask_cairnloop import Operator, knowledge
from flask_cairnloop.knowledge import Article
from tests.support.embedders import WordEmbedder

Write = Callable[..., Article]


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture
def host_settings(embedder: WordEmbedder) -> dict[str, object]:
    return {
        "CAIRNLOOP_EMBEDDER": embedder,
        "CAIRNLOOP_GROUNDING_STRONG": 0.55,
        "CAIRNLOOP_GROUNDING_CLARIFY": 0.4,
    }


@pytest.fixture
def write(operator: Operator, run_jobs: Callable[[], int]) -> Write:
    """Publish an article and index it."""

    def publish(title: str, content: str, *, by: Operator = operator) -> Article:
        article = knowledge.create_article(title, by=by)
        knowledge.save_draft(article.id, content, by=by)
        knowledge.publish(article.id, by=by)
        run_jobs()
        return article

    return publish
