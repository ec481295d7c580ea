from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from flask_cairnloop import Customer, InvalidTransition, Operator, conversations
from flask_cairnloop.audit import AuditEvent
from flask_cairnloop.conversations import ConversationStatus
from flask_cairnloop.core.current import at, now
from flask_cairnloop.core.database import session
from flask_cairnloop.core.telemetry import span_signal
from flask_cairnloop.signals import conversation_resolved


def opened(customer: Customer) -> int:
    return conversations.receive_from(customer, "Hello").conversation_id


def test_resolving_twice_changes_nothing_the_second_time(
    app: Flask, customer: Customer, operator: Operator, second_operator: Operator
) -> None:
    thread_id = opened(customer)
    first = conversations.resolve(thread_id, by=operator)
    moment = first.resolved_at
    second = conversations.resolve(thread_id, by=second_operator)
    assert (second.resolved_at, second.resolved_by) == (moment, "ada")
    resolutions = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == "conversation.resolve")
    assert session().execute(resolutions).scalar_one() == 1


def test_resolving_tells_the_host_who_what_and_how_long(app: Flask, customer: Customer, operator: Operator) -> None:
    with at(now() - timedelta(minutes=3)):
        thread_id = opened(customer)
    heard: list[dict[str, Any]] = []
    stopped: list[dict[str, Any]] = []

    def hear(sender: Flask, **payload: Any) -> None:
        heard.append(payload)

    def stop(sender: Flask, **payload: Any) -> None:
        stopped.append(payload)

    with (
        conversation_resolved.connected_to(hear),
        span_signal("cairnloop.conversation.resolve.stop").connected_to(stop),
    ):
        conversations.resolve(thread_id, by=operator)
    assert heard[0]["metadata"]["conversation"].id == thread_id
    assert heard[0]["metadata"]["actor"] == operator
    assert heard[0]["metadata"]["host_user_id"] == "ada"
    assert heard[0]["metadata"]["customer_ref"] == "mina"
    assert heard[0]["measurements"]["duration_seconds"] == pytest.approx(180, abs=5)
    assert stopped[0]["duration"] > 0


def test_a_subscriber_that_fails_fails_nothing(app: Flask, customer: Customer, operator: Operator) -> None:
    def explode(sender: Flask, **_: Any) -> None:
        raise LookupError

    with conversation_resolved.connected_to(explode):
        assert conversations.resolve(opened(customer), by=operator).status == ConversationStatus.RESOLVED


def test_reopening_is_refused_where_the_customer_already_has_an_open_one(
    app: Flask, customer: Customer, operator: Operator
) -> None:
    with at(now() - timedelta(days=30)):
        first = opened(customer)
        conversations.resolve(first, by=operator)
    second = opened(customer)
    assert second != first
    with pytest.raises(InvalidTransition, match="already has an open conversation"):
        conversations.reopen(first, by=operator)
    assert conversations.get(first, visible_to=operator).status == ConversationStatus.RESOLVED


def test_an_archived_conversation_stays_put_away(app: Flask, customer: Customer, operator: Operator) -> None:
    thread_id = opened(customer)
    conversations.archive(thread_id, by=operator)
    for move in (conversations.resolve, conversations.reopen):
        with pytest.raises(InvalidTransition) as refused:
            move(thread_id, by=operator)
        assert getattr(refused.value.record, "id", None) == thread_id


MOVES = ("receive", "reply", "note", "resolve", "reopen", "archive")


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(MOVES), min_size=1, max_size=8))
def test_no_sequence_of_moves_leaves_the_map(app: Flask, moves: list[str]) -> None:
    """A small model of the state machine is driven beside the real one."""
    ada, asker = Operator(id="ada", name="Ada"), Customer(ref=uuid.uuid4().hex)
    thread_id = conversations.open_conversation(asker, by=asker).id
    model, messages = "open", 0
    for move in moves:
        try:
            if move == "receive":
                stored = conversations.receive(thread_id, "x", by=asker)
                if model == "archived":
                    assert stored.conversation_id != thread_id
                    conversations.archive(stored.conversation_id, by=ada)
                else:
                    model, messages = "open", messages + 1
            elif move in {"reply", "note"}:
                (conversations.reply if move == "reply" else conversations.add_note)(thread_id, "x", by=ada)
                messages += 1
                model = "open" if move == "reply" else model
            else:
                getattr(conversations, move)(thread_id, by=ada)
                model = {"resolve": "resolved", "reopen": "open", "archive": "archived"}[move]
        except InvalidTransition:
            assert model == "archived"
        thread = conversations.get(thread_id, visible_to=ada)
        assert (thread.status.value, thread.last_sequence) == (model, messages)
        session().rollback()
