"""Reading what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select

from flask_cairnloop.audit.log import AuditEvent
from flask_cairnloop.core.database import session
from flask_cairnloop.host.people import Operator

LONGEST = 1_000  #: Rows in one answer, at most.
CHOICES = 200  #: Actions offered as a filter, at most.


@dataclass(frozen=True)
class AuditFilter:
    """Which events are asked for; None leaves a part open. ``until`` is not included."""

    actor: str | None = None
    action: str | None = None
    tool: str | None = None
    conversation_id: int | None = None
    proposal_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_events(
    wanted: AuditFilter | None = None, *, visible_to: Operator, before: int | None = None, limit: int = 50
) -> Sequence[AuditEvent]:
    """Events of the viewer's tenant, newest first; the next page lies ``before`` the last id shown."""
    query = _narrowed(wanted or AuditFilter(), visible_to.tenant)
    if before is not None:
        query = query.where(AuditEvent.id < before)
    return session().scalars(query.order_by(AuditEvent.id.desc()).limit(max(1, min(limit, LONGEST)))).all()


def actions(*, visible_to: Operator) -> Sequence[str]:
    """Every action there is an event of, found by walking the index from one to the next."""
    found: list[str] = []
    mine = AuditEvent.tenant == visible_to.tenant
    while len(found) < CHOICES:
        query = select(AuditEvent.action).where(mine).order_by(AuditEvent.action).limit(1)
        if found:
            query = query.where(AuditEvent.action > found[-1])
        following = session().scalar(query)
        if following is None:
            break
        found.append(following)
    return found


def _narrowed(wanted: AuditFilter, tenant: str) -> Select[AuditEvent]:
    query = select(AuditEvent).where(AuditEvent.tenant == tenant)
    if wanted.actor is not None:
        query = query.where(AuditEvent.actor_id == wanted.actor)
    if wanted.action is not None:
        query = query.where(AuditEvent.action == wanted.action)
    if wanted.tool is not None:
        query = query.where(AuditEvent.details["tool"].astext == wanted.tool)
    if wanted.conversation_id is not None:
        query = query.where(AuditEvent.conversation_id == wanted.conversation_id)
    if wanted.proposal_id is not None:
        query = query.where(AuditEvent.subject == "tool_proposal", AuditEvent.subject_id == wanted.proposal_id)
    if wanted.since is not None:
        query = query.where(AuditEvent.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditEvent.at < wanted.until)
    return query
