"""What every change of a conversation tells: the audit log, and the open pages and sockets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import select

from flask_cairnloop import audit
from flask_cairnloop.conversations.models import Conversation
from flask_cairnloop.core import live
from flask_cairnloop.core.database import session
from flask_cairnloop.host.people import Actor

TOPIC = "conversation:"


def announce(conversation_id: int, tenant: str, *regions: str, lists: bool = True) -> None:
    """Name the changed regions of one conversation and, with ``lists``, of the pages that list it."""
    live.changed(f"{TOPIC}{conversation_id}", *regions)
    if lists:
        live.changed(f"tenant:{tenant}", "inbox-list", "home", "nav")


def record(action: str, conversation: Conversation, by: Actor, **details: object) -> None:
    """Write the audit entry of a change to a conversation. ``details`` holds enum words and counts."""
    audit.record(
        action,
        by=by,
        subject="conversation",
        subject_id=conversation.id,
        conversation_id=conversation.id,
        tenant=conversation.tenant,
        **details,
    )


@live.probe
def versions(topics: Iterable[str]) -> Mapping[str, object]:
    """The newest sequence and change of each conversation served, for listeners who missed a message."""
    ids = [int(topic.removeprefix(TOPIC)) for topic in topics if topic.startswith(TOPIC)]
    if not ids:
        return {}
    rows = session().execute(
        select(Conversation.id, Conversation.last_sequence, Conversation.updated_at).where(Conversation.id.in_(ids))
    )
    return {f"{TOPIC}{row.id}": (row.last_sequence, row.updated_at) for row in rows}
