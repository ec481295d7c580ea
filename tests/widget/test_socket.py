"""The websocket as customers reach it: a real web server, a real connection."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from sqlalchemy import text
from wsproto.events import TextMessage

from flask_cairnloop import Customer, Operator, conversations
from flask_cairnloop.core import live
from flask_cairnloop.core.database import session
from tests.support.hosts import SECRET, token_for
from tests.widget.client import Widget
from tests.widget.conftest import DEVELOPMENT, GEVENT, THREADS, Serve, Site, begun, stored

Connect = Callable[..., Widget]
pytestmark = pytest.mark.usefixtures("desk_of_site")


@pytest.mark.parametrize("server", [GEVENT, THREADS, DEVELOPMENT], ids=["gevent", "threads", "development"])
def test_a_customer_writes_and_reads_the_answer(
    app: Flask, serve: Serve, server: tuple[str, ...], mina: Customer, operator: Operator
) -> None:
    site = serve(*server)
    with Widget(site.socket) as page:
        page.hello(token_for(mina))
        ack = page.sent("Hello?")
        assert stored(mina) == ["Hello?"], "an acknowledgement means it is committed"
        conversations.reply(ack["conversation"], "Hello Mina", by=operator)
        assert page.texts(until="Hello Mina") == ["Hello Mina"]
        conversations.resolve(ack["conversation"], by=operator)
        assert page.hear("status")["status"] == "resolved"
    with Widget(site.socket) as page:
        ready = page.hello(token_for(mina))
        assert ready["conversation"] == ack["conversation"]
        assert page.texts(until="Hello Mina") == ["Hello?", "Hello Mina"]
    with Widget(site.socket) as stranger:
        stranger.say(type="hello", token="forged")
        assert stranger.closed() == 4401
    assert site.get("/connections") == {"held": 0}


def test_sending_again_over_another_connection_stores_one_message(connect: Connect, mina: Customer) -> None:
    first, second = connect(), connect()
    for one in (first, second):
        one.hello(token_for(mina))
    acks = [one.sent("Hello?", "the same id") for one in (first, second, first)]
    assert acks[0] == acks[1] == acks[2]
    assert stored(mina) == ["Hello?"]


def test_two_pages_of_one_customer_read_the_same(connect: Connect, mina: Customer) -> None:
    first, second = connect(), connect()
    first.hello(token_for(mina))
    second.hello(token_for(mina))
    first.sent("from the first")
    assert second.texts(until="from the first") == ["from the first"]
    second.sent("from the second")
    assert first.texts(until="from the second") == ["from the second"]


def test_other_customers_hear_nothing(connect: Connect, mina: Customer, tom: Customer, operator: Operator) -> None:
    ours, theirs = connect(), connect()
    ours.hello(token_for(mina))
    theirs.hello(token_for(tom))
    from_mina, from_tom = ours.sent("Mina here"), theirs.sent("Tom here")
    conversations.reply(from_mina["conversation"], "For Mina", by=operator)
    conversations.reply(from_tom["conversation"], "For Tom", by=operator)
    assert theirs.texts(until="For Tom") == ["For Tom"]
    assert ours.texts(until="For Mina") == ["For Mina"]


def test_idle_sockets_hold_no_database_connection(site: Site, connect: Connect, mina: Customer) -> None:
    open_ones = [connect() for _ in range(30)]
    for one in open_ones:
        one.hello(token_for(mina))
    open_ones[0].sent("Hello?")
    for one in open_ones[1:]:
        one.texts(until="Hello?")
    time.sleep(0.5)
    assert [site.get("/connections")["held"] for _ in range(5)] == [0] * 5


class YesterdaysSigner(TimestampSigner):
    def get_timestamp(self) -> int:
        return super().get_timestamp() - 86_400


def expired(customer: Customer) -> str:
    return str(URLSafeTimedSerializer(SECRET, signer=YesterdaysSigner).dumps({"ref": customer.ref}))


def of_another(customer: Customer) -> dict[str, Any]:
    theirs = conversations.receive_from(Customer(ref="somebody else"), "Mine").conversation_id
    return {"type": "hello", "token": token_for(customer), "conversation": theirs}


FIRST_WORDS: dict[str, tuple[Callable[[Customer], Any], str, int | None]] = {
    "a forged token": (lambda _: {"type": "hello", "token": "forged"}, "unauthorized", 4401),
    "an expired token": (lambda mina: {"type": "hello", "token": expired(mina)}, "unauthorized", 4401),
    "no hello": (lambda _: {"type": "send", "client_id": "a", "content": "x"}, "unauthorized", 4401),
    "another's conversation": (of_another, "not_found", 4404),
    "an unknown type": (lambda _: {"type": "drop_tables"}, "unknown_type", None),
    "no frame": (lambda _: ["hello"], "bad_frame", None),
    "500 KB": (lambda _: {"type": "hello", "token": "x" * 500_000}, "too_large", None),
}


@pytest.mark.parametrize("what", FIRST_WORDS)
def test_bad_first_words_get_a_clear_code_and_store_nothing(connect: Connect, mina: Customer, what: str) -> None:
    words, code, close_code = FIRST_WORDS[what]
    stranger = connect()
    stranger.socket.send(json.dumps(words(mina)))
    assert stranger.hear("error")["code"] == code
    if close_code is not None:
        assert stranger.closed() == close_code
    else:
        assert stranger.hello(token_for(mina))["conversation"] is None, "the connection is still good"
    assert begun(mina) == 0


def test_pages_of_other_origins_get_a_clear_code(connect: Connect) -> None:
    stranger = connect(Origin="https://evil.example")
    assert stranger.hear("error")["code"] == "forbidden_origin"
    assert stranger.closed() == 4403


def test_other_origins_may_be_named(serve: Serve, mina: Customer) -> None:
    site = serve(HOST_SETTINGS=json.dumps({"CAIRNLOOP_WIDGET_ORIGINS": ["https://shop.example"]}))
    with Widget(site.socket, Origin="https://shop.example") as page:
        assert page.hello(token_for(mina))["status"] == "none"


@pytest.mark.parametrize("content", ["x" * 4001, "   ", "é" * 10_000, "\u0000"])
def test_unfit_text_is_refused_by_name_and_the_rest_goes_on(connect: Connect, mina: Customer, content: str) -> None:
    page = connect()
    page.hello(token_for(mina))
    client_id = page.send(content)
    error = page.hear("error")
    assert (error["code"], error["client_id"]) in {("invalid", client_id), ("too_large", None)}
    page.sent("Hello?")
    assert stored(mina) == ["Hello?"]


def test_html_is_stored_and_sent_as_the_text_it_is(connect: Connect, mina: Customer) -> None:
    words = "<script>alert(1)</script> & ' \" \u202e 🌲"
    first, second = connect(), connect()
    first.hello(token_for(mina))
    second.hello(token_for(mina))
    first.sent(words)
    assert second.texts(until=words) == stored(mina) == [words]


def test_more_than_a_megabyte_ends_the_connection_with_its_code(connect: Connect, mina: Customer) -> None:
    page = connect()
    page.hello(token_for(mina))
    page.socket.send("x" * (1024 * 1024 + 1))
    assert page.closed() == 1009
    assert begun(mina) == 0


def test_invalid_utf8_ends_the_connection_with_its_code(connect: Connect, mina: Customer) -> None:
    page = connect()
    page.hello(token_for(mina))
    mask = b"\1\2\3\4"
    words = b'{"type":"send","client_id":"a","content":"\xff\xfe"}'
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(words))
    page.socket.sock.sendall(bytes([0x81, 0x80 | len(words)]) + mask + masked)
    assert page.closed() == 1007
    assert begun(mina) == 0


def test_a_flood_is_told_to_wait_and_then_heard_again(serve: Serve, app: Flask, mina: Customer) -> None:
    site = serve(HOST_SETTINGS=json.dumps({"CAIRNLOOP_WIDGET_RATE": 30}))
    with Widget(site.socket) as page:
        page.hello(token_for(mina))
        for number in range(40):
            page.send(str(number), f"id {number}")
        error = page.hear("error")
        assert error["code"] == "rate_limited"
        assert error["client_id"] == "id 30"
        time.sleep(error["retry_after"])
        page.sent("after a pause")
        assert [*stored(mina)[:30], stored(mina)[-1]] == [*map(str, range(30)), "after a pause"]


def test_more_than_64_waiting_frames_end_the_connection(connect: Connect, mina: Customer) -> None:
    page = connect()
    page.hello(token_for(mina))
    seen = b"".join(page.socket.ws.send(TextMessage(data='{"type":"seen","sequence":1}')) for _ in range(5000))
    page.socket.sock.sendall(seen)
    assert page.closed() == 1008


def test_a_web_process_killed_between_commit_and_acknowledgement_stores_one_message(
    serve: Serve, app: Flask, mina: Customer, tmp_path: Path
) -> None:
    died = tmp_path / "died"
    site = serve(DIE_ONCE_AFTER_COMMIT=str(died))
    with Widget(site.socket) as page:
        page.hello(token_for(mina))
        client_id = page.send("Hello?")
        page.closed()
        assert not [frame for frame in page.heard if frame["type"] == "ack"]
    assert died.exists()
    assert stored(mina) == ["Hello?"], "it had been committed"
    site.wait()
    with Widget(site.socket) as page:
        page.hello(token_for(mina))
        assert page.sent("Hello?", client_id)["sequence"] == 1
    assert stored(mina) == ["Hello?"]


def test_a_fault_of_ours_ends_in_a_close_code_and_not_in_the_stream(connect: Connect, mina: Customer) -> None:
    page = connect()
    page.hello(token_for(mina))
    ack = page.sent("Hello?")
    with renamed_column():
        live.publish({f"conversation:{ack['conversation']}": ["timeline"]})
        assert page.closed() == 1011
    assert connect().hello(token_for(mina))["conversation"] == ack["conversation"]


@contextmanager
def renamed_column() -> Iterator[None]:
    """The tables are not what the code expects, as during a careless deployment."""
    statement = "ALTER TABLE cairnloop.cairnloop_conversations RENAME COLUMN {} TO {}"
    session().execute(text(statement.format("operator_typing_at", "elsewhere")))
    session().commit()
    yield
    session().execute(text(statement.format("elsewhere", "operator_typing_at")))
    session().commit()
