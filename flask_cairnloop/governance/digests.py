"""Fingerprints: of a request, so that it is made once, and of all that will run, so that nothing else does."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask_cairnloop.governance.models import ToolProposal
from flask_cairnloop.host.people import Actor
from flask_cairnloop.host.tool import ToolSpec


def canonical(value: Any) -> str:
    """JSON in one spelling: keys sorted, no spaces (after RFC 8785, for values that came from JSON)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def idempotency_key(
    spec: ToolSpec,
    values: dict[str, Any],
    *,
    by: Actor,
    account_id: str | None,
    conversation_id: int | None,
    token: str | None,
) -> str:
    """Equal for the same request of the same actor: by the caller's token, else by what is asked."""
    asked = {"token": token} if token is not None else {"input": values}
    bound = conversation_id if spec.per_conversation else None
    return _sha([spec.name, by.kind, by.id, account_id, bound, asked])


def digest(proposal: ToolProposal) -> str:
    """Over the tool and its version, the input, who asked, for whom, and under which scopes and policy."""
    return _sha(
        [
            [proposal.tenant, proposal.tool, proposal.tool_version, proposal.input, proposal.title],
            [proposal.consequence, proposal.risk_tier, proposal.mode, sorted(proposal.required_scopes)],
            [sorted(proposal.held_scopes), proposal.policy, proposal.origin, proposal.actor_kind, proposal.actor_id],
            [proposal.conversation_id, proposal.account_id, proposal.run_key],
        ]
    )


def _sha(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()
