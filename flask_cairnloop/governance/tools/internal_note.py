"""A note among operators, as a tool: the example a host copies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from flask_cairnloop import conversations
from flask_cairnloop.core.errors import HostFailure, NotFound
from flask_cairnloop.host.people import System
from flask_cairnloop.host.tool import ALLOW, Deny, Tool


class InternalNote(
    Tool,
    risk_tier="low_write",
    title="Leave an internal note",
    description="Adds a note to this conversation that only operators see.",
    idempotent=True,
    per_conversation=True,
):
    """Leaves a note in the conversation it was proposed in; the run key makes it one note however often it runs."""

    content: str = Field(min_length=1, max_length=5_000, title="Note")

    @classmethod
    def scope(cls) -> set[str]:
        """No scope: every operator may leave notes."""
        return set()

    def authorize(self, actor_id: str, context: Mapping[str, Any]) -> Any:
        """Only where there is a conversation to leave it in."""
        return ALLOW if context["conversation_id"] is not None else Deny("A note needs a conversation.")

    def preview(self) -> str:
        """What will happen."""
        return "Leaves this note in the conversation; the customer does not see it."

    def run(self, actor_id: str, context: Mapping[str, Any]) -> str:
        """Leave the note."""
        try:
            message = conversations.add_note(
                context["conversation_id"],
                self.content,
                by=System(tenant=context["tenant"]),
                client_id=context["run_key"],
            )
        except NotFound:
            raise HostFailure("The conversation no longer exists.", permanent=True) from None
        return f"Note {message.sequence} was left."
