from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import settings as checked
from hypothesis import strategies as st
from sqlalchemy import func, select

from flask_cairnloop import Customer, Operator, conversations, retrieval
from flask_cairnloop.core import work
from flask_cairnloop.core.current import at, now
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.core.errors import NotFound
from flask_cairnloop.core.jobs import Job, JobState
from flask_cairnloop.host.people import SYSTEM
from flask_cairnloop.retrieval import Cause, GapEvent, GapSource, GroundingLevel
from flask_cairnloop.signals import draft_denied, emit
from tests.retrieval.conftest import Write

Record = Callable[..., GapEvent | None]
PASSAGE = {
    "id": "article:1:1:0",
    "title": "Huts",
    "content": "Call +41 44 668 18 00.",
    "trust": "canonical",
    "score": 0.3,
}


@pytest.fixture
def record(app: Flask, operator: Operator) -> Record:
    """A submitted search that found nothing."""

    def note(question: str, **changes: Any) -> GapEvent | None:
        values: dict[str, Any] = {"source": GapSource.SEARCH, "level": GroundingLevel.ESCALATION, "evidence": []}
        values |= {"cause": Cause.NO_CANONICAL_RESULTS, "by": operator}
        return retrieval.record_gap(question, **(values | changes))

    return note


def gaps() -> list[GapEvent]:
    session().rollback()
    return list(session().scalars(select(GapEvent).order_by(GapEvent.id)))


def raw(gap: GapEvent) -> str:
    """Everything a row holds."""
    return json.dumps({column.key: str(getattr(gap, column.key)) for column in GapEvent.__table__.columns})


def test_a_question_is_kept_with_what_was_near_it(record: Record, operator: Operator) -> None:
    assistive = PASSAGE | {"id": "case:7", "trust": "assistive", "score": float("nan")}
    gap = record("Do you   sell\ngift cards?", evidence=[PASSAGE, PASSAGE, assistive, "nonsense", {}])
    assert gap is not None
    assert (gap.question, gap.host_user_id, gap.repeats) == ("Do you sell gift cards?", operator.id, 0)
    assert (gap.canonical_hits, gap.assistive_hits) == (2, 2)
    near = {"id": "article:1:1:0", "title": "Huts", "excerpt": "Call [phone].", "trust": "canonical", "score": 0.3}
    assert gap.evidence[0] == near
    assert [each["id"] for each in gap.evidence] == ["article:1:1:0", "case:7", ""]


def test_nothing_private_stands_in_the_row(
    record: Record, customer: Customer, operator: Operator, second_operator: Operator
) -> None:
    thread = conversations.receive_from(customer, "hello").conversation_id
    conversations.reply(thread, "Hello!", by=second_operator)
    secrets = "mina@example.com 4111 1111 1111 1111 sk-live-a1b2c3d4e5f6 +41 44 668 18 00 Mina Park Sam Kim Ada Osei"
    near = PASSAGE | {"title": secrets, "content": f"{secrets} " * 20}
    gap = record(f"Where is the refund for {secrets}?", conversation_id=thread, evidence=[near])
    assert gap is not None
    for each in ("mina", "park", "sam", "kim", "osei", "example", "4111", "a1b2", "668"):
        assert each not in raw(gap).lower(), each
    assert gap.question.startswith("Where is the refund for [e-mail] [card] [token] [phone] [name]")
    assert all(len(passage["title"]) <= 160 and len(passage["excerpt"]) <= 240 for passage in gap.evidence)


def test_a_long_question_is_cut_between_words(record: Record) -> None:
    gap = record("gift " * 5_000)
    assert gap is not None
    assert len(gap.question) <= 300
    assert gap.question.endswith("gift…")


@pytest.mark.parametrize("question", ["", " ", "???", "mina@example.com", "+41 44 668 18 00!", "[name]", "\0", "🗝️"])
def test_a_question_without_a_word_is_none(record: Record, question: str) -> None:
    assert record(question) is None
    assert gaps() == []


def test_what_is_answered_or_could_not_be_searched_is_no_gap(record: Record) -> None:
    assert record("Is there water?", level=GroundingLevel.STRONG) is None
    assert record("Is there water?", cause=Cause.INDEX_UNAVAILABLE) is None
    assert record("Is there water?", level="nonsense") is None
    assert gaps() == []


def test_the_same_question_is_counted_within_a_day(record: Record, second_operator: Operator) -> None:
    first = record("Do you sell gift cards?")
    again = record("do you sell GIFT cards")
    assert first is not None and again is not None  # noqa: PT018
    assert (again.id, again.repeats) == (first.id, 1)
    assert again.last_at > again.occurred_at
    assert record("Do you sell gift cards?", by=second_operator) is not again
    with at(now() + timedelta(hours=25)):
        record("Do you sell gift cards?")
    assert [gap.repeats for gap in gaps()] == [1, 0, 0]


def test_questions_asked_at_the_same_moment_become_one(app: Flask, operator: Operator) -> None:
    def note(number: int) -> None:
        with app.app_context():
            retrieval.record_gap(
                "Do you sell gift cards?",
                source=GapSource.SEARCH,
                level=GroundingLevel.ESCALATION,
                cause=Cause.NO_CANONICAL_RESULTS,
                evidence=[],
                by=operator,
            )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(note, range(16)))
    assert [gap.repeats for gap in gaps()] == [15]


def test_gaps_are_listed_newest_first_in_pieces(record: Record, operator: Operator) -> None:
    start = now()
    for number in range(5):
        with at(start - timedelta(minutes=number)):
            record(f"question number {number}")
    page = retrieval.list_gaps(visible_to=operator, limit=2)
    assert [gap.question[-1] for gap in page] == ["0", "1"]
    rest = retrieval.list_gaps(visible_to=operator, before=page[-1].id)
    assert [gap.question[-1] for gap in rest] == ["2", "3", "4"]
    assert list(retrieval.list_gaps(visible_to=operator, before=10**15)) == []


def test_another_tenant_sees_none(record: Record) -> None:
    gap = record("Do you sell gift cards?")
    stranger = Operator(id="ada", name="Ada Osei", tenant="elsewhere")
    assert gap is not None
    assert list(retrieval.list_gaps(visible_to=stranger)) == []
    with pytest.raises(NotFound):
        retrieval.get_gap(gap.id, visible_to=stranger)
    other = record("Do you sell gift cards?", by=stranger, conversation_id=1)
    assert other is not None
    assert (other.id != gap.id, other.tenant, other.conversation_id) == (True, "elsewhere", None)


def test_a_draft_without_strong_evidence_leaves_a_gap(
    app: Flask, write: Write, customer: Customer, run_jobs: Callable[[], int]
) -> None:
    write("Huts", "Every hut has drinking water.")
    answered = conversations.receive_from(customer, "Is there drinking water in the hut?").conversation_id
    run_jobs()
    assert gaps() == []
    conversations.receive(answered, "And which tyres fit my bicycle, asks mina@example.com?", by=customer)
    run_jobs()
    (gap,) = gaps()
    assert (gap.source, gap.conversation_id, gap.host_user_id) == (GapSource.DRAFT, answered, None)
    assert "tyres" in gap.question
    assert "mina" not in raw(gap)


def test_a_draft_the_policy_denied_leaves_a_gap_too(app: Flask, customer: Customer) -> None:
    thread = conversations.receive_from(customer, "Which tyres fit?").conversation_id
    grounding = {"question": "Which tyres fit?", "level": "escalation", "cause": "no_canonical_results"}
    with transaction():
        emit(draft_denied, conversation_id=thread, tenant="", actor=SYSTEM, grounding=grounding, evidence=[PASSAGE])
    assert [(gap.question, gap.conversation_id) for gap in gaps()] == [("Which tyres fit?", thread)]


def test_old_gaps_are_pruned_without_new_ones_arriving(record: Record, app: Flask) -> None:
    start = now()
    with at(start - timedelta(days=100)):
        record("an old question")
    with at(start - timedelta(days=60)):
        record("a younger question")
    assert pruning() == [(JobState.WAITING, start - timedelta(days=100) + timedelta(hours=1))]
    assert work.run_due() == 1
    assert [gap.question for gap in gaps()] == ["a younger question"]
    with at(start + timedelta(days=31)):
        work.run_due()
        assert gaps() == []
    assert [state for state, _ in pruning()].count(JobState.WAITING) == 0


def test_a_gap_does_not_put_the_pruning_off(record: Record) -> None:
    record("a question")
    promised = pruning()
    with at(now() + timedelta(minutes=30)):
        record("another question")
    assert pruning() == promised


def pruning() -> list[tuple[JobState, Any]]:
    session().rollback()
    rows = session().execute(select(Job.state, Job.run_at).where(Job.name == "prune_gaps").order_by(Job.id))
    return [(row.state, row.run_at) for row in rows]


def test_pruning_goes_in_batches(app: Flask, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flask_cairnloop.retrieval.jobs.PRUNED", 2)
    with at(now() - timedelta(days=100)):
        for number in range(5):
            record(f"question {number}")
    work.run_due()
    assert session().scalar(select(func.count()).select_from(GapEvent)) == 0


def test_no_question_however_odd_raises(app: Flask, record: Record) -> None:
    @checked(max_examples=25, deadline=None)
    @given(st.text(), st.lists(st.dictionaries(st.sampled_from(list(PASSAGE)), st.text() | st.floats() | st.none())))
    def odd(question: str, evidence: list[dict[str, Any]]) -> None:
        record(question, evidence=evidence)

    odd()
