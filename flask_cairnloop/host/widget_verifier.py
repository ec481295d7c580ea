"""Token in, customer out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from flask_cairnloop.core.errors import HostFailure
from flask_cairnloop.host.people import Customer


class WidgetVerifier(ABC):
    """Says which customer a widget's token stands for.

    Example::

        class Verifier(WidgetVerifier):
            def verify(self, token, **opts):
                data = URLSafeTimedSerializer(secret).loads(token, max_age=3600)  # raises when forged or expired
                return Customer(ref=data["id"], name=data["name"])
    """

    @abstractmethod
    def verify(self, token: str, **opts: Any) -> Customer | str:
        """The customer, or the bare reference. Raise anything to refuse. ``opts`` holds ``origin``."""


class RefuseAll(WidgetVerifier):
    """The default: no token is good, so the chat is closed."""

    def verify(self, token: str, **opts: Any) -> Customer | str:
        """Refuse."""
        raise HostFailure("CAIRNLOOP_WIDGET_VERIFIER is not set", permanent=True)
