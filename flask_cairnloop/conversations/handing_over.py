"""The customer asks for a person: from then on only people answer, until an operator lifts it."""

from __future__ import annotations

from flask_cairnloop.conversations.lifecycle import bring_back, open_conversation
from flask_cairnloop.conversations.messages import reopens, state
from flask_cairnloop.conversations.models import Awaiting, Channel, Conversation, ConversationStatus
from flask_cairnloop.conversations.news import announce, record
from flask_cairnloop.conversations.queries import current_for, lock
from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import transaction
from flask_cairnloop.core.errors import NotFound
from flask_cairnloop.host.people import SYSTEM, Customer, Operator
from flask_cairnloop.signals import conversation_handed_back, conversation_handed_over, emit

#: What both sides read in the thread.
PROMISE = "A person will answer from here. The team has been told; the answer appears in this chat."


def hand_over(conversation_id: int, *, by: Customer) -> Conversation:
    """Let only people answer: nothing is sent automatically until an operator lifts it, and it waits for an operator.

    Asking again changes nothing. A conversation resolved within ``CAIRNLOOP_REOPEN_DAYS`` opens again; instead of an
    older or archived one a new one begins, so the returned conversation may be another.
    Raises ``NotFound`` for another customer's conversation, ``InvalidTransition`` where another one is open already.
    """
    with transaction():
        conversation = lock(conversation_id, by=by)
        if (conversation.tenant, conversation.customer_ref) != (by.tenant, by.ref):
            raise NotFound
        if conversation.status == ConversationStatus.OPEN:
            if conversation.handed_over_at is not None:
                return conversation
        elif reopens(conversation.status, conversation.resolved_at):
            bring_back(conversation, by=by)
        else:
            return hand_over(open_conversation(by, by=by).id, by=by)
        state(conversation.id, PROMISE, by=SYSTEM)
        conversation.handed_over_at = now()
        conversation.awaiting = Awaiting.OPERATOR
        record("conversation.hand_over", conversation, by)
        emit(conversation_handed_over, conversation=conversation, actor=by, customer_ref=conversation.customer_ref)
        announce(conversation.id, conversation.tenant, "header", "timeline", "draft")
    return conversation


def hand_over_from(customer: Customer, *, channel: Channel = Channel.WIDGET) -> Conversation:
    """Hand over the conversation a customer's next message belongs to: the present one, or a new one."""
    with transaction():
        current = current_for(customer, channel=channel)
        if current is None:
            current = open_conversation(customer, by=customer, channel=channel)
        return hand_over(current.id, by=customer)


def hand_back(conversation_id: int, *, by: Operator) -> Conversation:
    """Let what the policy allows be sent automatically again. Where nobody asked for a person nothing changes."""
    with transaction():
        conversation = lock(conversation_id, by=by)
        if conversation.handed_over_at is None:
            return conversation
        conversation.handed_over_at = None
        record("conversation.hand_back", conversation, by)
        emit(conversation_handed_back, conversation=conversation, actor=by, customer_ref=conversation.customer_ref)
        announce(conversation.id, conversation.tenant, "header", "draft")
    return conversation
