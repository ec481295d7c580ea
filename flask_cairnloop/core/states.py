"""The one guarded way a status changes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar

from flask_cairnloop.core.errors import InvalidTransition


class Stateful:
    """A record whose ``status`` moves only along ``TRANSITIONS``."""

    TRANSITIONS: ClassVar[Mapping[Any, frozenset[Any]]] = {}
    status: Any

    def can_become(self, status: StrEnum) -> bool:
        """Whether one step leads from the present status to ``status``."""
        return status in self.TRANSITIONS.get(self.status, frozenset())

    def advance(self, status: StrEnum) -> None:
        """Move to ``status``. Raises ``InvalidTransition``, carrying this record, where no such step exists."""
        if not self.can_become(status):
            raise InvalidTransition(
                self,
                f"This {type(self).__name__.lower()} is already {self.status} and cannot become {status}.",
            )
        self.status = status
