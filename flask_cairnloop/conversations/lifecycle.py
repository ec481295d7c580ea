"""A conversation begins, is resolved, comes back, is put away."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from flask_cairnloop.conversations.models import Awaiting, Channel, Conversation, ConversationStatus
from flask_cairnloop.conversations.news import announce, record
from flask_cairnloop.conversations.queries import lock
from flask_cairnloop.core import telemetry
from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.core.errors import InvalidTransition
from flask_cairnloop.core.text import clean
from flask_cairnloop.host.people import Actor, Customer
from flask_cairnloop.signals import (
    conversation_archived,
    conversation_opened,
    conversation_reopened,
    conversation_resolved,
    emit,
)

SUBJECT_LENGTH = 200
DEFAULT_SUBJECT = "Customer chat"


def open_conversation(
    customer: Customer, *, by: Actor, subject: str | None = None, channel: Channel = Channel.WIDGET
) -> Conversation:
    """Begin a conversation. A customer has one open widget conversation: where it exists, that one is returned."""
    topic = clean(subject, field="subject", limit=SUBJECT_LENGTH) if subject is not None else DEFAULT_SUBJECT
    with transaction() as db:
        moment = now()
        row: dict[str, Any] = {"tenant": customer.tenant, "customer_ref": customer.ref, "customer_name": customer.name}
        row |= {"subject": topic, "channel": channel, "created_at": moment, "last_message_at": moment}
        opened = db.scalars(
            insert(Conversation).values(row | {"updated_at": moment}).on_conflict_do_nothing().returning(Conversation)
        ).one_or_none()
        if opened is None:
            found: Conversation = db.scalars(_open_widget_conversation(customer)).one()
            return found
        record("conversation.open", opened, by, channel=channel)
        emit(conversation_opened, conversation=opened, actor=by, customer_ref=customer.ref)
        announce(opened.id, opened.tenant, "header")
    return opened


def _open_widget_conversation(customer: Customer) -> Select[Any]:
    """The statement that finds a customer's one open widget conversation."""
    return select(Conversation).where(
        Conversation.tenant == customer.tenant,
        Conversation.customer_ref == customer.ref,
        Conversation.channel == Channel.WIDGET,
        Conversation.status == ConversationStatus.OPEN,
    )


def resolve(conversation_id: int, *, by: Actor) -> Conversation:
    """Close the thread as answered. Resolving a resolved one changes nothing."""
    with telemetry.span("conversation.resolve"), transaction():
        conversation = lock(conversation_id, by=by)
        if conversation.status == ConversationStatus.RESOLVED:
            return conversation
        conversation.advance(ConversationStatus.RESOLVED)
        conversation.resolved_at = now()
        conversation.resolved_by = conversation.host_user_id = by.id
        record("conversation.resolve", conversation, by)
        emit(
            conversation_resolved,
            measurements={"duration_seconds": (conversation.resolved_at - conversation.created_at).total_seconds()},
            conversation=conversation,
            actor=by,
            host_user_id=by.id,
            customer_ref=conversation.customer_ref,
        )
        _announce(conversation)
    return conversation


def reopen(conversation_id: int, *, by: Actor) -> Conversation:
    """Open a resolved conversation again. Raises ``InvalidTransition`` where the customer already has an open one."""
    with transaction():
        conversation = lock(conversation_id, by=by)
        if conversation.status == ConversationStatus.OPEN:
            return conversation
        bring_back(conversation, by=by)
        _announce(conversation)
    return conversation


def bring_back(conversation: Conversation, *, by: Actor) -> None:
    """Reopen a locked conversation inside the current transaction."""
    try:
        with session().begin_nested():
            conversation.advance(ConversationStatus.OPEN)
            conversation.reopened_count += 1
            conversation.resolved_at = conversation.resolved_by = None
            conversation.awaiting = Awaiting.OPERATOR
    except IntegrityError:
        raise InvalidTransition(
            conversation, "This customer already has an open conversation; answer there instead."
        ) from None
    record("conversation.reopen", conversation, by)
    emit(conversation_reopened, conversation=conversation, actor=by, customer_ref=conversation.customer_ref)


def archive(conversation_id: int, *, by: Actor) -> Conversation:
    """Put the thread away. Archiving an archived one changes nothing."""
    with transaction():
        conversation = lock(conversation_id, by=by)
        if conversation.status == ConversationStatus.ARCHIVED:
            return conversation
        conversation.advance(ConversationStatus.ARCHIVED)
        record("conversation.archive", conversation, by)
        emit(conversation_archived, conversation=conversation, actor=by, customer_ref=conversation.customer_ref)
        _announce(conversation)
    return conversation


def _announce(conversation: Conversation) -> None:
    announce(conversation.id, conversation.tenant, "header", "timeline", "draft", "composer")
