from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from flask_cairnloop import Customer, Operator, conversations, drafts, knowledge
from flask_cairnloop.drafts import Draft
from tests.support.embedders import WordEmbedder

HUTS = """
# Water

Every hut has drinking water in summer. In winter you melt snow.

# Dogs

Dogs sleep in the winter room.
"""
Ask = Callable[..., Draft | None]


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
def huts(app: Flask, operator: Operator, run_jobs: Callable[[], int]) -> int:
    """An indexed article about huts."""
    article = knowledge.create_article("Huts", by=operator)
    knowledge.save_draft(article.id, HUTS, by=operator)
    knowledge.publish(article.id, by=operator)
    run_jobs()
    return article.id


@pytest.fixture
def ask(huts: int, customer: Customer, run_jobs: Callable[[], int]) -> Ask:
    """Let the customer write, let the jobs run, and return the draft that waits."""

    def write(*texts: str, by: Customer = customer) -> Draft | None:
        for text in texts or ("Is there drinking water in the hut?",):
            message = conversations.receive_from(by, text)
        run_jobs()
        return drafts.pending_for(message.conversation_id)

    return write


@pytest.fixture
def draft(ask: Ask) -> Draft:
    """A reply that waits."""
    made = ask()
    assert made is not None
    return made
