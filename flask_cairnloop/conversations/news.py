"""Telling open pages and sockets which regions a change touched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import select

from flask_cairnloop.conversations.models import Conversation
from flask_cairnloop.core import live
from flask_cairnloop.core.database import session

TOPIC = "conversation:"


def announce(conversation_id: int, tenant: str, *regions: str, lists: bool = True) -> None:
    """Name the changed regions of one conversation and, with ``lists``, of the pages that list it."""
    live.changed(f"{TOPIC}{conversation_id}", *regions)
    if lists:
        live.changed(f"tenant:{tenant}", "inbox-list", "home", "nav")


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
