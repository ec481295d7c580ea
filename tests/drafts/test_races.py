"""A machine that is about to write, and a person who writes in the same moment: the person is never talked over.

``CAIRNLOOP_TORTURE=full`` runs a thousand races of each kind; by default some of them.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from itertools import dropwhile

import pytest
from flask import Flask

from flask_cairnloop import Customer, Decision, Operator, conversations, drafts
from flask_cairnloop.conversations import Message, MessageRole
from flask_cairnloop.core.database import session
from flask_cairnloop.drafts import DraftStatus, generation
from tests.drafts.test_generation import Policy, use

RACES = 1_000 if os.environ.get("CAIRNLOOP_TORTURE") == "full" else 20
QUESTION = "Is there drinking water in the hut?"


@pytest.fixture
def takes(huts: int, monkeypatch: pytest.MonkeyPatch) -> float:
    """Every answer is let go. The judgement is made once, so that the moment of sending is what races.

    The seconds a machine then takes from the question to the sent answer.
    """
    use(monkeypatch, automation_policy=Policy(Decision.ALLOW))
    found = generation.ground(QUESTION, visible_to=generation.System())
    monkeypatch.setattr(generation, "ground", lambda question, visible_to: found)
    took = []
    for number in range(-5, 0):
        thread, _ = asked(number)
        began = time.monotonic()
        drafts.generate(thread)
        took.append(time.monotonic() - began)
    return min(took)


def race(app: Flask, thread: int, person: Callable[[], object], takes: float) -> None:
    """Let a draft be made and a person act about when it is sent, each with a connection of its own."""
    start = threading.Barrier(2)
    failures: list[BaseException] = []

    def run(work: Callable[[], object], wait: float) -> None:
        with app.app_context():
            session().connection()
            session().rollback()
            start.wait()
            time.sleep(wait)
            try:
                work()
            except BaseException as failure:
                failures.append(failure)

    works = (lambda: drafts.generate(thread), person)
    waits = (0.0, random.uniform(0, 1.7 * takes))
    both = [threading.Thread(target=run, args=pair) for pair in zip(works, waits, strict=True)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert failures == []


def said(thread: int, operator: Operator) -> list[Message]:
    session().rollback()
    session().expire_all()
    return conversations.timeline(thread, visible_to=operator)


def asked(number: int) -> tuple[int, Customer]:
    customer = Customer(ref=f"racer-{number}", name="Mina Park")
    return conversations.receive_from(customer, QUESTION).conversation_id, customer


@pytest.mark.parametrize("act", ["reply", "note", "hand over"])
def test_nothing_automatic_follows_a_person(app: Flask, takes: float, operator: Operator, act: str) -> None:
    sent = 0
    for number in range(RACES):
        thread, customer = asked(number)
        acts: dict[str, Callable[[], object]] = {
            "reply": lambda thread=thread: conversations.reply(thread, "Yes, I looked.", by=operator),
            "note": lambda thread=thread: conversations.add_note(thread, "I take this one.", by=operator),
            "hand over": lambda thread=thread, customer=customer: conversations.hand_over(thread, by=customer),
        }
        race(app, thread, acts[act], takes)
        messages = said(thread, operator)
        after_a_person = list(dropwhile(lambda m: m.role == MessageRole.USER or m.automatic, messages))
        assert after_a_person != []
        assert [message.content for message in after_a_person if message.automatic] == []
        sent += any(message.automatic for message in messages)
    assert sent, "the machine never came first: these races prove nothing"


def test_an_answer_and_a_keystroke_at_once_never_mix(app: Flask, takes: float, operator: Operator) -> None:
    for number in range(RACES):
        thread, _ = asked(number)
        race(app, thread, lambda thread=thread: conversations.mark_typing(thread, by=operator), takes)
        automatic = [message for message in said(thread, operator) if message.automatic]
        (draft,) = drafts.drafts_of(thread, visible_to=operator)
        assert (draft.status == DraftStatus.APPROVED) == bool(automatic)
        typed_at = conversations.get(thread, visible_to=operator).operator_typing_at
        # sending takes the sign of typing away: one that is still there came after the answer, or the answer waited
        assert typed_at is not None or automatic


def test_an_operator_who_types_first_is_always_waited_for(app: Flask, takes: float, operator: Operator) -> None:
    for number in range(RACES):
        thread, _ = asked(number)
        conversations.mark_typing(thread, by=operator)
        drafts.generate(thread)
        assert [message.role for message in said(thread, operator)] == [MessageRole.USER]
