"""Proposed replies: how they come about, and what an operator decides about them."""

from __future__ import annotations

from flask_cairnloop.drafts.decisions import approve, discard, edit, supersede_pending
from flask_cairnloop.drafts.generation import Request, generate
from flask_cairnloop.drafts.jobs import generate_draft, regenerate
from flask_cairnloop.drafts.models import Draft, DraftStatus
from flask_cairnloop.drafts.queries import (
    Waiting,
    count_waiting,
    drafts_of,
    get_draft,
    is_on_its_way,
    longest_waiting,
    pending_among,
    pending_for,
    promise_key,
    was_asked_again,
)
from flask_cairnloop.drafts.views import ConversationView, MessageView, can_be_drafted

__all__ = [
    "ConversationView",
    "Draft",
    "DraftStatus",
    "MessageView",
    "Request",
    "Waiting",
    "approve",
    "can_be_drafted",
    "count_waiting",
    "discard",
    "drafts_of",
    "edit",
    "generate",
    "generate_draft",
    "get_draft",
    "is_on_its_way",
    "longest_waiting",
    "pending_among",
    "pending_for",
    "promise_key",
    "regenerate",
    "supersede_pending",
    "was_asked_again",
]
