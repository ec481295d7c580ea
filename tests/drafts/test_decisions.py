from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select

from flask_cairnloop import Customer, InvalidInput, InvalidTransition, NotFound, Operator, conversations, drafts
from flask_cairnloop.audit import AuditEvent
from flask_cairnloop.conversations import Message
from flask_cairnloop.core.database import session
from flask_cairnloop.core.errors import ThreadMoved
from flask_cairnloop.drafts import Draft, DraftStatus
from flask_cairnloop.signals import draft_approved
from tests.drafts.conftest import Ask


def messages(conversation_id: int, operator: Operator) -> list[Message]:
    return conversations.timeline(conversation_id, visible_to=operator)


def test_approving_sends_the_draft_with_its_citations(draft: Draft, operator: Operator, app: Flask) -> None:
    heard: list[object] = []

    def listen(sender: object, **payload: object) -> None:
        heard.append(payload["metadata"])

    with draft_approved.connected_to(listen, sender=app):
        drafts.approve(draft.id, by=operator)
    sent = messages(draft.conversation_id, operator)[-1]
    assert (sent.role, sent.content, sent.author_id) == ("agent", draft.body, "ada")
    assert sent.details["draft_id"] == draft.id
    assert [each["id"] for each in sent.details["citations"]] == [draft.evidence[0]["id"]]
    assert (draft.status, draft.decided_by, draft.decided_by_name) == (DraftStatus.APPROVED, "ada", "Ada Osei")
    assert draft.message_id == sent.id
    assert heard == [{"draft": draft, "conversation_id": draft.conversation_id, "actor": operator}]


def test_a_second_approval_changes_nothing(draft: Draft, operator: Operator, second_operator: Operator) -> None:
    drafts.approve(draft.id, by=operator)
    with pytest.raises(InvalidTransition) as refusal:
        drafts.approve(draft.id, by=second_operator)
    assert refusal.value.record is draft
    assert len(messages(draft.conversation_id, operator)) == 2
    assert draft.decided_by == "ada"


def test_of_racing_operators_one_sends(draft: Draft, operator: Operator, second_operator: Operator, app: Flask) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(6)
    draft_id = draft.id

    def attempt(by: Operator) -> None:
        with app.app_context():
            start.wait()
            try:
                drafts.approve(draft_id, by=by)
                outcomes.append("sent")
            except InvalidTransition:
                outcomes.append("refused")

    threads = [threading.Thread(target=attempt, args=[by]) for by in (operator, second_operator) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused"] * 5 + ["sent"]
    assert len(messages(draft.conversation_id, operator)) == 2


def test_an_approval_racing_a_reply_never_deadlocks(
    draft: Draft, operator: Operator, second_operator: Operator, app: Flask
) -> None:
    failures: list[BaseException] = []
    start = threading.Barrier(2)
    draft_id, thread_id = draft.id, draft.conversation_id

    def run(work: Callable[[], object]) -> None:
        with app.app_context():
            start.wait()
            try:
                work()
            except InvalidTransition:
                pass
            except BaseException as failure:
                failures.append(failure)

    threads = [
        threading.Thread(target=run, args=[lambda: drafts.approve(draft_id, by=operator)]),
        threading.Thread(target=run, args=[lambda: conversations.reply(thread_id, "Yes.", by=second_operator)]),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    session().expire_all()
    assert session().get_one(Draft, draft_id).status in {DraftStatus.APPROVED, DraftStatus.SUPERSEDED}


def test_a_draft_is_not_sent_over_a_newer_message(draft: Draft, operator: Operator, customer: Customer) -> None:
    conversations.receive_from(customer, "Forget it, I meant the other hut.")
    with pytest.raises(InvalidTransition):
        drafts.approve(draft.id, by=operator)
    assert [each.role for each in messages(draft.conversation_id, operator)] == ["user", "user"]


def test_a_word_to_operators_cannot_be_sent(ask: Ask, operator: Operator) -> None:
    draft = ask("What is the largest state in the US?")
    assert draft is not None
    with pytest.raises(InvalidTransition, match="not a reply"):
        drafts.approve(draft.id, by=operator)
    assert draft.status == DraftStatus.PENDING
    assert len(messages(draft.conversation_id, operator)) == 1


def test_editing_sends_the_operators_words_linked_to_the_draft(draft: Draft, operator: Operator) -> None:
    drafts.edit(draft.id, "Yes, bring a bottle.", by=operator, seen_sequence=1)
    sent = messages(draft.conversation_id, operator)[-1]
    assert (sent.content, sent.details) == ("Yes, bring a bottle.", {"draft_id": draft.id})
    assert (draft.status, draft.message_id) == (DraftStatus.EDITED, sent.id)


@pytest.mark.parametrize("words", ["", "   "])
def test_an_edit_without_words_leaves_the_draft_waiting(draft: Draft, operator: Operator, words: str) -> None:
    with pytest.raises(InvalidInput):
        drafts.edit(draft.id, words, by=operator)
    session().refresh(draft)
    assert draft.status == DraftStatus.PENDING


def test_an_edit_over_a_moved_thread_is_refused_whole(draft: Draft, operator: Operator, customer: Customer) -> None:
    conversations.receive_from(customer, "And dogs?")
    with pytest.raises((ThreadMoved, InvalidTransition)):
        drafts.edit(draft.id, "Yes.", by=operator, seen_sequence=1)
    assert [each.role for each in messages(draft.conversation_id, operator)] == ["user", "user"]


def test_discarding_sends_nothing_and_keeps_the_reason(draft: Draft, operator: Operator) -> None:
    drafts.discard(draft.id, by=operator, reason="Wrong hut")
    assert (draft.status, draft.discard_reason, draft.message_id) == (DraftStatus.DISCARDED, "Wrong hut", None)
    assert len(messages(draft.conversation_id, operator)) == 1
    for decide in (drafts.approve, drafts.discard):
        with pytest.raises(InvalidTransition):
            decide(draft.id, by=operator)


def test_another_tenants_operator_decides_nothing(draft: Draft, operator: Operator) -> None:
    stranger = Operator(id="eve", name="Eve", tenant="elsewhere")
    for decide in (drafts.approve, drafts.discard):
        with pytest.raises(NotFound):
            decide(draft.id, by=stranger)
    with pytest.raises(NotFound):
        drafts.edit(draft.id, "x", by=stranger)
    with pytest.raises(NotFound):
        drafts.get_draft(draft.id, visible_to=stranger)
    assert drafts.drafts_of(draft.conversation_id, visible_to=stranger) == []
    assert drafts.drafts_of(draft.conversation_id, visible_to=operator) == [draft]


def test_every_decision_names_who_made_it(draft: Draft, operator: Operator) -> None:
    drafts.approve(draft.id, by=operator)
    query = select(AuditEvent).where(AuditEvent.subject == "draft").order_by(AuditEvent.id)
    events = [(each.action, each.actor_id, each.conversation_id) for each in session().scalars(query)]
    assert events == [
        ("draft.create", "system", draft.conversation_id),
        ("draft.approve", "ada", draft.conversation_id),
    ]


def test_superseding_where_nothing_waits_changes_nothing(draft: Draft, operator: Operator) -> None:
    drafts.discard(draft.id, by=operator)
    assert drafts.supersede_pending(draft.conversation_id, by=operator) is None
    assert draft.status == DraftStatus.DISCARDED
    assert session().execute(select(func.count()).select_from(Draft)).scalar_one() == 1


def test_a_sentence_in_doubt_takes_approval_away_and_leaves_editing(draft: Draft, operator: Operator) -> None:
    draft.sentences = [*draft.sentences, {"text": "It is free.", "evidence": [], "supported": False, "doubt": "No."}]
    session().commit()
    with pytest.raises(InvalidTransition, match="every sentence"):
        drafts.approve(draft.id, by=operator)
    assert len(messages(draft.conversation_id, operator)) == 1
    drafts.edit(draft.id, "Yes, in summer.", by=operator)
    assert draft.status == DraftStatus.EDITED


def test_a_reason_has_its_limit(draft: Draft, operator: Operator) -> None:
    with pytest.raises(InvalidInput):
        drafts.discard(draft.id, by=operator, reason="x" * 501)
    session().refresh(draft)
    assert draft.status == DraftStatus.PENDING


def test_former_drafts_stay_readable_in_pages(draft: Draft, operator: Operator, ask: Ask) -> None:
    newer = ask("And where do dogs sleep, in the winter room?")
    assert newer is not None
    assert [each.id for each in drafts.drafts_of(draft.conversation_id, visible_to=operator)] == [newer.id, draft.id]
    older = drafts.drafts_of(draft.conversation_id, visible_to=operator, before=newer.id, limit=1)
    assert [each.evidence[0]["title"] for each in older] == ["Huts"]
