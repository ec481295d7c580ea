"""What becomes of the bytes: slow readers, lost connections, silence."""

from __future__ import annotations

import json
import os
import random
import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Ping, Pong, Request, TextMessage

from flask_cairnloop import Customer, Operator, conversations
from flask_cairnloop.core.database import transaction
from tests.support.hosts import token_for
from tests.widget.client import Widget
from tests.widget.conftest import Site, stored

Connect = Callable[..., Widget]
pytestmark = pytest.mark.usefixtures("desk_of_site")
MESSAGES = 1000
EACH = 20_000  # characters: 20 MB in all


class SlowReader:
    """A websocket that reads only when told to, with a small window."""

    def __init__(self, url: str) -> None:
        where = urlsplit(url)
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        self.sock.settimeout(30)
        self.sock.connect((where.hostname, where.port))
        self.ws = WSConnection(ConnectionType.CLIENT)
        origin = [("Origin", f"http://{where.hostname}")]
        self.sock.sendall(self.ws.send(Request(host=str(where.hostname), target=where.path, extra_headers=origin)))
        self.pongs = 0
        while not any(isinstance(event, AcceptConnection) for event in self._events()):
            pass

    def say(self, **frame: object) -> None:
        self.sock.sendall(self.ws.send(TextMessage(data=json.dumps(frame))))

    def ping(self) -> None:
        self.sock.sendall(self.ws.send(Ping()))

    def _events(self) -> list[object]:
        data = self.sock.recv(1024 * 1024)
        assert data, "the server hung up"
        self.ws.receive_data(data)
        return list(self.ws.events())

    def frames(self) -> list[dict[str, object]]:
        """The frames completed by the next bytes."""
        found = []
        for event in self._events():
            if isinstance(event, Pong):
                self.pongs += 1
            if isinstance(event, TextMessage):
                self._text += event.data
                if event.message_finished:
                    found.append(json.loads(self._text))
                    self._text = ""
        return found

    _text = ""


def test_a_sleeping_reader_gets_all_of_twenty_megabytes(
    site: Site, connect: Connect, mina: Customer, tom: Customer
) -> None:
    conversation = conversations.receive_from(mina, "Hello?").conversation_id
    _fill(conversation)
    reader = SlowReader(site.socket)
    reader.say(type="hello", token=token_for(mina), conversation=conversation, after=1)
    time.sleep(1)
    reader.ping()  # answered by another thread while ours is in the middle of a frame
    time.sleep(3)
    others = connect()
    others.hello(token_for(tom))
    others.sent("Tom is served meanwhile")
    read: list[tuple[int, int]] = []
    until = time.monotonic() + 60
    while len(read) < MESSAGES:
        assert time.monotonic() < until, f"only {len(read)} messages arrived"
        for frame in reader.frames():
            if frame["type"] == "messages":
                read += [(message["sequence"], len(message["content"])) for message in frame["messages"]]
    assert read == [(sequence, EACH) for sequence in range(2, MESSAGES + 2)]
    assert reader.pongs >= 1
    assert site.get("/connections") == {"held": 0}
    reader.sock.close()


def _fill(conversation: int) -> None:
    with transaction() as db:
        db.execute(
            text(
                """
                INSERT INTO cairnloop.cairnloop_messages
                    (conversation_id, sequence, role, content, author_id, author_name, created_at)
                SELECT :id, n, 'agent', repeat('x', :each), 'ada', 'Ada Osei', now() FROM generate_series(2, :last) n
                """
            ),
            {"id": conversation, "each": EACH, "last": MESSAGES + 1},
        )
        db.execute(
            text("UPDATE cairnloop.cairnloop_conversations SET last_sequence = :last WHERE id = :id"),
            {"id": conversation, "last": MESSAGES + 1},
        )


class Phone:
    """What the widget does: numbers what it saw, keeps what was not acknowledged, comes back."""

    def __init__(self, url: str, customer: Customer) -> None:
        self.url, self.token = url, token_for(customer)
        self.waiting: dict[str, str] = {}
        self.thread: dict[int, str] = {}
        self.up_to = 0
        self.doubled: list[str] = []
        self.conversation: int | None = None
        self.line: Widget | None = None

    def come_back(self) -> None:
        self.line = Widget(self.url)
        after = None if self.conversation is None else self.up_to
        self.conversation = self.line.hello(self.token, conversation=self.conversation, after=after)["conversation"]
        for client_id, content in self.waiting.items():
            self.line.send(content, client_id)

    def lose(self, chance: random.Random) -> None:
        """The connection goes, before or after the commit, now and then in the middle of a frame."""
        assert self.line is not None
        time.sleep(chance.random() * 0.01)
        if chance.random() < 0.3:
            half = bytes(self.line.socket.ws.send(TextMessage(data='{"type":"send","client_id":"half"')))
            self.line.socket.sock.sendall(half[: len(half) // 2])
        self.line.cut()

    def write(self, content: str) -> None:
        client_id = f"id of {content}"
        self.waiting[client_id] = content
        assert self.line is not None
        self.line.send(content, client_id)

    def read(self) -> None:
        """Take in everything that has arrived."""
        assert self.line is not None
        while (data := self.line.socket.receive(timeout=0)) is not None:
            frame = json.loads(data)
            if frame["type"] == "ready":
                self.conversation = frame["conversation"]
            if frame["type"] == "ack" and (content := self.waiting.pop(frame["client_id"], None)):
                self._take(frame["sequence"], content)
            for message in frame.get("messages", ()):
                self.waiting.pop(message["client_id"], None)
                self.up_to = max(self.up_to, message["sequence"])
                self._take(message["sequence"], message["content"])
            if frame.get("earlier"):
                self.line.say(type="history", before=min(message["sequence"] for message in frame["messages"]))

    def _take(self, sequence: int, content: str) -> None:
        if self.thread.setdefault(sequence, content) != content:
            self.doubled.append(content)


def exchange(phone: Phone, cut_at: int, chance: random.Random, mina: Customer, operator: Operator) -> None:
    """A hundred messages, fifty from each side, with one cut after ``cut_at`` of them."""
    phone.come_back()
    for number in range(50):
        for place, speak in enumerate((phone.write, lambda words: _answer(words, mina, operator))):
            speak(f"{'question' if place == 0 else 'answer'} {number}")
            if 2 * number + place == cut_at:
                phone.lose(chance)
                phone.come_back()
            if chance.random() < 0.3:
                phone.read()


def _answer(words: str, mina: Customer, operator: Operator) -> None:
    conversation = conversations.current_for(mina)
    if conversation is None:
        conversation = conversations.open_conversation(mina, by=mina)
    conversations.reply(conversation.id, words, by=operator)


CUTS = [(cut_at, seed) for cut_at in range(100) for seed in (1, 2)]
SAMPLE = random.Random(7).sample(CUTS, 20)
REST = [pytest.param(*cut, marks=pytest.mark.torture) for cut in CUTS if cut not in SAMPLE]


@pytest.mark.parametrize(("cut_at", "seed"), SAMPLE + (REST if os.environ.get("CAIRNLOOP_TORTURE") == "full" else []))
def test_a_cut_anywhere_leaves_both_sides_the_same(
    site: Site, mina: Customer, operator: Operator, cut_at: int, seed: int
) -> None:
    phone = Phone(site.socket, mina)
    exchange(phone, cut_at, random.Random(f"{cut_at} {seed}"), mina, operator)
    until = time.monotonic() + 20
    while phone.waiting or len(phone.thread) < 100:
        missing = sorted(set(stored(mina)) - set(phone.thread.values()))
        assert time.monotonic() < until, f"unacknowledged {phone.waiting}, unread {missing}, read up to {phone.up_to}"
        phone.read()
        time.sleep(0.05)
    there = stored(mina)
    assert [phone.thread[sequence] for sequence in sorted(phone.thread)] == there
    assert sorted(there) == sorted(f"{side} {n}" for side in ("question", "answer") for n in range(50))
    assert not phone.doubled
    assert phone.line is not None
    phone.line.close()
