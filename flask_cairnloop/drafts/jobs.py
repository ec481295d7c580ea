"""Drafting in the background."""

from __future__ import annotations

from flask_cairnloop import audit, conversations
from flask_cairnloop.conversations.news import announce
from flask_cairnloop.core import work
from flask_cairnloop.core.database import transaction
from flask_cairnloop.core.errors import InvalidTransition
from flask_cairnloop.core.jobs import job
from flask_cairnloop.drafts.decisions import supersede_pending
from flask_cairnloop.drafts.generation import Request, generate
from flask_cairnloop.drafts.queries import newest_id, promise_key
from flask_cairnloop.drafts.views import read
from flask_cairnloop.host.people import Operator


@job("generate_draft", timeout=60, atomic=False)
def generate_draft(conversation_id: int, requested_by: str | None = None, after: int = 0) -> None:
    """Draft an answer to what the customer wrote; for an operator who asked, one newer than the draft ``after``."""
    generate(conversation_id, request=Request(requested_by, after), settle=work.complete)


def regenerate(conversation_id: int, *, by: Operator) -> None:
    """Set aside the draft that waits, if one does, and promise another, now. Asking twice makes one draft.

    Raises ``InvalidTransition`` where the customer waits for nothing: answered, resolved or archived.
    """
    with transaction():
        conversation = conversations.lock(conversation_id, by=by)
        if read(conversation_id) is None:
            raise InvalidTransition(conversation, "Nothing waits for an answer here, so there is nothing to draft.")
        supersede_pending(conversation_id, by=by)
        generate_draft.enqueue(
            unique_key=promise_key(conversation_id),
            conversation_id=conversation_id,
            requested_by=by.id,
            after=newest_id(conversation_id),
        )
        audit.record(
            "draft.request",
            by=by,
            subject="conversation",
            subject_id=conversation_id,
            conversation_id=conversation_id,
            tenant=conversation.tenant,
        )
        announce(conversation_id, conversation.tenant, "draft")
