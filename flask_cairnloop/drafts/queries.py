"""Reading drafts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import defer

from flask_cairnloop.conversations import Conversation
from flask_cairnloop.core.database import session
from flask_cairnloop.core.errors import NotFound
from flask_cairnloop.core.jobs import Job, JobState
from flask_cairnloop.drafts.models import Draft, DraftStatus
from flask_cairnloop.host.automation_policy import Decision
from flask_cairnloop.host.people import Operator

COUNTED = 501  #: Counts stop here: "500+".
LONGEST = 200  #: Rows in one answer, at most.


@dataclass(frozen=True)
class Waiting:
    """A draft and the conversation it answers."""

    draft: Draft
    conversation: Conversation


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


def drafts_of(
    conversation_id: int, *, visible_to: Operator, before: int | None = None, limit: int = 50
) -> Sequence[Draft]:
    """The drafts a conversation ever had, newest first; the next page comes ``before`` the last one shown.

    What they were judged by is read when it is asked for.
    """
    query = select(Draft).where(Draft.conversation_id == conversation_id, Draft.tenant == visible_to.tenant)
    if before is not None:
        query = query.where(Draft.id < before)
    query = query.options(defer(Draft.evidence), defer(Draft.sentences), defer(Draft.grounding))
    return session().scalars(query.order_by(Draft.id.desc()).limit(max(1, min(limit, LONGEST)))).all()


def pending_among(conversation_ids: Sequence[int]) -> dict[int, Draft]:
    """The drafts that wait, unasked, in conversations the caller may see, by conversation."""
    if not conversation_ids:
        return {}
    query = select(Draft).where(Draft.conversation_id.in_(conversation_ids), Draft.status == DraftStatus.PENDING)
    return {draft.conversation_id: draft for draft in session().scalars(query) if draft.is_prompted}


def longest_waiting(*, visible_to: Operator, limit: int, after: int = 0) -> list[Waiting]:
    """The drafts that have waited longest; the next page comes ``after`` the last one shown."""
    query = (
        select(Draft, Conversation)
        .join(Conversation, Conversation.id == Draft.conversation_id)
        .where(*_prompted(visible_to), Draft.id > after)
        .order_by(Draft.id)
        .limit(max(1, min(limit, LONGEST)))
    )
    return [Waiting(draft, conversation) for draft, conversation in session().execute(query)]


def count_waiting(*, visible_to: Operator) -> int:
    """How many drafts wait, counted up to 501."""
    ids = select(Draft.id).where(*_prompted(visible_to)).limit(COUNTED)
    return session().scalar(select(func.count()).select_from(ids.subquery())) or 0


def promise_key(conversation_id: int) -> str:
    """What the promise of a conversation's next draft is known by: there is one at a time."""
    return f"draft:{conversation_id}"


def is_on_its_way(conversation_id: int) -> bool:
    """Whether a draft is promised for this conversation, or being made right now."""
    key = Job.unique_key == promise_key(conversation_id)
    waiting = select(Job.id).where(key, Job.state == JobState.WAITING)
    running = select(Job.id).where(key, Job.state == JobState.RUNNING, Job.claimed_by.is_not(None))
    return session().execute(waiting.union_all(running).limit(1)).first() is not None


def was_asked_again(draft: Draft) -> bool:
    """Whether an operator set this draft aside by asking for another one, rather than by writing."""
    newer = select(Draft.id).where(Draft.conversation_id == draft.conversation_id, Draft.id > draft.id)
    asked = newer.where(Draft.requested_by == draft.decided_by, Draft.answers_sequence == draft.answers_sequence)
    promised = select(Job.id).where(
        Job.unique_key == promise_key(draft.conversation_id),
        Job.state == JobState.WAITING,
        Job.args["after"].as_integer() == draft.id,
    )
    return session().execute(asked.union_all(promised).limit(1)).first() is not None


def newest_id(conversation_id: int) -> int:
    """The number of a conversation's newest draft; 0 while it had none."""
    return session().scalar(select(func.max(Draft.id)).where(Draft.conversation_id == conversation_id)) or 0


def _prompted(visible_to: Operator) -> tuple[ColumnElement[bool], ...]:
    """Waits, and is shown without being asked for."""
    return (
        Draft.tenant == visible_to.tenant,
        Draft.status == DraftStatus.PENDING,
        or_(Draft.decision != Decision.DRAFT_ONLY, Draft.requested_by.is_not(None)),
    )
