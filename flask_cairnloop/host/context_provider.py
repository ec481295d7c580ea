"""What does the host know about this customer?"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from flask_cairnloop.core.errors import HostFailure


class ContextProvider(ABC):
    """Supplies the facts shown in the conversation's rail.

    Example::

        class Context(ContextProvider):
            def get_context(self, actor_id, **opts):
                user = User.query.filter_by(ref=actor_id).one_or_none()
                return {} if user is None else {"Active plan": {"tier": user.plan, "status": user.billing_status}}
    """

    @abstractmethod
    def get_context(self, actor_id: str, **opts: Any) -> Mapping[str, Any]:
        """Facts about the customer whose reference is ``actor_id``.

        Top-level keys become section headings; nested mappings, labels and values. ``opts`` holds
        ``conversation_id`` and ``tenant``. Raise ``HostFailure(reason)`` when they cannot be had: the rail then says
        "Context Unavailable".
        """


class NoContext(ContextProvider):
    """The default: no facts."""

    def get_context(self, actor_id: str, **opts: Any) -> Mapping[str, Any]:
        """Refuse: nothing is configured."""
        raise HostFailure("CAIRNLOOP_CONTEXT_PROVIDER is not set", permanent=True)
