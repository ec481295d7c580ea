"""Reading proposed actions."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import case, func, literal, select, tuple_

from flask_cairnloop.core.database import session
from flask_cairnloop.core.errors import NotFound
from flask_cairnloop.governance.models import ApprovalStatus, ToolActionEvent, ToolApproval, ToolProposal
from flask_cairnloop.host.people import Operator
from flask_cairnloop.host.tool import RiskTier

LONGEST = 200  #: Rows in one answer, at most.
COUNTED = 501  #: Counts stop here: "500+".

_NEEDS_PERSON = (ApprovalStatus.PENDING, ApprovalStatus.OUTCOME_UNKNOWN)
#: What weighs most comes first.
_RISK = case({tier.value: place for place, tier in enumerate(reversed(RiskTier))}, value=ToolProposal.risk_tier)


def get_proposal(proposal_id: int, *, visible_to: Operator) -> ToolProposal:
    """One proposal with its approval. Raises ``NotFound`` outside the viewer's tenant."""
    query = select(ToolProposal).where(ToolProposal.id == proposal_id, ToolProposal.tenant == visible_to.tenant)
    found = session().scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def waiting(*, visible_to: Operator, after: ToolProposal | None = None, limit: int = 50) -> Sequence[ToolProposal]:
    """What needs a person: undecided, or run with an unknown outcome. Riskiest first, then oldest."""
    query = (
        select(ToolProposal)
        .join(ToolApproval, ToolApproval.proposal_id == ToolProposal.id)
        .where(ToolApproval.tenant == visible_to.tenant, ToolApproval.status.in_(_NEEDS_PERSON))
        .order_by(_RISK, ToolProposal.id)
    )
    if after is not None:
        place = list(reversed(RiskTier)).index(after.risk_tier)
        query = query.where(tuple_(_RISK, ToolProposal.id) > tuple_(literal(place), literal(after.id)))
    return session().scalars(query.limit(max(1, min(limit, LONGEST)))).all()


def count_waiting(*, visible_to: Operator) -> int:
    """How many need a person, counted up to 501."""
    some = (
        select(ToolApproval.id)
        .where(ToolApproval.tenant == visible_to.tenant, ToolApproval.status.in_(_NEEDS_PERSON))
        .limit(COUNTED)
    )
    return session().scalar(select(func.count()).select_from(some.subquery())) or 0


def waiting_among(conversation_ids: Sequence[int]) -> set[int]:
    """Which of these conversations, which the caller may see, have an action that needs a person."""
    if not conversation_ids:
        return set()
    query = (
        select(ToolProposal.conversation_id)
        .join(ToolApproval, ToolApproval.proposal_id == ToolProposal.id)
        .where(ToolProposal.conversation_id.in_(conversation_ids), ToolApproval.status.in_(_NEEDS_PERSON))
    )
    return {found for found in session().scalars(query) if found is not None}


def of_conversation(
    conversation_id: int, *, visible_to: Operator, before: int | None = None, limit: int = 20
) -> Sequence[ToolProposal]:
    """The actions of a conversation, newest first; the next page lies ``before`` the last id shown."""
    query = select(ToolProposal).where(
        ToolProposal.conversation_id == conversation_id, ToolProposal.tenant == visible_to.tenant
    )
    if before is not None:
        query = query.where(ToolProposal.id < before)
    return session().scalars(query.order_by(ToolProposal.id.desc()).limit(max(1, min(limit, LONGEST)))).all()


def trail_of(proposal_id: int, *, visible_to: Operator, limit: int = LONGEST) -> Sequence[ToolActionEvent]:
    """Every step of a request, oldest first."""
    get_proposal(proposal_id, visible_to=visible_to)
    query = select(ToolActionEvent).where(ToolActionEvent.proposal_id == proposal_id).order_by(ToolActionEvent.id)
    return session().scalars(query.limit(max(1, min(limit, LONGEST)))).all()
