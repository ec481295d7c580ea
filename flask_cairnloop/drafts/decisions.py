"""What can be decided about a draft. Every verb locks the conversation first, then the draft."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select

from flask_cairnloop import audit, conversations
from flask_cairnloop.conversations import Conversation, Message, MessageRole
from flask_cairnloop.conversations.news import announce
from flask_cairnloop.core import telemetry
from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import after_commit, session, transaction
from flask_cairnloop.core.errors import InvalidTransition, NotFound
from flask_cairnloop.core.text import clean
from flask_cairnloop.drafts.models import Draft, DraftStatus
from flask_cairnloop.drafts.wording import citations
from flask_cairnloop.host.people import Actor
from flask_cairnloop.signals import draft_approved, draft_discarded, draft_edited, draft_superseded, emit

REASON_LENGTH = 500
_EVENTS = {
    DraftStatus.APPROVED: draft_approved,
    DraftStatus.EDITED: draft_edited,
    DraftStatus.DISCARDED: draft_discarded,
    DraftStatus.SUPERSEDED: draft_superseded,
}
_ACTIONS = {
    DraftStatus.APPROVED: "draft.approve",
    DraftStatus.EDITED: "draft.edit",
    DraftStatus.DISCARDED: "draft.discard",
    DraftStatus.SUPERSEDED: "draft.supersede",
}


_WAITING = select(Draft.id).where(
    Draft.conversation_id == bindparam("conversation_id"), Draft.status == DraftStatus.PENDING
)


def approve(draft_id: int, *, by: Actor) -> Draft:
    """Send a draft to the customer as it stands, once.

    Raises ``InvalidTransition`` where it waits no more, where the customer has written since, where its evidence does
    not carry every sentence, and for an escalation, which is a word to operators.
    """
    with telemetry.span("draft.approve"), transaction():
        draft, conversation = _lock(draft_id, by)
        send_as_it_stands(draft, conversation, by=by)
    return draft


def send_as_it_stands(draft: Draft, conversation: Conversation, *, by: Actor) -> None:
    """Approve and send a draft whose conversation is locked in the current transaction."""
    if draft.status == DraftStatus.PENDING:
        if not draft.is_for_customer:
            raise InvalidTransition(draft, "This is a word to you, not a reply; answer in your own words.")
        if not draft.is_supported:
            raise InvalidTransition(draft, "Its evidence does not carry every sentence; edit it before it is sent.")
        _refuse_outdated(draft)
    _advance(draft, DraftStatus.APPROVED, by)
    cited = citations(draft.sentences, draft.evidence)
    message = conversations.reply(conversation.id, draft.body, by=by, citations=cited, draft_id=draft.id)
    draft.message_id = message.id


def edit(
    draft_id: int,
    content: str,
    *,
    by: Actor,
    client_id: str | None = None,
    citations: Sequence[dict[str, Any]] = (),
    seen_sequence: int | None = None,
) -> Draft:
    """Send the operator's own words in place of a draft; the message stays linked to it.

    ``citations`` are stored with the message, as ``conversations.reply`` stores them.
    Raises as ``conversations.reply`` does, and ``InvalidTransition`` where the draft waits no more.
    """
    with transaction():
        draft, conversation = _lock(draft_id, by)
        _advance(draft, DraftStatus.EDITED, by)
        message = conversations.reply(
            conversation.id,
            content,
            by=by,
            client_id=client_id,
            citations=citations,
            draft_id=draft.id,
            seen_sequence=seen_sequence,
        )
        draft.message_id = message.id
    return draft


def discard(draft_id: int, *, by: Actor, reason: str | None = None) -> Draft:
    """Set a draft aside; nothing is sent."""
    words = clean(reason, field="reason", limit=REASON_LENGTH, required=False) if reason is not None else None
    with transaction():
        draft, _ = _lock(draft_id, by)
        draft.discard_reason = words or None
        _advance(draft, DraftStatus.DISCARDED, by)
    return draft


def supersede_pending(conversation_id: int, *, by: Actor) -> Draft | None:
    """Set aside the draft that waits in a conversation, because something else was said or done. Returns it."""
    with transaction() as db:
        if db.connection().execute(_WAITING, {"conversation_id": conversation_id}).first() is None:
            return None  # asked after every message, and seldom is there one
        conversation = conversations.lock(conversation_id, by=by)
        pending = select(Draft).where(Draft.conversation_id == conversation_id, Draft.status == DraftStatus.PENDING)
        draft = db.scalars(pending.with_for_update().execution_options(populate_existing=True)).one_or_none()
        if draft is not None:
            _advance(draft, DraftStatus.SUPERSEDED, by)
            conversation.updated_at = now()
    return draft


def _lock(draft_id: int, by: Actor) -> tuple[Draft, Conversation]:
    db = session()
    place = db.execute(select(Draft.conversation_id, Draft.tenant).where(Draft.id == draft_id)).one_or_none()
    if place is None or (by.kind != "system" and place.tenant != by.tenant):
        raise NotFound
    conversation = conversations.lock(place.conversation_id, by=by)
    conversation.updated_at = now()
    query = select(Draft).where(Draft.id == draft_id).with_for_update()
    return db.scalars(query.execution_options(populate_existing=True)).one(), conversation


def _refuse_outdated(draft: Draft) -> None:
    newer = select(Message.id).where(
        Message.conversation_id == draft.conversation_id,
        Message.role == MessageRole.USER,
        Message.sequence > draft.answers_sequence,
    )
    if session().execute(newer.limit(1)).first() is not None:
        raise InvalidTransition(draft, "The customer has written since this was drafted; a new draft is on its way.")


def _advance(draft: Draft, status: DraftStatus, by: Actor) -> None:
    draft.advance(status)
    draft.decided_by, draft.decided_by_name, draft.decided_at = by.id, by.name, now()
    session().flush()
    audit.record(
        _ACTIONS[status],
        by=by,
        subject="draft",
        subject_id=draft.id,
        conversation_id=draft.conversation_id,
        tenant=draft.tenant,
        kind=draft.kind,
    )
    emit(_EVENTS[status], draft=draft, conversation_id=draft.conversation_id, actor=by)
    announce(draft.conversation_id, draft.tenant, "draft")
    after_commit(lambda: telemetry.count("cairnloop_drafts", outcome=status))
