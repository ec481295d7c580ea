"""Reading drafts."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from flask_cairnloop.core.database import session
from flask_cairnloop.core.errors import NotFound
from flask_cairnloop.drafts.models import Draft, DraftStatus
from flask_cairnloop.host.people import Operator

LONGEST = 200  #: Rows in one answer, at most.


def get_draft(draft_id: int, *, visible_to: Operator) -> Draft:
    """One draft. Raises ``NotFound`` outside the viewer's tenant."""
    found = (
        session().scalars(select(Draft).where(Draft.id == draft_id, Draft.tenant == visible_to.tenant)).one_or_none()
    )
    if found is None:
        raise NotFound
    return found


def pending_for(conversation_id: int) -> Draft | None:
    """The draft that waits in a conversation the caller may see."""
    query = select(Draft).where(Draft.conversation_id == conversation_id, Draft.status == DraftStatus.PENDING)
    return session().scalars(query).one_or_none()


def drafts_of(conversation_id: int, *, visible_to: Operator, limit: int = 50) -> Sequence[Draft]:
    """Every draft a conversation ever had, newest first."""
    query = select(Draft).where(Draft.conversation_id == conversation_id, Draft.tenant == visible_to.tenant)
    return session().scalars(query.order_by(Draft.id.desc()).limit(max(1, min(limit, LONGEST)))).all()
