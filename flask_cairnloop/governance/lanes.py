"""A proposal with its approval, locked; and why one is closed without anybody's decision."""

from __future__ import annotations

from sqlalchemy import select

from flask_cairnloop.core.database import session
from flask_cairnloop.core.errors import NotFound
from flask_cairnloop.governance.models import ToolApproval, ToolProposal
from flask_cairnloop.host.people import Actor

OVERDUE = "Nobody decided in time; propose it again if it is still wanted."
CHANGED = "What would run is no longer what was proposed; propose it again."


def lock(proposal_id: int, *, by: Actor) -> tuple[ToolProposal, ToolApproval]:
    """A proposal and its approval as they are now, locked. Raises ``NotFound`` outside the actor's tenant."""
    db = session()
    query = select(ToolApproval).where(ToolApproval.proposal_id == proposal_id).with_for_update()
    approval = db.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if approval is None or (by.kind != "system" and approval.tenant != by.tenant):
        raise NotFound
    proposal = db.get_one(ToolProposal, proposal_id, populate_existing=True)
    return proposal, approval


def proposal_of(approval_id: int) -> int | None:
    """The proposal an approval belongs to."""
    return session().scalar(select(ToolApproval.proposal_id).where(ToolApproval.id == approval_id))
