"""Customers and operators talking: the threads, what can be done to them, and how they are read."""

from __future__ import annotations

from flask_cairnloop.conversations.details import mark_seen, mark_typing, rename, set_priority, tag
from flask_cairnloop.conversations.handing_over import hand_back, hand_over, hand_over_from
from flask_cairnloop.conversations.lifecycle import archive, open_conversation, reopen, resolve
from flask_cairnloop.conversations.messages import add_note, receive, receive_from, reply
from flask_cairnloop.conversations.models import (
    Awaiting,
    Channel,
    Conversation,
    ConversationStatus,
    Message,
    MessageRole,
    Priority,
    ShownStatus,
)
from flask_cairnloop.conversations.queries import (
    InboxFilter,
    InboxSort,
    InboxView,
    Page,
    counts,
    current_for,
    get,
    inbox,
    lock,
    next_waiting,
    of_customer,
    timeline,
    unanswered,
)

__all__ = [
    "Awaiting",
    "Channel",
    "Conversation",
    "ConversationStatus",
    "InboxFilter",
    "InboxSort",
    "InboxView",
    "Message",
    "MessageRole",
    "Page",
    "Priority",
    "ShownStatus",
    "add_note",
    "archive",
    "counts",
    "current_for",
    "get",
    "hand_back",
    "hand_over",
    "hand_over_from",
    "inbox",
    "lock",
    "mark_seen",
    "mark_typing",
    "next_waiting",
    "of_customer",
    "open_conversation",
    "receive",
    "receive_from",
    "rename",
    "reopen",
    "reply",
    "resolve",
    "set_priority",
    "tag",
    "timeline",
    "unanswered",
]
