"""Actions that need permission: proposed, approved by a person, run once."""

from __future__ import annotations

from flask_cairnloop.governance.approvals import approve, defer, reject, settle, withdraw
from flask_cairnloop.governance.models import (
    ActionEventType,
    ApprovalStatus,
    Origin,
    ProposalStatus,
    ToolActionEvent,
    ToolApproval,
    ToolProposal,
)
from flask_cairnloop.governance.proposals import propose
from flask_cairnloop.governance.queries import (
    count_waiting,
    get_proposal,
    of_conversation,
    trail_of,
    waiting,
    waiting_among,
)
from flask_cairnloop.governance.registry import UnknownTool, available_to

__all__ = [
    "ActionEventType",
    "ApprovalStatus",
    "Origin",
    "ProposalStatus",
    "ToolActionEvent",
    "ToolApproval",
    "ToolProposal",
    "UnknownTool",
    "approve",
    "available_to",
    "count_waiting",
    "defer",
    "get_proposal",
    "of_conversation",
    "propose",
    "reject",
    "settle",
    "trail_of",
    "waiting",
    "waiting_among",
    "withdraw",
]
