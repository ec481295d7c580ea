from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_cairnloop import Operator
from flask_cairnloop.conversations import Conversation
from flask_cairnloop.core.database import transaction
from flask_cairnloop.dashboard.gaps import TITLE_LENGTH, title_for
from flask_cairnloop.knowledge import Article
from flask_cairnloop.retrieval import Cause, GroundingLevel
from flask_cairnloop.retrieval.models import GapEvent, GapSource
from tests.dashboard.conftest import HTMX, assert_region

Missed = Callable[..., GapEvent]


@pytest.fixture
def missed(app: Flask, operator: Operator) -> Missed:
    """Something was asked that no article answers."""

    def made(question: str = "Can I pay by invoice?", **more: object) -> GapEvent:
        source = GapSource.DRAFT if "conversation_id" in more else GapSource.SEARCH
        values: dict[str, object] = {
            "source": source,
            "level": GroundingLevel.ESCALATION,
            "cause": Cause.NO_CANONICAL_RESULTS,
            "fingerprint": question.casefold(),
            "host_user_id": operator.id if source == GapSource.SEARCH else None,
            "canonical_hits": 0,
            "assistive_hits": 0,
            "evidence": [],
        }
        with transaction() as db:
            found = GapEvent(question=question, **(values | more))
            db.add(found)
        return found

    return made


def test_gaps_are_listed_with_where_they_come_from(desk: FlaskClient, missed: Missed, thread: Conversation) -> None:
    missed("Can I pay by invoice?", conversation_id=thread.id, repeats=2)
    missed("dark mode")
    page = desk.get("/support/knowledge-base/gaps").text
    for words in ("Can I pay by invoice?", "A customer asked", "Asked 3 times", "dark mode", "An operator searched"):
        assert words in page
    assert page.index("dark mode") < page.index("Can I pay by invoice?")
    assert f'href="/support/{thread.id}"' in page
    assert_region(desk.get("/support/knowledge-base/gaps/list", headers=HTMX), "gaps")


def test_no_gaps_say_when_there_will_be_some(desk: FlaskClient) -> None:
    assert "noted here by itself" in desk.get("/support/knowledge-base/gaps").text


def test_long_lists_have_pages(desk: FlaskClient, missed: Missed, monkeypatch: pytest.MonkeyPatch) -> None:
    from flask_cairnloop.dashboard import gaps

    monkeypatch.setattr(gaps, "SIZE", 2)
    found = [missed(f"question {number}") for number in range(3)]
    first = desk.get("/support/knowledge-base/gaps").text
    assert "question 2" in first
    assert "question 0" not in first
    assert f"/support/knowledge-base/gaps?before={found[1].id}" in first
    second = desk.get(f"/support/knowledge-base/gaps?before={found[1].id}").text
    assert "question 0" in second
    assert "question 1" not in second


def test_a_gap_shows_why_and_what_came_near_with_the_way_to_an_article(
    desk: FlaskClient, missed: Missed, thread: Conversation, article: Article
) -> None:
    near = {
        "id": f"article:{article.id}:1:0",
        "title": "Refunds",
        "excerpt": "Five <b>days</b>.",
        "trust": "canonical",
        "score": 0.3,
    }
    case = {"id": f"case:{thread.id}", "title": "A case", "excerpt": "Solved.", "trust": "assistive", "score": 0.2}
    odd = {"id": "article:x", "title": "Odd", "excerpt": "…", "trust": "canonical", "score": 0.1}
    gap = missed(conversation_id=thread.id, cause=Cause.CANONICAL_INSUFFICIENT_DETAIL, evidence=[near, case, odd])
    page = desk.get(f"/support/knowledge-base/gaps/{gap.id}").text
    for words in ("Articles touch this without answering it", "Refunds", "Published article", "Resolved case", "Odd"):
        assert words in page
    assert "Five &lt;b&gt;days&lt;/b&gt;." in page
    assert f'href="/support/knowledge-base/{article.id}"' in page
    assert f'href="/support/{thread.id}"' in page
    assert f'href="/support/knowledge-base/new?gap={gap.id}"' in page


def test_another_tenants_gap_is_not_there(desk: FlaskClient, missed: Missed) -> None:
    gap = missed()
    elsewhere = {"X-Tenant": "acme"}
    assert desk.get(f"/support/knowledge-base/gaps/{gap.id}").status_code == 200
    assert desk.get(f"/support/knowledge-base/gaps/{gap.id}", headers=elsewhere).status_code == 404
    assert gap.question not in desk.get("/support/knowledge-base/gaps", headers=elsewhere).text


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("how do I rotate a token?", "How do I rotate a token"),
        ("???", ""),
        ("can [e-mail] get the invoice?", "Can get the invoice"),
        ("x" * 300, "X" + "x" * (TITLE_LENGTH - 1)),
        ("word " * 60, " ".join(["Word", *["word"] * 15])),
    ],
)
def test_a_title_begins_as_the_question(missed: Missed, question: str, title: str) -> None:
    assert title_for(missed(question)) == title
    assert len(title) <= TITLE_LENGTH
