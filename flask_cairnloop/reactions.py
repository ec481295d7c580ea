"""When X happened, do Y: the one page where domains meet. Reactions run inside the transaction and only write rows."""

from __future__ import annotations

from typing import Any

from flask_cairnloop import drafts, knowledge
from flask_cairnloop.core.current import settings
from flask_cairnloop.host.people import SYSTEM
from flask_cairnloop.signals import (
    article_published,
    conversation_archived,
    conversation_resolved,
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
