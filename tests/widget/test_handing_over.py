"""The customer asks for a person, over the socket."""

from __future__ import annotations

from flask import Flask

from flask_cairnloop import SYSTEM, Customer, Operator, conversations
from flask_cairnloop.conversations import Conversation
from flask_cairnloop.core.current import settings
from flask_cairnloop.core.database import session
from flask_cairnloop.widget.frames import (
    Ack,
    ErrorCode,
    Messages,
    Outgoing,
    Ready,
    Status,
    TalkToPerson,
    parse,
)
from tests.widget.test_session import Visit, hello, of, refusal, send, stored, texts, visit  # noqa: F401

# ruff: noqa: F811
ASK = TalkToPerson(type="talk_to_person")
PROMISE = "A person will answer from here"


def promises(frames: list[Outgoing]) -> int:
    return sum(PROMISE in text for text in texts(frames))


def test_the_frame_is_read() -> None:
    assert parse('{"type": "talk_to_person"}') == ASK


def test_it_is_a_state_change_that_the_customer_is_told_of(visit: Visit, customer: Customer) -> None:
    socket = visit()
    socket.handle(hello(customer))
    socket.handle(send("Where is my invoice?"))
    told = socket.handle(ASK)
    assert of(Status, told) == [Status(status="open", handed_over=True)]
    assert promises(told) == 1
    (ready, *_) = visit().handle(hello(customer))
    assert isinstance(ready, Ready)
    assert ready.handed_over


def test_it_works_before_anything_was_said(visit: Visit, customer: Customer) -> None:
    socket = visit()
    socket.handle(hello(customer))
    told = socket.handle(ASK)
    (ready,) = of(Ready, told)
    assert (ready.handed_over, ready.status) == (True, "open")
    assert promises(told) == 1
    assert stored(Conversation) == 1
    (ack,) = of(Ack, socket.handle(send("Hello?")))
    assert ack.conversation == ready.conversation


def test_asking_again_says_the_same_and_changes_nothing(visit: Visit, customer: Customer) -> None:
    socket = visit()
    socket.handle(hello(customer))
    socket.handle(ASK)
    again = socket.handle(ASK)
    assert again == [Status(status="open", handed_over=True)]


def test_the_customers_other_window_hears_of_it_and_of_its_end(
    visit: Visit, customer: Customer, operator: Operator
) -> None:
    here, there = visit(), visit()
    here.handle(hello(customer))
    here.handle(send("Where is my invoice?"))
    there.handle(hello(customer))
    here.handle(ASK)
    heard = there.news(["header", "timeline"])
    assert of(Status, heard) == [Status(status="open", handed_over=True)]
    assert promises(heard) == 1
    (thread,) = session().query(Conversation.id).one()
    conversations.hand_back(thread, by=operator)
    assert of(Status, here.news(["header"])) == [Status(status="open", handed_over=False)]


def test_a_resolved_chat_opens_again(visit: Visit, customer: Customer, operator: Operator) -> None:
    socket = visit()
    socket.handle(hello(customer))
    (ack,) = of(Ack, socket.handle(send("Where is my invoice?")))
    conversations.resolve(ack.conversation, by=operator)
    told = socket.handle(ASK)
    assert of(Status, told) == [Status(status="open", handed_over=True)]
    assert stored(Conversation) == 1


def test_it_is_said_once_known_who_asks(visit: Visit) -> None:
    assert refusal(lambda: visit().handle(ASK)).frame.code == ErrorCode.UNAUTHORIZED


def test_it_counts_as_a_message(app: Flask, visit: Visit, customer: Customer) -> None:
    socket = visit()
    socket.handle(hello(customer))
    refused = refusal(lambda: [socket.handle(ASK) for _ in range(10 * settings.widget_rate)])
    assert refused.frame.code == ErrorCode.RATE_LIMITED


def test_an_automatic_answer_is_told_apart(visit: Visit, customer: Customer, operator: Operator) -> None:
    thread = conversations.receive_from(customer, "Where is my invoice?").conversation_id
    conversations.reply(thread, "In Settings.", by=SYSTEM)
    conversations.reply(thread, "As it says.", by=operator)
    (page,) = of(Messages, visit().handle(hello(customer)))
    assert [message.automatic for message in page.messages] == [False, True, False]
