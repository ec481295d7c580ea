"""A thread's messages as they stand on the page: a piece of it, by day, grouped by who wrote them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from flask_cairnloop import conversations
from flask_cairnloop.conversations import Conversation, Message, MessageRole
from flask_cairnloop.dashboard.clock import local
from flask_cairnloop.host.people import Customer, Operator

OPENED = 50  # messages of an opened thread, and of each older page
LONGEST = 200  # messages one answer holds
#: Messages of one author within this time form one group.
TOGETHER = timedelta(minutes=10)


@dataclass(frozen=True)
class Entry:
    """One message; ``first`` of its group carries the author and the time."""

    message: Message
    first: bool


@dataclass(frozen=True)
class Day:
    """The entries of one day."""

    date: date
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Piece:
    """Consecutive messages of a thread."""

    days: tuple[Day, ...]
    #: The numbers of its oldest and newest message; 0 where it is empty.
    first: int
    last: int
    #: Whether messages lie between the anchor asked for and ``first``.
    gap: bool = False

    @property
    def older(self) -> bool:
        """Whether messages come before it."""
        return self.first > 1


def mark_seen(conversation: Conversation, *, by: Operator) -> None:
    """Remember that an operator has the whole thread before them.

    Called before the messages are read: what it saves makes the session read everything it holds again.
    """
    if conversation.operator_seen_sequence < conversation.last_sequence:
        conversations.mark_seen(conversation.id, conversation.last_sequence, by=by)


def newest(conversation: Conversation, *, visible_to: Operator) -> Piece:
    """The end of the thread, as it is opened."""
    return _piece(conversations.timeline(conversation.id, visible_to=visible_to, limit=OPENED))


def since(conversation: Conversation, anchor: int, *, visible_to: Operator) -> Piece:
    """Everything from message ``anchor`` on; where that is too much for one answer, the newest of it."""
    messages = conversations.timeline(conversation.id, visible_to=visible_to, after=anchor - 1, limit=LONGEST)
    if len(messages) == LONGEST:
        messages = conversations.timeline(conversation.id, visible_to=visible_to, limit=LONGEST)
    return _piece(messages, anchor=anchor)


def before(conversation: Conversation, sequence: int, *, visible_to: Operator) -> Piece:
    """The page of messages older than ``sequence``."""
    return _piece(conversations.timeline(conversation.id, visible_to=visible_to, before=sequence, limit=OPENED))


def has_been_seen(conversation: Conversation) -> bool:
    """Whether the customer has seen the newest message that is for them."""
    if conversation.customer_ref is None:
        return False
    reader = Customer(conversation.customer_ref, tenant=conversation.tenant)
    found = conversations.timeline(conversation.id, visible_to=reader, limit=1)
    return bool(found) and found[0].role == MessageRole.AGENT and _reached(conversation, found[0])


def by_day(messages: Iterable[Message]) -> tuple[Day, ...]:
    """The messages, in order, by the operator's days."""
    days = groupby(messages, key=lambda message: local(message.created_at).date())
    return tuple(Day(on, tuple(_grouped(list(entries)))) for on, entries in days)


def _piece(messages: Sequence[Message], *, anchor: int | None = None) -> Piece:
    if not messages:
        return Piece((), anchor or 0, 0)
    first = messages[0].sequence
    return Piece(by_day(messages), first, messages[-1].sequence, gap=anchor is not None and first > anchor)


def _grouped(messages: list[Message]) -> Iterable[Entry]:
    for index, message in enumerate(messages):
        yield Entry(message, first=index == 0 or not _continues(messages[index - 1], message))


def _continues(before: Message, message: Message) -> bool:
    same = (before.role, before.author_id) == (message.role, message.author_id)
    return same and message.created_at - before.created_at < TOGETHER


def _reached(conversation: Conversation, message: Message) -> bool:
    return conversation.customer_seen_sequence >= message.sequence
