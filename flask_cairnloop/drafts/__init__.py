"""Proposed replies: how they come about, and what an operator decides about them."""

from __future__ import annotations

from flask_cairnloop.drafts.decisions import approve, discard, edit, supersede_pending
from flask_cairnloop.drafts.generation import generate
from flask_cairnloop.drafts.jobs import generate_draft
from flask_cairnloop.drafts.models import Draft, DraftStatus
from flask_cairnloop.drafts.queries import (
    Waiting,
    count_waiting,
    drafts_of,
    get_draft,
    longest_waiting,
    pending_among,
    pending_for,
)
from flask_cairnloop.drafts.views import ConversationView, MessageView

__all__ = [
    "ConversationView",
    "Draft",
    "DraftStatus",
    "MessageView",
    "Waiting",
    "approve",
    "count_waiting",
    "discard",
    "drafts_of",
    "edit",
    "generate",
    "generate_draft",
    "get_draft",
    "longest_waiting",
    "pending_among",
    "pending_for",
    "supersede_pending",
]
