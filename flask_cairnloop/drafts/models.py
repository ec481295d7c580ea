"""A proposed reply, with everything it was judged by when it was made."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import Float, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import SCHEMA, Base, choice
from flask_cairnloop.core.states import Stateful
from flask_cairnloop.host.automation_policy import Decision
from flask_cairnloop.host.draft_generator import DraftKind


class DraftStatus(StrEnum):
    """What became of a draft."""

    PENDING = "pending"  #: Waiting for an operator.
    APPROVED = "approved"  #: Sent as it stood.
    EDITED = "edited"  #: Sent in the operator's own words.
    DISCARDED = "discarded"  #: Set aside by an operator.
    SUPERSEDED = "superseded"  #: Overtaken: somebody wrote, or the conversation was closed.


class Draft(Stateful, Base):
    """A proposed reply. Evidence and grounding are snapshots, so it reads the same for ever."""

    __tablename__ = "cairnloop_drafts"
    __table_args__ = (
        Index(
            "uq_cairnloop_drafts_pending",
            "conversation_id",
            unique=True,
            postgresql_where=text("status = 'pending'"),
        ),
        Index("ix_cairnloop_drafts_conversation", "conversation_id", "id"),
        Index("ix_cairnloop_drafts_waiting", "tenant", "id", postgresql_where=text("status = 'pending'")),
    )
    TRANSITIONS: ClassVar = {
        DraftStatus.PENDING: frozenset(
            {DraftStatus.APPROVED, DraftStatus.EDITED, DraftStatus.DISCARDED, DraftStatus.SUPERSEDED}
        )
    }

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    tenant: Mapped[str] = mapped_column(server_default="", default="")
    conversation_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.cairnloop_conversations.id", ondelete="CASCADE"))
    kind: Mapped[DraftKind] = mapped_column(choice(DraftKind))
    status: Mapped[DraftStatus] = mapped_column(choice(DraftStatus), default=DraftStatus.PENDING)
    #: What the host's policy decided, with "allow" taken back where a person was at it; see ``is_prompted``.
    decision: Mapped[Decision] = mapped_column(choice(Decision))
    #: What the customer would read; empty for an escalation, which is for operators only.
    body: Mapped[str]
    #: ``[{text, evidence: [ids], supported, doubt}]``; a courtesy has no evidence and is supported.
    sentences: Mapped[list[dict[str, Any]]]
    #: The evidence as it was, in the order it was found.
    evidence: Mapped[list[dict[str, Any]]]
    #: ``level``, ``score``, ``reason`` and the ``question``.
    grounding: Mapped[dict[str, Any]]
    confidence: Mapped[float] = mapped_column(Float)
    #: For the operator: why this draft.
    summary: Mapped[str]
    #: What the evidence lacked.
    missing: Mapped[str]
    #: Who composed it, and whether the chosen generator had to be replaced.
    generator: Mapped[str]
    note: Mapped[str | None]
    #: The newest customer message it answers.
    answers_sequence: Mapped[int]
    #: The operator who asked for another draft; None for one made unasked.
    requested_by: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_by_name: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    discard_reason: Mapped[str | None]
    #: The message it was sent as.
    message_id: Mapped[int | None] = mapped_column(ForeignKey(f"{SCHEMA}.cairnloop_messages.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    @property
    def is_for_customer(self) -> bool:
        """Whether it can be sent as it stands."""
        return self.kind != DraftKind.ESCALATION

    @property
    def is_supported(self) -> bool:
        """Whether its evidence carries every sentence; only then may one click send it."""
        return all(sentence.get("supported", True) for sentence in self.sentences)

    @property
    def is_prompted(self) -> bool:
        """Whether it is shown: the policy wants that, or an operator asked for it."""
        return self.decision != Decision.DRAFT_ONLY or self.requested_by is not None
