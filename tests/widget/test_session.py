"""What one customer can do over one socket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import func, select

from flask_cairnloop import Customer, Operator, WidgetVerifier, conversations
from flask_cairnloop.conversations import Conversation, Message
from flask_cairnloop.core import current
from flask_cairnloop.core.database import session
from flask_cairnloop.core.errors import InvalidInput
from flask_cairnloop.widget.frames import (
    Ack,
    ErrorCode,
    Hello,
    History,
    Messages,
    OperatorSeen,
    OperatorTyping,
    Outgoing,
    Ping,
    Pong,
    Ready,
    Refused,
    Seen,
    Send,
    Status,
    Typing,
)
from flask_cairnloop.widget.limits import Customers
from flask_cairnloop.widget.session import Session
from tests.support.hosts import SECRET, token_for

Visit = Callable[..., Session]


@pytest.fixture
def visit(app: Flask) -> Visit:
    places = Customers(60)
    return lambda: Session(origin="http://localhost", place=places.place().__enter__())


def hello(who: Customer | str, **fields: Any) -> Hello:
    return Hello(type="hello", token=who if isinstance(who, str) else token_for(who), **fields)


def send(content: str, client_id: str = "one") -> Send:
    return Send(type="send", client_id=client_id, content=content)


def of(kind: type[Any], frames: list[Outgoing]) -> list[Any]:
    return [frame for frame in frames if isinstance(frame, kind)]


def texts(frames: list[Outgoing]) -> list[str]:
    return [message.content for page in of(Messages, frames) for message in page.messages]


def stored(model: type[Any]) -> int:
    return session().scalar(select(func.count()).select_from(model)) or 0


def refusal(work: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        work()
    return caught.value


def test_hello_stores_nothing(visit: Visit, customer: Customer) -> None:
    (ready,) = visit().handle(hello(customer))
    assert isinstance(ready, Ready)
    assert (ready.conversation, ready.status) == (None, "none")
    assert stored(Conversation) == 0


def test_an_acknowledgement_comes_when_the_message_is_committed(app: Flask, visit: Visit, customer: Customer) -> None:
    mina = visit()
    mina.handle(hello(customer))
    frames = mina.handle(send("Hello?"))
    assert [type(frame) for frame in frames] == [Ready, Ack]
    session().rollback()
    with app.app_context():  # another connection
        assert session().scalars(select(Message.content)).one() == "Hello?"
    assert frames[0].conversation == frames[1].conversation
    assert frames[1].sequence == 1


def test_sending_again_stores_once_and_is_acknowledged_again(visit: Visit, customer: Customer) -> None:
    mina = visit()
    mina.handle(hello(customer))
    first = of(Ack, mina.handle(send("Hello?")))
    assert of(Ack, mina.handle(send("Hello?"))) == first
    again = visit()
    again.handle(hello(customer))
    assert of(Ack, again.handle(send("Hello?"))) == first
    assert stored(Message) == 1


def test_a_message_sent_again_after_its_conversation_was_archived_is_not_a_second_one(
    visit: Visit, customer: Customer, operator: Operator
) -> None:
    mina = visit()
    mina.handle(hello(customer))
    first = of(Ack, mina.handle(send("Hello?")))[0]
    conversations.archive(first.conversation, by=operator)
    back = visit()
    back.handle(hello(customer, conversation=first.conversation))
    assert of(Ack, back.handle(send("Hello?"))) == [first]
    assert (stored(Message), stored(Conversation)) == (1, 1)
    moved = back.handle(send("Something new", "two"))
    assert of(Ready, moved)[0].conversation == of(Ack, moved)[0].conversation != first.conversation
    assert (stored(Message), stored(Conversation)) == (2, 2)


def test_a_reload_shows_the_newest_page_and_older_ones_when_asked(visit: Visit, customer: Customer) -> None:
    for number in range(1, 121):
        conversations.receive_from(customer, f"message {number}")
    mina = visit()
    frames = mina.handle(hello(customer))
    assert texts(frames) == [f"message {n}" for n in range(71, 121)]
    assert of(Messages, frames)[0].earlier is True
    older = mina.handle(History(type="history", before=71))
    assert texts(older) == [f"message {n}" for n in range(21, 71)]
    oldest = mina.handle(History(type="history", before=21))
    assert texts(oldest) == [f"message {n}" for n in range(1, 21)]
    assert of(Messages, oldest)[0].earlier is False
    assert mina.news() == [], "what was shown is not sent again"


def test_resuming_sends_everything_newer_in_pages(visit: Visit, customer: Customer) -> None:
    for number in range(1, 451):
        conversations.receive_from(customer, f"message {number}")
    conversation = conversations.current_for(customer)
    assert conversation is not None
    mina = visit()
    pages = [mina.handle(hello(customer, conversation=conversation.id, after=10))[1]]
    while mina.behind:
        pages += mina.news()
    assert [len(page.messages) for page in of(Messages, pages)] == [200, 200, 40]
    assert [page.more for page in of(Messages, pages)] == [True, True, False]
    assert texts(pages) == [f"message {n}" for n in range(11, 451)]


def test_the_customer_never_sees_a_note(visit: Visit, customer: Customer, operator: Operator) -> None:
    conversation = conversations.receive_from(customer, "Hello?").conversation_id
    mina = visit()
    mina.handle(hello(customer))
    conversations.add_note(conversation, "between us", by=operator)
    assert mina.news(["timeline"]) == []
    conversations.reply(conversation, "Hello Mina", by=operator)
    conversations.add_note(conversation, "between us, too", by=operator)
    assert texts(mina.news(["timeline"])) == ["Hello Mina"]
    assert texts(visit().handle(hello(customer))) == ["Hello?", "Hello Mina"]
    assert texts(visit().handle(hello(customer, conversation=conversation, after=1))) == ["Hello Mina"]
    assert texts(mina.handle(History(type="history", before=99))) == ["Hello?", "Hello Mina"]
    assert texts(mina.handle(Ping(type="ping", after=1))) == ["Hello Mina"]


def test_a_note_in_between_hides_no_message(visit: Visit, customer: Customer, operator: Operator) -> None:
    conversation = conversations.receive_from(customer, "Hello?").conversation_id
    mina = visit()
    mina.handle(hello(customer))
    conversations.add_note(conversation, "between us", by=operator)
    conversations.reply(conversation, "Hello Mina", by=operator)
    ack = of(Ack, mina.handle(send("Still there?")))[0]
    assert ack.sequence == 4
    assert texts(mina.news()) == ["Hello Mina", "Still there?"]


@pytest.mark.parametrize("whose", ["another customer's", "another tenant's", "nobody's"])
def test_another_conversation_is_not_found_and_nothing_is_stored(
    visit: Visit, customer: Customer, second_customer: Customer, whose: str
) -> None:
    theirs = conversations.receive_from(second_customer, "Mine").conversation_id
    asker = Customer(ref=second_customer.ref, tenant="acme") if whose == "another tenant's" else customer
    asked = theirs + 1000 if whose == "nobody's" else theirs
    visitor = visit()
    refused = refusal(lambda: visitor.handle(hello(asker, conversation=asked)))
    assert (refused.frame.code, refused.close) == (ErrorCode.NOT_FOUND, 4404)
    assert not visitor.known
    assert refusal(lambda: visitor.handle(send("Let me in"))).frame.code == ErrorCode.UNAUTHORIZED
    assert (stored(Message), stored(Conversation)) == (1, 1)


FORGED = {"empty": "", "word": "forged", "cut": token_for(Customer(ref="mina"))[:-1], "long": "a" * 8000}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED)
def test_a_forged_token_is_refused(visit: Visit, token: str) -> None:
    visitor = visit()
    refused = refusal(lambda: visitor.handle(hello(token)))
    assert (refused.frame.code, refused.close) == (ErrorCode.UNAUTHORIZED, 4401)
    assert stored(Conversation) == 0


def test_an_expired_token_is_refused_on_resume_too(
    visit: Visit, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = visit()
    visitor.handle(hello(customer))
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: 1.0)
    expired = URLSafeTimedSerializer(SECRET).dumps({"ref": customer.ref})
    monkeypatch.undo()
    for one in (visit(), visitor):
        assert refusal(lambda one=one: one.handle(hello(expired))).frame.code == ErrorCode.UNAUTHORIZED


def test_a_socket_does_not_change_hands(visit: Visit, customer: Customer, second_customer: Customer) -> None:
    visitor = visit()
    visitor.handle(hello(customer))
    visitor.handle(hello(customer))
    assert refusal(lambda: visitor.handle(hello(second_customer))).frame.code == ErrorCode.UNAUTHORIZED


@pytest.mark.parametrize("answer", [None, 7, "", "  ", b"mina", {"ref": "mina"}, True])
def test_a_verifier_that_names_nobody_opens_nothing(app: Flask, visit: Visit, answer: Any) -> None:
    class Odd(WidgetVerifier):
        def verify(self, token: str, **opts: Any) -> Customer | str:
            return answer

    object.__setattr__(current.state().settings, "widget_verifier", Odd())
    assert refusal(lambda: visit().handle(hello("anything"))).frame.code == ErrorCode.UNAUTHORIZED


def test_a_verifier_may_answer_with_the_bare_reference_and_is_told_the_origin(app: Flask, visit: Visit) -> None:
    heard: list[dict[str, Any]] = []

    class Bare(WidgetVerifier):
        def verify(self, token: str, **opts: Any) -> Customer | str:
            heard.append(opts)
            return "mina"

    object.__setattr__(current.state().settings, "widget_verifier", Bare())
    visitor = visit()
    visitor.handle(hello("anything"))
    visitor.handle(send("Hello?"))
    assert session().scalars(select(Conversation.customer_ref)).one() == "mina"
    assert heard == [{"origin": "http://localhost"}]


def test_nothing_is_done_before_hello(visit: Visit) -> None:
    for frame in (send("x"), Typing(type="typing"), Seen(type="seen", sequence=1), Ping(type="ping", after=0)):
        refused = refusal(lambda frame=frame: visit().handle(frame))
        assert (refused.frame.code, refused.close) == (ErrorCode.UNAUTHORIZED, 4401)
    assert visit().news(["cl-resync"]) == []


@pytest.mark.parametrize("content", ["", " \n\t ", "\0", "x" * 4001])
def test_unfit_text_is_refused_with_a_reason(visit: Visit, customer: Customer, content: str) -> None:
    mina = visit()
    mina.handle(hello(customer))
    with pytest.raises(InvalidInput):
        mina.handle(send(content))
    assert stored(Message) == 0


def test_too_many_messages_are_told_to_wait(visit: Visit, customer: Customer) -> None:
    mina = visit()
    mina.handle(hello(customer))
    refused = refusal(lambda: [mina.handle(send("x", str(number))) for number in range(100)])
    assert refused.frame.code == ErrorCode.RATE_LIMITED
    assert refused.frame.retry_after is not None
    assert 0 < refused.frame.retry_after <= 1
    assert refused.close is None
    assert 60 <= stored(Message) < 100


def test_too_many_frames_are_told_to_wait(visit: Visit, customer: Customer) -> None:
    visitor = visit()
    for _ in range(600):
        visitor.admit()
    assert refusal(visitor.admit).frame.code == ErrorCode.RATE_LIMITED


def test_the_other_sides_doings_are_told(visit: Visit, customer: Customer, operator: Operator) -> None:
    conversation = conversations.receive_from(customer, "Hello?").conversation_id
    mina = visit()
    mina.handle(hello(customer))
    conversations.mark_seen(conversation, 1, by=operator)
    assert mina.news(["seen"]) == [OperatorSeen(sequence=1)]
    conversations.mark_typing(conversation, by=operator)
    assert mina.news(["typing"]) == [OperatorTyping()]
    assert mina.news(["header"]) == [], "typing is told once"
    conversations.resolve(conversation, by=operator)
    assert mina.news(["header"]) == [Status(status="resolved")]
    frames = mina.handle(send("One more thing"))
    assert of(Ack, frames)[0].conversation == conversation
    assert mina.news(["header"]) == [Status(status="open")]


def test_what_the_customer_does_is_told_to_operators(visit: Visit, customer: Customer, operator: Operator) -> None:
    conversation = conversations.receive_from(customer, "Hello?").conversation_id
    conversations.reply(conversation, "Hello Mina", by=operator)
    mina = visit()
    mina.handle(hello(customer))
    mina.handle(Seen(type="seen", sequence=2))
    mina.handle(Typing(type="typing"))
    session().expire_all()
    found = conversations.get(conversation, visible_to=operator)
    assert found.customer_seen_sequence == 2
    assert found.customer_typing_at is not None


def test_a_second_page_hears_of_a_conversation_that_begins(visit: Visit, customer: Customer) -> None:
    first, second = visit(), visit()
    first.handle(hello(customer))
    second.handle(hello(customer))
    assert first.topics == second.topics
    first.handle(send("Hello?"))
    frames = second.news(["conversation"])
    assert [type(frame) for frame in frames] == [Ready, Messages]
    assert texts(frames) == ["Hello?"]
    assert first.topics == second.topics


def test_a_long_resolved_conversation_is_shown_and_the_next_message_begins_another(
    visit: Visit, customer: Customer, operator: Operator
) -> None:
    with current.at(current.now() - timedelta(days=30)):
        old = conversations.receive_from(customer, "Hello?").conversation_id
        conversations.resolve(old, by=operator)
    mina = visit()
    frames = mina.handle(hello(customer, conversation=old))
    assert of(Ready, frames)[0].status == "resolved"
    assert texts(frames) == ["Hello?"]
    moved = mina.handle(send("Hello again"))
    assert of(Ready, moved)[0].conversation != old
    assert of(Ready, moved)[0].status == "open"


def test_a_ping_with_a_number_is_answered_with_everything_newer(
    visit: Visit, customer: Customer, operator: Operator
) -> None:
    conversation = conversations.receive_from(customer, "Hello?").conversation_id
    mina = visit()
    mina.handle(hello(customer))
    conversations.reply(conversation, "Hello Mina", by=operator)
    assert mina.handle(Ping(type="ping")) == [Pong()]
    frames = mina.handle(Ping(type="ping", after=1))
    assert texts(frames) == ["Hello Mina"]
    assert isinstance(frames[0], Pong)


def test_whoever_has_read_nothing_of_a_known_conversation_gets_all_of_it(visit: Visit, customer: Customer) -> None:
    for number in range(1, 71):
        conversation = conversations.receive_from(customer, f"message {number}").conversation_id
    frames = visit().handle(hello(customer, conversation=conversation, after=0))
    assert texts(frames) == [f"message {number}" for number in range(1, 71)]
