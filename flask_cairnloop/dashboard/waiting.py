"""The drafts that wait for an operator, as lists show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from flask_cairnloop.conversations import Conversation
from flask_cairnloop.core.database import session
from flask_cairnloop.dashboard.forms import Answer, Composed
from flask_cairnloop.drafts import Draft, DraftStatus, pending_for
from flask_cairnloop.host.automation_policy import Decision
from flask_cairnloop.host.people import Operator

COUNTED = 501  # counts stop here: "500+"


@dataclass(frozen=True)
class Waiting:
    """A draft and the conversation it answers."""

    draft: Draft
    conversation: Conversation


def taken_up(conversation: Conversation, draft_id: int | None, *, after: str = "") -> Answer:
    """The composer with a draft's words after those typed already; without them where it waits no more."""
    if draft_id is None:
        return Answer()
    draft = pending_for(conversation.id)
    if draft is None or draft.id != draft_id:
        return Answer(Composed(content=after), notice="This draft waits no more. What you typed is kept.")
    words = "\n\n".join(part for part in (after.strip(), draft.body) if part)
    return Answer(Composed(content=words, draft_id=draft.id))


def pending_among(conversation_ids: Sequence[int]) -> dict[int, Draft]:
    """The pending drafts of these conversations, by conversation."""
    if not conversation_ids:
        return {}
    query = select(Draft).where(Draft.conversation_id.in_(conversation_ids), Draft.status == DraftStatus.PENDING)
    return {draft.conversation_id: draft for draft in session().scalars(query) if draft.is_prompted}


def longest_waiting(*, visible_to: Operator, limit: int, after: int = 0) -> list[Waiting]:
    """The drafts that have waited longest; the next page comes ``after`` the last one shown."""
    query = (
        select(Draft, Conversation)
        .join(Conversation, Conversation.id == Draft.conversation_id)
        .where(Draft.tenant == visible_to.tenant, Draft.status == DraftStatus.PENDING)
        .where(Draft.decision != Decision.DRAFT_ONLY, Draft.id > after)
        .order_by(Draft.id)
        .limit(limit)
    )
    return [Waiting(draft, conversation) for draft, conversation in session().execute(query)]


def count(*, visible_to: Operator) -> int:
    """How many drafts wait, counted up to 501."""
    ids = (
        select(Draft.id)
        .where(Draft.tenant == visible_to.tenant, Draft.status == DraftStatus.PENDING)
        .where(Draft.decision != Decision.DRAFT_ONLY)
        .limit(COUNTED)
    )
    return session().scalar(select(func.count()).select_from(ids.subquery())) or 0
