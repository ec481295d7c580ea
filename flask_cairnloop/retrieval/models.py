"""What past conversations taught, and what the knowledge base could not answer."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import Computed, ForeignKey, Identity, Index
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import SCHEMA, Base, choice
from flask_cairnloop.knowledge.words import lexemes
from flask_cairnloop.retrieval.results import Cause, GroundingLevel

_CONVERSATION = f"{SCHEMA}.cairnloop_conversations.id"
_SEARCH = lexemes(subject="A", problem="B", resolution="C")


class ResolvedCase(Base):
    """One resolved conversation in a few redacted words: help for an operator, never something a reply stands on."""

    __tablename__ = "cairnloop_resolved_cases"
    __table_args__ = (
        Index("uq_cairnloop_resolved_cases_conversation_id", "conversation_id", unique=True),
        Index("ix_cairnloop_resolved_cases_recent", "tenant", "resolved_at", "id"),
        Index("ix_cairnloop_resolved_cases_search", "search", postgresql_using="gin"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    tenant: Mapped[str] = mapped_column(server_default="", default="")
    conversation_id: Mapped[int] = mapped_column(ForeignKey(_CONVERSATION, ondelete="CASCADE"))
    #: The operator whose case it was.
    host_user_id: Mapped[str | None]
    subject: Mapped[str]
    #: What the customer asked.
    problem: Mapped[str]
    #: What settled it.
    resolution: Mapped[str]
    #: What operators did, in order.
    actions: Mapped[list[str]]
    #: How it ended, in a word or two.
    outcome: Mapped[str]
    resolved_at: Mapped[datetime]
    #: What its vector was made from, so that unchanged text is not embedded again.
    digest: Mapped[str]
    search: Mapped[Any] = mapped_column(TSVECTOR, Computed(_SEARCH, persisted=True))
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)


class CaseVector(Base):
    """What one embedder makes of a case; see ``ChunkVector``."""

    __tablename__ = "cairnloop_case_vectors"

    case_id: Mapped[int] = mapped_column(
        ForeignKey(f"{SCHEMA}.cairnloop_resolved_cases.id", ondelete="CASCADE"), primary_key=True
    )
    model: Mapped[str] = mapped_column(primary_key=True)
    embedding: Mapped[Any] = mapped_column(VECTOR)


class GapSource(StrEnum):
    """Where a question went unanswered."""

    DRAFT = "draft"  #: A customer asked, and the evidence did not carry an answer.
    SEARCH = "search"  #: An operator searched and found nothing canonical.


class GapEvent(Base):
    """One question the knowledge base did not answer, in redacted and bounded words."""

    __tablename__ = "cairnloop_gap_events"
    __table_args__ = (
        Index("ix_cairnloop_gap_events_recent", "tenant", "occurred_at", "id"),
        Index("ix_cairnloop_gap_events_same", "tenant", "fingerprint", "occurred_at"),
        Index("ix_cairnloop_gap_events_old", "occurred_at"),
        Index("ix_cairnloop_gap_events_conversation_id", "conversation_id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    tenant: Mapped[str] = mapped_column(server_default="", default="")
    source: Mapped[GapSource] = mapped_column(choice(GapSource))
    level: Mapped[GroundingLevel] = mapped_column(choice(GroundingLevel))
    cause: Mapped[Cause] = mapped_column(choice(Cause))
    #: What was asked: redacted, one line, bounded.
    question: Mapped[str]
    #: Equal for questions that differ in nothing but case, punctuation and redacted parts.
    fingerprint: Mapped[str]
    #: The operator who searched; None for a draft.
    host_user_id: Mapped[str | None]
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey(_CONVERSATION, ondelete="CASCADE"))
    canonical_hits: Mapped[int]
    assistive_hits: Mapped[int]
    #: The nearest passages, shortened and redacted: ``[{id, title, excerpt, trust, score}]``, at most five.
    evidence: Mapped[list[dict[str, Any]]]
    #: How often the same was asked again within a day by the same person or in the same conversation.
    repeats: Mapped[int] = mapped_column(server_default="0", default=0)
    occurred_at: Mapped[datetime] = mapped_column(default=now)
    last_at: Mapped[datetime] = mapped_column(default=now)
