"""Who acts: an operator, a customer, or the desk itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Operator:
    """The signed-in person answering; comes from the host. ``id`` is stored as ``host_user_id``, always a string."""

    id: str
    name: str
    scopes: frozenset[str] = frozenset()
    tenant: str = ""
    kind: ClassVar[str] = "operator"

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", str(self.id).strip())
        object.__setattr__(self, "scopes", frozenset(self.scopes))
        if not self.id:
            raise ValueError("an operator needs an id")


@dataclass(frozen=True)
class Customer:
    """The person asking, known by the host's opaque ``ref``."""

    ref: str
    name: str | None = None
    tenant: str = ""
    kind: ClassVar[str] = "customer"

    def __post_init__(self) -> None:
        object.__setattr__(self, "ref", str(self.ref).strip())
        if not self.ref:
            raise ValueError("a customer needs a ref")

    @property
    def id(self) -> str:
        """The reference, under the name every actor has."""
        return self.ref


@dataclass(frozen=True)
class System:
    """The desk itself: jobs and policies."""

    id: str = "system"
    name: str = "Automatic"
    tenant: str = ""
    kind: ClassVar[str] = "system"


#: The actor of jobs and policies.
SYSTEM = System()

Actor = Operator | Customer | System
