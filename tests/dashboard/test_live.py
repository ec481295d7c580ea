from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from flask_cairnloop import Customer, Operator, conversations
from flask_cairnloop.conversations import Conversation
from flask_cairnloop.core import live as stream
from flask_cairnloop.dashboard import live

Open = Callable[[str], "Listener"]


class Listener:
    """Reads a stream of events."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self._chunks = response.response.__iter__()

    def read(self) -> str:
        chunk = next(self._chunks)
        return chunk.decode() if isinstance(chunk, bytes) else str(chunk)

    def until(self, name: str) -> set[str]:
        """Every event up to the one of that name."""
        heard: set[str] = set()
        deadline = time.monotonic() + 60
        while name not in heard:
            assert time.monotonic() < deadline, heard
            heard |= {line.removeprefix("event: ") for line in self.read().splitlines() if line.startswith("event: ")}
        return heard


@pytest.fixture
def listen(desk: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    monkeypatch.setattr(live, "HEARTBEAT", 5.0)
    opened: list[Listener] = []

    def open_stream(query: str = "", **headers: str) -> Listener:
        listener = Listener(desk.get(f"/support/live{query}", headers=headers, buffered=False))
        opened.append(listener)
        deadline = time.monotonic() + 20
        while not stream.hub().connected:  # what is said before is not heard, only read again
            assert time.monotonic() < deadline, "the hub never reached Redis"
            time.sleep(0.01)
        return listener

    yield open_stream
    for listener in opened:
        listener.response.close()


def test_every_connection_begins_by_having_everything_read_again(listen: Open) -> None:
    listener = listen("")
    assert listener.read() == "event: cl-resync\ndata:\n\n"
    assert listener.response.mimetype == "text/event-stream"
    assert listener.response.headers["HX-Region"] == "live"
    assert listener.response.headers["Cache-Control"] == "no-store"


def test_it_names_what_changed_and_carries_nothing_else(listen: Open, thread: Conversation, customer: Customer) -> None:
    listener = listen(f"?conversation={thread.id}")
    listener.until("cl-resync")
    conversations.receive(thread.id, "A secret", by=customer)
    heard = listener.until("timeline")
    assert heard >= {"timeline", "header"}
    assert not any("secret" in word for word in heard)


def test_a_page_without_a_conversation_hears_of_lists_only(
    listen: Open, thread: Conversation, customer: Customer
) -> None:
    listener = listen("")
    listener.until("cl-resync")
    conversations.receive(thread.id, "Hello", by=customer)
    assert "timeline" not in listener.until("inbox-list")


def test_another_tenant_hears_nothing(
    listen: Open, thread: Conversation, customer: Customer, desk: FlaskClient
) -> None:
    elsewhere = {"X-Tenant": "acme"}
    listener = Listener(desk.get("/support/live", headers=elsewhere, buffered=False))
    listener.until("cl-resync")
    own = listen("")
    own.until("cl-resync")
    conversations.receive(thread.id, "Hello", by=customer)
    conversations.open_conversation(Customer("z", tenant="acme"), by=Operator(id="o", name="O", tenant="acme"))
    assert own.until("inbox-list")
    subscribed = list(stream.hub()._listeners["tenant:acme"])
    assert len(subscribed) == 1
    assert {topic for topic, _ in subscribed[0].drain()} <= {"tenant:acme"}
    listener.response.close()


def test_another_tenants_conversation_cannot_be_listened_to(desk: FlaskClient, thread: Conversation) -> None:
    path = f"/support/live?conversation={thread.id}"
    assert desk.get(path, headers={"X-Tenant": "acme"}).status_code == 404


def test_a_quiet_stream_says_that_it_lives(listen: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT", 0.05)
    listener = listen("")
    listener.until("cl-resync")
    while (said := listener.read()).startswith("event"):
        pass
    assert said == ": still here\n\n"


def test_a_stream_ends_after_a_while_so_that_the_page_must_ask_again(
    listen: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LIFETIME", 0.0)
    listener = listen("")
    listener.read()
    with pytest.raises(StopIteration):
        listener.read()


@pytest.mark.parametrize("read_first", [True, False], ids=["read", "never read"])
def test_a_page_that_goes_leaves_no_listener_behind(desk: FlaskClient, read_first: bool) -> None:
    listener = Listener(desk.get("/support/live", buffered=False))
    if read_first:
        listener.read()
    assert "tenant:" in stream.hub()._listeners
    listener.response.close()
    assert "tenant:" not in stream.hub()._listeners


class TestPolling:
    @pytest.fixture
    def host_settings(self) -> dict[str, object]:
        return {"CAIRNLOOP_LIVE": "poll"}

    def test_pages_of_a_host_on_sync_workers_open_no_stream(self, desk: FlaskClient) -> None:
        page = desk.get("/support/").text
        assert 'data-cl-live="poll"' in page
        assert "hx-sse:connect" not in page
        assert desk.get("/support/live").status_code == 204
