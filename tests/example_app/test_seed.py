from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text

from example_app.content.questions import QUESTIONS
from example_app.database import db
from example_app.models import Customer as Account
from example_app.models import Seeded
from example_app.seeding import conversations as seeding
from flask_cairnloop import Customer, DraftKind, Operator, conversations, drafts, knowledge
from flask_cairnloop.conversations import Channel, Conversation, InboxFilter, InboxView, MessageRole
from flask_cairnloop.core import current
from flask_cairnloop.drafts import Draft, DraftStatus
from tests.example_app.conftest import Counts, run

EVERYTHING = InboxFilter(view=InboxView.ALL)


def threads(operator: Operator) -> list[Conversation]:
    return list(conversations.inbox(EVERYTHING, visible_to=operator, limit=200).items)


def test_seeding_twice_gives_identical_row_counts(seeded: Flask, counts: Callable[[], Counts]) -> None:
    first = counts()
    assert first["cairnloop.cairnloop_conversations"] == 29

    assert run(seeded, "trailmark", "seed").startswith("0 article(s), 0 conversation(s) and 0 action(s)")

    assert counts() == first


def test_conversations_stand_across_the_lifecycle(seeded: Flask, operator: Operator) -> None:
    found = threads(operator)

    assert Counter(thread.shown_status.value for thread in found) == {
        "new": 12,
        "open": 4,
        "awaiting_customer": 7,
        "resolved": 6,
    }
    assert {thread.customer_ref for thread in found} == set(db.session.scalars(select(Account.ref)))
    assert len({thread.subject for thread in found}) == 29


def test_the_threads_carry_notes_tags_and_priorities(seeded: Flask, operator: Operator) -> None:
    found = threads(operator)
    said = [m for thread in found for m in conversations.timeline(thread.id, visible_to=operator)]

    assert 57 <= len(said) <= 115
    assert sum(message.role == MessageRole.INTERNAL_NOTE for message in said) == 3
    assert all(thread.tags for thread in found)
    assert {"low", "normal", "high", "urgent"} == {thread.priority.value for thread in found}


def test_the_history_is_spread_over_past_days_and_never_lies_ahead(seeded: Flask, operator: Operator) -> None:
    found = threads(operator)
    oldest = min(thread.created_at for thread in found)

    assert current.now() - oldest > timedelta(days=10)
    assert all(thread.created_at <= thread.last_message_at <= current.now() for thread in found)


def test_mina_begins_with_an_empty_chat(seeded: Flask, operator: Operator) -> None:
    open_chats = {
        thread.customer_ref
        for thread in threads(operator)
        if thread.channel == Channel.WIDGET and thread.status == "open"
    }
    assert open_chats == {"cus_larkspur", "cus_kettle", "cus_meridian", "cus_saltbox"}


def test_five_articles_are_published_and_one_is_still_a_draft(seeded: Flask, operator: Operator) -> None:
    articles = {article.title: article for article in knowledge.list_articles(visible_to=operator)}

    assert Counter(article.status.value for article in articles.values()) == {"published": 5, "draft": 1}
    twice = articles["Deploy tokens: expiry and rotation"]
    assert [edition.status.value for edition in knowledge.history(twice.id, visible_to=operator)] == [
        "published",
        "superseded",
    ]


def test_a_seed_that_fails_halfway_leaves_no_half_conversation(
    app: Flask, counts: Callable[[], Counts], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the power went out")

    with monkeypatch.context() as patched:
        patched.setattr(seeding, "_file", fail)
        with pytest.raises(RuntimeError, match="the power went out"):
            run(app, "trailmark", "seed")
    db.session.rollback()
    assert counts()["cairnloop.cairnloop_messages"] == counts()["cairnloop.cairnloop_conversations"] == 0

    run(app, "trailmark", "seed")
    assert counts()["cairnloop.cairnloop_conversations"] == 29


def test_a_desk_that_was_emptied_is_filled_again(seeded: Flask, counts: Callable[[], Counts]) -> None:
    before = counts()
    with db.engine.begin() as connection:
        for table in ("conversations", "articles"):
            connection.execute(text(f"DELETE FROM cairnloop.cairnloop_{table}"))

    assert run(seeded, "trailmark", "seed").startswith("6 article(s), 29 conversation(s) and 0")

    after = counts()
    assert after["public.seeded"] == before["public.seeded"] == len(db.session.scalars(select(Seeded)).all())
    assert after["cairnloop.cairnloop_messages"] == before["cairnloop.cairnloop_messages"]


def test_every_customer_has_questions_to_ask(seeded: Flask) -> None:
    assert set(QUESTIONS) == set(db.session.scalars(select(Account.username)))


def test_answers_have_sources_and_what_no_article_answers_calls_for_a_person(
    seeded: Flask, run_jobs: Callable[[], int]
) -> None:
    mina = Customer(ref="cus_driftwood", name="Mina Park")
    asked = conversations.receive_from(mina, "How do I add a sixth teammate to our workspace?")
    run_jobs()

    for thread in (asked.conversation_id, landmark("token-before-expiry"), landmark("skipped-hotfix")):
        draft = drafts.pending_for(thread)
        assert draft is not None
        assert draft.kind == DraftKind.REPLY
        assert sum(bool(sentence["evidence"]) for sentence in draft.sentences) >= 2

    half_fits = drafts.pending_for(landmark("charged-twice"))
    assert half_fits is not None
    assert half_fits.kind != DraftKind.REPLY

    nothing_fits = drafts.pending_for(landmark("contract-person"))
    assert nothing_fits is not None
    assert nothing_fits.kind == DraftKind.ESCALATION


def landmark(key: str) -> int:
    """The conversation seeded under that key."""
    found = db.session.get(Seeded, f"conversation:{key}")
    assert found is not None
    return found.record_id


def test_there_are_drafts_in_every_state_decided_by_whom_they_say(seeded: Flask, operator: Operator) -> None:
    found = list(db.session.scalars(select(Draft).order_by(Draft.id)))

    assert {draft.status for draft in found} == set(DraftStatus)
    assert {draft.kind for draft in found} == set(DraftKind)
    waiting = {draft.conversation_id: draft for draft in found if draft.status == DraftStatus.PENDING}
    doubted = waiting[landmark("skipped-goodwill")]
    assert [each["doubt"] is None for each in doubted.sentences].count(False) == 1
    assert "$20" in doubted.body
    assert not waiting[landmark("past-invoices-quiet")].is_prompted
    assert waiting[landmark("seat-price-again")].requested_by == "ada"
    assert waiting[landmark("which-reset")].kind == DraftKind.CLARIFICATION
    assert all(draft.is_supported for draft in found if draft.status == DraftStatus.APPROVED)
    decided = {(draft.status.value, draft.decided_by) for draft in found if draft.status != DraftStatus.PENDING}
    assert {("approved", "ada"), ("approved", "system"), ("edited", "sam"), ("discarded", "sam")} <= decided


def test_an_answer_went_out_by_itself_and_a_customer_asked_for_a_person(seeded: Flask, operator: Operator) -> None:
    said = conversations.timeline(landmark("invoice-copies-for-two"), visible_to=operator)
    assert [message.automatic for message in said] == [False, True]
    asked = InboxFilter(view=InboxView.ALL, handed_over=True)
    assert [each.id for each in conversations.inbox(asked, visible_to=operator).items] == [landmark("contract-person")]
