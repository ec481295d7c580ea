from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from flask_cairnloop import Customer, InvalidInput, InvalidTransition, NotFound, Operator, conversations
from flask_cairnloop.audit import AuditEvent
from flask_cairnloop.conversations import Awaiting, ConversationStatus, MessageRole, ShownStatus
from flask_cairnloop.core.current import at, now
from flask_cairnloop.core.database import session
from flask_cairnloop.core.errors import ThreadMoved


def test_a_first_message_opens_the_conversation(app: Flask, customer: Customer, operator: Operator) -> None:
    message = conversations.receive_from(customer, "  Hello\r\nthere  ")
    thread = conversations.get(message.conversation_id, visible_to=operator)
    assert (message.sequence, message.role, message.content) == (1, MessageRole.USER, "Hello\nthere")
    assert (thread.customer_ref, thread.customer_name, thread.host_user_id) == ("mina", "Mina Park", None)
    assert thread.shown_status == ShownStatus.NEW
    assert thread.last_message_preview == "Hello there"


def test_a_second_message_joins_it(app: Flask, customer: Customer) -> None:
    first = conversations.receive_from(customer, "One")
    second = conversations.receive_from(customer, "Two")
    assert second.conversation_id == first.conversation_id
    assert second.sequence == 2


def test_the_same_client_id_is_stored_once(app: Flask, customer: Customer) -> None:
    first = conversations.receive_from(customer, "One", client_id="a")
    again = conversations.receive_from(customer, "One", client_id="a")
    assert again.id == first.id
    assert session().execute(select(func.count()).select_from(conversations.Message)).scalar_one() == 1


def test_racing_senders_make_one_conversation_and_one_message(app: Flask, customer: Customer) -> None:
    failures: list[BaseException] = []
    start = threading.Barrier(8)

    def send() -> None:
        with app.app_context():
            start.wait()
            try:
                conversations.receive_from(customer, "One", client_id="a")
            except BaseException as error:
                failures.append(error)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert session().execute(select(func.count()).select_from(conversations.Conversation)).scalar_one() == 1
    assert session().execute(select(func.count()).select_from(conversations.Message)).scalar_one() == 1


def test_sequences_have_no_holes_under_a_race(app: Flask, customer: Customer, operator: Operator) -> None:
    thread_id = conversations.receive_from(customer, "Start").conversation_id

    def send(number: int) -> None:
        with app.app_context():
            for turn in range(5):
                conversations.receive(thread_id, f"{number}-{turn}", by=customer, client_id=f"{number}-{turn}")

    threads = [threading.Thread(target=send, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    messages = conversations.timeline(thread_id, visible_to=operator, limit=100)
    assert [message.sequence for message in messages] == list(range(1, 32))


def test_a_customer_cannot_write_into_anothers_conversation(
    app: Flask, customer: Customer, second_customer: Customer
) -> None:
    thread_id = conversations.receive_from(customer, "Mine").conversation_id
    with pytest.raises(NotFound):
        conversations.receive(thread_id, "Not mine", by=second_customer)
    with pytest.raises(NotFound):
        conversations.receive(thread_id, "Not mine", by=Customer(ref=customer.ref, tenant="other"))
    with pytest.raises(NotFound):
        conversations.get(thread_id, visible_to=second_customer)


@pytest.mark.parametrize("content", ["", "   \n ", "x" * 4001, "\0", None, 7])
def test_unfit_text_is_refused_and_stores_nothing(app: Flask, customer: Customer, content: object) -> None:
    with pytest.raises(InvalidInput):
        conversations.receive_from(customer, content)  # type: ignore[arg-type]
    assert session().execute(select(func.count()).select_from(conversations.Conversation)).scalar_one() == 0


def test_a_reply_turns_the_thread_to_the_customer(app: Flask, customer: Customer, operator: Operator) -> None:
    thread_id = conversations.receive_from(customer, "Hello").conversation_id
    conversations.reply(thread_id, "Hi Mina", by=operator)
    thread = conversations.get(thread_id, visible_to=operator)
    assert thread.awaiting == Awaiting.CUSTOMER
    assert thread.host_user_id == "ada"
    assert thread.shown_status == ShownStatus.AWAITING_CUSTOMER
    conversations.receive_from(customer, "Thanks")
    assert conversations.get(thread_id, visible_to=operator).shown_status == ShownStatus.OPEN


def test_a_blind_reply_is_refused(
    app: Flask, customer: Customer, operator: Operator, second_operator: Operator
) -> None:
    thread_id = conversations.receive_from(customer, "Hello").conversation_id
    conversations.reply(thread_id, "Sam was here", by=second_operator)
    with pytest.raises(ThreadMoved):
        conversations.reply(thread_id, "Ada too", by=operator, seen_sequence=1)
    conversations.reply(thread_id, "Ada now knows", by=operator, seen_sequence=2)
    conversations.reply(thread_id, "One's own words are known", by=operator, seen_sequence=2)


def test_customers_never_see_notes(app: Flask, customer: Customer, operator: Operator) -> None:
    thread_id = conversations.receive_from(customer, "Hello").conversation_id
    conversations.add_note(thread_id, "Careful", by=operator)
    assert [m.role for m in conversations.timeline(thread_id, visible_to=customer)] == [MessageRole.USER]
    assert len(conversations.timeline(thread_id, visible_to=operator)) == 2
    thread = conversations.get(thread_id, visible_to=operator)
    assert thread.awaiting == Awaiting.OPERATOR
    assert thread.last_message_preview == "Hello"


def test_an_operator_of_another_tenant_reaches_nothing(app: Flask, customer: Customer) -> None:
    thread_id = conversations.receive_from(customer, "Hello").conversation_id
    stranger = Operator(id="eve", name="Eve", tenant="other")
    for attempt in (
        lambda: conversations.get(thread_id, visible_to=stranger),
        lambda: conversations.reply(thread_id, "x", by=stranger),
        lambda: conversations.add_note(thread_id, "x", by=stranger),
        lambda: conversations.resolve(thread_id, by=stranger),
        lambda: conversations.set_priority(thread_id, "high", by=stranger),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_a_message_soon_after_resolving_reopens(app: Flask, customer: Customer, operator: Operator) -> None:
    thread_id = conversations.receive_from(customer, "Hello").conversation_id
    conversations.resolve(thread_id, by=operator)
    again = conversations.receive_from(customer, "Still broken")
    assert again.conversation_id == thread_id
    thread = conversations.get(thread_id, visible_to=operator)
    assert (thread.status, thread.reopened_count, thread.resolved_at) == (ConversationStatus.OPEN, 1, None)


def test_a_message_long_after_resolving_begins_anew(app: Flask, customer: Customer, operator: Operator) -> None:
    with at(now() - timedelta(days=9)):
        thread_id = conversations.receive_from(customer, "Hello").conversation_id
        conversations.resolve(thread_id, by=operator)
    later = conversations.receive(thread_id, "Something else", by=customer)
    assert later.conversation_id != thread_id
    assert conversations.get(thread_id, visible_to=operator).status == ConversationStatus.RESOLVED


def test_a_message_to_an_archived_conversation_begins_anew(app: Flask, customer: Customer, operator: Operator) -> None:
    thread_id = conversations.receive_from(customer, "Hello").conversation_id
    conversations.archive(thread_id, by=operator)
    assert conversations.receive_from(customer, "Hello?").conversation_id != thread_id
    with pytest.raises(InvalidTransition):
        conversations.reply(thread_id, "Too late", by=operator)


def test_every_change_leaves_its_audit_entry_without_personal_text(
    app: Flask, customer: Customer, operator: Operator
) -> None:
    thread_id = conversations.receive_from(customer, "My secret is 1234").conversation_id
    conversations.reply(thread_id, "Noted", by=operator)
    conversations.add_note(thread_id, "Odd", by=operator)
    conversations.set_priority(thread_id, "high", by=operator)
    conversations.tag(thread_id, ["Billing", "billing ", "urgent"], by=operator)
    conversations.rename(thread_id, "A secret", by=operator)
    conversations.resolve(thread_id, by=operator)
    conversations.reopen(thread_id, by=operator)
    conversations.archive(thread_id, by=operator)
    events = session().scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [(event.action, event.actor_id) for event in events if event.action != "draft.supersede"] == [
        ("conversation.open", "mina"),
        ("message.receive", "mina"),
        ("message.send", "ada"),
        ("note.add", "ada"),
        ("conversation.set_priority", "ada"),
        ("conversation.tag", "ada"),
        ("conversation.rename", "ada"),
        ("conversation.resolve", "ada"),
        ("conversation.reopen", "ada"),
        ("conversation.archive", "ada"),
    ]
    assert not any("secret" in str(event.details).lower() or "1234" in str(event.details) for event in events)
    assert {event.conversation_id for event in events} == {thread_id}
