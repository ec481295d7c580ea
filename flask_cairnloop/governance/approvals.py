"""What a person decides about a proposed action. Every verb works on the locked approval; of two at once, one wins."""

from __future__ import annotations

from datetime import datetime
from hmac import compare_digest

from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import transaction
from flask_cairnloop.core.errors import InvalidInput, InvalidTransition, NotAllowed
from flask_cairnloop.core.jobs import job
from flask_cairnloop.core.text import clean
from flask_cairnloop.governance import digests, registry, trail
from flask_cairnloop.governance.execution import execute_approval
from flask_cairnloop.governance.lanes import CHANGED, OVERDUE, lock, proposal_of
from flask_cairnloop.governance.models import ActionEventType, ApprovalStatus, ToolApproval, ToolProposal
from flask_cairnloop.governance.registry import UnknownTool
from flask_cairnloop.host.people import SYSTEM, Actor, Operator
from flask_cairnloop.host.tool import ToolSpec

REASON_LENGTH = 2_000


def approve(proposal_id: int, *, by: Operator, note: str | None = None, seen: str | None = None) -> ToolProposal:
    """Let it run, once. ``seen`` is the digest of what the approver was shown.

    Raises ``NotAllowed`` for somebody who may not decide it, ``InvalidTransition`` where it is decided, overdue, or no
    longer what was proposed. An overdue or changed one is closed as such before that is raised.
    """
    words = _words(note, "note", required=False)
    closed: str | None = None
    with transaction():
        proposal, approval = lock(proposal_id, by=by)
        _refuse_unfit(proposal, by)
        _refuse_decided(proposal, approval)
        if approval.expires_at <= now():
            trail.advance(proposal, ApprovalStatus.EXPIRED, ActionEventType.EXPIRED, by=SYSTEM, reason=OVERDUE)
            closed = OVERDUE
        elif not _is_as_proposed(proposal, approval, seen):
            closed = CHANGED
            _reject_changed(proposal, approval)
        else:
            _decide(approval, by, words)
            trail.advance(proposal, ApprovalStatus.APPROVED, ActionEventType.APPROVED, by=by, reason=words)
            execute_approval.enqueue(unique_key=f"execute:{approval.id}", approval_id=approval.id)
    if closed is not None:
        raise InvalidTransition(proposal, closed)
    return proposal


def reject(proposal_id: int, *, by: Operator, reason: str) -> ToolProposal:
    """Say no, and why. Raises as ``approve`` does."""
    words = _words(reason, "reason")
    with transaction():
        proposal, approval = lock(proposal_id, by=by)
        _refuse_unfit(proposal, by, four_eyes=False)
        _decide(approval, by, words)
        trail.advance(proposal, ApprovalStatus.REJECTED, ActionEventType.REJECTED, by=by, reason=words)
    return proposal


def defer(proposal_id: int, *, by: Operator, reason: str, until: datetime | None = None) -> ToolProposal:
    """Put it off, with a reason, and a date on which it comes back where there is one. Raises as ``approve`` does."""
    words = _words(reason, "reason")
    if until is not None and (until.tzinfo is None or until <= now()):
        raise InvalidInput({"until": "needs a moment in the future"})
    with transaction():
        proposal, approval = lock(proposal_id, by=by)
        _refuse_unfit(proposal, by, four_eyes=False)
        _decide(approval, by, words)
        approval.deferred_until = until
        trail.advance(proposal, ApprovalStatus.DEFERRED, ActionEventType.DEFERRED, by=by, reason=words)
        if until is not None:
            wait = (until - now()).total_seconds()
            return_approval.enqueue(unique_key=f"return:{approval.id}", delay=wait, approval_id=approval.id)
            approval.expires_at = max(approval.expires_at, until + (approval.expires_at - approval.created_at))
            expire_approval.enqueue(
                unique_key=f"expire:{approval.id}",
                delay=(approval.expires_at - now()).total_seconds(),
                approval_id=approval.id,
            )
    return proposal


def withdraw(proposal_id: int, *, by: Actor, reason: str | None = None) -> ToolProposal:
    """Take one's own request back before it is decided. Raises ``NotAllowed`` for anybody else's."""
    words = _words(reason, "reason", required=False)
    with transaction():
        proposal, approval = lock(proposal_id, by=by)
        if (proposal.actor_kind, proposal.actor_id) != (by.kind, by.id):
            raise NotAllowed("Only who proposed it can withdraw it; you can reject it.")
        _decide(approval, by, words)
        trail.advance(proposal, ApprovalStatus.WITHDRAWN, ActionEventType.WITHDRAWN, by=by, reason=words)
    return proposal


def settle(proposal_id: int, *, by: Operator, happened: bool, reason: str) -> ToolProposal:
    """Say what became of a run whose outcome was lost, after finding out in the host's own records."""
    words = _words(reason, "reason")
    with transaction():
        proposal, approval = lock(proposal_id, by=by)
        _refuse_unfit(proposal, by, four_eyes=False)
        to = ApprovalStatus.EXECUTED if happened else ApprovalStatus.EXECUTION_FAILED
        approval.outcome, approval.finished_at = words, now()
        trail.advance(proposal, to, ActionEventType.SETTLED, by=by, reason=words)
    return proposal


@job("expire_approval")
def expire_approval(approval_id: int) -> None:
    """Close a request nobody decided on in time; anything else is left as it is."""
    with transaction():
        proposal_id = proposal_of(approval_id)
        if proposal_id is None:
            return
        proposal, approval = lock(proposal_id, by=SYSTEM)
        if approval.status in (ApprovalStatus.PENDING, ApprovalStatus.DEFERRED) and approval.expires_at <= now():
            trail.advance(proposal, ApprovalStatus.EXPIRED, ActionEventType.EXPIRED, by=SYSTEM, reason=OVERDUE)


@job("return_approval")
def return_approval(approval_id: int) -> None:
    """Let a deferred request wait for a decision again, once its date has come."""
    with transaction():
        proposal_id = proposal_of(approval_id)
        if proposal_id is None:
            return
        proposal, approval = lock(proposal_id, by=SYSTEM)
        due = approval.deferred_until is not None and approval.deferred_until <= now()
        if approval.status == ApprovalStatus.DEFERRED and due:
            trail.advance(proposal, ApprovalStatus.PENDING, ActionEventType.RETURNED, by=SYSTEM)


def _refuse_unfit(proposal: ToolProposal, by: Operator, *, four_eyes: bool = True) -> None:
    spec = _spec(proposal)
    needed = spec.approver_scope if spec is not None else None
    if needed is not None and needed not in by.scopes:
        raise NotAllowed(f"Deciding this needs the scope {needed}, which you do not hold.")
    own = (proposal.actor_kind, proposal.actor_id) == (by.kind, by.id)
    if four_eyes and own and proposal.policy.get("four_eyes", True):
        raise NotAllowed("You proposed this yourself; somebody else has to approve it.")


def _spec(proposal: ToolProposal) -> ToolSpec | None:
    try:
        return registry.find(proposal.tool).tool_spec()
    except UnknownTool:
        return None


def _refuse_decided(proposal: ToolProposal, approval: ToolApproval) -> None:
    if not approval.can_become(ApprovalStatus.APPROVED):
        raise InvalidTransition(proposal, f"This has been decided already: it is {approval.status}.")


def _is_as_proposed(proposal: ToolProposal, approval: ToolApproval, seen: str | None) -> bool:
    present = digests.digest(proposal)
    same = compare_digest(present, approval.digest) and (seen is None or compare_digest(present, seen))
    try:
        return same and registry.find(proposal.tool).version() == proposal.tool_version
    except UnknownTool:
        return False


def _reject_changed(proposal: ToolProposal, approval: ToolApproval) -> None:
    trail.advance(proposal, ApprovalStatus.INVALIDATED, ActionEventType.REVALIDATION_FAILED, by=SYSTEM, reason=CHANGED)
    approval.outcome = CHANGED


def _decide(approval: ToolApproval, by: Actor, words: str | None) -> None:
    approval.decided_by, approval.decided_by_name, approval.decided_at = by.id, by.name, now()
    approval.decision_reason = words


def _words(text: str | None, field: str, *, required: bool = True) -> str | None:
    if text is None and not required:
        return None
    return clean(text or "", field=field, limit=REASON_LENGTH, required=required) or None
