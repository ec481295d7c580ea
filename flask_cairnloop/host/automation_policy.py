"""What happens to an AI draft?"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Decision(StrEnum):
    """The four answers of a policy."""

    ALLOW = "allow"  #: Send it without a person, if no person has written meanwhile.
    DRAFT_ONLY = "draft_only"  #: Keep it, show it when asked for.
    REQUIRE_APPROVAL = "require_approval"  #: Show it and wait for an operator.
    DENY = "deny"  #: Keep nothing.


class AutomationPolicy(ABC):
    """Decides over every draft before anyone sees it.

    Example::

        class Policy(AutomationPolicy):
            def decide(self, proposal, opts):
                return "require_approval"
    """

    @abstractmethod
    def decide(self, proposal: Mapping[str, Any], opts: Mapping[str, Any]) -> Decision | str:
        """One of ``Decision`` or its words; anything else counts as ``require_approval``.

        ``proposal`` has ``kind``, ``grounding``, ``confidence`` and ``risk_tier``; ``opts`` has ``conversation``
        (with ``tags`` and ``priority``) and ``context``, the host's own facts.
        """


class RequireApproval(AutomationPolicy):
    """The default: every draft waits for an operator."""

    def decide(self, proposal: Mapping[str, Any], opts: Mapping[str, Any]) -> Decision | str:
        """Wait for an operator."""
        return Decision.REQUIRE_APPROVAL
