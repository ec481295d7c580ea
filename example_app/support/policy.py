"""What happens to a draft: a person reads it first, with two exceptions that are code, not opinion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_cairnloop import AutomationPolicy, Decision


class TrailmarkPolicy(AutomationPolicy):
    """Replies to self-service questions go out by themselves; for key accounts a draft is only there if asked for."""

    def decide(self, proposal: Mapping[str, Any], opts: Mapping[str, Any]) -> Decision:
        """By tag and kind; what the evidence does not carry is never sent, whatever is answered here."""
        tags = opts["conversation"].tags
        if "key-account" in tags:
            return Decision.DRAFT_ONLY
        if "self-service" in tags and proposal["kind"] == "reply" and proposal["grounding"] == "strong":
            return Decision.ALLOW
        return Decision.REQUIRE_APPROVAL
