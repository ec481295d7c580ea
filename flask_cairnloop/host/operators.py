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

    def find(self, operator_id: str, *, tenant: str = "") -> Operator | None:
        """The operator of this id as they stand now, or None for one who is gone. Asked by jobs, outside requests.

        Where a host does not say, an action runs with the scopes its proposer had when proposing it.
        """
        raise NotImplementedError


class Nobody(OperatorResolver):
    """The default: nobody is an operator, so the dashboard answers 403 and says what to set."""

    def resolve(self, request: Request) -> Operator | None:
        """Nobody."""
        return None
