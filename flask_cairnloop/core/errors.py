"""The errors this package raises. An error's docstring is its default message."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import cleandoc


class CairnloopError(Exception):
    """Something went wrong in the support desk."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or cleandoc(type(self).__doc__ or "").split("\n\n")[0])


class ConfigError(CairnloopError):
    """The configuration has mistakes.

    ``faults`` lists every one of them, in words; the message joins them.
    """

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        lines = "\n".join(f"  - {fault}" for fault in faults)
        super().__init__(f"Flask-Cairnloop cannot start; {len(faults)} setting(s) need attention:\n{lines}")


class NotMigrated(CairnloopError):
    """The database has not been migrated. Run: flask cairnloop db upgrade"""


class Unavailable(CairnloopError):
    """A service this needs cannot be reached right now. Try again in a moment."""


class NotFound(CairnloopError):
    """There is no such record, or it is not yours to see."""


class NotAllowed(CairnloopError):
    """You may not do this."""


class InvalidInput(CairnloopError):
    """Some fields need attention.

    ``errors`` maps a field's name to what is wrong with it.
    """

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        super().__init__("; ".join(f"{field}: {why}" for field, why in self.errors.items()))


class InvalidTransition(CairnloopError):
    """This has already moved on.

    ``record`` is the row as it is now, so a caller can show it.
    """

    def __init__(self, record: object, message: str | None = None) -> None:
        self.record = record
        super().__init__(message)


class ThreadMoved(InvalidTransition):
    """New messages arrived while you were writing."""


class DraftMoved(InvalidTransition):
    """Somebody else has saved this article since you opened it."""


class TransactionDoomed(CairnloopError):
    """An inner step failed, so nothing of this transaction was saved."""


class ClaimLost(CairnloopError):
    """Another worker has taken this job over; nothing of this run was saved."""


class HostFailure(CairnloopError):
    """The host application could not do what was asked.

    Raised by a host behaviour to refuse. ``permanent`` says that trying again is pointless.
    """

    def __init__(self, reason: str | None = None, *, permanent: bool = False) -> None:
        self.reason = reason or "no reason given"
        self.permanent = permanent
        super().__init__(self.reason)
