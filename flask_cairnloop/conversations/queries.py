"""Reading threads: always through the viewer, always a bounded piece."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, literal, or_, select, tuple_, union_all

from flask_cairnloop.conversations.models import (
    Awaiting,
    Channel,
    Conversation,
    ConversationStatus,
    Message,
    MessageRole,
    Priority,
)
from flask_cairnloop.core.current import now, settings
from flask_cairnloop.core.database import session
from flask_cairnloop.core.errors import InvalidInput, NotFound
from flask_cairnloop.host.people import Actor, Customer, Operator

T = TypeVar("T")
COUNTED = 501  #: Counts stop here: "500+".
LONGEST = 200  #: Rows in one answer, at most.


class InboxView(StrEnum):
    """The tabs of the inbox."""

    NEEDS_REPLY = "needs_reply"
    RESOLVED = "resolved"
    ALL = "all"


class InboxSort(StrEnum):
    """The order of the inbox, by the last message."""

    NEWEST = "newest"
    OLDEST = "oldest"


@dataclass(frozen=True)
class InboxFilter:
    """Which conversations, in which order."""

    view: InboxView = InboxView.NEEDS_REPLY
    sort: InboxSort = InboxSort.NEWEST
    tag: str | None = None
    priority: Priority | None = None
    customer_ref: str | None = None
    #: Only those whose customer asked for a person.
    handed_over: bool = False


@dataclass(frozen=True)
class Page(Generic[T]):
    """A piece of a list, and where the next begins (None at the end)."""

    items: Sequence[T]
    next_cursor: str | None


def get(conversation_id: int, *, visible_to: Operator | Customer) -> Conversation:
    """One conversation. Raises ``NotFound`` where there is none the viewer may see."""
    query = select(Conversation).where(Conversation.id == conversation_id, Conversation.tenant == visible_to.tenant)
    if visible_to.kind == "customer":
        query = query.where(Conversation.customer_ref == visible_to.id)
    found = session().scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def lock(conversation_id: int, *, by: Actor) -> Conversation:
    """One conversation as it is now, locked until the transaction ends; an operator reaches only the own tenant's."""
    query = select(Conversation).where(Conversation.id == conversation_id).with_for_update()
    if by.kind == "operator":
        query = query.where(Conversation.tenant == by.tenant)
    found = session().scalars(query.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound
    return found


def current_for(customer: Customer, *, channel: Channel = Channel.WIDGET) -> Conversation | None:
    """The conversation a customer's next message belongs to: the open one, else one resolved recently enough."""
    recent = now() - timedelta(days=settings.reopen_days)
    query = (
        select(Conversation)
        .where(
            Conversation.tenant == customer.tenant,
            Conversation.customer_ref == customer.ref,
            Conversation.channel == channel,
            or_(
                Conversation.status == ConversationStatus.OPEN,
                (Conversation.status == ConversationStatus.RESOLVED) & (Conversation.resolved_at >= recent),
            ),
        )
        .order_by((Conversation.status == ConversationStatus.OPEN).desc(), Conversation.last_message_at.desc())
        .limit(1)
    )
    return session().scalars(query).one_or_none()


def timeline(
    conversation_id: int,
    *,
    visible_to: Operator | Customer,
    after: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Message]:
    """Messages in order: those after a sequence, those before one, or the newest. A customer sees no notes."""
    get(conversation_id, visible_to=visible_to)
    query = select(Message).where(Message.conversation_id == conversation_id)
    if visible_to.kind == "customer":
        query = query.where(Message.role != MessageRole.INTERNAL_NOTE)
    size = max(1, min(limit, LONGEST))
    if after is not None:
        rows = query.where(Message.sequence > after).order_by(Message.sequence).limit(size)
        return list(session().scalars(rows))
    if before is not None:
        query = query.where(Message.sequence < before)
    return list(session().scalars(query.order_by(Message.sequence.desc()).limit(size)))[::-1]


def unanswered(conversation_id: int, *, limit: int = 20) -> list[Message]:
    """The customer's messages since the last answer, in order."""
    answered = select(func.coalesce(func.max(Message.sequence), 0)).where(
        Message.conversation_id == conversation_id, Message.role == MessageRole.AGENT
    )
    query = select(Message).where(
        Message.conversation_id == conversation_id,
        Message.role == MessageRole.USER,
        Message.sequence > answered.scalar_subquery(),
    )
    return list(session().scalars(query.order_by(Message.sequence.desc()).limit(limit)))[::-1]


def inbox(
    chosen: InboxFilter, *, visible_to: Operator, cursor: str | None = None, limit: int = 50
) -> Page[Conversation]:
    """One page of the inbox. Costs the same however many conversations there are."""
    newest = chosen.sort == InboxSort.NEWEST
    key = tuple_(Conversation.last_message_at, Conversation.id)
    query = _filtered(chosen, visible_to.tenant)
    if cursor:
        at, conversation_id = _decode(cursor)
        place = tuple_(literal(at), literal(conversation_id))
        query = query.where(key < place if newest else key > place)
    order = [Conversation.last_message_at, Conversation.id]
    query = query.order_by(*(column.desc() if newest else column.asc() for column in order))
    size = max(1, min(limit, LONGEST))
    found = list(session().scalars(query.limit(size + 1)))
    more = len(found) > size
    items = found[:size]
    return Page(items, _encode(items[-1].last_message_at, items[-1].id) if more else None)


def counts(*, visible_to: Operator) -> dict[InboxView, int]:
    """How many conversations each view holds, counted up to 501."""
    parts = []
    for view in InboxView:
        some = _filtered(InboxFilter(view=view), visible_to.tenant).with_only_columns(Conversation.id).limit(COUNTED)
        parts.append(
            select(literal(view.value).label("view"), func.count().label("number")).select_from(some.subquery())
        )
    return {InboxView(row.view): row.number for row in session().execute(union_all(*parts))}


def of_customer(conversation: Conversation, *, visible_to: Operator, limit: int = 10) -> Sequence[Conversation]:
    """The same customer's other conversations, newest first."""
    query = select(Conversation).where(
        Conversation.tenant == visible_to.tenant,
        Conversation.customer_ref == conversation.customer_ref,
        Conversation.id != conversation.id,
    )
    return session().scalars(query.order_by(Conversation.last_message_at.desc()).limit(min(limit, LONGEST))).all()


def next_waiting(conversation_id: int, *, visible_to: Operator) -> int | None:
    """The conversation that has waited longest for an operator, other than this one."""
    query = _filtered(InboxFilter(), visible_to.tenant).where(Conversation.id != conversation_id)
    ordered = query.with_only_columns(Conversation.id).order_by(Conversation.last_message_at, Conversation.id)
    return session().scalars(ordered.limit(1)).one_or_none()


def _filtered(chosen: InboxFilter, tenant: str) -> Select[Any]:
    query = select(Conversation).where(Conversation.tenant == tenant)
    if chosen.view == InboxView.NEEDS_REPLY:
        query = query.where(Conversation.status == ConversationStatus.OPEN, Conversation.awaiting == Awaiting.OPERATOR)
    elif chosen.view == InboxView.RESOLVED:
        query = query.where(Conversation.status == ConversationStatus.RESOLVED)
    if chosen.tag:
        query = query.where(Conversation.tags.contains([chosen.tag]))
    if chosen.priority:
        query = query.where(Conversation.priority == chosen.priority)
    if chosen.customer_ref:
        query = query.where(Conversation.customer_ref == chosen.customer_ref)
    if chosen.handed_over:
        query = query.where(Conversation.handed_over_at.is_not(None))
    return query


def _encode(at: datetime, conversation_id: int) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()} {conversation_id}".encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[datetime, int]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        at, _, conversation_id = text.partition(" ")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError(at)
        return moment, int(conversation_id)
    except (binascii.Error, ValueError, UnicodeDecodeError):
        raise InvalidInput({"cursor": "is not one of ours"}) from None
