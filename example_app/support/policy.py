"""What happens to a draft: a person reads it first, always."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_cairnloop import AutomationPolicy, Decision


class TrailmarkPolicy(AutomationPolicy):
    def decide(self, proposal: Mapping[str, Any], opts: Mapping[str, Any]) -> Decision:
        return Decision.REQUIRE_APPROVAL
