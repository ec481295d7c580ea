"""What a browser posts or asks for, as checked values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeVar
from uuid import uuid4

from werkzeug.datastructures import MultiDict

from flask_cairnloop.conversations import InboxFilter, InboxSort, InboxView, Message, Priority
from flask_cairnloop.core.errors import InvalidInput
from flask_cairnloop.dashboard import citations

E = TypeVar("E", bound=StrEnum)
LARGEST = 2**63 - 1


class ComposerKind(StrEnum):
    """What the composer writes."""

    REPLY = "reply"
    NOTE = "note"


@dataclass(frozen=True)
class Composed:
    """The composer as it stands: what was typed, and what the writer had before them."""

    kind: ComposerKind = ComposerKind.REPLY
    content: str = ""
    #: The newest message on the page; None where the browser did not say.
    seen_sequence: int | None = None
    #: The draft these words began as.
    draft_id: int | None = None
    #: The evidence the reply names as its sources.
    citations: tuple[str, ...] = ()
    #: The same form sent twice is one message.
    client_id: str = field(default_factory=lambda: uuid4().hex)

    @classmethod
    def read(cls, posted: MultiDict[str, str]) -> Composed:
        """Read the form. Raises ``InvalidInput`` for values no page of ours sends."""
        return cls(
            kind=member(ComposerKind, posted, "kind") or ComposerKind.REPLY,
            content=posted.get("content", ""),
            seen_sequence=whole(posted, "seen_sequence"),
            draft_id=whole(posted, "draft_id"),
            citations=citations.read(posted.getlist("citation")),
            client_id=posted.get("client_id") or uuid4().hex,
        )

    def without_draft(self) -> Composed:
        """The same words, no longer tied to a draft."""
        return replace(self, draft_id=None)


@dataclass(frozen=True)
class Details:
    """A conversation's subject, priority and tags as the form has them."""

    subject: str
    priority: str
    tags: tuple[str, ...]

    @classmethod
    def read(cls, posted: Mapping[str, str]) -> Details:
        """Read the form; tags stand in one field with commas between."""
        tags = tuple(tag.strip() for tag in posted.get("tags", "").split(",") if tag.strip())
        return cls(posted.get("subject", ""), posted.get("priority", Priority.NORMAL), tags)


@dataclass(frozen=True)
class Asked:
    """Which part of the inbox an address names."""

    chosen: InboxFilter
    cursor: str | None
    #: How many rows the list shows.
    shown: int

    @classmethod
    def read(cls, args: Mapping[str, str], *, size: int, longest: int) -> Asked:
        """Read an address's query. Raises ``InvalidInput`` for a view, order or priority there is none of."""
        chosen = InboxFilter(
            view=member(InboxView, args, "view") or InboxView.NEEDS_REPLY,
            sort=member(InboxSort, args, "sort") or InboxSort.NEWEST,
            tag=args.get("tag", "").strip().lower() or None,
            priority=member(Priority, args, "priority"),
            customer_ref=args.get("customer") or None,
            handed_over=args.get("person") == "1",
        )
        shown = whole(args, "shown") or size
        return cls(chosen, args.get("cursor") or None, max(1, min(shown, longest)))

    @property
    def args(self) -> dict[str, Any]:
        """What an address needs to say to name the same rows; defaults are left out."""
        chosen, plain = self.chosen, InboxFilter()
        wanted = {"view": chosen.view, "sort": chosen.sort, "tag": chosen.tag, "priority": chosen.priority}
        kept = {key: str(value) for key, value in wanted.items() if value and value != getattr(plain, key)}
        kept |= {"customer": chosen.customer_ref} if chosen.customer_ref else {}
        return kept | ({"person": "1"} if chosen.handed_over else {})


def member(kind: type[E], values: Mapping[str, str], key: str) -> E | None:
    """The member of ``kind`` that a value names; None for an empty one."""
    given = values.get(key, "").strip()
    if not given:
        return None
    try:
        return kind(given)
    except ValueError:
        raise InvalidInput({key: f"needs one of {', '.join(kind)}"}) from None


def whole(values: Mapping[str, str], key: str) -> int | None:
    """The number a value holds; None for an empty one."""
    given = values.get(key, "").strip()
    if not given:
        return None
    if not given.isdecimal() or int(given) > LARGEST:
        raise InvalidInput({key: "needs a whole number"})
    return int(given)


@dataclass(frozen=True)
class Answer:
    """The composer as the page shows it again: the words kept, and what is to be said about them."""

    composed: Composed = field(default_factory=Composed)
    errors: Mapping[str, str] = field(default_factory=dict)
    #: What others wrote while these words were being written.
    news: Sequence[Message] = ()
    notice: str = ""
    #: Whether something has just been sent from it.
    sent: bool = False
