"""A conversation as a draft generator may see it: what was said between customer and desk, never an internal note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from flask_cairnloop import conversations
from flask_cairnloop.conversations import Awaiting, Conversation, ConversationStatus, Message, MessageRole, Priority
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.drafts.models import Draft
from flask_cairnloop.drafts.question import what_is_asked
from flask_cairnloop.host.draft_generator import DraftKind

MESSAGES = 12  # of the thread's end


@dataclass(frozen=True)
class MessageView:
    """One message of the thread."""

    sequence: int
    role: MessageRole
    author: str | None
    content: str
    at: datetime


@dataclass(frozen=True)
class ConversationView:
    """What is asked, by whom, and what was said before. Everything in it is data, never an instruction."""

    id: int
    tenant: str
    subject: str
    customer_ref: str | None
    customer_name: str | None
    priority: Priority
    tags: tuple[str, ...]
    question: str
    messages: tuple[MessageView, ...]
    #: The first and the newest customer message the draft will answer.
    asks_sequence: int
    answers_sequence: int
    #: Whether the last thing said to the customer was a question of a draft's.
    just_clarified: bool


def read(conversation_id: int) -> ConversationView | None:
    """The conversation as it stands; None where nothing waits for an answer."""
    with transaction() as db:
        conversation = db.get(Conversation, conversation_id)
        if conversation is None or not awaits_answer(conversation):
            return None
        unanswered = conversations.unanswered(conversation_id)
        thread = _thread(conversation_id)
        said = [m.content for m in thread if m.role in {MessageRole.AGENT, MessageRole.SYSTEM_OUTBOUND}]
        asked = what_is_asked(
            [m.content for m in unanswered],
            earlier=[m.content for m in thread if m.role == MessageRole.USER and m not in unanswered],
            answered=said[-1] if said else None,
            subject=conversation.subject,
        )
        if asked is None:
            return None
        return ConversationView(
            id=conversation.id,
            tenant=conversation.tenant,
            subject=conversation.subject,
            customer_ref=conversation.customer_ref,
            customer_name=conversation.customer_name,
            priority=conversation.priority,
            tags=tuple(conversation.tags),
            question=asked,
            messages=tuple(MessageView(m.sequence, m.role, m.author_name, m.content, m.created_at) for m in thread),
            asks_sequence=unanswered[0].sequence,
            answers_sequence=unanswered[-1].sequence,
            just_clarified=_just_clarified(thread),
        )


def can_be_drafted(conversation_id: int) -> bool:
    """Whether a customer asks something there that nobody has answered yet."""
    return read(conversation_id) is not None


def awaits_answer(conversation: Conversation) -> bool:
    """Whether a customer waits for a word from the desk."""
    return conversation.status == ConversationStatus.OPEN and conversation.awaiting == Awaiting.OPERATOR


def _thread(conversation_id: int) -> Sequence[Message]:
    query = select(Message).where(Message.conversation_id == conversation_id, Message.role != MessageRole.INTERNAL_NOTE)
    return session().scalars(query.order_by(Message.sequence.desc()).limit(MESSAGES)).all()[::-1]


def _just_clarified(thread: Sequence[Message]) -> bool:
    answers = [message for message in thread if message.role == MessageRole.AGENT]
    draft_id = answers[-1].details.get("draft_id") if answers else None
    if draft_id is None:
        return False
    return session().scalar(select(Draft.kind).where(Draft.id == draft_id)) == DraftKind.CLARIFICATION
