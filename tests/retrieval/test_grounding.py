from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from flask_cairnloop import HostFailure, Operator, knowledge, retrieval
from flask_cairnloop.core.database import transaction
from flask_cairnloop.retrieval import Cause, GroundingLevel
from tests.retrieval.conftest import Write
from tests.support.embedders import WordEmbedder
from tests.support.model import needs_model

ARTICLES = {
    "Booking a hut": """
# Book

Choose the hut and the night, then pay the deposit.

# Cancel a booking

You can cancel a booking free of charge until two days before. Open My bookings and choose Cancel.

# Dogs

Dogs are welcome in every hut with a winter room. Tell us when you book.
""",
    "Offline maps": """
Download a region under Maps > Offline before you leave. A region takes about 200 MB. Downloaded maps keep working
without a signal for 30 days.
""",
    "Rescue insurance": """
Members are insured for mountain rescue up to 25,000 francs. The insurance begins on the day after payment.
""",
}
ANSWERABLE = [
    "How do I cancel my booking?",
    "Can I bring my dog to the hut?",
    "do the downloaded maps work without a signal?",
    "Hello, we planned a tour with friends for next weekend and now two of them are ill.\n"
    "Until when can I cancel a booking free of charge?",
    "When does the rescue insurance begin?",
]
UNANSWERABLE = [
    "What is the largest state in the US?",
    "How do I change a bicycle tyre?",
    "Tell me a joke",
    "why are exponents performed before multiplication",
    "Do you sell gift cards?",
]


def test_a_question_the_articles_answer_is_strong(app: Flask, write: Write, operator: Operator) -> None:
    article = write("Huts", "# Water\n\nEvery hut has drinking water.")
    found = retrieval.ground("Is there drinking water in the hut?", visible_to=operator)
    assert (found.level, found.cause) == (GroundingLevel.STRONG, Cause.CANONICAL_RESULTS)
    assert found.evidence[0].article_id == article.id
    assert found.evidence[0].support == found.score >= 0.55


def test_a_hit_alone_is_not_an_answer(app: Flask, write: Write, operator: Operator) -> None:
    write("Huts", "Every hut has drinking water.")
    question = "Which water temperature do tropical aquarium plants tolerate during quarantine?"
    assert retrieval.search(question, visible_to=operator)
    found = retrieval.ground(question, visible_to=operator)
    assert (found.level, found.cause) == (GroundingLevel.ESCALATION, Cause.NO_CANONICAL_RESULTS)


def test_what_is_half_covered_is_asked_about(app: Flask, write: Write, operator: Operator) -> None:
    write("Huts", "Every hut has drinking water.")
    found = retrieval.ground("hut drinking reservations at Christmas?", visible_to=operator)
    assert found.level == GroundingLevel.CLARIFICATION
    assert found.evidence


def test_an_empty_knowledge_base_answers_nothing(app: Flask, operator: Operator) -> None:
    found = retrieval.ground("Is there water?", visible_to=operator)
    assert (found.level, found.score, found.evidence) == (GroundingLevel.ESCALATION, 0.0, ())


def test_a_story_is_judged_by_what_it_asks(app: Flask, write: Write, operator: Operator) -> None:
    write("Huts", "Every hut has drinking water.")
    story = "We left Zermatt on Tuesday, lost a rope near the glacier, slept outside and argued about chocolate. "
    whole = retrieval.ground(story + "Has every hut drinking water?", visible_to=operator)
    assert whole.level == GroundingLevel.STRONG
    assert whole.question.startswith("We left")
    assert retrieval.ground(story, visible_to=operator).level == GroundingLevel.ESCALATION


def test_words_alone_still_tell_answers_from_the_rest(
    app: Flask, write: Write, operator: Operator, embedder: WordEmbedder
) -> None:
    write("Huts", "Every hut has drinking water.")
    embedder.failure = HostFailure("away")
    assert retrieval.ground("drinking water in a hut?", visible_to=operator).level == GroundingLevel.STRONG
    assert retrieval.ground("largest state in the US?", visible_to=operator).level == GroundingLevel.ESCALATION


def test_an_index_that_cannot_be_searched_ends_with_a_person(app: Flask, write: Write, operator: Operator) -> None:
    write("Huts", "Every hut has drinking water.")
    with transaction() as db:
        db.execute(text("ALTER TABLE cairnloop.cairnloop_chunks RENAME COLUMN search TO gone"))
    found = retrieval.ground("drinking water in a hut?", visible_to=operator)
    assert (found.level, found.cause) == (GroundingLevel.ESCALATION, Cause.INDEX_UNAVAILABLE)
    assert knowledge.list_articles(visible_to=operator)


@needs_model
class TestWithTheRealModel:
    @pytest.fixture
    def host_settings(self) -> dict[str, object]:
        return {"CAIRNLOOP_GROUNDING_STRONG": 0.55, "CAIRNLOOP_GROUNDING_CLARIFY": 0.4}

    def test_answers_are_told_from_bluff(
        self, app: Flask, write: Write, operator: Operator, run_jobs: Callable[[], int]
    ) -> None:
        for title, content in ARTICLES.items():
            write(title, content)
        answered = {question: retrieval.ground(question, visible_to=operator) for question in ANSWERABLE}
        assert {question: found.level.value for question, found in answered.items()} == dict.fromkeys(
            ANSWERABLE, "strong"
        )
        assert answered[ANSWERABLE[1]].evidence[0].heading == "Dogs"
        refused = {question: retrieval.ground(question, visible_to=operator).level.value for question in UNANSWERABLE}
        assert refused == dict.fromkeys(UNANSWERABLE, "escalation")

    def test_meaning_finds_what_words_do_not(self, app: Flask, write: Write, operator: Operator) -> None:
        for title, content in ARTICLES.items():
            write(title, content)
        (found, *_) = retrieval.search("navigation when there is no reception", visible_to=operator)
        assert found.title == "Offline maps"

    def test_a_model_that_is_not_installed_costs_meaning_only(
        self, app: Flask, write: Write, operator: Operator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("CAIRNLOOP_MODEL_DIR", str(tmp_path))
        write("Huts", "Every hut has drinking water.")
        assert retrieval.ground("drinking water in a hut?", visible_to=operator).level == GroundingLevel.STRONG
