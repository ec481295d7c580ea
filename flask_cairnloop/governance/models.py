"""A request to act, the permission it waits for, and the trail it leaves."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import SCHEMA, Base, choice
from flask_cairnloop.core.states import Stateful
from flask_cairnloop.host.tool import ApprovalMode, RiskTier

_PROPOSAL = f"{SCHEMA}.cairnloop_tool_proposals.id"


class ProposalStatus(StrEnum):
    """How a request came through the gates; it does not change afterwards."""

    PROPOSED = "proposed"  #: Through all of them; its approval says how it goes on.
    NEEDS_INPUT = "needs_input"  #: Its input is not valid.
    SCOPE_INVALID = "scope_invalid"  #: The proposer lacks a scope.
    POLICY_DENIED = "policy_denied"  #: The tool, or its mode, refuses.


class ApprovalStatus(StrEnum):
    """Where the permission to run stands."""

    PENDING = "pending"  #: Waiting for a person.
    DEFERRED = "deferred"  #: Put off; it comes back on its date, or when somebody decides.
    APPROVED = "approved"  #: Allowed; a worker is about to check it once more.
    EXECUTION_PENDING = "execution_pending"  #: Being run.
    EXECUTED = "executed"  #: Done.
    EXECUTION_FAILED = "execution_failed"  #: The tool said no, or failed.
    OUTCOME_UNKNOWN = "outcome_unknown"  #: It may or may not have happened; a person settles it.
    REJECTED = "rejected"  #: A person said no.
    EXPIRED = "expired"  #: Nobody decided in time.
    INVALIDATED = "invalidated"  #: What was approved is no longer what would run.
    WITHDRAWN = "withdrawn"  #: The proposer took it back.


#: Those that still may run, or may have run without our knowing: while one stands, the same request is not made twice.
LIVE = frozenset(
    {ApprovalStatus.PENDING, ApprovalStatus.DEFERRED, ApprovalStatus.APPROVED, ApprovalStatus.EXECUTION_PENDING}
    | {ApprovalStatus.OUTCOME_UNKNOWN}
)
_DECIDED = {ApprovalStatus.APPROVED, ApprovalStatus.REJECTED, ApprovalStatus.EXPIRED, ApprovalStatus.WITHDRAWN}


class Origin(StrEnum):
    """Where a request came from."""

    OPERATOR = "operator"  #: An operator's form.
    ASSISTANT = "assistant"  #: An outside assistant, over MCP.
    HOST = "host"  #: The host's own code.


class ActionEventType(StrEnum):
    """What happened to a request."""

    PROPOSAL_CREATED = "proposal_created"
    PROPOSAL_BLOCKED = "proposal_blocked"
    APPROVAL_REQUESTED = "approval_requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    DEFERRED = "deferred"
    RETURNED = "returned"  #: A deferred one is due again.
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    REVALIDATION_PASSED = "revalidation_passed"
    REVALIDATION_FAILED = "revalidation_failed"
    EXECUTION_STARTED = "execution_started"
    EXECUTION_ATTEMPT_FAILED = "execution_attempt_failed"
    EXECUTION_SUCCEEDED = "execution_succeeded"
    EXECUTION_FAILED = "execution_failed"
    OUTCOME_LOST = "outcome_lost"  #: The worker died, or the time ran out, in the middle of a run.
    SETTLED = "settled"  #: A person found out what became of it.


class ToolProposal(Base):
    """A request to run a tool, with everything that will be judged, shown and run frozen into it."""

    __tablename__ = "cairnloop_tool_proposals"
    __table_args__ = (
        Index(
            "uq_cairnloop_tool_proposals_live",
            "tenant",
            "idempotency_key",
            unique=True,
            postgresql_where=text("is_live"),
        ),
        Index("uq_cairnloop_tool_proposals_run_key", "run_key", unique=True),
        Index("ix_cairnloop_tool_proposals_conversation", "conversation_id", "id"),
        Index("ix_cairnloop_tool_proposals_recent", "tenant", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    tenant: Mapped[str] = mapped_column(server_default="", default="")
    tool: Mapped[str]
    #: The tool's version when it was proposed: its options and its schema.
    tool_version: Mapped[str]
    status: Mapped[ProposalStatus] = mapped_column(choice(ProposalStatus))
    #: Why a gate refused, for a person; empty for one that passed.
    reason: Mapped[str]
    #: What is wrong with which input, where ``status`` is ``needs_input``.
    errors: Mapped[dict[str, Any]]
    title: Mapped[str]
    #: What will happen, in one sentence of the tool's; None where it gave none.
    consequence: Mapped[str | None]
    input: Mapped[dict[str, Any]]
    risk_tier: Mapped[RiskTier] = mapped_column(choice(RiskTier))
    mode: Mapped[ApprovalMode] = mapped_column(choice(ApprovalMode))
    required_scopes: Mapped[list[str]]
    held_scopes: Mapped[list[str]]
    #: ``declared`` and ``resolved`` mode, and whether a setting tightened it.
    policy: Mapped[dict[str, Any]]
    origin: Mapped[Origin] = mapped_column(choice(Origin))
    actor_id: Mapped[str]
    actor_kind: Mapped[str]
    actor_name: Mapped[str | None]
    conversation_id: Mapped[int | None] = mapped_column(
        ForeignKey(f"{SCHEMA}.cairnloop_conversations.id", ondelete="SET NULL")
    )
    account_id: Mapped[str | None]
    idempotency_key: Mapped[str]
    #: Given to every run of it; the same for all attempts.
    run_key: Mapped[str]
    #: Over everything above that decides what runs and who may have it run.
    digest: Mapped[str]
    #: Whether it still may run; see ``LIVE``.
    is_live: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(default=now)

    approval: Mapped[ToolApproval | None] = relationship(
        back_populates="proposal", lazy="joined", uselist=False, innerjoin=False
    )


class ToolApproval(Stateful, Base):
    """The permission to run one proposal: asked for, decided, used once."""

    __tablename__ = "cairnloop_tool_approvals"
    __table_args__ = (
        Index("uq_cairnloop_tool_approvals_proposal_id", "proposal_id", unique=True),
        Index("ix_cairnloop_tool_approvals_waiting", "tenant", "id", postgresql_where=text("status = 'pending'")),
        Index("ix_cairnloop_tool_approvals_due", "expires_at", postgresql_where=text("status = 'pending'")),
        Index(
            "ix_cairnloop_tool_approvals_unsettled",
            "tenant",
            "id",
            postgresql_where=text("status = 'outcome_unknown'"),
        ),
    )
    TRANSITIONS: ClassVar = {
        ApprovalStatus.PENDING: frozenset(_DECIDED | {ApprovalStatus.DEFERRED, ApprovalStatus.INVALIDATED}),
        ApprovalStatus.DEFERRED: frozenset(_DECIDED | {ApprovalStatus.PENDING, ApprovalStatus.INVALIDATED}),
        ApprovalStatus.APPROVED: frozenset(
            {ApprovalStatus.EXECUTION_PENDING, ApprovalStatus.INVALIDATED, ApprovalStatus.EXPIRED}
        ),
        ApprovalStatus.EXECUTION_PENDING: frozenset(
            {ApprovalStatus.EXECUTED, ApprovalStatus.EXECUTION_FAILED, ApprovalStatus.OUTCOME_UNKNOWN}
            | {ApprovalStatus.INVALIDATED}
        ),
        ApprovalStatus.OUTCOME_UNKNOWN: frozenset({ApprovalStatus.EXECUTED, ApprovalStatus.EXECUTION_FAILED}),
    }

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    tenant: Mapped[str] = mapped_column(server_default="", default="")
    proposal_id: Mapped[int] = mapped_column(ForeignKey(_PROPOSAL, ondelete="RESTRICT"))
    status: Mapped[ApprovalStatus] = mapped_column(choice(ApprovalStatus), default=ApprovalStatus.PENDING)
    #: The digest of what was decided on.
    digest: Mapped[str]
    #: Who decided, and stays so whatever follows; ``system`` where no decision was needed.
    decided_by: Mapped[str | None]
    decided_by_name: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    #: The decider's words.
    decision_reason: Mapped[str | None]
    #: When a deferred one comes back; None: when somebody decides.
    deferred_until: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    #: Runs begun.
    attempt: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    #: What came of it, in words: the tool's result, or why it failed.
    outcome: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    proposal: Mapped[ToolProposal] = relationship(back_populates="approval")


class ToolActionEvent(Base):
    """One step of a request's life. The database refuses to change or delete it."""

    __tablename__ = "cairnloop_tool_action_events"
    __table_args__ = (Index("ix_cairnloop_tool_action_events_proposal", "proposal_id", "id"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    proposal_id: Mapped[int] = mapped_column(ForeignKey(_PROPOSAL, ondelete="RESTRICT"))
    type: Mapped[ActionEventType] = mapped_column(choice(ActionEventType))
    actor_id: Mapped[str]
    actor_name: Mapped[str | None]
    from_status: Mapped[str | None]
    to_status: Mapped[str | None]
    reason: Mapped[str | None]
    attempt: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
