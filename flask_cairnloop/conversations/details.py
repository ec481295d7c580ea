"""What operators set on a conversation, and what each side has seen or is typing."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, update

from flask_cairnloop.conversations.lifecycle import SUBJECT_LENGTH
from flask_cairnloop.conversations.models import Conversation, Priority
from flask_cairnloop.conversations.news import announce, record
from flask_cairnloop.conversations.queries import get, lock
from flask_cairnloop.core import live
from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import transaction
from flask_cairnloop.core.errors import InvalidInput
from flask_cairnloop.core.text import clean
from flask_cairnloop.host.people import Actor, Customer, Operator

TAG_LENGTH = 40
TAGS = 20


def rename(conversation_id: int, subject: str, *, by: Actor) -> Conversation:
    """Give the thread another subject."""
    text = clean(" ".join(str(subject).split()), field="subject", limit=SUBJECT_LENGTH)
    with transaction():
        conversation = lock(conversation_id, by=by)
        if conversation.subject != text:
            conversation.subject = text
            _note("conversation.rename", conversation, by)
    return conversation


def set_priority(conversation_id: int, priority: Priority | str, *, by: Actor) -> Conversation:
    """Say how much it presses. Raises ``InvalidInput`` for a word that is no priority."""
    try:
        wanted = Priority(priority)
    except ValueError:
        raise InvalidInput({"priority": f"needs one of {', '.join(Priority)}"}) from None
    with transaction():
        conversation = lock(conversation_id, by=by)
        if conversation.priority != wanted:
            conversation.priority = wanted
            _note("conversation.set_priority", conversation, by, priority=wanted)
    return conversation


def tag(conversation_id: int, tags: Iterable[str], *, by: Actor) -> Conversation:
    """Replace its tags: lower case, each once, sorted; at most 20 of 40 characters."""
    wanted = sorted({clean(" ".join(str(t).lower().split()), field="tags", limit=TAG_LENGTH) for t in tags if t})
    if len(wanted) > TAGS:
        raise InvalidInput({"tags": f"{TAGS} are allowed"})
    with transaction():
        conversation = lock(conversation_id, by=by)
        if conversation.tags != wanted:
            conversation.tags = wanted
            _note("conversation.tag", conversation, by, count=len(wanted))
    return conversation


def mark_seen(conversation_id: int, sequence: int, *, by: Operator | Customer) -> None:
    """Remember the newest message this side has seen; it never goes back and never past the newest."""
    column = Conversation.customer_seen_sequence if by.kind == "customer" else Conversation.operator_seen_sequence
    with transaction() as db:
        get(conversation_id, visible_to=by)
        moved = db.execute(
            update(Conversation)
            .where(Conversation.id == conversation_id, column < func.least(sequence, Conversation.last_sequence))
            .values({column: func.least(sequence, Conversation.last_sequence)})
            .returning(Conversation.tenant)
        ).first()
        if moved is not None:
            live.changed(f"conversation:{conversation_id}", "seen")
            if by.kind == "operator":
                live.changed(f"tenant:{moved.tenant}", "inbox-list")


def mark_typing(conversation_id: int, *, by: Operator | Customer) -> None:
    """Remember that this side is typing right now."""
    column = Conversation.customer_typing_at if by.kind == "customer" else Conversation.operator_typing_at
    with transaction() as db:
        get(conversation_id, visible_to=by)
        db.execute(update(Conversation).where(Conversation.id == conversation_id).values({column: now()}))
        live.changed(f"conversation:{conversation_id}", "typing" if by.kind == "operator" else "customer-typing")


def _note(action: str, conversation: Conversation, by: Actor, **details: object) -> None:
    record(action, conversation, by, **details)
    announce(conversation.id, conversation.tenant, "header")
