"""The thread and its messages."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import SCHEMA, Base, choice
from flask_cairnloop.core.states import Stateful


class ConversationStatus(StrEnum):
    """Where a conversation stands."""

    OPEN = "open"  #: Somebody is to say something.
    RESOLVED = "resolved"  #: Answered; a new message within some days reopens it.
    ARCHIVED = "archived"  #: Put away; a new message opens another one.


class ShownStatus(StrEnum):
    """What an operator sees: the status, with open ones told apart by whose turn it is."""

    NEW = "new"  #: No operator has answered yet.
    OPEN = "open"  #: The customer wrote last.
    AWAITING_CUSTOMER = "awaiting_customer"  #: An operator wrote last.
    RESOLVED = "resolved"
    ARCHIVED = "archived"


class Awaiting(StrEnum):
    """Whose turn it is."""

    OPERATOR = "operator"
    CUSTOMER = "customer"


class Channel(StrEnum):
    """How the customer reached us."""

    WIDGET = "widget"
    API = "api"
    EMAIL = "email"


class Priority(StrEnum):
    """How much a conversation presses."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class MessageRole(StrEnum):
    """Who speaks in a message."""

    USER = "user"  #: The customer.
    AGENT = "agent"  #: An operator, or the desk itself where a policy allows it.
    SYSTEM = "system"  #: The desk, stating a fact.
    INTERNAL_NOTE = "internal_note"  #: Operators among themselves; a customer never sees it.
    SYSTEM_OUTBOUND = "system_outbound"  #: A message support started after resolving.


class Conversation(Stateful, Base):
    """A thread with one customer."""

    __tablename__ = "cairnloop_conversations"
    __table_args__ = (
        Index("ix_cairnloop_conversations_all", "tenant", "last_message_at", "id"),
        Index("ix_cairnloop_conversations_status", "tenant", "status", "last_message_at", "id"),
        Index(
            "ix_cairnloop_conversations_needs_reply",
            "tenant",
            "last_message_at",
            "id",
            postgresql_where=text("status = 'open' AND awaiting = 'operator'"),
        ),
        Index("ix_cairnloop_conversations_customer", "tenant", "customer_ref", "last_message_at", "id"),
        Index("ix_cairnloop_conversations_tags", "tags", postgresql_using="gin"),
        Index(
            "uq_cairnloop_conversations_open_widget",
            "tenant",
            "customer_ref",
            unique=True,
            postgresql_where=text("status = 'open' AND channel = 'widget'"),
        ),
    )
    TRANSITIONS: ClassVar = {
        ConversationStatus.OPEN: frozenset({ConversationStatus.RESOLVED, ConversationStatus.ARCHIVED}),
        ConversationStatus.RESOLVED: frozenset({ConversationStatus.OPEN, ConversationStatus.ARCHIVED}),
        ConversationStatus.ARCHIVED: frozenset(),
    }

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    tenant: Mapped[str] = mapped_column(server_default="", default="")
    customer_ref: Mapped[str | None]
    customer_name: Mapped[str | None]
    #: The operator who last answered or resolved; never the customer.
    host_user_id: Mapped[str | None]
    channel: Mapped[Channel] = mapped_column(choice(Channel), default=Channel.WIDGET)
    subject: Mapped[str]
    status: Mapped[ConversationStatus] = mapped_column(choice(ConversationStatus), default=ConversationStatus.OPEN)
    awaiting: Mapped[Awaiting] = mapped_column(choice(Awaiting), default=Awaiting.OPERATOR)
    priority: Mapped[Priority] = mapped_column(choice(Priority), default=Priority.NORMAL)
    tags: Mapped[list[str]] = mapped_column(server_default=text("'{}'"), default=list)
    assignee_id: Mapped[str | None]
    snoozed_until: Mapped[datetime | None]

    #: The number of its newest message; 0 while there is none.
    last_sequence: Mapped[int] = mapped_column(default=0)
    last_message_at: Mapped[datetime] = mapped_column(default=now)
    last_message_role: Mapped[MessageRole | None] = mapped_column(choice(MessageRole))
    last_message_author: Mapped[str | None]
    last_message_preview: Mapped[str | None]
    first_agent_message_at: Mapped[datetime | None]
    #: The newest message each side has seen.
    customer_seen_sequence: Mapped[int] = mapped_column(default=0)
    operator_seen_sequence: Mapped[int] = mapped_column(default=0)
    operator_typing_at: Mapped[datetime | None]
    customer_typing_at: Mapped[datetime | None]
    #: Since when only people may answer, because the customer asked for one; None where machines may, too.
    handed_over_at: Mapped[datetime | None]

    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None]
    reopened_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    @property
    def shown_status(self) -> ShownStatus:
        """The status as operators see it."""
        if self.status != ConversationStatus.OPEN:
            return ShownStatus(self.status.value)
        if self.awaiting == Awaiting.CUSTOMER:
            return ShownStatus.AWAITING_CUSTOMER
        return ShownStatus.OPEN if self.first_agent_message_at else ShownStatus.NEW

    @property
    def customer_label(self) -> str:
        """The customer's name, else the reference."""
        return self.customer_name or self.customer_ref or "Unknown customer"

    @property
    def unread(self) -> bool:
        """Whether it waits for an operator and none has seen its newest message."""
        return self.awaiting == Awaiting.OPERATOR and self.operator_seen_sequence < self.last_sequence


class Message(Base):
    """One entry of a thread, numbered within it from 1."""

    __tablename__ = "cairnloop_messages"
    __table_args__ = (
        UniqueConstraint("conversation_id", "sequence"),
        Index(
            "uq_cairnloop_messages_client",
            "conversation_id",
            "client_id",
            unique=True,
            postgresql_where=text("client_id IS NOT NULL"),
        ),
        Index("uq_cairnloop_messages_run_key", "run_key", unique=True, postgresql_where=text("run_key IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.cairnloop_conversations.id", ondelete="CASCADE"))
    sequence: Mapped[int]
    role: Mapped[MessageRole] = mapped_column(choice(MessageRole))
    content: Mapped[str]
    author_id: Mapped[str]
    author_name: Mapped[str | None]
    #: The sender's own id of this message; sending it again stores nothing.
    client_id: Mapped[str | None]
    run_key: Mapped[str | None]
    #: ``draft_id`` and ``citations`` of a sent draft, ``automatic`` where no person sent it, delivery state of an
    #: outbound message.
    details: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"), default=dict)
    created_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def automatic(self) -> bool:
        """Whether it was sent without a person."""
        return bool(self.details.get("automatic"))

    @property
    def visible_to_customer(self) -> bool:
        """Whether the customer may see it."""
        return self.role != MessageRole.INTERNAL_NOTE
