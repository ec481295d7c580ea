"""The one place where a step of a request's life is written down, audited and announced."""

from __future__ import annotations

from sqlalchemy import insert

from flask_cairnloop import audit
from flask_cairnloop.core import live, telemetry
from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import after_commit, session, table
from flask_cairnloop.governance.models import LIVE, ActionEventType, ApprovalStatus, ToolActionEvent, ToolProposal
from flask_cairnloop.host.people import Actor


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
    after_commit(lambda: telemetry.count("cairnloop_actions", event=type, risk_tier=proposal.risk_tier))


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
