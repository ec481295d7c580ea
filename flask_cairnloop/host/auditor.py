"""The host's own audit rows, in our transaction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from flask_cairnloop.host.people import Actor


class Auditor(ABC):
    """Writes the host's own record of what happened, beside the built-in audit log."""

    @abstractmethod
    def audit(self, session: Session, action: str, actor: Actor, metadata: Mapping[str, Any]) -> None:
        """Called inside the transaction of the change, in a savepoint. Raising undoes the change."""

    def list_events(self, **opts: Any) -> Sequence[Mapping[str, Any]]:
        """The host's own events for the audit page, newest first."""
        return ()


class NoAuditor(Auditor):
    """The default: the built-in audit log is enough."""

    def audit(self, session: Session, action: str, actor: Actor, metadata: Mapping[str, Any]) -> None:
        """Add nothing."""
