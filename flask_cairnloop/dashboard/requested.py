"""A proposed action as the screens show it: frozen facts, masked inputs, and what this operator may decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from flask_cairnloop import governance
from flask_cairnloop.core.current import now
from flask_cairnloop.dashboard import tool_forms
from flask_cairnloop.governance import ApprovalStatus, ToolActionEvent, ToolProposal, UnknownTool, registry
from flask_cairnloop.host.people import Operator
from flask_cairnloop.host.tool import SECRET_WORDS, Tool, ToolSpec

SHOWN = 20  # actions of one conversation
OPEN = frozenset({ApprovalStatus.PENDING, ApprovalStatus.DEFERRED})


@dataclass(frozen=True)
class Requested:
    """One proposed action for one viewer."""

    proposal: ToolProposal
    spec: ToolSpec | None
    #: What its inputs are called.
    labels: Mapping[str, str]
    trail: Sequence[ToolActionEvent]
    #: Why the viewer cannot approve it; empty where they can.
    hindrance: str
    is_own: bool
    #: What was typed into a decision that was refused, and what is wrong with it.
    errors: Mapping[str, str]
    typed: Mapping[str, str]

    @property
    def id(self) -> int:
        """The proposal's."""
        return self.proposal.id

    @property
    def status(self) -> StrEnum:
        """Where it stands: its approval's status, or how a gate refused it."""
        approval = self.proposal.approval
        return approval.status if approval is not None else self.proposal.status

    @property
    def is_open(self) -> bool:
        """Whether somebody may decide it now."""
        return self.status in OPEN

    @property
    def is_unsettled(self) -> bool:
        """Whether somebody has to find out what became of it."""
        return self.status == ApprovalStatus.OUTCOME_UNKNOWN

    @property
    def is_overdue(self) -> bool:
        """Whether its time to be decided is over."""
        approval = self.proposal.approval
        return self.is_open and approval is not None and approval.expires_at <= now()

    @property
    def settled_at(self) -> datetime | None:
        """When it was over."""
        approval = self.proposal.approval
        return None if approval is None else approval.finished_at or approval.decided_at

    @property
    def inputs(self) -> list[tuple[str, Any]]:
        """Its inputs with secrets masked, as label and value."""
        shown = self.spec.mask(self.proposal.input) if self.spec is not None else _masked(self.proposal.input)
        return [(self.labels.get(name) or name, value) for name, value in shown.items() if value not in ("", None)]


def read(
    proposal: ToolProposal,
    operator: Operator,
    *,
    errors: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
) -> Requested:
    """A proposal with its trail, as ``operator`` sees it."""
    tool = _tool(proposal.tool)
    spec = tool.tool_spec() if tool is not None else None
    named = {name: name.replace("_", " ").capitalize() for name in proposal.input}
    named |= tool_forms.labels(tool) if tool is not None else {}
    own = (proposal.actor_kind, proposal.actor_id) == ("operator", operator.id)
    trail = governance.trail_of(proposal.id, visible_to=operator)
    hindrance = _hindrance(proposal, spec, operator, own)
    return Requested(proposal, spec, named, trail, hindrance, own, errors or {}, typed or {})


def of_conversation(conversation_id: int, operator: Operator) -> list[Requested]:
    """The newest actions of a conversation, oldest first."""
    found = governance.of_conversation(conversation_id, visible_to=operator, limit=SHOWN)
    return [read(each, operator) for each in reversed(found)]


def _tool(name: str) -> type[Tool] | None:
    try:
        return registry.find(name)
    except UnknownTool:
        return None


def _hindrance(proposal: ToolProposal, spec: ToolSpec | None, operator: Operator, own: bool) -> str:
    if spec is None:
        return "Your app no longer has this action."
    if spec.approver_scope is not None and spec.approver_scope not in operator.scopes:
        return f"Deciding this needs the scope {spec.approver_scope}, which you do not hold."
    if own and proposal.policy.get("four_eyes", True):
        return "You proposed this yourself; somebody else has to approve it."
    return ""


def _masked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without its tool nobody knows which field is sensitive; those named like a secret stay hidden."""
    return {
        key: "••••••" if any(word in key.lower() for word in SECRET_WORDS) else value for key, value in values.items()
    }
