"""What the host's policy says about a draft."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from flask_cairnloop.core.current import settings
from flask_cairnloop.core.errors import HostFailure
from flask_cairnloop.drafts.composing import Composed
from flask_cairnloop.drafts.views import ConversationView
from flask_cairnloop.host.automation_policy import Decision, RequireApproval
from flask_cairnloop.host.boundary import ask
from flask_cairnloop.host.context_provider import NoContext
from flask_cairnloop.host.draft_generator import DraftKind

log = logging.getLogger("flask_cairnloop.drafts")


def decide(view: ConversationView, composed: Composed) -> Decision:
    """The policy's decision; whatever is not one counts as "wait for an operator", and so does a failing policy."""
    policy = settings.automation_policy
    if isinstance(policy, RequireApproval):
        return Decision.REQUIRE_APPROVAL
    proposal = {
        "kind": composed.proposal.kind,
        "grounding": composed.grounding.level,
        "confidence": composed.proposal.confidence,
        "risk_tier": "read_only" if composed.proposal.kind == DraftKind.ESCALATION else "low_write",
    }
    try:
        answer = ask("automation_policy", policy.decide, proposal, {"conversation": view, "context": _context(view)})
        return Decision(answer)
    except HostFailure:
        return Decision.REQUIRE_APPROVAL
    except ValueError:
        log.warning("the automation policy answered %r, which is no decision", answer)
        return Decision.REQUIRE_APPROVAL


def _context(view: ConversationView) -> Mapping[str, Any]:
    provider = settings.context_provider
    if isinstance(provider, NoContext) or view.customer_ref is None:
        return {}
    try:
        return ask(
            "context_provider", provider.get_context, view.customer_ref, conversation_id=view.id, tenant=view.tenant
        )
    except HostFailure:
        return {}
