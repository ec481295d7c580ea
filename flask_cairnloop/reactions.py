"""When X happened, do Y: the one page where domains meet. Reactions run inside the transaction and only write rows."""

from __future__ import annotations

from typing import Any

from flask_cairnloop import drafts, knowledge, retrieval
from flask_cairnloop.core.current import settings
from flask_cairnloop.host.people import SYSTEM, System
from flask_cairnloop.signals import (
    article_published,
    conversation_archived,
    conversation_reopened,
    conversation_resolved,
    draft_created,
    draft_denied,
    message_received,
    message_sent,
    when,
)


def connect() -> None:
    """Attach every reaction; attaching twice changes nothing."""
    when(message_received)(draft_a_reply)
    when(message_received, message_sent)(set_draft_aside)
    when(conversation_resolved, conversation_archived)(set_draft_of_closed_aside)
    when(article_published)(index_the_revision)
    when(conversation_resolved)(keep_the_case)
    when(conversation_reopened)(forget_the_case)
    when(draft_created)(note_the_gap_of_a_draft)
    when(draft_denied)(note_the_gap)


def draft_a_reply(*, conversation_id: int, **_: Any) -> None:
    """A customer wrote: one draft, once they have been quiet for a moment."""
    drafts.generate_draft.enqueue(
        unique_key=drafts.promise_key(conversation_id), delay=settings.draft_delay, conversation_id=conversation_id
    )


def set_draft_aside(*, conversation_id: int, actor: Any, **_: Any) -> None:
    """Somebody wrote: a waiting draft answers what stood there before."""
    drafts.supersede_pending(conversation_id, by=actor)


def set_draft_of_closed_aside(*, conversation: Any, **_: Any) -> None:
    """The thread is closed: a waiting draft goes with it."""
    drafts.supersede_pending(conversation.id, by=SYSTEM)


def index_the_revision(*, revision_id: int, **_: Any) -> None:
    """A revision went live: make it findable."""
    knowledge.index_revision.enqueue(unique_key=f"index:{revision_id}", revision_id=revision_id)


def keep_the_case(*, conversation: Any, **_: Any) -> None:
    """Resolved: what it taught helps with the next one like it."""
    retrieval.promise_case(conversation.id)


def forget_the_case(*, conversation: Any, actor: Any, **_: Any) -> None:
    """Open again: it is settled no longer, so nobody finds it."""
    retrieval.forget_case(conversation, by=actor)


def note_the_gap_of_a_draft(*, draft: Any, **_: Any) -> None:
    """A draft that could not simply answer: the knowledge base lacks something."""
    note_the_gap(
        conversation_id=draft.conversation_id, tenant=draft.tenant, grounding=draft.grounding, evidence=draft.evidence
    )


def note_the_gap(*, conversation_id: int, tenant: str, grounding: Any, evidence: Any, **_: Any) -> None:
    """A customer's question whose evidence was not strong enough to answer."""
    retrieval.record_gap(
        grounding.get("question", ""),
        source=retrieval.GapSource.DRAFT,
        level=grounding.get("level"),
        cause=grounding.get("cause"),
        evidence=evidence,
        by=System(tenant=tenant),
        conversation_id=conversation_id,
    )
