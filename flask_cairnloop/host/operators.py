"""Who is signed in, and what may they do?"""

from __future__ import annotations

from abc import ABC, abstractmethod

from flask import Request

from flask_cairnloop.host.people import Operator


class OperatorResolver(ABC):
    """Tells who is signed in to the host. Asked once per request.

    Example::

        class Resolver(OperatorResolver):
            def resolve(self, request):
                if current_user.is_authenticated and current_user.is_support:
                    return Operator(id=current_user.id, name=current_user.name)
    """

    @abstractmethod
    def resolve(self, request: Request) -> Operator | None:
        """The operator of this request, or None for nobody."""


class Nobody(OperatorResolver):
    """The default: nobody is an operator, so the dashboard answers 403 and says what to set."""

    def resolve(self, request: Request) -> Operator | None:
        """Nobody."""
        return None
