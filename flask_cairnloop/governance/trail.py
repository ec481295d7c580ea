"""The one place where a step of a request's life is written down, audited and announced."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import insert

from flask_cairnloop import audit, signals
from flask_cairnloop.core import live, telemetry
from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import after_commit, session, table
from flask_cairnloop.governance.models import LIVE, ActionEventType, ApprovalStatus, ToolActionEvent, ToolProposal
from flask_cairnloop.host.people import Actor

_REQUESTS = {
    ActionEventType.PROPOSAL_CREATED: signals.proposal_created,
    ActionEventType.PROPOSAL_BLOCKED: signals.proposal_blocked,
}
_ENDINGS = {
    ActionEventType.EXECUTION_SUCCEEDED: signals.action_executed,
    ActionEventType.EXECUTION_FAILED: signals.action_failed,
}


def note(
    proposal: ToolProposal,
    type: ActionEventType,
    *,
    by: Actor,
    reason: str | None = None,
    attempt: int | None = None,
    before: ApprovalStatus | None = None,
    after: ApprovalStatus | None = None,
) -> None:
    """Add one event to a proposal's trail, inside the current transaction."""
    row = {"proposal_id": proposal.id, "type": type, "actor_id": by.id, "actor_name": by.name, "reason": reason}
    row |= {"from_status": before, "to_status": after, "attempt": attempt, "created_at": now()}
    db = session()
    db.flush()
    db.connection().execute(insert(table(ToolActionEvent)), row)
    audit.record(
        f"action.{type}",
        by=by,
        subject="tool_proposal",
        subject_id=proposal.id,
        conversation_id=proposal.conversation_id,
        tenant=proposal.tenant,
        tool=proposal.tool,
    )
    live.changed(f"tenant:{proposal.tenant}", "approvals", "nav", "home")
    if proposal.conversation_id is not None:
        live.changed(f"conversation:{proposal.conversation_id}", "actions")
    # read now: afterwards it would be a question of its own to the database
    after_commit(partial(telemetry.count, "cairnloop_actions", event=type, risk_tier=proposal.risk_tier))
    _announce(proposal, type, by, before, after)


def announce_duplicate(proposal: ToolProposal, *, by: Actor) -> None:
    """Say that ``proposal`` was asked for again, and nothing came of it."""
    words: dict[str, Any] = {"outcome": "duplicate", "risk_tier": proposal.risk_tier, "approval_mode": proposal.mode}
    signals.emit(signals.proposal_duplicate, proposal=proposal, actor=by, **words)


def advance(
    proposal: ToolProposal,
    to: ApprovalStatus,
    type: ActionEventType,
    *,
    by: Actor,
    reason: str | None = None,
    attempt: int | None = None,
) -> None:
    """Move a locked proposal's approval on, and write that down. Raises ``InvalidTransition``."""
    approval = proposal.approval
    assert approval is not None
    before = approval.status
    approval.advance(to)
    proposal.is_live = to in LIVE
    note(proposal, type, by=by, reason=reason, attempt=attempt, before=before, after=to)


def _announce(
    proposal: ToolProposal,
    type: ActionEventType,
    by: Actor,
    before: ApprovalStatus | None,
    after: ApprovalStatus | None,
) -> None:
    words: dict[str, Any] = {"proposal": proposal, "actor": by, "risk_tier": proposal.risk_tier}
    if (request := _REQUESTS.get(type)) is not None:
        signals.emit(request, outcome=proposal.status, approval_mode=proposal.mode, **words)
    elif (ending := _ENDINGS.get(type)) is not None:
        took = {"duration_seconds": _duration(proposal)}
        signals.emit(ending, measurements=took, tool=proposal.tool, approval_mode=proposal.mode, **words)
    elif after is not None:
        signals.emit(signals.approval_transition, event_type=type, from_status=before, to_status=after, **words)


def _duration(proposal: ToolProposal) -> float:
    approval = proposal.approval
    if approval is None or approval.started_at is None:
        return 0.0
    return max(0.0, (now() - approval.started_at).total_seconds())
