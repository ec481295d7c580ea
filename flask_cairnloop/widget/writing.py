"""What a customer's frames write, and where: the conversation shown, or the one that is theirs by now."""

from __future__ import annotations

import hashlib

from flask_cairnloop import conversations
from flask_cairnloop.conversations import Conversation, Message
from flask_cairnloop.core import live
from flask_cairnloop.core.database import transaction
from flask_cairnloop.core.errors import InvalidTransition
from flask_cairnloop.host.people import Customer
from flask_cairnloop.widget.frames import Ack, Send


def customer_key(customer: Customer) -> str:
    """A name for the customer that says nothing about them."""
    return hashlib.sha256(f"{customer.tenant}\0{customer.ref}".encode()).hexdigest()[:24]


def store(frame: Send, customer: Customer, *, target: int | None, shown: int | None) -> tuple[Ack, Conversation | None]:
    """Store a message in ``target``, else where it belongs.

    Returns the ack, once it is true, and the customer's present conversation if it is another than the one ``shown``.
    """
    try:
        return _store(frame, customer, target, shown)
    except InvalidTransition:  # another conversation is open meanwhile; that one takes it
        return _store(frame, customer, None, shown)


def hand_over(customer: Customer, *, shown: int | None) -> Conversation:
    """Hand over the conversation ``shown``, else the one that is the customer's; returns it."""
    try:
        return _hand_over(customer, shown, shown)
    except InvalidTransition:  # another conversation is open meanwhile; that one is meant
        return _hand_over(customer, None, shown)


def _hand_over(customer: Customer, target: int | None, shown: int | None) -> Conversation:
    with transaction():
        handed = (
            conversations.hand_over_from(customer) if target is None else conversations.hand_over(target, by=customer)
        )
        _tell_of_another(handed, customer, shown)
    return handed


def _store(frame: Send, customer: Customer, target: int | None, shown: int | None) -> tuple[Ack, Conversation | None]:
    with transaction():
        message = _receive(frame, customer, target)
        ack = Ack(
            client_id=frame.client_id,
            conversation=message.conversation_id,
            sequence=message.sequence,
            at=message.created_at,
        )
        current = conversations.current_for(customer) if message.conversation_id != shown else None
        moved_to = _tell_of_another(current, customer, shown)
    return ack, moved_to


def _receive(frame: Send, customer: Customer, target: int | None) -> Message:
    if target is None:
        return conversations.receive_from(customer, frame.content, client_id=frame.client_id)
    return conversations.receive(target, frame.content, by=customer, client_id=frame.client_id)


def _tell_of_another(current: Conversation | None, customer: Customer, shown: int | None) -> Conversation | None:
    """Let the customer's other sockets know where they are now; returns it if it is another than ``shown``."""
    if current is None or current.id == shown:
        return None
    live.changed(f"customer:{customer_key(customer)}", "conversation")
    return current
