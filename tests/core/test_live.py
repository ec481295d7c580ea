from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from flask import Flask

from flask_cairnloop import Customer, Operator, conversations
from flask_cairnloop.core import live, redis
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.core.live import RESYNC, Hub, Subscription


def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


@pytest.fixture
def hub(app: Flask) -> Hub:
    """A connected hub."""
    found = live.hub()
    until(lambda: found.connected)
    return found


def heard(subscription: Subscription, seconds: float = 2) -> list[tuple[str, str]]:
    """The first changes that are no resync."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        news = [change for change in subscription.wait(0.1) if change[1] != RESYNC]
        if news:
            return news
    return []


def test_a_committed_change_names_its_regions(hub: Hub, customer: Customer) -> None:
    thread_id = conversations.receive_from(customer, "Hello").conversation_id
    woken = threading.Event()
    with hub.subscribe([f"conversation:{thread_id}", "tenant:"], wake=woken.set) as listener:
        conversations.receive_from(customer, "More")
        assert woken.wait(2)
        changes = heard(listener)
    assert (f"conversation:{thread_id}", "timeline") in changes
    assert ("tenant:", "inbox-list") in changes


def test_a_change_undone_names_nothing(hub: Hub) -> None:
    def fail() -> None:
        with transaction():
            live.changed("tenant:", "home")
            raise LookupError

    with hub.subscribe(["tenant:"]) as listener:
        with pytest.raises(LookupError):
            fail()
        assert heard(listener, 0.3) == []
        with transaction():
            live.changed("tenant:", "nav")
        assert heard(listener) == [("tenant:", "nav")]


def test_another_tenant_hears_nothing(hub: Hub) -> None:
    with hub.subscribe(["tenant:other"]) as listener:
        conversations.receive_from(Customer(ref="mina"), "Hello")
        assert heard(listener, 0.3) == []


def test_without_redis_the_own_process_still_hears(app: Flask, customer: Customer) -> None:
    hub = live.hub()
    thread_id = conversations.receive_from(customer, "Hello").conversation_id
    redis.hints().silent_until = time.monotonic() + 60
    with hub.subscribe([f"conversation:{thread_id}"]) as listener:
        conversations.receive_from(customer, "More")
        assert heard(listener)


def test_a_lost_message_is_found_by_comparing_versions(
    hub: Hub, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread_id = conversations.receive_from(customer, "Hello").conversation_id
    with hub.subscribe([f"conversation:{thread_id}"]) as listener:
        hub._compare_versions()
        monkeypatch.setattr(live, "publish", lambda changes: None)
        conversations.receive_from(customer, "Said while nobody listened")
        hub._compare_versions()
        assert (f"conversation:{thread_id}", RESYNC) in listener.wait(1)


def test_a_listener_that_never_reads_holds_a_bounded_queue(hub: Hub) -> None:
    with hub.subscribe(["tenant:"]) as listener:
        for number in range(1000):
            hub.deliver({"tenant:": [f"region-{number}"]})
        assert len(listener.drain()) <= live.QUEUED


def test_a_closed_subscription_is_forgotten(hub: Hub) -> None:
    with hub.subscribe(["tenant:gone"]):
        assert "tenant:gone" in hub._listeners
    assert "tenant:gone" not in hub._listeners


def test_moving_changes_what_is_heard(hub: Hub) -> None:
    with hub.subscribe(["tenant:a"]) as listener:
        listener.watch(["tenant:b"])
        hub.deliver({"tenant:a": ["home"], "tenant:b": ["nav"]})
        assert heard(listener) == [("tenant:b", "nav")]


def test_seen_and_typing_reach_the_other_side_only_forward(app: Flask, customer: Customer, operator: Operator) -> None:
    thread_id = conversations.receive_from(customer, "Hello").conversation_id
    conversations.mark_seen(thread_id, 99, by=operator)
    conversations.mark_seen(thread_id, 0, by=operator)
    conversations.mark_typing(thread_id, by=operator)
    thread = conversations.get(thread_id, visible_to=operator)
    assert thread.operator_seen_sequence == 1
    assert thread.operator_typing_at is not None
    session().rollback()
