"""Conversations across the lifecycle, told message by message and draft by draft at the time each was written."""

from __future__ import annotations

import tomllib
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from example_app.database import db
from example_app.models import Customer as Account
from example_app.seeding.memory import OPERATORS, once
from flask_cairnloop import Customer, Operator, conversations, drafts
from flask_cairnloop.conversations import Channel
from flask_cairnloop.core import current

SOURCE = Path(__file__).parents[1] / "content" / "conversations.toml"
Script = dict[str, Any]


def scripts() -> list[Script]:
    """Every conversation's script, the longest ago first: a customer has one open chat at a time."""
    told: list[Script] = tomllib.loads(SOURCE.read_text())["conversation"]
    return sorted(told, key=lambda script: -script["hours_ago"])


def seed_conversations(now: datetime) -> int:
    """Tell the desk every conversation it does not have; how many those were."""
    accounts = db.session.scalars(select(Account)).unique()
    customers = {each.username: Customer(ref=each.ref, name=each.name) for each in accounts}
    return sum(_seed(script, customers[script["customer"]], now) for script in scripts())


def _seed(script: Script, customer: Customer, now: datetime) -> bool:
    start = now - timedelta(hours=script["hours_ago"])
    return once(
        f"conversation:{script['key']}",
        exists=partial(conversations.get, visible_to=customer),
        tell=partial(_tell, script, customer, start),
        at=start,
    )


def _tell(script: Script, customer: Customer, start: datetime) -> int:
    channel = Channel(script.get("channel", Channel.WIDGET))
    opened = conversations.open_conversation(customer, subject=script["subject"], channel=channel, by=customer)
    moment = start
    with current.at(moment):
        conversations.tag(opened.id, script["tags"], by=OPERATORS["ada"])  # the policy goes by them
    for number, message in enumerate(script["messages"], 1):
        moment += timedelta(minutes=message.get("after", 0))
        with current.at(moment):
            _say(opened.id, message, customer, client_id=f"{script['key']}-{number}")
    with current.at(moment):
        _file(opened.id, script)
    if resolved := script.get("resolved"):
        with current.at(moment + timedelta(minutes=resolved["after"])):
            conversations.resolve(opened.id, by=OPERATORS[resolved["by"]])
    return opened.id


def _say(conversation_id: int, message: dict[str, Any], customer: Customer, *, client_id: str) -> None:
    kind, _, member = message["by"].rpartition(":")
    if member == "customer":
        conversations.receive(conversation_id, message["text"], by=customer, client_id=client_id)
    elif kind == "note":
        conversations.add_note(conversation_id, message["text"], by=OPERATORS[member])
    elif member == "draft":
        drafts.generate(conversation_id)
    elif member == "handover":
        conversations.hand_over(conversation_id, by=customer)
    elif kind:
        _decide(kind, conversation_id, message, by=OPERATORS[member])
    else:
        conversations.reply(conversation_id, message["text"], by=OPERATORS[member], client_id=client_id)


def _decide(what: str, conversation_id: int, message: dict[str, Any], *, by: Operator) -> None:
    """What an operator does with the draft that waits."""
    draft = drafts.pending_for(conversation_id)
    if draft is None:
        raise ValueError(f"conversation {conversation_id} has no draft to {what}")
    if what == "approve":
        drafts.approve(draft.id, by=by)
    elif what == "edit":
        drafts.edit(draft.id, message["text"], by=by)
    elif what == "discard":
        drafts.discard(draft.id, by=by, reason=message["reason"])
    else:
        drafts.regenerate(conversation_id, by=by)
        drafts.generate(conversation_id, request=drafts.Request(by.id, after=draft.id))


def _file(conversation_id: int, script: Script) -> None:
    """Priority, and whether somebody has looked at it: as the team would have set them."""
    lead = OPERATORS["ada"]
    if "priority" in script:
        conversations.set_priority(conversation_id, script["priority"], by=lead)
    if "seen_by" in script:
        newest = conversations.get(conversation_id, visible_to=lead).last_sequence
        conversations.mark_seen(conversation_id, newest, by=OPERATORS[script["seen_by"]])
