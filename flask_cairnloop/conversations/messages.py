"""What can be said in a thread: a customer writes, an operator answers or leaves a note."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from flask_cairnloop import audit
from flask_cairnloop.conversations.lifecycle import bring_back, open_conversation
from flask_cairnloop.conversations.models import (
    Awaiting,
    Channel,
    Conversation,
    ConversationStatus,
    Message,
    MessageRole,
)
from flask_cairnloop.conversations.news import announce
from flask_cairnloop.conversations.queries import current_for, lock
from flask_cairnloop.core import telemetry
from flask_cairnloop.core.current import now, settings
from flask_cairnloop.core.database import table, transaction
from flask_cairnloop.core.errors import InvalidTransition, NotFound, ThreadMoved
from flask_cairnloop.core.text import clean
from flask_cairnloop.host.people import Actor, Customer
from flask_cairnloop.signals import emit, message_received, message_sent, note_added

CUSTOMER_LENGTH = 4_000  # characters of one message
OPERATOR_LENGTH = 20_000
PREVIEW_LENGTH = 160
CLIENT_ID_LENGTH = 64

_HEAD = (
    Conversation.id,
    Conversation.tenant,
    Conversation.customer_ref,
    Conversation.status,
    Conversation.resolved_at,
    Conversation.last_sequence,
    Conversation.first_agent_message_at,
)
_CONVERSATIONS = table(Conversation)
_LOCK = select(*_HEAD).where(Conversation.id == bindparam("conversation_id")).with_for_update()
_APPEND = (
    insert(table(Message))
    .on_conflict_do_nothing(index_elements=["conversation_id", "client_id"], index_where=text("client_id IS NOT NULL"))
    .returning(table(Message).c.id)
)
Head = Row[int, str, str | None, ConversationStatus, datetime | None, int, datetime | None]


def receive(conversation_id: int, content: str, *, by: Customer, client_id: str | None = None) -> Message:
    """Store what the customer wrote; the same ``client_id`` again returns the message already stored.

    A conversation resolved within ``CAIRNLOOP_REOPEN_DAYS`` opens again; an older or archived one is left as it
    is and the message begins a new one, so the returned message may belong to another conversation.
    Raises ``NotFound`` for another customer's conversation, ``InvalidInput`` for unfit text.
    """
    words = clean(content, field="content", limit=CUSTOMER_LENGTH)
    key = clean(client_id, field="client_id", limit=CLIENT_ID_LENGTH) if client_id is not None else None
    with telemetry.span("conversation.receive"), transaction() as db:
        head = _lock_head(db, conversation_id)
        if (head.tenant, head.customer_ref) != (by.tenant, by.ref):
            raise NotFound
        if head.status != ConversationStatus.OPEN:
            if key is not None and (known := _known(db, conversation_id, key)):
                return known
            if not reopens(head.status, head.resolved_at):
                return receive(open_conversation(by, by=by).id, words, by=by, client_id=key)
            bring_back(lock(conversation_id, by=by), by=by)
        message, fresh = _append(db, head, MessageRole.USER, words, by, client_id=key)
        if not fresh:
            return message
        audit.record("message.receive", by=by, **_about(message, head.tenant))
        emit(message_received, **_facts(message, by), customer_ref=by.ref)
        announce(conversation_id, head.tenant, "timeline", "header")
    telemetry.count("cairnloop_messages", role=MessageRole.USER)
    return message


def receive_from(
    customer: Customer, content: str, *, client_id: str | None = None, channel: Channel = Channel.WIDGET
) -> Message:
    """Store what a customer wrote in the conversation it belongs to: the present one, or a new one."""
    with transaction():
        conversation = current_for(customer, channel=channel)
        if conversation is None:
            conversation = open_conversation(customer, by=customer, channel=channel)
        return receive(conversation.id, content, by=customer, client_id=client_id)


def reply(
    conversation_id: int,
    content: str,
    *,
    by: Actor,
    client_id: str | None = None,
    citations: Sequence[dict[str, Any]] = (),
    draft_id: int | None = None,
    seen_sequence: int | None = None,
) -> Message:
    """Answer the customer. Answering a resolved conversation opens it again.

    ``seen_sequence`` is the newest message the writer had before them: where others have written since,
    ``ThreadMoved`` is raised and nothing is sent. ``citations`` are stored with the message. Raises
    ``InvalidTransition`` when archived.
    """
    words = clean(content, field="content", limit=OPERATOR_LENGTH)
    with telemetry.span("conversation.reply"), transaction() as db:
        head = _lock_head(db, conversation_id, tenant=by.tenant if by.kind == "operator" else None)
        if client_id is not None and (known := _known(db, conversation_id, client_id)):
            return known
        if seen_sequence is not None:
            _refuse_blind(db, head, seen_sequence, by)
        if head.status == ConversationStatus.ARCHIVED:
            raise InvalidTransition(lock(conversation_id, by=by), "An archived conversation cannot be answered.")
        if head.status == ConversationStatus.RESOLVED:
            bring_back(lock(conversation_id, by=by), by=by)
        details: dict[str, Any] = {"citations": list(citations)} if citations else {}
        if draft_id is not None:
            details["draft_id"] = draft_id
        if by.kind == "system":
            details["automatic"] = True
        message, _ = _append(db, head, MessageRole.AGENT, words, by, client_id=client_id, details=details)
        audit.record("message.send", by=by, **_about(message, head.tenant))
        emit(message_sent, **_facts(message, by), customer_ref=head.customer_ref)
        announce(conversation_id, head.tenant, "timeline", "header", "draft")
    telemetry.count("cairnloop_messages", role=MessageRole.AGENT)
    return message


def add_note(conversation_id: int, content: str, *, by: Actor, client_id: str | None = None) -> Message:
    """Leave a note among operators. It changes neither status nor whose turn it is."""
    words = clean(content, field="content", limit=OPERATOR_LENGTH)
    with transaction() as db:
        head = _lock_head(db, conversation_id, tenant=by.tenant if by.kind == "operator" else None)
        if client_id is not None and (known := _known(db, conversation_id, client_id)):
            return known
        message, _ = _append(db, head, MessageRole.INTERNAL_NOTE, words, by, client_id=client_id)
        audit.record("note.add", by=by, **_about(message, head.tenant))
        emit(note_added, conversation_id=conversation_id, message_id=message.id, actor=by)
        announce(conversation_id, head.tenant, "timeline", lists=False)
    telemetry.count("cairnloop_messages", role=MessageRole.INTERNAL_NOTE)
    return message


def state(conversation_id: int, content: str, *, by: Actor) -> Message:
    """State a fact in the thread, for both sides to read. It answers nothing and is nobody's turn."""
    words = clean(content, field="content", limit=OPERATOR_LENGTH)
    with transaction() as db:
        head = _lock_head(db, conversation_id, tenant=by.tenant if by.kind == "operator" else None)
        message, _ = _append(db, head, MessageRole.SYSTEM, words, by)
        audit.record("message.state", by=by, **_about(message, head.tenant))
        announce(conversation_id, head.tenant, "timeline")
    telemetry.count("cairnloop_messages", role=MessageRole.SYSTEM)
    return message


def reopens(status: ConversationStatus, resolved_at: datetime | None) -> bool:
    """Whether the customer's next word opens a conversation again that stands like this."""
    recent = resolved_at is not None and now() - resolved_at <= timedelta(days=settings.reopen_days)
    return status == ConversationStatus.RESOLVED and recent


def _lock_head(db: Session, conversation_id: int, *, tenant: str | None = None) -> Head:
    """Lock a conversation and read the few columns a message needs: this is the hot path."""
    head: Head | None = db.connection().execute(_LOCK, {"conversation_id": conversation_id}).one_or_none()
    if head is None or (tenant is not None and head.tenant != tenant):
        raise NotFound
    return head


def _known(db: Session, conversation_id: int, client_id: str) -> Message | None:
    return db.scalars(_by_client_id(conversation_id, client_id)).one_or_none()


def _by_client_id(conversation_id: int, client_id: str | None) -> Select[Message]:
    return select(Message).where(Message.conversation_id == conversation_id, Message.client_id == client_id)


def _refuse_blind(db: Session, head: Head, seen: int, by: Actor) -> None:
    newer = select(Message.id).where(
        Message.conversation_id == head.id, Message.sequence > seen, Message.author_id != by.id
    )
    if head.last_sequence > seen and db.execute(newer.limit(1)).first() is not None:
        raise ThreadMoved(lock(head.id, by=by))


def _append(
    db: Session,
    head: Head,
    role: MessageRole,
    content: str,
    by: Actor,
    *,
    client_id: str | None = None,
    details: dict[str, Any] | None = None,
) -> tuple[Message, bool]:
    """Write the next message of a locked conversation and bring its summary columns up to date.

    Returns it and True, or the message already stored under this ``client_id`` and False.

    Plain statements, and a message detached from the session: what is received most must cost least.
    """
    moment, sequence = now(), head.last_sequence + 1
    row: dict[str, Any] = {
        "conversation_id": head.id,
        "sequence": sequence,
        "role": role,
        "content": content,
        "created_at": moment,
    }
    row |= {"author_id": by.id, "author_name": by.name, "client_id": client_id, "details": details or {}}
    message_id = db.connection().execute(_APPEND, row).scalar()
    if message_id is None:
        return db.scalars(_by_client_id(head.id, client_id)).one(), False
    message = Message(id=message_id, **row)
    values: dict[str, Any] = {"last_sequence": sequence, "updated_at": moment}
    if role != MessageRole.INTERNAL_NOTE:
        values |= {"last_message_at": moment, "last_message_role": role, "last_message_author": by.name}
        values["last_message_preview"] = " ".join(content[: PREVIEW_LENGTH * 2].split())[:PREVIEW_LENGTH]
    if role == MessageRole.USER:
        values |= {"awaiting": Awaiting.OPERATOR, "customer_seen_sequence": sequence, "customer_typing_at": None}
    if role == MessageRole.AGENT:
        values |= {"awaiting": Awaiting.CUSTOMER, "operator_seen_sequence": sequence, "operator_typing_at": None}
        values["host_user_id"] = by.id if by.kind == "operator" else Conversation.host_user_id
        if head.first_agent_message_at is None:
            values["first_agent_message_at"] = moment
    db.connection().execute(update(_CONVERSATIONS).where(_CONVERSATIONS.c.id == head.id).values(values))
    loaded = db.identity_map.get(identity_key(Conversation, head.id))
    if loaded is not None:
        db.expire(loaded)
    return message, True


def _about(message: Message, tenant: str) -> dict[str, Any]:
    where = {"conversation_id": message.conversation_id, "tenant": tenant, "sequence": message.sequence}
    return {"subject": "message", "subject_id": message.id, **where}


def _facts(message: Message, by: Actor) -> dict[str, Any]:
    return {
        "conversation_id": message.conversation_id,
        "message_id": message.id,
        "sequence": message.sequence,
        "actor": by,
    }
