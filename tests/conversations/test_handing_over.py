"""The customer asks for a person, and only people answer until an operator lifts it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from flask_cairnloop import Customer, NotFound, Operator, conversations
from flask_cairnloop.audit import AuditEvent
from flask_cairnloop.conversations import Awaiting, Conversation, InboxFilter, Message, MessageRole
from flask_cairnloop.core import current
from flask_cairnloop.core.database import session
from flask_cairnloop.signals import conversation_handed_back, conversation_handed_over


@pytest.fixture
def thread(app: Flask, customer: Customer) -> int:
    """Mina has asked something."""
    return conversations.receive_from(customer, "Where is my invoice?").conversation_id


def facts(conversation_id: int, viewer: Operator | Customer) -> list[Message]:
    said = conversations.timeline(conversation_id, visible_to=viewer)
    return [message for message in said if message.role == MessageRole.SYSTEM]


def now_is(conversation_id: int) -> Conversation:
    session().expire_all()
    return session().get_one(Conversation, conversation_id)


def test_asking_for_a_person_is_a_state_both_sides_read_of(thread: int, customer: Customer, operator: Operator) -> None:
    conversations.hand_over(thread, by=customer)
    assert now_is(thread).handed_over_at is not None
    for viewer in (customer, operator):
        (fact,) = facts(thread, viewer)
        assert "A person will answer" in fact.content
    query = select(AuditEvent.action, AuditEvent.actor_id).where(AuditEvent.subject == "conversation")
    assert ("conversation.hand_over", "mina") in [tuple(row) for row in session().execute(query)]


def test_asking_again_changes_nothing(thread: int, customer: Customer, operator: Operator) -> None:
    conversations.hand_over(thread, by=customer)
    since = now_is(thread).handed_over_at
    conversations.hand_over(thread, by=customer)
    assert now_is(thread).handed_over_at == since
    assert len(facts(thread, operator)) == 1


def test_it_waits_for_an_operator_even_where_they_wrote_last(
    thread: int, customer: Customer, operator: Operator
) -> None:
    conversations.reply(thread, "In Settings.", by=operator)
    assert now_is(thread).awaiting == Awaiting.CUSTOMER
    conversations.hand_over(thread, by=customer)
    assert now_is(thread).awaiting == Awaiting.OPERATOR
    chosen = InboxFilter(handed_over=True)
    assert [each.id for each in conversations.inbox(chosen, visible_to=operator).items] == [thread]
    conversations.hand_back(thread, by=operator)
    assert conversations.inbox(chosen, visible_to=operator).items == []


def test_it_begins_a_conversation_where_there_is_none(app: Flask, customer: Customer, operator: Operator) -> None:
    begun = conversations.hand_over_from(customer)
    assert begun.handed_over_at is not None
    assert [each.role for each in conversations.timeline(begun.id, visible_to=operator)] == [MessageRole.SYSTEM]
    assert conversations.hand_over_from(customer).id == begun.id


def test_a_resolved_conversation_opens_again(thread: int, customer: Customer, operator: Operator) -> None:
    conversations.resolve(thread, by=operator)
    assert conversations.hand_over(thread, by=customer).id == thread
    assert now_is(thread).status == "open"


@pytest.mark.parametrize("put_away", ["archived", "old"])
def test_an_archived_or_old_one_is_left_alone_and_a_new_one_begins(
    thread: int, customer: Customer, operator: Operator, put_away: str
) -> None:
    conversations.resolve(thread, by=operator)
    if put_away == "archived":
        conversations.archive(thread, by=operator)
    with current.at(current.now() + timedelta(days=90 if put_away == "old" else 0)):
        other = conversations.hand_over(thread, by=customer)
        assert other.id != thread
        assert other.handed_over_at is not None
    assert now_is(thread).handed_over_at is None


def test_nobody_hands_over_somebody_elses_conversation(
    thread: int, second_customer: Customer, customer: Customer
) -> None:
    for stranger in (second_customer, Customer(ref=customer.ref, tenant="elsewhere")):
        with pytest.raises(NotFound):
            conversations.hand_over(thread, by=stranger)
    assert now_is(thread).handed_over_at is None


def test_an_operator_lifts_it_once(app: Flask, thread: int, customer: Customer, operator: Operator) -> None:
    heard: list[str] = []

    def hear(word: str) -> Callable[..., None]:
        return lambda sender, metadata, **_: heard.append(f"{word} {metadata['actor'].id}")

    over, back = hear("over"), hear("back")
    with conversation_handed_over.connected_to(over, sender=app), conversation_handed_back.connected_to(back, app):
        conversations.hand_over(thread, by=customer)
        for _ in range(2):
            conversations.hand_back(thread, by=operator)
    assert now_is(thread).handed_over_at is None
    assert heard == ["over mina", "back ada"]
    with pytest.raises(NotFound):
        conversations.hand_back(thread, by=Operator(id="eve", name="Eve", tenant="elsewhere"))
